package install

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"assay/artifact/release"
	"assay/cache"
	"assay/fetch/unpack"
	"assay/internal/durable"
)

// rawFormat is that of an artifact that is a program itself.
const rawFormat = "raw"

// Progress is told of the bytes that are written.
type Progress interface{ Add(n int) }

type silent struct{}

func (silent) Add(int) {}

// Fit says whether an artifact can be installed, and how it is packed. The error is
// an ErrUnfit that says what is lacking.
func (r Release) Fit() error {
	if _, _, err := r.packed(); err != nil {
		return err
	}
	if len(r.Executables) == 0 && r.Format != rawFormat {
		return fmt.Errorf("%w: %s: its manifest names no programs", ErrUnfit, r.Target)
	}
	return nil
}

// packed tells the archive's format; raw: it is no archive.
func (r Release) packed() (format unpack.Format, raw bool, err error) {
	if r.Format == rawFormat {
		return "", true, nil
	}
	name := r.Name
	if r.Format != "" {
		name = "x." + r.Format // what the manifest says counts more than a name
	}
	format, known := unpack.FormatOf(name)
	if !known {
		return "", false, fmt.Errorf("%w: %s: expected an archive (zip, tar.gz, tar.xz, …) or a program (raw), found the format %s", ErrUnfit, r.Target, quote(r.Format))
	}
	return format, false, nil
}

// completed is the release with the program that a raw artifact is.
func (r Release) completed() Release {
	if r.Format == rawFormat && len(r.Executables) == 0 {
		r.Executables = []release.Executable{{Path: r.Name, Link: r.Product}}
	}
	return r
}

// makeTree fills a new folder with the release's files. They are durable when it
// returns nil; a crash before leaves some of them, in a folder that has no number.
func makeTree(ctx context.Context, r Release, blob cache.Blob, dir string, progress Progress) error {
	format, raw, err := r.packed()
	if err != nil {
		return err
	}
	if raw {
		return makeRaw(ctx, r, blob, dir, progress)
	}
	held, err := openHeld(blob)
	if err != nil {
		return err
	}
	defer held.file.Close()
	archive := unpack.File{ReaderAt: held, Size: blob.Length(), Name: archiveName(r.Name, format)}
	_, err = unpack.Into(ctx, archive, format, dir, unpack.Options{ReadOnly: true, Executable: true, Progress: progress})
	if ctx.Err() != nil {
		return cmp.Or(err, context.Cause(ctx))
	}
	// First whether they were the right bytes: what is wrong in others says nothing
	// about the publisher's archive.
	if bad := held.finish(ctx); bad != nil {
		return bad
	}
	if err != nil {
		return err
	}
	return allowPrograms(r, dir)
}

// archiveName is a name that says the format, which a manifest may say alone.
func archiveName(name string, format unpack.Format) string {
	if found, ok := unpack.FormatOf(name); ok && found == format {
		return name
	}
	return name + "." + string(format)
}

// makeRaw copies a program that is no archive.
func makeRaw(ctx context.Context, r Release, blob cache.Blob, dir string, progress Progress) (err error) {
	if len(r.Executables) != 1 {
		return fmt.Errorf("%w: %s: expected one program of one file, found %d", ErrUnfit, r.Target, len(r.Executables))
	}
	path := filepath.Join(dir, filepath.FromSlash(r.Executables[0].Path))
	if err := durable.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return disk(err)
	}
	from, err := blob.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := durable.Create(path, 0o555)
	if err != nil {
		return disk(err)
	}
	defer to.Abort()
	buffer := make([]byte, 256<<10)
	for err == nil {
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		var n int
		n, err = from.Read(buffer)
		if _, err := to.Write(buffer[:n]); err != nil {
			return disk(err)
		}
		progress.Add(n)
	}
	if !errors.Is(err, io.EOF) {
		return err
	}
	return disk(to.Commit())
}

// allowPrograms makes sure that the programs are there, and can be executed: an
// archive need not say so, the manifest does.
func allowPrograms(r Release, dir string) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return disk(err)
	}
	defer root.Close()
	for _, p := range r.programs() {
		info, err := root.Stat(filepath.FromSlash(p.Path)) // a link inside of the tree is fine
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %s: its manifest names the program %s, which the archive does not have%s", ErrUnfit, r.Target, quote(p.Path), nearest(root, p.Path))
		}
		if err != nil {
			return fmt.Errorf("%w: %s: the program %s: %w", ErrUnfit, r.Target, quote(p.Path), err)
		}
		if !info.Mode().IsRegular() {
			return fmt.Errorf("%w: %s: expected the program %s to be a file, found %v", ErrUnfit, r.Target, quote(p.Path), info.Mode().Type())
		}
		if err := allowOne(root, filepath.FromSlash(p.Path), info.Mode().Perm()); err != nil {
			return disk(err)
		}
	}
	return nil
}

// nearest names a file of the same name elsewhere in the tree, for a message.
func nearest(root *os.Root, path string) string {
	base, found := path[strings.LastIndexByte(path, '/')+1:], ""
	_ = fs.WalkDir(root.FS(), ".", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Name() == base && entry.Type().IsRegular() {
			found = path
			return fs.SkipAll
		}
		return nil
	})
	if found == "" {
		return ""
	}
	return "; it has " + quote(found)
}
