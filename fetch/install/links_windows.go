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

	"assay/artifact/release"
	"assay/internal/durable"
)

var errNotDir = syscall.ENOTDIR

// maxLauncher bounds what is read of a file that may be a launcher, in bytes.
const maxLauncher = 64 << 10

// launcherMark begins the first line of our launchers; the product and the file's name
// follow.
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
	number, ok := parseNumber(strings.TrimSpace(string(text)))
	if !ok {
		return 0, fmt.Errorf("%w: %s: expected the number of a generation, found %s", ErrRecord, path, quote(string(text)))
	}
	return number, nil
}

// writeCurrent is the switch: before it the old generation runs, after it the new.
func writeCurrent(dir string, number int) error {
	return disk(durable.WriteFile(filepath.Join(dir, currentName), []byte(strconv.Itoa(number)+"\r\n"), 0o644))
}

func removeCurrent(dir string) error {
	return disk(ignoreMissing(os.Remove(filepath.Join(dir, currentName))))
}

// linkPrograms makes the bin folder of a generation in the making: a script for each
// program, that calls it where it lies.
func linkPrograms(dir string, r Release) error {
	bin := filepath.Join(dir, binName)
	if err := os.Mkdir(bin, 0o755); err != nil {
		return disk(err)
	}
	for _, p := range r.programs() {
		if err := durable.WriteFile(filepath.Join(bin, linkFile(p.Link)), []byte(programScript(p)), 0o644); err != nil {
			return disk(err)
		}
	}
	return nil
}

// programScript calls a program of a generation.
func programScript(p release.Executable) string {
	return "@\"%~dp0..\\" + treeName + "\\" + escape(filepath.FromSlash(p.Path)) + "\" %*\r\n"
}

// leadsTo reports whether the bin folder of a generation leads to a program.
func leadsTo(bin string, p release.Executable) bool {
	text, err := os.ReadFile(filepath.Join(bin, linkFile(p.Link)))
	return err == nil && string(text) == programScript(p)
}

// escape keeps a path in a script what it is.
func escape(path string) string { return strings.ReplaceAll(path, "%", "%%") }

// linkFile is the script that a program is called by, in a shell without the suffix.
func linkFile(link string) string {
	return strings.TrimSuffix(strings.TrimSuffix(link, ".exe"), ".EXE") + ".cmd"
}

// makeLink writes the launcher where there is nothing. It asks each time which
// generation is current. A crash leaves a hidden file, which counts as a launcher.
func (p *product) makeLink(link string) error {
	dir := escape(p.dir)
	script := launcherMark + p.name.String() + " " + linkFile(link) + "\r\n" +
		"@setlocal\r\n" +
		"@set /p ASSAY_CURRENT=<\"" + dir + "\\" + currentName + "\"\r\n" +
		"@call \"" + dir + "\\%ASSAY_CURRENT%\\" + binName + "\\" + escape(linkFile(link)) + "\" %*\r\n" +
		"@exit /b %ERRORLEVEL%\r\n"
	file, err := durable.Create(p.linkPath(link), 0o644)
	if err != nil {
		return err
	}
	defer file.Abort()
	if _, err := file.Write([]byte(script)); err != nil {
		return err
	}
	return file.CommitNew()
}

// ownerOfFile tells whose a name in the folder of links is. A launcher by another name
// than it was made with is somebody else's.
func (s *Store) ownerOfFile(name string) (owner, error) {
	path := filepath.Join(s.Bin, name)
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
	line, ours := strings.CutPrefix(line, launcherMark)
	line, file, _ := strings.Cut(line, " ")
	repository, product, _ := strings.Cut(line, ":")
	made := Name{repository, product}
	if isDraft := strings.HasPrefix(name, "."+file+"."); !ours || made.check() != nil || !isDraft && !s.sameFile(name, file) {
		return owner{taken: true, what: "a file"}, nil
	}
	return owner{taken: true, product: made}, nil
}

// allowOne has nothing to do: the name says what can be executed.
func allowOne(*os.Root, string, fs.FileMode) error { return nil }
