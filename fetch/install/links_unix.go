//go:build !windows

package install

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"assay/artifact/release"
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
	number, ok := parseNumber(text)
	if !ok {
		return 0, fmt.Errorf("%w: %s: expected a link to a generation, found one to %s", ErrRecord, path, quote(text))
	}
	return number, nil
}

// writeCurrent is the switch: before it the old generation runs, after it the new.
// A crash leaves one of the two, and perhaps a hidden link.
func writeCurrent(dir string, number int) error {
	path := filepath.Join(dir, currentName)
	return errors.Join(setAside(path), replaceLink(strconv.Itoa(number), path))
}

// setAside makes room where there is a folder in the place of a link, as copies that
// follow links have it: nothing can be put in its place. A crash leaves no current
// generation, which was none, and a hidden folder.
func setAside(path string) error {
	if info, err := os.Lstat(path); err != nil || !info.IsDir() {
		return nil
	}
	return disk(durable.Rename(path, filepath.Join(filepath.Dir(path), gonePrefix+randomName())))
}

func removeCurrent(dir string) error {
	path := filepath.Join(dir, currentName)
	return disk(errors.Join(setAside(path), ignoreMissing(os.Remove(path)), durable.SyncDir(dir)))
}

// replaceLink puts a symbolic link in the place of what is there, at once.
func replaceLink(target, path string) error {
	draft := filepath.Join(filepath.Dir(path), ".link-"+randomName())
	if err := os.Symlink(target, draft); err != nil {
		return disk(err)
	}
	if err := durable.Rename(draft, path); err != nil {
		return disk(errors.Join(err, ignoreMissing(os.Remove(draft))))
	}
	return nil
}

// linkPrograms makes the bin folder of a generation in the making.
func linkPrograms(dir string, r Release) error {
	bin := filepath.Join(dir, binName)
	if err := os.Mkdir(bin, 0o755); err != nil {
		return disk(err)
	}
	for _, p := range r.programs() {
		if err := os.Symlink(programTarget(p), filepath.Join(bin, p.Link)); err != nil {
			return disk(err)
		}
	}
	return disk(durable.SyncDir(bin))
}

// programTarget is where a generation's link to a program leads.
func programTarget(p release.Executable) string { return "../" + treeName + "/" + p.Path }

// leadsTo reports whether the bin folder of a generation leads to a program.
func leadsTo(bin string, p release.Executable) bool {
	target, _ := os.Readlink(filepath.Join(bin, p.Link))
	return target == programTarget(p)
}

// linkFile is the name in the folder of links of a program that is called so.
func linkFile(link string) string { return link }

// linkTarget is where it leads, whichever generation is current.
func (p *product) linkTarget(link string) string {
	return filepath.Join(p.dir, currentName, binName, link)
}

// makeLink makes a link where there is nothing.
func (p *product) makeLink(link string) error {
	if err := os.Symlink(p.linkTarget(link), p.linkPath(link)); err != nil {
		return err
	}
	return durable.SyncDir(p.Bin)
}

// ownerOfFile tells whose a name in the folder of links is. A link to a program by
// another name than the program's was made by somebody else.
func (s *Store) ownerOfFile(file string) (owner, error) {
	path := filepath.Join(s.Bin, file)
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return owner{}, nil
	}
	if err != nil {
		return owner{}, disk(err)
	}
	if info.Mode()&fs.ModeSymlink == 0 {
		return owner{taken: true, what: describeMode(info.Mode())}, nil
	}
	target, err := os.Readlink(path)
	if err != nil {
		return owner{}, disk(err)
	}
	if name, link := s.programOf(target); name.check() == nil && s.sameFile(file, link) {
		return owner{taken: true, product: name}, nil
	}
	return owner{taken: true, what: "a link to " + quote(target)}, nil
}

// programOf is what a link leads to that is of this store; the zero Name: it is none.
func (s *Store) programOf(target string) (Name, string) {
	rest, link := path.Split(target)
	rest, inGeneration := strings.CutSuffix(rest, "/"+currentName+"/"+binName+"/")
	rest, product := path.Split(rest)
	root, repository := path.Split(strings.TrimSuffix(rest, "/"))
	if !inGeneration || !s.isProducts(strings.TrimSuffix(root, "/")) {
		return Name{}, ""
	}
	return Name{repository, product}, link
}

// isProducts reports whether a folder is that of the products, by this name or, where
// a link is on the way, by another.
func (s *Store) isProducts(dir string) bool {
	here, _ := os.Stat(s.products())
	there, _ := os.Stat(dir)
	return dir == s.products() || filepath.IsAbs(dir) && os.SameFile(here, there)
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

// allowOne has those execute a file who may read it, durably.
func allowOne(root *os.Root, path string, mode fs.FileMode) error {
	if err := root.Chmod(path, mode|mode&0o444>>2); err != nil {
		return err
	}
	file, err := root.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(file.Sync(), file.Close())
}
