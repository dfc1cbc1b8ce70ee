package cache

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"os"
	"path/filepath"

	"assay/artifact"
	"assay/internal/durable"
)

const (
	partSuffix = ".part"
	lockSuffix = ".lock"
)

// Stage is a blob in the making, and the exclusive right to make it. What is
// written to it must be ended by Commit or Abort. It is not for several
// goroutines.
type Stage struct {
	store   *Store
	want    artifact.Digests
	length  int64
	path    string
	file    *os.File
	lock    *lockFile
	hashes  []hash.Hash // one per digest of want
	written int64
	failed  error // what the first failed Write returned; later ones repeat it
	done    bool
}

// Stage begins a blob of exactly length bytes that has all the digests of want.
// One stage at a time is open for a primary digest, over all processes: the
// call waits until ctx ends. Who waited may find the blob made meanwhile: ask
// Held before writing.
//
// A crash from here to Commit leaves the partial file and the lock's file. The
// lock itself ends with the process: the next Stage of the digest starts anew,
// and a Stage of any digest removes them after a day.
func (s *Store) Stage(ctx context.Context, want artifact.Digests, length int64) (*Stage, error) {
	want, err := artifact.NewDigests(want...)
	if err != nil {
		return nil, err
	}
	if length < 0 {
		return nil, fmt.Errorf("%w: expected a length of 0 or more, found %d", ErrInvalid, length)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := durable.MkdirAll(s.stagingDir(), 0o700); err != nil {
		return nil, disk(s.stagingDir(), err)
	}
	s.sweep()
	primary := want.Primary()
	base := filepath.Join(s.stagingDir(), string(primary.Algorithm())+"-"+primary.Hex())
	lock, err := acquire(ctx, base+lockSuffix)
	if err != nil {
		return nil, err
	}
	stage := &Stage{store: s, want: want, length: length, path: base + partSuffix, lock: lock}
	// What a dead process left is removed, not cut to nothing, and the new file
	// is created exclusively: a link planted under the name is not followed.
	err = os.Remove(stage.path)
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		stage.file, err = os.OpenFile(stage.path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	}
	if err != nil {
		return nil, errors.Join(disk(stage.path, err), lock.release())
	}
	for _, d := range want {
		stage.hashes = append(stage.hashes, d.Algorithm().New())
	}
	return stage, nil
}

// Held returns the blob where it is in the cache already, because another
// process made it while this one waited for the stage.
func (g *Stage) Held(ctx context.Context) (Blob, bool) {
	blob, err := g.store.get(ctx, g.want.Primary())
	return blob, err == nil && blob.length == g.length
}

// Write appends p and hashes it. A write that would go beyond the length writes
// nothing and is a *MismatchError; an error of the file is an ErrDisk. After an
// error every Write fails with it. Nothing is allocated per call.
func (g *Stage) Write(p []byte) (int, error) {
	if g.done {
		return 0, fmt.Errorf("%w: the stage has ended", ErrInvalid)
	}
	if g.failed != nil {
		return 0, g.failed
	}
	if int64(len(p)) > g.length-g.written {
		g.failed = &MismatchError{Want: g.want.Primary(), WantLength: g.length, GotLength: g.written + int64(len(p))}
		return 0, g.failed
	}
	n, err := g.file.Write(p)
	for _, h := range g.hashes {
		h.Write(p[:n])
	}
	g.written += int64(n)
	if err != nil {
		g.failed = disk(g.path, err)
	}
	return n, g.failed
}

// Written is the number of bytes written so far.
func (g *Stage) Written() int64 { return g.written }

// Commit proves what was written and gives it its name. A length or digest
// other than wanted is a *MismatchError. Whether it fails or not the stage has
// ended, and after a failure nothing of it is left.
func (g *Stage) Commit(ctx context.Context) (Blob, error) {
	if g.done {
		return Blob{}, fmt.Errorf("%w: the stage has ended", ErrInvalid)
	}
	if err := g.prove(ctx); err != nil {
		return Blob{}, errors.Join(err, g.Abort())
	}
	blob, err := g.publish(ctx)
	if err != nil {
		return Blob{}, errors.Join(err, g.Abort())
	}
	g.done = true
	// Crash here: the blob is whole and durable under its name, without an entry
	// in the index. Get enters it. So an index that can't be written now, as it
	// is busy for one, is no reason to fetch again.
	if err := g.store.enter(ctx, blob.digest, blob.length); err != nil {
		g.store.notice(fmt.Sprintf("%v is held but could not be entered in the index: %v", blob.digest, err))
	}
	// Crash here: all is done; the lock's empty file serves the next, or goes
	// with a sweep.
	if err := g.lock.release(); err != nil {
		g.store.notice(err.Error())
	}
	return blob, nil
}

// prove compares length and digests, and makes the content durable.
func (g *Stage) prove(ctx context.Context) error {
	if g.failed != nil {
		return g.failed
	}
	if g.written != g.length {
		return &MismatchError{Want: g.want.Primary(), WantLength: g.length, GotLength: g.written}
	}
	for i, want := range g.want {
		if got := artifact.SumOf(want.Algorithm(), g.hashes[i]); got != want {
			return &MismatchError{Want: want, Got: got, WantLength: g.length, GotLength: g.written}
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := g.file.Chmod(0o444); err != nil {
		return disk(g.path, err)
	}
	if err := g.file.Sync(); err != nil {
		return disk(g.path, err)
	}
	info, err := g.file.Stat()
	if err != nil {
		return disk(g.path, err)
	}
	if info.Size() != g.length {
		// Someone else wrote to the file, or cut it.
		return &MismatchError{Want: g.want.Primary(), WantLength: g.length, GotLength: info.Size()}
	}
	// Crash here: a whole but unnamed partial file. The next Stage of the digest
	// removes it, and the bytes are fetched again.
	return ctx.Err()
}

// publish moves the proven file under its name.
func (g *Stage) publish(ctx context.Context) (Blob, error) {
	primary := g.want.Primary()
	path := g.store.path(primary)
	if err := g.file.Close(); err != nil {
		return Blob{}, disk(g.path, err)
	}
	if err := durable.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return Blob{}, disk(path, err)
	}
	// A rename replaces a planted link, or the same blob, but not a folder.
	if info, err := os.Lstat(path); err == nil && info.IsDir() {
		if _, err := g.store.setAside(path, info); err != nil {
			return Blob{}, err
		}
	}
	if err := ctx.Err(); err != nil {
		return Blob{}, err
	}
	// Crash in the rename: the file has one of the two names, or, where the disk
	// kept both folders' old and new state, both or none; it was synced before,
	// so whatever stands under the final name is whole.
	if err := durable.Rename(g.path, path); err != nil {
		return Blob{}, disk(path, err)
	}
	return Blob{store: g.store, digest: primary, length: g.length, path: path}, nil
}

// Abort gives up the stage and removes what was written. After Commit or Abort
// it does nothing.
func (g *Stage) Abort() error {
	if g.done {
		return nil
	}
	g.done = true
	// An error of closing what is thrown away means nothing; it may be closed.
	g.file.Close()
	err := os.Remove(g.path)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(disk(g.path, err), g.lock.release())
}
