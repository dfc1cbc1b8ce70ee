package unpack

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"assay/internal/durable"
)

// The modes of what is made, before umask.
const (
	folderMode     = 0o755
	fileMode       = 0o644
	executableMode = 0o755
)

// The times that are kept; others are moved to the nearest of these. All file
// systems and zip itself know them.
var (
	firstTime = time.Unix(0, 0)
	lastTime  = time.Unix(1<<32-1, 0)
)

// put takes an entry's path into the tree.
func (u *unpacker) put(it item, as kind) (string, *node, error) {
	parts, err := u.rules.split(it.path, u.limits)
	if err != nil {
		return "", nil, err
	}
	if as != folder && strings.HasSuffix(it.path, "/") {
		return "", nil, refuse(ErrUnsafe, it.path, "expected the path of %s, found that of a folder", as)
	}
	node, err := u.add(it.path, parts, as)
	if err != nil {
		return "", nil, err
	}
	if it.special {
		u.report.SetID++
	}
	return strings.Join(parts, "/"), node, nil
}

// folder makes one, or gives a time to one that is there already.
func (u *unpacker) folder(it item) error {
	_, node, err := u.put(it, folder)
	if err != nil {
		return err
	}
	node.modified = it.modified
	return nil
}

// mkdir makes a folder for add. One that is there was not made by this package, or
// under a name that the file system takes for the same.
func (u *unpacker) mkdir(entry, path string) error {
	if err := u.root.Mkdir(path, folderMode); err != nil {
		return u.creating(entry, err)
	}
	u.report.Folders++
	return nil
}

// creating wraps the failure of making an entry.
func (u *unpacker) creating(entry string, err error) error {
	if errors.Is(err, fs.ErrExist) {
		return refuse(ErrUnsafe, entry, "expected a new name, found one that this file system takes for another: %v", err)
	}
	return disk(err)
}

// file writes one from content, which ends it.
func (u *unpacker) file(it item, content io.Reader) error {
	path, _, err := u.put(it, regular)
	if err != nil {
		return err
	}
	mode := fs.FileMode(fileMode)
	if it.executable {
		mode = executableMode
	}
	if u.options.ReadOnly {
		mode &^= 0o222
	}
	if err := u.write(it, path, mode, content); err != nil {
		return err
	}
	u.report.Files++
	return nil
}

// write makes a file and hands it on to be synced.
func (u *unpacker) write(it item, path string, mode fs.FileMode, content io.Reader) error {
	// Created exclusively: nothing that stands there is written to, or followed.
	file, err := u.root.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return u.creating(it.path, err)
	}
	err = u.copy(it.path, file, content)
	if err == nil && !it.modified.IsZero() {
		err = disk(u.root.Chtimes(path, time.Time{}, bounded(it.modified)))
	}
	if err != nil {
		file.Close() // it is thrown away
		return err
	}
	return u.syncer.hand(file)
}

// copy writes content, each piece of it only after the limits were asked.
func (u *unpacker) copy(entry string, file *os.File, content io.Reader) error {
	for {
		if err := u.ctx.Err(); err != nil {
			return err
		}
		n, readErr := content.Read(u.buffer)
		if n > 0 {
			if err := u.budget.write(entry, n); err != nil {
				return err
			}
			if _, err := file.Write(u.buffer[:n]); err != nil {
				return disk(err)
			}
			if u.options.Progress != nil {
				u.options.Progress.Add(n)
			}
		}
		if readErr == io.EOF { // not one that is wrapped, as in a failure
			return nil
		}
		if readErr != nil {
			return fmt.Errorf("entry %s: %w", quote(entry), readErr)
		}
	}
}

// bounded moves a time into the range that is kept.
func bounded(t time.Time) time.Time {
	if t.Before(firstTime) {
		return firstTime
	}
	if t.After(lastTime) {
		return lastTime
	}
	return t
}

// symlink makes a symbolic link.
func (u *unpacker) symlink(it item, target string) error {
	path, _, err := u.put(it, link)
	if err != nil {
		return err
	}
	if err := u.rules.checkTarget(it.path, target, strings.Count(path, "/"), u.limits); err != nil {
		return err
	}
	if err := u.root.Symlink(filepath.FromSlash(target), path); err != nil {
		return u.creating(it.path, err)
	}
	u.report.Links++
	return nil
}

// hard makes a further name of a file that was unpacked before, or a copy of the
// file where there can't be another name.
func (u *unpacker) hard(it item, target string) error {
	parts, err := u.rules.split(target, u.limits)
	if err != nil {
		return fmt.Errorf("entry %s: hard link: %w", quote(it.path), err)
	}
	if there := u.find(parts); there == nil || there.kind != regular {
		found := "none"
		if there != nil {
			found = string(there.kind)
		}
		return refuse(ErrUnsafe, it.path, "expected a hard link to a file unpacked before, found %s under %s", found, quote(target))
	}
	path, _, err := u.put(it, regular)
	if err != nil {
		return err
	}
	from := strings.Join(parts, "/")
	err = u.hardLink(from, path)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EMLINK) {
		err = u.duplicate(it, from, path)
	} else if err != nil {
		err = u.creating(it.path, err)
	}
	if err != nil {
		return err
	}
	u.report.HardLinks++
	return nil
}

// duplicate copies a file that was unpacked before.
func (u *unpacker) duplicate(it item, from, to string) error {
	file, err := u.root.Open(from)
	if err != nil {
		return disk(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return disk(err)
	}
	if err := u.announced(it.path, uint64(info.Size())); err != nil {
		return err
	}
	it.modified = info.ModTime()
	return u.write(it, to, info.Mode().Perm(), diskReader{file})
}

// diskReader tells a failure of the disk from one of the archive.
type diskReader struct{ file *os.File }

// Read is that of the file.
func (r diskReader) Read(p []byte) (int, error) {
	n, err := r.file.Read(p)
	if err != io.EOF {
		err = disk(err)
	}
	return n, err
}

// finish gives folders their times, now that nothing is made in them any more,
// and makes the names in them durable, the innermost first.
func (u *unpacker) finish(path string, at *node) error {
	if err := u.ctx.Err(); err != nil {
		return err
	}
	for _, child := range at.children {
		if child.kind == folder {
			if err := u.finish(filepath.Join(path, child.name), child); err != nil {
				return err
			}
		}
	}
	if !at.modified.IsZero() {
		if err := os.Chtimes(path, time.Time{}, bounded(at.modified)); err != nil {
			return disk(err)
		}
	}
	return disk(durable.SyncDir(path))
}
