package airgap

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"

	"assay/artifact"
	"assay/internal/durable"
	"assay/mirror/storage"
)

// Inbox is the folder where volumes are unpacked until they are imported. In it:
//
//	lock                    its flock keeps out a second import
//	REPOSITORY/HEX/         what has come of a set, by the set's id
//	    volume-N.json       the head of a volume that is unpacked whole
//	    metadata/, blobs/   its objects, digests.txt and elsewhere.txt
//	REPOSITORY/ready/       a whole set that is being imported, with head.json
//
// Crash at any time: objects that were whole stay, and the same volumes once more go on
// from there; beside them a hidden temporary file may lie, that nothing reads.
type Inbox struct {
	dir  string
	lock *flock.Flock
}

// ready is the folder of a set that is being imported.
const ready = "ready"

// OpenInbox takes an inbox for this process alone, and makes it where it is missing.
// ErrBusy, at once: another import is at work. It must be closed.
func OpenInbox(dir string) (*Inbox, error) {
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return nil, disk(err)
	}
	lock, err := takeLock(filepath.Join(dir, "lock"))
	if err != nil {
		return nil, err
	}
	return &Inbox{dir, lock}, nil
}

// takeLock takes a lock file, or fails at once. The file stays.
//
// Crash here, and as long as it is held: the kernel ends the lock with the process.
func takeLock(path string) (*flock.Flock, error) {
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s: expected a regular file, found %v", ErrDisk, path, info.Mode().Type())
	}
	lock := flock.New(path, flock.SetPermissions(0o600))
	taken, err := lock.TryLock()
	if err != nil {
		return nil, disk(err)
	}
	if !taken {
		return nil, fmt.Errorf("%w: it has %s", ErrBusy, path)
	}
	return lock, nil
}

// Close gives the inbox up to others.
func (b *Inbox) Close() error { return disk(b.lock.Close()) }

// ReadyFolder is where a set of a repository lies while it is imported, in an inbox;
// see Upstream.
func ReadyFolder(inbox, repository string) string { return filepath.Join(inbox, repository, ready) }

func (b *Inbox) setFolder(h Head) string { return filepath.Join(b.dir, h.Repository, h.Set.Hex()) }

func markerName(volume int) string { return fmt.Sprintf("volume-%d.json", volume) }

// Complete checks that all volumes of a set have come, and that each object of the
// export is in them, or held in the storage of the mirror here; then the set is ready.
// A WaitingError names volumes, a LackingError the exports that are needed before.
func (b *Inbox) Complete(ctx context.Context, h Head, held *storage.Reader) error {
	if now, err := readyHead(ReadyFolder(b.dir, h.Repository)); err == nil && now.Set == h.Set {
		return nil
	}
	dir := b.setFolder(h)
	waiting := &WaitingError{Repository: h.Repository, Set: h.Set, Volumes: len(h.Volumes)}
	for n := 1; n <= len(h.Volumes); n++ {
		if there, err := isRegular(filepath.Join(dir, markerName(n)), -1); err != nil {
			return err
		} else if !there {
			waiting.Missing = append(waiting.Missing, n)
		}
	}
	if len(waiting.Missing) > 0 {
		return waiting
	}
	list, elsewhere, err := readLists(dir, h)
	if err != nil {
		return err
	}
	if err := gather(ctx, dir, h.Repository, list, elsewhere, held); err != nil {
		return err
	}
	text, err := h.encode()
	if err != nil {
		return err
	}
	if err := durable.WriteFile(filepath.Join(dir, headName), text, 0o600); err != nil {
		return disk(err)
	}
	// Crash here: a set that is whole. The same volumes once more come to this again.
	to := ReadyFolder(b.dir, h.Repository)
	if err := os.RemoveAll(to); err != nil {
		return disk(err)
	}
	return disk(durable.Rename(dir, to))
}

// gather wants each object to be unpacked or held, and unpacks the metadata that is
// held.
func gather(ctx context.Context, dir, repository string, list []object, elsewhere map[artifact.Digest]Elsewhere, held *storage.Reader) error {
	lacking := &LackingError{Repository: repository}
	for _, o := range list {
		path := filepath.Join(dir, filepath.FromSlash(o.name))
		there, err := isRegular(path, o.length)
		if err != nil {
			return err
		}
		if there {
			continue
		}
		length, err := held.Stat(ctx, o.digest)
		if err == nil && length == o.length && !o.isBlob() {
			err = copyHeld(ctx, path, o, held)
		}
		switch {
		case err == nil && length == o.length:
			continue
		case err != nil && !errors.Is(err, storage.ErrMissing):
			return err
		}
		lacking.Objects++
		e := elsewhere[o.digest]
		e.Digest = o.digest
		if len(lacking.First) < 100 {
			lacking.First = append(lacking.First, e)
		}
	}
	if lacking.Objects > 0 {
		return lacking
	}
	return nil
}

// copyHeld unpacks metadata that the mirror has already.
func copyHeld(ctx context.Context, path string, o object, held *storage.Reader) error {
	r, err := held.Read(ctx, o.digest)
	if err != nil {
		return err
	}
	defer r.Close()
	return unpackTo(path, o, r)
}

// isRegular reports whether a file is there, of a length if that is not below 0.
func isRegular(path string, length int64) (bool, error) {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, disk(err)
	case !info.Mode().IsRegular():
		return false, fmt.Errorf("%w: %s: expected a regular file, found %v", ErrDisk, path, info.Mode().Type())
	}
	return length < 0 || info.Size() == length, nil
}

// readyHead reads what is ready in a folder: ErrNothing where there is none.
func readyHead(dir string) (Head, error) {
	text, err := os.ReadFile(filepath.Join(dir, headName))
	if errors.Is(err, fs.ErrNotExist) {
		return Head{}, ErrNothing
	}
	if err != nil {
		return Head{}, disk(err)
	}
	return decodeHead(text)
}

// Done clears up behind a set that was imported, or refused: the set, what came of
// others that are not newer, and what a crash left.
func (b *Inbox) Done(h Head) error {
	dir := filepath.Join(b.dir, h.Repository)
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return disk(err)
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		if entry.Name() != ready && newerThan(path, h) {
			continue
		}
		if err := os.RemoveAll(path); err != nil {
			return disk(err)
		}
	}
	// It stays where something newer is in it.
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) && !slices.ContainsFunc(entries, func(e fs.DirEntry) bool { return e.Name() != ready }) {
		return disk(err)
	}
	return nil
}

// newerThan reports whether a set has come, in part, that was published later.
func newerThan(dir string, h Head) bool {
	markers, err := filepath.Glob(filepath.Join(dir, "volume-*.json"))
	if err != nil || len(markers) == 0 || strings.HasPrefix(filepath.Base(dir), ".") {
		return false
	}
	text, err := os.ReadFile(markers[0])
	if err != nil {
		return false
	}
	other, err := decodeHead(text)
	return err == nil && other.Published.After(h.Published)
}
