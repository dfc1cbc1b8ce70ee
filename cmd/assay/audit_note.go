package main

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/cache/audit"
)

// auditLog is the log, for a command that only reads it.
func (a *app) auditLog(c *cli.Context) (*audit.Log, error) {
	cfg, err := a.config(c)
	if err != nil {
		return nil, err
	}
	if err := cfg.NeedDirs(); err != nil {
		return nil, err
	}
	return audit.Open(cfg.StateDir, audit.Options{Now: a.now})
}

// auditor writes down what a command did.
type auditor struct {
	log  *audit.Log
	user string
	host string
}

// auditor opens the log of a session. What can't be written down must not be
// done, so a log that is broken, or can't be read, is the error before anything
// was done.
func (a *app) auditor(ctx context.Context, s *session) (*auditor, error) {
	log, err := audit.Open(s.config.StateDir, audit.Options{Now: a.now})
	if err != nil {
		return nil, err
	}
	if _, err := log.Head(ctx); err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	return &auditor{log, userName(), host}, nil
}

// note writes down what was done, even if the command was given up meanwhile. A
// crash between the deed and the note leaves no note.
func (w *auditor) note(ctx context.Context, e audit.Entry) error {
	e.User, e.Host = w.user, w.host
	if _, err := w.log.Append(context.WithoutCancel(ctx), e); err != nil {
		return fmt.Errorf("%s was done, but could not be written down: %w", e.Action, err)
	}
	return nil
}

// rootNoter writes down the roots that a refresh accepts, whatever command made
// it. They are kept by then and can't be taken back, so where they can't be written
// down the user is told.
func (a *app) rootNoter(s *session, r *repository) func(context.Context, []string) {
	return func(ctx context.Context, versions []string) {
		writer, err := a.auditor(ctx, s)
		if err == nil {
			err = writer.note(ctx, audit.Entry{
				Action: audit.TrustRoot, Outcome: audit.Done, Subject: audit.Subject{Repository: r.name},
				Detail: "accepted root " + strings.Join(versions, ", "),
			})
		}
		if err != nil {
			a.out.warn("%s: a new root could not be written down in the audit log: %v", r.name, err)
		}
	}
}

// userName is who runs this process, by the system's account of it and not by a
// variable; the number where that has no name.
func userName() string {
	id := strconv.Itoa(os.Getuid())
	if known, err := user.LookupId(id); err == nil && known.Username != "" {
		return known.Username
	}
	if current, err := user.Current(); err == nil && current.Username != "" {
		return current.Username // where users have no numbers
	}
	return id
}
