package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"assay/cache"
)

// Below so many bytes left a disk is short, or as good as full.
const (
	shortSpace = 1 << 30
	noSpace    = 32 << 20
)

// staleStaging is how old what a cut transfer left gets before it is told of:
// until then the next run goes on from it.
const staleStaging = 7 * 24 * time.Hour

// checkFolders looks at the directories of state, cache and installed releases, and at
// what is in them.
func (u *checkup) checkFolders(context.Context) {
	if u.config == nil {
		u.skip("state directory", "the configuration does not tell where it is", "")
		return
	}
	u.checkFolder("state", u.config.StateDir, true)
	u.checkFolder("cache", u.config.CacheDir, false)
	if u.config.DataDir != "" {
		u.checkFolder("data", u.config.DataDir, false)
	}
}

func (u *checkup) checkFolder(name, dir string, state bool) {
	what := name + " directory"
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		u.skip(what, dir+" is not there yet; it is made when it is first needed", "")
		dir = existing(dir)
		if err := mayWrite(dir); err != nil {
			u.fail(what, err, "make the folder as an administrator, or name another by ASSAY_"+strings.ToUpper(name)+"_DIR")
		}
	case err != nil:
		u.fail(what, mark(fs.ErrPermission, err), "")
		return
	case !info.IsDir():
		u.fail(what, failure(fs.ErrPermission, "%s: expected a folder, found something else", dir), "move it away, or name another by ASSAY_"+strings.ToUpper(name)+"_DIR")
		return
	default:
		if u.checkModes(what, dir, info, state) {
			u.ok(what, "%s", dir)
		}
	}
	u.checkVolume(name, dir, state)
}

// existing is the folder itself, or the nearest above it that exists.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// checkModes tells of a folder that is not this user's own, and of files directly
// in it that others may write.
func (u *checkup) checkModes(what, dir string, info fs.FileInfo, state bool) (fine bool) {
	if err := mayWrite(dir); err != nil {
		u.fail(what, err, "give it to the user who runs assay: chown -R USER "+quoted(dir))
		return false
	}
	if !hasModes {
		return true
	}
	if !u.checkOwner(what, dir, info) {
		return false
	}
	switch mode := info.Mode().Perm(); {
	case mode&0o022 != 0:
		u.fail(what, failure(fs.ErrPermission, "%s: expected mode 0700, found %04o: others may write there", dir, mode), "chmod 700 "+quoted(dir)+", and look who wrote what is in it")
		return false
	case state && mode&0o077 != 0:
		u.warn(what, fmt.Sprintf("%s: expected mode 0700, found %04o: others may read what was got and from where", dir, mode), "chmod 700 "+quoted(dir))
		return false
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		u.fail(what, err, "")
		return false
	}
	for _, entry := range entries {
		path := filepath.Join(dir, entry.Name())
		info, err := entry.Info()
		if err != nil || info.Mode().Type()&fs.ModeSymlink != 0 {
			continue // gone meanwhile, or with a mode of its own
		}
		if !u.checkOwner(what, path, info) {
			return false
		}
		if mode := info.Mode().Perm(); mode&0o022 != 0 {
			u.fail(what, failure(fs.ErrPermission, "%s: expected a mode without write for others, found %04o", path, mode), "chmod go-w "+quoted(path)+", and look who wrote it last")
			return false
		}
	}
	return true
}

// checkOwner tells of what belongs to somebody else, as after sudo.
func (u *checkup) checkOwner(what, path string, info fs.FileInfo) bool {
	uid, known := ownerOf(info)
	if !known || uid == os.Getuid() {
		return true
	}
	found := fmt.Sprintf("%s: expected that it belongs to user %d, who runs this, found user %d", path, os.Getuid(), uid)
	if os.Getuid() == 0 {
		u.warn(what, found, "run assay as that user, or name folders of root's own")
		return false
	}
	u.fail(what, failure(fs.ErrPermission, "%s", found), fmt.Sprintf("sudo chown -R %d %s", os.Getuid(), quoted(filepath.Dir(path))))
	return false
}

// checkVolume tells of the file system of a folder, and its space.
func (u *checkup) checkVolume(name, dir string, state bool) {
	v, err := u.volumeOf(dir)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		u.skip(name+" disk", err.Error(), "")
		return
	case err != nil:
		u.fail(name+" disk", mark(cache.ErrDisk, err), "")
		return
	case state && v.network:
		u.fail(name+" file system", failure(cache.ErrDisk, "%s: expected a disk of this machine, found %s: locks may not hold between machines, and a database that is written from two of them is damaged", dir, v.kind),
			"name a folder on a local disk by state_dir in the configuration, or ASSAY_STATE_DIR, one for each machine; then run `assay trust add` again there")
	case state && v.unsure:
		u.warn(name+" file system", dir+": a file system that some program serves (fuse); if it is shared with other machines, locks may not hold", "name a folder on a local disk by state_dir in the configuration, or ASSAY_STATE_DIR")
	case v.network:
		u.warn(name+" file system", dir+" lies on "+v.kind+": slower than a disk of this machine, and locks may not hold between machines", "name a folder on a local disk by "+name+"_dir in the configuration, or ASSAY_"+strings.ToUpper(name)+"_DIR")
	case state:
		u.ok(name+" file system", "of this machine")
	}
	what, found := name+" disk", fmt.Sprintf("%s free", bytesText(int64(min(v.free, 1<<62))))
	switch {
	case v.free < noSpace:
		u.fail(what, failure(cache.ErrDisk, "%s: %s", dir, found), "make room; `assay cache prune` removes what was not used for long")
	case v.free < shortSpace:
		u.warn(what, dir+": "+found, "make room; `assay cache prune` removes what was not used for long")
	default:
		u.ok(what, "%s", found)
	}
}

// checkStaging counts what cut transfers left.
func (u *checkup) checkStaging(context.Context) {
	if u.config == nil {
		return
	}
	parts, err := filepath.Glob(filepath.Join(u.config.CacheDir, "staging", "*.part"))
	if err != nil || len(parts) == 0 {
		u.ok("staging", "nothing is left over")
		return
	}
	var size int64
	old := 0
	for _, part := range parts {
		if info, err := os.Lstat(part); err == nil {
			size += info.Size()
			if u.app.now().Sub(info.ModTime()) > staleStaging {
				old++
			}
		}
	}
	found := fmt.Sprintf("%d transfers that were cut, %s; the next run goes on from them", len(parts), bytesText(size))
	if old == 0 {
		u.ok("staging", "%s", found)
		return
	}
	u.warn("staging", fmt.Sprintf("%s; %d of them for more than a week", found, old), "`assay cache prune` removes what nobody takes up")
}
