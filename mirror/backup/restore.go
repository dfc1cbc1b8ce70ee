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
	"syscall"

	"github.com/gofrs/flock"

	"assay/artifact"
	"assay/internal/durable"
	"assay/internal/plaintar"
	"assay/internal/shown"
	"assay/mirror/storage"
)

// RestoredConfig is the folder, in that of the mirror, where the files of the
// configuration are put: for a person to look at, and to move to their places.
const RestoredConfig = "restored"

// storageFolder is that of the storage, in that of the mirror.
const storageFolder = "storage"

// The files by which restores are known, in the mirror's folder.
const (
	// unfinished lies there as long as not all is in its place.
	unfinished = ".restoring"
	// restoreLock keeps out a second restore. It stays, as all lock files do.
	restoreLock = ".restore.lock"
)

// Restore fills the folder of a mirror from a backup: ErrNotEmpty where something is
// in it, ErrBusy where another restore is at work there. The folder is made where it is
// missing; else it stays the same one, as it may be where a device is mounted, and is
// closed to others. What is read of the head tells what came.
//
// Crash here: the folder has a note in it that it is not whole. A mirror does not begin
// there (see Unfinished); the next Restore removes what came, and begins anew. After an
// error nothing is left.
func Restore(ctx context.Context, from, dir string) (head Head, err error) {
	if err := isEmpty(dir); err != nil {
		return Head{}, err
	}
	file, err := openBackup(from)
	if err != nil {
		return Head{}, err
	}
	defer file.Close()
	_, missing := os.Stat(dir)
	if err := durable.MkdirAll(dir, 0o700); err != nil {
		return Head{}, disk(err)
	}
	if err := closeToOthers(dir); err != nil {
		return Head{}, err
	}
	lock, err := takeLock(filepath.Join(dir, restoreLock))
	if err != nil {
		return Head{}, err
	}
	defer func() { err = errors.Join(err, disk(lock.Close())) }()
	// Another one may have come to its end since the look above.
	if err := isEmpty(dir); err != nil {
		return Head{}, err
	}
	if err := durable.WriteFile(filepath.Join(dir, unfinished), []byte("a restore is at work here, or was cut off\n"), 0o600); err != nil {
		return Head{}, disk(err)
	}
	if head, err = restoreTo(ctx, file, dir); err != nil {
		if !errors.Is(err, storage.ErrInUse) { // else a mirror has begun here meanwhile
			err = errors.Join(err, wipe(dir))
		}
		err = errors.Join(err, remove(filepath.Join(dir, unfinished)))
		if missing != nil {
			err = errors.Join(err, remove(filepath.Join(dir, restoreLock)), remove(dir))
		}
		return Head{}, err
	}
	return head, remove(filepath.Join(dir, unfinished))
}

// closeToOthers takes a folder's permissions from all but its owner.
func closeToOthers(dir string) error {
	info, err := os.Stat(dir)
	if err == nil && info.Mode().Perm()&0o077 != 0 {
		err = os.Chmod(dir, info.Mode().Perm()&0o700)
	}
	return disk(err)
}

// Unfinished is ErrUnfinished where a restore into a folder is at work, or was cut off.
func Unfinished(dir string) error {
	_, err := os.Lstat(filepath.Join(dir, unfinished))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return disk(err)
	}
	return fmt.Errorf("%w: expected a mirror's folder, found %s in %s", ErrUnfinished, unfinished, dir)
}

// wipe removes what a restore has put into a folder.
func wipe(dir string) error {
	var all error
	for _, name := range []string{"state", storageFolder, RestoredConfig} {
		all = errors.Join(all, disk(os.RemoveAll(filepath.Join(dir, name))))
	}
	return all
}

// remove takes a file away, or an empty folder, and makes that durable.
func remove(path string) error {
	if err := os.Remove(path); err != nil {
		return disk(err)
	}
	return disk(durable.SyncDir(filepath.Dir(path)))
}

// takeLock takes a lock file, or fails at once. Crash here: the kernel ends the lock.
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
	mine, err := lock.Stat()
	if err == nil {
		var there os.FileInfo
		if there, err = os.Lstat(path); err == nil && os.SameFile(mine, there) {
			return lock, nil
		}
	}
	// One that failed has taken the file away meanwhile, with the folder that it had made.
	return nil, errors.Join(fmt.Errorf("%w: it had %s", ErrBusy, path), lock.Close())
}

// isEmpty wants a folder that does not exist, has nothing in it, or what a restore has
// left that was cut off. Where a device is mounted, its file system may have lost+found.
func isEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w: expected a folder, found something else: %s", ErrNotEmpty, dir)
	case err != nil:
		return disk(err)
	}
	if Unfinished(dir) != nil {
		return nil
	}
	for _, entry := range entries {
		if name := entry.Name(); name != restoreLock && !(name == "lost+found" && entry.IsDir()) {
			return fmt.Errorf("%w: expected nothing in %s, found %s: a mirror is never overwritten", ErrNotEmpty, dir, shown.Quote(name, 80))
		}
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

// restoreTo unpacks a backup into a folder, in the place of what was cut off there.
func restoreTo(ctx context.Context, from io.Reader, dir string) (head Head, err error) {
	in := plaintar.NewReader(ctx, bufio.NewReaderSize(from, 256<<10))
	text, err := in.Text(headName, maxHead)
	if err != nil {
		return head, err
	}
	if head, err = decodeHead(text); err != nil {
		return head, err
	}
	// No mirror is at work here, and none begins: it looks for the note under this lock.
	documents, err := storage.Open(filepath.Join(dir, storageFolder), storage.Options{})
	if err == nil {
		err = errors.Join(documents.Close(), wipe(dir))
	}
	if err == nil {
		documents, err = storage.Open(filepath.Join(dir, storageFolder), storage.Options{})
	}
	if err != nil {
		return head, err
	}
	defer func() { err = errors.Join(err, documents.Close()) }()
	for _, folder := range []string{"state", RestoredConfig} {
		if err := durable.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			return head, disk(err)
		}
	}
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
