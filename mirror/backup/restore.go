package backup

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"assay/artifact"
	"assay/internal/durable"
	"assay/internal/plaintar"
	"assay/internal/shown"
	"assay/mirror/storage"
)

// RestoredConfig is the folder, in that of the mirror, where the files of the
// configuration are put: for a person to look at, and to move to their places.
const RestoredConfig = "restored"

// Restore makes the folder of a mirror of a backup: ErrNotEmpty where something is in
// it. What is read of the head tells what came.
//
// Crash here, or an error: beside the folder a hidden one, DIR.restoring, which the
// next call begins anew; the folder gets its name when all is in it.
func Restore(ctx context.Context, from, dir string) (Head, error) {
	if err := isEmpty(dir); err != nil {
		return Head{}, err
	}
	file, err := openBackup(from)
	if err != nil {
		return Head{}, err
	}
	defer file.Close()
	draft := filepath.Join(filepath.Dir(dir), "."+filepath.Base(dir)+".restoring")
	if err := os.RemoveAll(draft); err != nil {
		return Head{}, disk(err)
	}
	if err := durable.MkdirAll(draft, 0o700); err != nil {
		return Head{}, disk(err)
	}
	head, err := restoreTo(ctx, file, draft)
	if err == nil {
		err = rename(draft, dir)
	}
	if err != nil {
		return Head{}, errors.Join(err, disk(os.RemoveAll(draft)))
	}
	return head, nil
}

// rename gives the draft its name. An empty folder of that name goes first.
func rename(draft, dir string) error {
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", ErrNotEmpty, err)
	}
	return disk(durable.Rename(draft, dir))
}

func isEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return disk(err)
	case len(entries) > 0:
		return fmt.Errorf("%w: expected nothing in %s, found %s: a mirror is never overwritten", ErrNotEmpty, dir, shown.Quote(entries[0].Name(), 80))
	}
	return nil
}

func openBackup(path string) (*os.File, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, disk(err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s: expected a regular file, found %v", ErrBackup, shown.Clip(path, 200), info.Mode().Type())
	}
	file, err := os.Open(path)
	return file, disk(err)
}

// restoreTo unpacks a backup into a folder that is empty.
func restoreTo(ctx context.Context, from io.Reader, dir string) (head Head, err error) {
	in := plaintar.NewReader(ctx, bufio.NewReaderSize(from, 256<<10))
	text, err := in.Text(headName, maxHead)
	if err != nil {
		return head, err
	}
	if head, err = decodeHead(text); err != nil {
		return head, err
	}
	for _, folder := range []string{"state", RestoredConfig} {
		if err := durable.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			return head, disk(err)
		}
	}
	documents, err := storage.Open(filepath.Join(dir, "storage"), storage.Options{})
	if err != nil {
		return head, err
	}
	defer func() { err = errors.Join(err, documents.Close()) }()
	for _, f := range head.Files {
		size, err := in.Next(f.Name)
		if err == nil && size != f.Length {
			err = fmt.Errorf("%w: %s: expected %d bytes, as %s says, found %d", ErrBackup, f.Name, f.Length, headName, size)
		}
		if err == nil {
			err = restoreFile(ctx, in, f, dir, documents)
		}
		if err != nil {
			return head, err
		}
	}
	return head, in.End()
}

// restoreFile puts one file where it belongs, once its bytes have the digest.
func restoreFile(ctx context.Context, in io.Reader, f File, dir string, documents *storage.Folder) error {
	if strings.HasPrefix(f.Name, quarantineFolder) {
		text, err := io.ReadAll(in)
		if err == nil {
			err = f.same(artifact.DigestOf(artifact.SHA256, text))
		}
		if err == nil {
			_, err = documents.Replace(ctx, f.Name, "", text)
		}
		return err
	}
	path := filepath.Join(dir, filepath.FromSlash(f.Name))
	if base, ok := strings.CutPrefix(f.Name, configFolder); ok {
		path = filepath.Join(dir, RestoredConfig, base)
	}
	file, err := durable.Create(path, 0o600)
	if err != nil {
		return disk(err)
	}
	defer file.Abort()
	hash := artifact.SHA256.New()
	// The reader's errors are told from those of the disk: it marks its own.
	if _, err := io.CopyBuffer(io.MultiWriter(hash, diskWriter{file}), struct{ io.Reader }{in}, make([]byte, 256<<10)); err != nil {
		return err
	}
	if err := f.same(artifact.SumOf(artifact.SHA256, hash)); err != nil {
		return err
	}
	return disk(file.Commit())
}

// diskWriter marks the errors of a file.
type diskWriter struct{ w io.Writer }

func (d diskWriter) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	return n, disk(err)
}

func (f File) same(found artifact.Digest) error {
	if found != f.SHA256 {
		return fmt.Errorf("%w: %s: expected %s, as %s says, found %s", ErrBackup, f.Name, f.SHA256, headName, found)
	}
	return nil
}
