package boltfile

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"assay/internal/durable"
)

// Make makes a database at path, and the folders above it with mode 0700, where
// nothing has that name: fill puts into the transaction of a new one what it begins
// with, and may close it only over an error. Where another process was faster, its
// file is the one, and what fill did is lost. The error is that of fill as it is, an
// *Error, or that of ctx.
//
// The file gets its name when it is whole, so that an empty one, or one without what
// fill puts there, is damaged. A crash leaves at most a hidden temporary file, which
// nothing reads.
func Make(ctx context.Context, path string, deadline time.Time, fill func(*Session) error) error {
	at := &Session{path: path}
	if _, err := os.Lstat(path); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return at.fail(ErrDisk, err)
	}
	if err := durable.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return at.fail(ErrDisk, err)
	}
	file, err := durable.Create(path, 0o600)
	if err != nil {
		return at.fail(ErrDisk, err)
	}
	defer file.Abort()
	draft, err := Create(ctx, file.TempName(), deadline)
	if err != nil {
		return err
	}
	defer draft.Close()
	if err := fill(draft); err != nil {
		return err
	}
	if err := draft.Commit(); err != nil {
		return err
	}
	if err := file.CommitNew(); err != nil && !errors.Is(err, fs.ErrExist) {
		return at.fail(ErrDisk, err)
	}
	return nil
}
