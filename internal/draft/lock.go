package draft

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"assay/artifact"
)

// treeLock keeps two processes from writing into one tree of targets at once.
type treeLock struct {
	lock *flock.Flock // nil: the file system has no locks
}

// lockTree waits for the tree's lock until ctx ends. It is the lock of the folder
// itself: a file for it would be published with the rest. Where the file system
// can't lock, it goes without: what is compared before each step still is.
//
// Crash here: the kernel ends the lock with the process.
func lockTree(ctx context.Context, dir string) (treeLock, error) {
	path, flags := dir, os.O_RDONLY
	if runtime.GOOS == "windows" { // its folders can't be locked, and its folder for temporary files is the user's own
		absolute, err := filepath.Abs(dir)
		if err != nil {
			return treeLock{}, disk(err)
		}
		name := artifact.DigestOf(artifact.SHA256, []byte(strings.ToLower(absolute))).Hex()
		path, flags = filepath.Join(os.TempDir(), "assay-draft-"+name+".lock"), os.O_CREATE|os.O_RDWR
	}
	lock := flock.New(path, flock.SetFlag(flags), flock.SetPermissions(0o600))
	const poll = 20 * time.Millisecond
	taken, err := lock.TryLockContext(ctx, poll)
	switch {
	case ctx.Err() != nil:
		return treeLock{}, errors.Join(context.Cause(ctx), lock.Close())
	case err != nil || !taken:
		_ = lock.Close() // it was never held
		return treeLock{}, nil
	}
	return treeLock{lock}, nil
}

func (l treeLock) release() {
	if l.lock != nil {
		_ = l.lock.Close() // the kernel would end it with the process
	}
}

// hidden is the name that package durable gives to a file in the making.
var hidden = regexp.MustCompile(`^\.(.+)\.[0-9a-f]{16}\.tmp$`)

// sweep removes what a crash left of files of these names: a tool that publishes
// all that lies in the tree would publish it. Nobody else makes such files as long as
// the lock is held; without it they stay.
func (l treeLock) sweep(dir string, names ...string) error {
	if l.lock == nil {
		return nil
	}
	folder, err := os.ReadDir(dir)
	if err != nil {
		return disk(err)
	}
	for _, item := range folder {
		found := hidden.FindStringSubmatch(item.Name())
		if found == nil || !item.Type().IsRegular() || !slices.ContainsFunc(names, func(name string) bool {
			return found[1] == name[:min(len(name), 200)] // durable clips them so
		}) {
			continue
		}
		if err := os.Remove(filepath.Join(dir, item.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return disk(err)
		}
	}
	return nil
}
