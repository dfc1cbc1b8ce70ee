package draft

import (
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"assay/artifact"
	"assay/artifact/release"
	"assay/fetch/unpack"
)

// maxPrograms is the most programs that a manifest can list for an artifact.
const maxPrograms = 256

// program is a program that a release brings.
type program struct {
	release.Executable
	build *buildinfo.BuildInfo // nil: it says nothing, so it is not of Go
}

// programs finds the programs of an artifact: those that goreleaser put into an
// archive, where they are in truth, or the one that is an artifact by itself.
// A package says by its own means what it brings.
func (d *dist) programs(ctx context.Context, e entry, scratch string) ([]program, error) {
	switch {
	case e.Type == typeBinary:
		return d.plainProgram(e)
	case e.Type == typeArchive && len(e.more.Binaries) > 0:
		return d.packedPrograms(ctx, e, scratch)
	}
	return nil, nil
}

func (d *dist) plainProgram(e entry) ([]program, error) {
	from, _, err := d.open(e.local)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	link := e.more.Binary
	if e.Goos == "windows" && link != "" && !strings.HasSuffix(link, ".exe") {
		link += ".exe"
	}
	return []program{{release.Executable{Path: e.Name, Link: link}, buildOf(from)}}, nil
}

// packedPrograms unpacks an archive into a folder that is removed again, as a
// consumer's assay would: what that refuses can't be installed.
// Crash here: the folder stays in scratch; nothing reads it.
func (d *dist) packedPrograms(ctx context.Context, e entry, scratch string) (found []program, err error) {
	if n := len(e.more.Binaries); n > maxPrograms {
		return nil, fmt.Errorf("%w: %s: expected at most %d programs in %s, found %d", ErrDist, listName, maxPrograms, quote(e.Name), n)
	}
	format, err := formatOf(e)
	if err != nil {
		return nil, err
	}
	from, info, err := d.open(e.local)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	temp, err := os.MkdirTemp(scratch, "assay-draft-")
	if err != nil {
		return nil, disk(err)
	}
	defer func() { err = errors.Join(err, disk(os.RemoveAll(temp))) }()
	tree := filepath.Join(temp, "tree")
	archive := unpack.File{ReaderAt: from, Size: info.Size(), Name: e.Name}
	if _, err := unpack.Into(ctx, archive, unpack.Format(format), tree, unpack.Options{Executable: true}); err != nil {
		return nil, fmt.Errorf("%s: %w", quote(e.Name), err)
	}
	root, err := os.OpenRoot(tree)
	if err != nil {
		return nil, disk(err)
	}
	defer root.Close()
	for _, name := range e.more.Binaries {
		p, err := findProgram(root, e, name)
		if err != nil {
			return nil, err
		}
		found = append(found, p)
	}
	slices.SortFunc(found, func(a, b program) int { return strings.Compare(a.Path, b.Path) })
	return found, nil
}

// findProgram finds a program in what an archive holds: where goreleaser says, or
// else the only file of that name. An archive of one file alone has no name for it.
func findProgram(root *os.Root, e entry, name string) (program, error) {
	name = path.Clean(strings.ReplaceAll(name, `\`, "/"))
	var beside []string
	err := fs.WalkDir(root.FS(), ".", func(at string, item fs.DirEntry, err error) error {
		if err == nil && item.Type().IsRegular() && (path.Base(at) == path.Base(name) || e.more.Format == "gz") {
			beside = append(beside, at)
		}
		return err
	})
	if err != nil {
		return program{}, disk(err)
	}
	at := ""
	switch listed := path.Join(e.more.WrappedIn, name); {
	case slices.Contains(beside, listed):
		at = listed
	case slices.Contains(beside, path.Join(e.more.WrappedIn, path.Base(name))): // strip_binary_directory
		at = path.Join(e.more.WrappedIn, path.Base(name))
	case len(beside) == 1:
		at = beside[0]
	default:
		return program{}, fmt.Errorf("%w: %s: expected the program %s in it, found %d files of that name",
			ErrMismatch, quote(e.Name), quote(listed), len(beside))
	}
	file, err := root.Open(filepath.FromSlash(at))
	if err != nil {
		return program{}, disk(err)
	}
	defer file.Close()
	return program{release.Executable{Path: at, Link: path.Base(name)}, buildOf(file)}, nil
}

// buildOf reads what a Go program says of its making; nil where it says nothing.
func buildOf(file io.ReaderAt) (build *buildinfo.BuildInfo) {
	defer func() {
		if recover() != nil { // the reader is not ours, and the bytes are from outside
			build = nil
		}
	}()
	build, err := buildinfo.Read(file)
	if err != nil {
		return nil
	}
	return build
}

// setting is a setting that a program was built with; empty: not known.
func (p program) setting(key string) string {
	if p.build != nil {
		for _, s := range p.build.Settings {
			if s.Key == key {
				return s.Value
			}
		}
	}
	return ""
}

// agrees compares what a program says of its making with what goreleaser says.
func (p program) agrees(e entry, platform artifact.Platform, commit string) error {
	arm, _, _ := strings.Cut(p.setting("GOARM"), ",") // how it computes with fractions follows
	for _, c := range []struct{ what, listed, own string }{
		{"operating system", platform.OS, p.setting("GOOS")},
		{"architecture", platform.Arch, p.setting("GOARCH")},
		{"level of amd64", e.Goamd64, p.setting("GOAMD64")}, // of a higher one it would not run everywhere
		{"level of arm", e.Goarm, arm},
		{"commit", commit, p.setting("vcs.revision")},
	} {
		if c.listed != "" && c.listed != artifact.Any && c.own != "" && c.own != c.listed {
			return fmt.Errorf("%w: the program %s in %s: expected the %s %s, as goreleaser says, found %s, as the program says",
				ErrMismatch, quote(p.Path), quote(e.Name), c.what, quote(c.listed), quote(c.own))
		}
	}
	return nil
}

// formatOf is an artifact's format by its name in manifests.
func formatOf(e entry) (string, error) {
	switch e.more.Format {
	case "binary":
		return "raw", nil
	case "":
		return "", fmt.Errorf("%w: %s: expected the format of %s, found none", ErrDist, listName, quote(e.Name))
	}
	if e.Type != typeArchive {
		return e.more.Format, nil
	}
	format, known := unpack.FormatOf("x." + e.more.Format)
	if !known {
		return "", fmt.Errorf("%w: %s: expected an archive that assay can unpack (zip, tar.gz, tar.xz, tar.zst, …), found the format %s", ErrInput, quote(e.Name), quote(e.more.Format))
	}
	return string(format), nil
}
