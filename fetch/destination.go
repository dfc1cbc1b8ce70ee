package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"assay/artifact"
	"assay/cache"
	"assay/internal/durable"
)

// output is a file that is asked for, and what it is to hold.
type output struct {
	what    string // for messages
	digest  artifact.Digest
	length  int64 // -1: not known
	perm    fs.FileMode
	path    string
	replace bool
}

// destination is where an output goes: to a new file, or to a device or a pipe, or
// nowhere, as the file is there already.
type destination struct {
	output
	file   *durable.File // nil: none is written
	device bool
	cloned bool // the file shares the blob's bytes, or will
}

// openDestination looks at what stands under the name, before anything is fetched:
// what is in the way is an error now. A new file has no name until finish.
func openDestination(ctx context.Context, out output) (*destination, error) {
	d := &destination{output: out}
	info, err := os.Lstat(out.path)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		// A link to a file is replaced itself. One to a folder or a device, as
		// /dev/stdout is one, stands for what it leads to.
		if behind, err := os.Stat(out.path); err == nil && !behind.Mode().IsRegular() {
			info = behind
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.replace = false
		return d, d.create()
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrOutput, err)
	case info.IsDir():
		return nil, fmt.Errorf("%w: %s %w", ErrExists, out.path, ErrFolder)
	case info.Mode()&(fs.ModeDevice|fs.ModeNamedPipe|fs.ModeSocket) != 0:
		d.device = true
		return d, nil
	}
	if info.Mode().IsRegular() && (info.Size() == out.length || out.length < 0) {
		same, err := sameFile(ctx, out.path, out.digest)
		if err != nil || same {
			return d, err
		}
	}
	if !out.replace {
		return nil, fmt.Errorf("%w: %s holds other bytes than %s", ErrExists, out.path, out.what)
	}
	return d, d.create()
}

func (d *destination) create() (err error) {
	if dir := filepath.Dir(d.path); !exists(dir) {
		return fmt.Errorf("%w: the folder %s does not exist", ErrOutput, dir)
	}
	if d.file, err = durable.Create(d.path, d.perm); err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	return nil
}

// beside has a stage's bytes written to the file as they come: at the end, by
// sharing them, where the file system can, else each of them twice in one pass.
func (d *destination) beside(stage *cache.Stage) error {
	if d == nil || d.file == nil {
		return nil
	}
	if d.cloned = stage.Clonable(d.file); d.cloned {
		return nil
	}
	return stage.Also(outputAt{d.file})
}

// from gives the file a held blob's bytes while prove reads them, or by sharing
// them.
func (d *destination) from(blob cache.Blob, prove func(also io.Writer) error) error {
	if d == nil || d.file == nil {
		return prove(io.Discard)
	}
	if err := blob.Clone(d.file); !errors.Is(err, errors.ErrUnsupported) {
		d.cloned = true
		return errors.Join(err, prove(io.Discard))
	}
	d.cloned = false
	return prove(outputWriter{io.NewOffsetWriter(d.file, 0)})
}

// finish gives the file its name, once the blob is proven. changed tells whether
// anything was written.
func (d *destination) finish(ctx context.Context, c *Client, blob cache.Blob) (changed bool, err error) {
	switch {
	case d.device:
		return true, c.writeInto(ctx, blob, d.path)
	case d.file == nil:
		return false, nil
	}
	commit := d.file.CommitNew
	if d.replace {
		commit = d.file.Commit
	}
	if err := commit(); err != nil {
		return false, fmt.Errorf("%w: %w", ErrOutput, err)
	}
	return true, nil
}

// abort leaves nothing of a file that has no name yet.
func (d *destination) abort() {
	if d.file != nil {
		d.file.Abort()
	}
}

// outputAt tells the failure of an output apart from all others.
type outputAt struct{ to io.WriterAt }

func (w outputAt) WriteAt(p []byte, offset int64) (int, error) {
	n, err := w.to.WriteAt(p, offset)
	if err != nil {
		err = fmt.Errorf("%w: %w", ErrOutput, err)
	}
	return n, err
}
