package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"assay/cache/audit"
	"assay/cache/state"
	"assay/trust"
)

// checkDatabases reads what is remembered, whole. It writes nothing.
func (u *checkup) checkDatabases(ctx context.Context) {
	if u.config == nil {
		return
	}
	db, err := state.Open(u.config.StateDir, state.Options{Now: u.app.now})
	if err != nil {
		u.fail("state.db", err, "")
		return
	}
	u.checkDatabase("state.db", func() (string, error) {
		list, err := db.Repositories(ctx)
		return fmt.Sprintf("whole; repositories added: %d", len(list)), err
	})
	u.checkDatabase("proofs.db", func() (string, error) {
		entries := 0
		for _, err := range db.Proofs().All(ctx, "") {
			if err != nil {
				return "", err
			}
			entries++
		}
		return fmt.Sprintf("whole; entries: %d", entries), nil
	})
	u.checkDatabase("audit.db", func() (string, error) {
		log, err := audit.Open(u.config.StateDir, audit.Options{Now: u.app.now})
		if err != nil {
			return "", err
		}
		report, err := log.Verify(ctx, audit.Head{})
		if err == nil && report.FirstBroken != nil {
			err = report.FirstBroken
		}
		return fmt.Sprintf("whole; entries: %d", report.Entries), err
	})
}

// checkDatabase reads one file of the state directory, if it is there.
func (u *checkup) checkDatabase(name string, read func() (string, error)) {
	_, err := os.Lstat(filepath.Join(u.config.StateDir, name))
	if errors.Is(err, fs.ErrNotExist) {
		u.skip(name, "not there yet", "")
		return
	}
	found, err := read()
	if errors.Is(err, state.ErrDamaged) && name != "state.db" {
		u.fail(name, err, hintProofs)
		return
	}
	if errors.Is(err, state.ErrDamaged) {
		u.fail(name, err, hintState)
		return
	}
	if err != nil {
		u.fail(name, err, "")
		return
	}
	u.ok(name, "%s", found)
}

// clockSlack is how far ahead of the clock a file's time may be: that of a network
// file system is another machine's.
const clockSlack = 5 * time.Minute

// checkClock compares the clock with what can't be later than now: when this
// program was built, and when what is stored was last written. How it stands to
// what a repository was accepted at is told with that.
func (u *checkup) checkClock(context.Context) {
	now := u.app.now()
	latest, which := builtAt(), "this assay was built"
	if u.config != nil {
		for _, path := range []string{
			filepath.Join(u.config.StateDir, "state.db"), filepath.Join(u.config.StateDir, "proofs.db"),
			filepath.Join(u.config.StateDir, "audit.db"), filepath.Join(u.config.CacheDir, "index.db"),
		} {
			if info, err := os.Stat(path); err == nil && info.ModTime().After(latest) {
				latest, which = info.ModTime(), path+" was written"
			}
		}
	}
	shown := now.UTC().Format("2006-01-02 15:04:05Z")
	if latest.After(now.Add(clockSlack)) {
		u.fail("clock", failure(trust.ErrClock, "it shows %s, but %s at %s", shown, which, latest.UTC().Format("2006-01-02 15:04:05Z")),
			"set this machine's clock, best by a time service; if it once ran ahead and what was written then is harmless, that passes with time")
		return
	}
	u.ok("clock", "%s, behind nothing that was seen", shown)
}

// builtAt is the time of the revision that this program was built from; the zero
// time where that is not known.
func builtAt() time.Time {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return time.Time{}
	}
	for _, setting := range info.Settings {
		if at, err := time.Parse(time.RFC3339, setting.Value); setting.Key == "vcs.time" && err == nil {
			return at
		}
	}
	return time.Time{}
}
