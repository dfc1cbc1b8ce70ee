package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"assay/cache/audit"
	"assay/internal/config"
)

// The actions of commands that carry something to a mirror or away from it.
const (
	mirrorExported = "mirror.export"
	mirrorImported = "mirror.import"
	mirrorBackedUp = "mirror.backup"
	mirrorRestored = "mirror.restore"
)

// mirrorNoted writes down in a mirror's audit log what is about to be done, does it,
// and writes down what came of it. A log that can't be written is told and stops
// nothing: a mirror whose disk is full can still be saved. Where no mirror has been at
// work yet there is no log, and none is begun.
//
// Crash behind the first note: an action is noted that was not done, never the other way.
func (a *app) mirrorNoted(ctx context.Context, cfg *config.Config, action, repository, detail string, do func() (came string, err error)) error {
	note := func(outcome, detail string) {
		e := audit.Entry{Action: action, Outcome: outcome, Detail: clean(detail), Subject: audit.Subject{Repository: repository}}
		if err := a.mirrorNote(ctx, filepath.Join(cfg.Daemon.Dir, mirrorState), e); err != nil {
			a.out.warn("the audit log: %v", err)
		}
	}
	note("", detail)
	came, err := do()
	if err != nil {
		note(audit.Failed, detail+": "+err.Error())
		return err
	}
	note(audit.Done, came)
	return nil
}

// mirrorNote writes an entry into the log in a folder, if that exists, even if the
// command was given up meanwhile.
func (a *app) mirrorNote(ctx context.Context, state string, e audit.Entry) error {
	if _, err := os.Stat(state); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	ctx = context.WithoutCancel(ctx)
	own := &session{config: &config.Config{StateDir: state}}
	writer, err := a.auditor(ctx, own)
	if err != nil {
		return err
	}
	return writer.note(ctx, e)
}
