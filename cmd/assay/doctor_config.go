package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// checkConfig reads the configuration, every file of it, and looks who may write
// these.
func (u *checkup) checkConfig(context.Context) {
	const what = "configuration"
	files := u.configFiles()
	cfg, err := u.app.config(u.line)
	if err == nil {
		err = cfg.NeedDirs()
	}
	if err != nil {
		u.fail(what, err, "mend the line that is named, then run `assay doctor` again; `assay help config` names every key")
	} else {
		u.config = cfg
	}
	fine := err == nil
	for _, path := range files {
		fine = u.checkConfigFile(what, path) && fine
	}
	fine = u.checkConfD(what) && fine
	switch {
	case !fine:
	case len(files) == 0:
		u.ok(what, "no file; the defaults count")
	default:
		u.ok(what, "%s", strings.Join(files, ", "))
	}
}

// configFiles are the system's and the user's files that exist, in the order in
// which they are read.
func (u *checkup) configFiles() (files []string) {
	a := u.app
	candidates := []string{filepath.Join(a.systemDir, "config.toml")}
	if more, err := filepath.Glob(filepath.Join(a.systemDir, "conf.d", "*.toml")); err == nil {
		candidates = append(candidates, more...)
	}
	switch named := u.line.String(flagConfig); {
	case named != "":
		candidates = append(candidates, a.path(named))
	case getenv(a.env, "ASSAY_CONFIG") != "":
		candidates = append(candidates, a.path(getenv(a.env, "ASSAY_CONFIG")))
	case a.dirs.Config != "":
		candidates = append(candidates, filepath.Join(a.dirs.Config, "assay", "config.toml"))
	}
	for _, path := range candidates {
		if _, err := os.Stat(path); err == nil {
			files = append(files, path)
		}
	}
	return files
}

// checkConfigFile tells of a file that others may write: who can do that decides
// what is trusted.
func (u *checkup) checkConfigFile(what, path string) bool {
	for _, name := range []string{path, filepath.Dir(path)} {
		info, err := os.Stat(name)
		if err != nil || !hasModes {
			continue
		}
		if mode := info.Mode().Perm(); mode&0o022 != 0 && info.Mode()&fs.ModeSticky == 0 {
			u.fail(what, failure(fs.ErrPermission, "%s: expected a mode without write for others, found %04o: they could change what is trusted", name, mode), "look at what it says, then chmod go-w "+quoted(name))
			return false
		}
		if uid, known := ownerOf(info); known && uid != 0 && uid != os.Getuid() {
			u.fail(what, failure(fs.ErrPermission, "%s: expected that it belongs to user %d or to root, found user %d", name, os.Getuid(), uid), fmt.Sprintf("look at what it says, then chown %d %s", os.Getuid(), quoted(name)))
			return false
		}
	}
	return true
}

// checkConfD tells of files that somebody put there and that are not read.
func (u *checkup) checkConfD(what string) bool {
	dir := filepath.Join(u.app.systemDir, "conf.d")
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		u.fail(what, err, "")
		return false
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".toml") {
			u.warn(what, filepath.Join(dir, entry.Name())+" is not read: expected a name that ends in .toml", "give it such a name, or remove it")
			return false
		}
	}
	return true
}
