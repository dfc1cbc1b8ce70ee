package cache

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"assay/artifact"
	"assay/internal/durable"
)

// Prove waits until all is hashed, and compares length and digests. Other ones
// than wanted are a *MismatchError; the stage stays open then, for Discard and
// more Puts. It is not for use beside Put.
func (g *Stage) Prove(ctx context.Context) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.failed != nil {
		return g.failed
	}
	total, end := g.length, g.written.reach(0)
	if total < 0 {
		total = end
	}
	if end != total || g.written.size() != end {
		return &MismatchError{Want: g.want.Primary(), WantLength: total, GotLength: min(end, total)}
	}
	if err := g.settle(ctx); err != nil {
		return err
	}
	err := g.compare(total)
	if err != nil && g.hashing.taken {
		// The state of an earlier run does not decide against the bytes.
		g.hashing.taken = false
		g.hashing.checkpoints = g.hashing.checkpoints[:1]
		g.rewind(0)
		if err := g.settle(ctx); err != nil {
			return err
		}
		err = g.compare(total)
	}
	return err
}

func (g *Stage) compare(total int64) error {
	for i, want := range g.want {
		if got := artifact.SumOf(want.Algorithm(), g.hashing.digests[i]); got != want {
			return &MismatchError{Want: want, Got: got, WantLength: total, GotLength: total}
		}
	}
	return nil
}

// Commit proves what was written and gives it its name, and its entry the names of
// what it is for, as Note does. A length or digest other than wanted is a
// *MismatchError. Whether it fails or not the stage has ended, and after a failure
// nothing of it is left.
func (g *Stage) Commit(ctx context.Context, names ...Name) (Blob, error) {
	if err := checkNames(names); err != nil {
		return Blob{}, errors.Join(err, g.Abort())
	}
	if g.ended {
		return Blob{}, fmt.Errorf("%w: the stage has ended", ErrInvalid)
	}
	err := g.Prove(ctx)
	if err == nil {
		err = g.seal(ctx)
	}
	if err != nil {
		return Blob{}, errors.Join(err, g.Abort())
	}
	blob, err := g.publish(ctx)
	if err != nil {
		return Blob{}, errors.Join(err, g.Abort())
	}
	g.ended = true
	// Crash here: the blob is whole and durable under its name, without an entry
	// in the index, and with a record of a partial file that is no more. Get enters
	// it, and a sweep, or the next Stage of the digest, removes the record. So an
	// index that can't be written now, as it is busy for one, is no reason to fetch
	// again; nor is a caller that gave up just then told of it.
	if err := g.store.enter(ctx, blob.digest, blob.length, names...); err != nil && ctx.Err() == nil {
		g.store.notice(fmt.Sprintf("%v is held but could not be entered in the index: %v", blob.digest, err))
	}
	if err := g.dropRecord(); err != nil {
		g.store.notice(err.Error())
	}
	// Crash here: all is done; the lock's empty file serves the next, or goes
	// with a sweep.
	if err := g.lock.release(); err != nil {
		g.store.notice(err.Error())
	}
	return blob, nil
}

// seal makes the proven content durable and read-only.
func (g *Stage) seal(ctx context.Context) error {
	g.halt()
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
	if total := g.written.size(); info.Size() != total {
		// Someone else wrote to the file, or cut it.
		return &MismatchError{Want: g.want.Primary(), WantLength: total, GotLength: info.Size()}
	}
	// Crash here: a whole but unnamed partial file. The next Stage of the digest
	// takes it up, hashes what its record does not vouch for, and names it.
	return ctx.Err()
}

// publish moves the proven file under its name.
func (g *Stage) publish(ctx context.Context) (Blob, error) {
	primary := g.want.Primary()
	path := g.store.path(primary)
	if err := g.file.Close(); err != nil {
		return Blob{}, disk(g.path, err)
	}
	if err := ctx.Err(); err != nil {
		return Blob{}, err
	}
	// Crash in the rename: the file has one of the two names, or, where the disk
	// kept both folders' old and new state, both or none; it was synced before,
	// so whatever stands under the final name is whole. The old name is not worth a
	// sync: one that is back is a partial file that the next Stage removes or takes up.
	err := os.Rename(g.path, path)
	if err != nil {
		if err := g.store.makeWay(path); err != nil {
			return Blob{}, err
		}
		err = os.Rename(g.path, path)
	}
	if err == nil {
		err = durable.SyncDir(filepath.Dir(path))
	}
	if err != nil {
		return Blob{}, disk(path, err)
	}
	return Blob{store: g.store, digest: primary, length: g.written.size(), path: path}, nil
}

// makeWay makes the folder of a blob, where it is the first one in it, and sets aside
// a folder that stands in the blob's own place: what else does is replaced by a rename.
func (s *Store) makeWay(path string) error {
	if err := durable.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return disk(path, err)
	}
	info, err := os.Lstat(path)
	if err != nil || !info.IsDir() {
		return nil // the rename says what is wrong
	}
	_, err = s.setAside(path, info)
	return err
}

// keepWait is how long Keep waits for the hashing of what was written.
const keepWait = 2 * time.Second

// Keep ends the stage and leaves what was written for the next Stage of the
// digest, where it is worth it; else it is Abort. After Commit, Keep or Abort it
// does nothing.
func (g *Stage) Keep() error {
	if g.ended {
		return nil
	}
	if g.Written() < KeepBytes {
		return g.Abort()
	}
	ctx, cancel := context.WithTimeout(context.Background(), keepWait)
	defer cancel()
	g.mu.Lock()
	_ = g.settle(ctx) // so that the record has the state of all that is there; without it it is older
	g.mu.Unlock()
	g.halt()
	g.ended = true
	if n := len(g.written); n > 0 {
		g.cut(g.written[n-1].To)
	}
	g.save()
	// Crash here: as in mid-write, with a newer record.
	return errors.Join(disk(g.path, g.file.Close()), g.lock.release())
}

// Abort gives up the stage and removes what was written. After Commit, Keep or
// Abort it does nothing.
func (g *Stage) Abort() error {
	if g.ended {
		return nil
	}
	g.ended = true
	g.halt()
	if g.file != nil {
		g.file.Close() // an error of closing what is thrown away means nothing; it may be closed
	}
	return errors.Join(g.forget(), g.lock.release())
}

func (g *Stage) dropRecord() error {
	if !g.recorded {
		return nil
	}
	err := os.Remove(g.resumePath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return disk(g.resumePath(), err)
}
