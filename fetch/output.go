package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"assay/internal/durable"
	"assay/trust"
)

// Save writes a proven blob to a file. What stands there already is left alone
// if it is the same, replaced only if replace is set, and never followed if it
// is a link. changed tells whether anything was written. Until all bytes are
// there, and were hashed once more on the way, the file has no name; a crash
// leaves at most a hidden temporary file beside it.
func (c *Client) Save(ctx context.Context, held Held, path string, replace bool) (changed bool, err error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return true, c.create(ctx, held, path, false)
	case err != nil:
		return false, fmt.Errorf("%w: %w", ErrOutput, err)
	case info.IsDir():
		return false, fmt.Errorf("%w: %s is a folder; name a file in it", ErrExists, path)
	case info.Mode()&(fs.ModeDevice|fs.ModeNamedPipe|fs.ModeSocket) != 0:
		return true, c.writeInto(ctx, held, path)
	}
	if info.Mode().IsRegular() && info.Size() == held.Target.Length() {
		same, err := sameFile(ctx, path, held.Target)
		if err != nil || same {
			return false, err
		}
	}
	if !replace {
		return false, fmt.Errorf("%w: %s holds other bytes than %s; move it away, or name another file with -o", ErrExists, path, held.Target.Path())
	}
	return true, c.create(ctx, held, path, true)
}

// sameFile reports whether a file holds just what the target promises.
func sameFile(ctx context.Context, path string, target trust.Target) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrOutput, err)
	}
	defer file.Close()
	prover := newProver(target, "")
	if err := copyBytes(ctx, prover, file, nil); err != nil {
		return false, err
	}
	return prover.check() == nil, nil
}

// create writes a new file; one that is itself the executable may be run.
func (c *Client) create(ctx context.Context, held Held, path string, replace bool) error {
	perm := fs.FileMode(0o644)
	if held.Artifact.Format == "raw" && len(held.Artifact.Executables) > 0 {
		perm = 0o755
	}
	file, err := durable.Create(path, perm)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	defer file.Abort()
	if err := c.WriteTo(ctx, held, file); err != nil {
		return err
	}
	commit := file.CommitNew
	if replace {
		commit = file.Commit
	}
	if err := commit(); err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	return nil
}

// writeInto writes to what is no file, a device or a pipe.
func (c *Client) writeInto(ctx context.Context, held Held, path string) error {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	err = c.WriteTo(ctx, held, file)
	if closeErr := file.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("%w: %w", ErrOutput, closeErr)
	}
	return err
}

// WriteTo copies a proven blob to w. It was hashed before, and is once more as
// it goes out: should the disk have lied in between, that is an error.
func (c *Client) WriteTo(ctx context.Context, held Held, w io.Writer) error {
	reader, err := held.Blob.Open()
	if err != nil {
		return err
	}
	defer reader.Close()
	err = copyBytes(ctx, outputWriter{w}, reader, nil)
	if errors.Is(err, errRead) {
		return fmt.Errorf("%s: %w", held.Blob.Path(), err)
	}
	return err
}

// outputWriter tells the failure of an output apart from all others.
type outputWriter struct{ io.Writer }

func (w outputWriter) Write(p []byte) (int, error) {
	n, err := w.Writer.Write(p)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrOutput, err)
	}
	return n, err
}
