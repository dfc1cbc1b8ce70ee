package install

import (
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

// maxLauncher bounds what is read of a file that may be a launcher, in bytes.
const maxLauncher = 64 << 10

// launcherMark begins the first line of our launchers, and the product follows.
const launcherMark = "@rem assay: "

// readCurrent is the number of the generation that runs; 0: none. Links need a
// privilege here, so that it is a file.
func readCurrent(dir string) (int, error) {
	path := filepath.Join(dir, currentName)
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) {
		return 0, nil
	}
	if err != nil {
		return 0, disk(err)
	}
	number, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil || number <= 0 {
		return 0, fmt.Errorf("%w: %s: expected the number of a generation, found %s", ErrRecord, path, quote(string(text)))
	}
	return number, nil
}

// writeCurrent is the switch: before it the old generation runs, after it the new.
func writeCurrent(dir string, number int) error {
	return disk(durable.WriteFile(filepath.Join(dir, currentName), []byte(strconv.Itoa(number)+"\r\n"), 0o644))
}

func removeCurrent(dir string) error {
	err := os.Remove(filepath.Join(dir, currentName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return disk(err)
}

// linkPrograms makes the bin folder of a generation in the making: a script for each
// program, that calls it where it lies.
func linkPrograms(dir string, r Release) error {
	bin := filepath.Join(dir, binName)
	if err := os.Mkdir(bin, 0o755); err != nil {
		return disk(err)
	}
	for _, p := range r.programs() {
		script := "@\"%~dp0..\\" + treeName + "\\" + escape(filepath.FromSlash(p.Path)) + "\" %*\r\n"
		if err := durable.WriteFile(filepath.Join(bin, scriptName(p.Link)), []byte(script), 0o644); err != nil {
			return disk(err)
		}
	}
	return nil
}

// escape keeps a path in a script what it is.
func escape(path string) string { return strings.ReplaceAll(path, "%", "%%") }

// scriptName is what a program is called by in a shell without its suffix.
func scriptName(link string) string {
	return strings.TrimSuffix(strings.TrimSuffix(link, ".exe"), ".EXE") + ".cmd"
}

// linkPath is the file in the folder of links for a program of that name.
func (s *Store) linkPath(link string) string { return filepath.Join(s.Bin, scriptName(link)) }

// makeLink writes the launcher, which asks each time which generation is current.
func (p *product) makeLink(link string) error {
	dir := escape(p.dir)
	script := launcherMark + p.name.String() + "\r\n" +
		"@setlocal\r\n" +
		"@set /p ASSAY_CURRENT=<\"" + dir + "\\" + currentName + "\"\r\n" +
		"@call \"" + dir + "\\%ASSAY_CURRENT%\\" + binName + "\\" + escape(scriptName(link)) + "\" %*\r\n" +
		"@exit /b %ERRORLEVEL%\r\n"
	return disk(durable.WriteFile(p.linkPath(link), []byte(script), 0o644))
}

// ownerOf tells whose a name in the folder of links is.
func (s *Store) ownerOf(link string) (owner, error) {
	path := s.linkPath(link)
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return owner{}, nil
	}
	if err != nil {
		return owner{}, disk(err)
	}
	if !info.Mode().IsRegular() || info.Size() > maxLauncher {
		return owner{taken: true, what: "a file"}, nil
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return owner{}, disk(err)
	}
	line, _, _ := strings.Cut(string(text), "\r\n")
	repository, product, ok := strings.Cut(strings.TrimPrefix(line, launcherMark), ":")
	if !strings.HasPrefix(line, launcherMark) || !ok {
		return owner{taken: true, what: "a file"}, nil
	}
	return owner{taken: true, product: Name{repository, product}}, nil
}
