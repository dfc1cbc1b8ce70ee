//go:build !windows

package install

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"assay/internal/durable"
)

var errNotDir = syscall.ENOTDIR

// readCurrent is the number of the generation that runs; 0: none.
func readCurrent(dir string) (int, error) {
	path := filepath.Join(dir, currentName)
	text, err := os.Readlink(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("%w: %s: expected a link to a generation: %w", ErrRecord, path, err)
	}
	number, err := strconv.Atoi(text)
	if err != nil || number <= 0 || strconv.Itoa(number) != text {
		return 0, fmt.Errorf("%w: %s: expected a link to a generation, found one to %s", ErrRecord, path, quote(text))
	}
	return number, nil
}

// writeCurrent is the switch: before it the old generation runs, after it the new.
// A crash leaves one of the two, and perhaps a hidden link.
func writeCurrent(dir string, number int) error {
	return replaceLink(strconv.Itoa(number), filepath.Join(dir, currentName))
}

func removeCurrent(dir string) error {
	err := os.Remove(filepath.Join(dir, currentName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return disk(errors.Join(err, durable.SyncDir(dir)))
}

// replaceLink puts a symbolic link in the place of what is there, at once.
func replaceLink(target, path string) error {
	var random [8]byte
	rand.Read(random[:]) // never fails
	draft := filepath.Join(filepath.Dir(path), ".link-"+hex.EncodeToString(random[:]))
	if err := os.Symlink(target, draft); err != nil {
		return disk(err)
	}
	if err := durable.Rename(draft, path); err != nil {
		return disk(errors.Join(err, ignoreMissing(os.Remove(draft))))
	}
	return nil
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// linkPrograms makes the bin folder of a generation in the making.
func linkPrograms(dir string, r Release) error {
	bin := filepath.Join(dir, binName)
	if err := os.Mkdir(bin, 0o755); err != nil {
		return disk(err)
	}
	for _, p := range r.programs() {
		if err := os.Symlink("../"+treeName+"/"+p.Path, filepath.Join(bin, p.Link)); err != nil {
			return disk(err)
		}
	}
	return disk(durable.SyncDir(bin))
}

// linkPath is the file in the folder of links for a program of that name.
func (s *Store) linkPath(link string) string { return filepath.Join(s.Bin, link) }

// linkTarget is where it leads, whichever generation is current.
func (p *product) linkTarget(link string) string {
	return filepath.Join(p.dir, currentName, binName, link)
}

func (p *product) makeLink(link string) error {
	return replaceLink(p.linkTarget(link), p.linkPath(link))
}

// ownerOf tells whose a name in the folder of links is.
func (s *Store) ownerOf(link string) (owner, error) {
	info, err := os.Lstat(s.linkPath(link))
	if errors.Is(err, fs.ErrNotExist) {
		return owner{}, nil
	}
	if err != nil {
		return owner{}, disk(err)
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		return owner{taken: true, what: describeMode(info.Mode())}, nil
	}
	target, err := os.Readlink(s.linkPath(link))
	if err != nil {
		return owner{}, disk(err)
	}
	if parts := s.parts(target); parts != nil {
		return owner{taken: true, product: Name{parts[0], parts[1]}}, nil
	}
	return owner{taken: true, what: "a link to " + quote(target)}, nil
}

// parts are the repository and the product of a link that is of this store; nil: it
// is none.
func (s *Store) parts(target string) []string {
	rest, ok := strings.CutPrefix(target, s.products()+string(filepath.Separator))
	parts := strings.Split(rest, string(filepath.Separator))
	if !ok || len(parts) != 5 || parts[2] != currentName || parts[3] != binName {
		return nil
	}
	return parts
}

func describeMode(mode fs.FileMode) string {
	switch {
	case mode.IsRegular():
		return "a file"
	case mode.IsDir():
		return "a folder"
	}
	return mode.Type().String()
}
