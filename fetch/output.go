package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"assay/artifact"
	"assay/cache"
)

// pipePoll is how often a pipe is looked at for its reader.
const pipePoll = 50 * time.Millisecond

// ErrFolder: a folder is where a file was to be written. It comes with
// ErrExists.
var ErrFolder = errors.New("is a folder")

// Save writes a proven blob to a file. What stands there already is left alone
// if it is the same, replaced only if replace is set, and never followed if it
// is a link. changed tells whether anything was written. Until all bytes are
// there, and were hashed once more on the way, the file has no name; a crash
// leaves at most a hidden temporary file beside it.
func (c *Client) Save(ctx context.Context, held Held, path string, replace bool) (changed bool, err error) {
	return c.save(ctx, held.Blob, output{held.Target.Path(), held.Blob.Digest(), held.Blob.Length(), held.permission(), path, replace})
}

// SaveBlob is Save for bytes that no repository promises. what names them, for
// messages.
func (c *Client) SaveBlob(ctx context.Context, blob cache.Blob, what, path string, replace bool) (changed bool, err error) {
	return c.save(ctx, blob, output{what, blob.Digest(), blob.Length(), 0o644, path, replace})
}

// CanSave reports what would be in the way of SaveBlob, before anything is fetched:
// it writes nothing.
func (c *Client) CanSave(ctx context.Context, digest artifact.Digest, what, path string, replace bool) error {
	d, err := openDestination(ctx, output{what, digest, -1, 0o644, path, replace})
	if err != nil {
		return err
	}
	d.abort()
	return nil
}

func (c *Client) save(ctx context.Context, blob cache.Blob, out output) (changed bool, err error) {
	d, err := openDestination(ctx, out)
	if err != nil {
		return false, err
	}
	defer d.abort()
	if d.file != nil { // its bytes are hashed even where they are only shared
		if err := d.from(blob, func(also io.Writer) error { return c.WriteBlob(ctx, blob, also) }); err != nil {
			return false, err
		}
	}
	return d.finish(ctx, c, blob)
}

// sameFile reports whether a file holds just the bytes of a digest.
func sameFile(ctx context.Context, path string, digest artifact.Digest) (bool, error) {
	file, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrOutput, err)
	}
	defer file.Close()
	sum := digest.Algorithm().New()
	if err := copyBytes(ctx, sum, file, nil); err != nil {
		return false, err
	}
	return artifact.SumOf(digest.Algorithm(), sum) == digest, nil
}

// permission lets a file be run that is itself the executable.
func (h Selection) permission() fs.FileMode {
	if h.Artifact.Format == "raw" && len(h.Artifact.Executables) > 0 {
		return 0o755
	}
	return 0o644
}

// exists is false only where nothing is under the name: what else may be wrong
// with it is told by whoever uses it.
func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// writeInto writes to what is no file, a device or a pipe. It waits for the
// reader of a pipe as long as the caller does.
func (c *Client) writeInto(ctx context.Context, blob cache.Blob, path string) error {
	file, err := openInto(ctx, path)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { file.Close() }) // ends a write that nobody reads
	err = c.WriteBlob(ctx, blob, file)
	if !stop() && err != nil {
		return context.Cause(ctx)
	}
	if closeErr := file.Close(); err == nil && closeErr != nil {
		err = fmt.Errorf("%w: %w", ErrOutput, closeErr)
	}
	return err
}

// openInto opens a device or a pipe for writing. A pipe that nobody reads yet
// would hold the open up where no signal reaches it, so it is tried again.
func openInto(ctx context.Context, path string) (*os.File, error) {
	for {
		file, err := os.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if err == nil {
			return file, nil
		}
		if !errors.Is(err, syscall.ENXIO) {
			return nil, fmt.Errorf("%w: %w", ErrOutput, err)
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(pipePoll):
		}
	}
}

// WriteTo copies a proven blob to w. It was hashed before, and is once more as
// it goes out: should the disk have lied in between, that is an error.
func (c *Client) WriteTo(ctx context.Context, held Held, w io.Writer) error {
	return c.WriteBlob(ctx, held.Blob, w)
}

// WriteBlob is WriteTo for bytes that no repository promises.
func (c *Client) WriteBlob(ctx context.Context, blob cache.Blob, w io.Writer) error {
	reader, err := blob.Open()
	if err != nil {
		return err
	}
	defer reader.Close()
	err = copyBytes(ctx, outputWriter{w}, reader, nil)
	if errors.Is(err, errRead) {
		return fmt.Errorf("%s: %w", blob.Path(), err)
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
