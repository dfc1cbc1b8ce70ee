package pinned

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/trust"
)

const (
	staleAge = 24 * time.Hour // of private folders that a dead process left
	diskPoll = 250 * time.Millisecond
	// waitPipes is how long helpers that outlive git may hold its output open.
	waitPipes = 5 * time.Second
)

// Why git's work is ended.
var (
	errTime = errors.New("git took too long")
	errRoom = errors.New("git took too much room")
)

// gitRun is git at work for one file, in a private folder.
type gitRun struct {
	job *job
	dir string
	env []string
}

// inPrivate makes the private folder and has work done in it, within the time and
// the room on the disk that there are for it; then it removes the folder.
//
// Crash here: the folder stays, without a name that anything is looked for under;
// a later call removes it after a day.
func (j *job) inPrivate(ctx context.Context, work func(context.Context, *gitRun) error) (err error) {
	if err := os.MkdirAll(j.config.Dir, 0o700); err != nil {
		return err
	}
	j.sweep()
	dir, err := os.MkdirTemp(j.config.Dir, "git-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	limited, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	timed, stop := context.WithTimeoutCause(limited, j.config.GitTime, errTime)
	defer stop()
	go watchDisk(timed, cancel, dir, j.config.GitSize)
	err = work(timed, &gitRun{job: j, dir: dir, env: gitEnv(j.config.Env, dir, j.source.url)})
	switch {
	case errors.Is(err, errTime):
		return j.failed("given up", fmt.Errorf("%w: expected git to be done within %s", trust.ErrNoAnswer, j.config.GitTime))
	case errors.Is(err, errRoom):
		return fmt.Errorf("%s: %w: expected git to need at most %d bytes", j.source, transfer.ErrTooLarge, j.config.GitSize)
	}
	return err
}

// sweep removes private folders of the dead.
func (j *job) sweep() {
	entries, _ := os.ReadDir(j.config.Dir)
	oldest := j.config.Now().Add(-staleAge)
	for _, entry := range entries {
		info, err := entry.Info()
		if err == nil && strings.HasPrefix(entry.Name(), "git-") && info.IsDir() && info.ModTime().Before(oldest) {
			// What can't be removed now waits for another time.
			_ = os.RemoveAll(filepath.Join(j.config.Dir, entry.Name()))
		}
	}
}

// watchDisk ends the work when the folder holds more than limit bytes: git itself
// has no bound for what a server sends.
func watchDisk(ctx context.Context, cancel context.CancelCauseFunc, dir string, limit int64) {
	ticks := time.NewTicker(diskPoll)
	defer ticks.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticks.C:
		}
		if sizeOf(dir) > limit {
			cancel(errRoom)
			return
		}
	}
}

// sizeOf adds up what lies in a folder that is being worked in: what is gone
// meanwhile counts nothing.
func sizeOf(dir string) (total int64) {
	_ = filepath.WalkDir(dir, func(_ string, entry fs.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			if info, err := entry.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	return total
}

// run runs git. Its words are no part of any decision, but for those of plumbing
// that are read from output.
func (r *gitRun) run(ctx context.Context, output io.Writer, args ...string) error {
	cmd := exec.CommandContext(ctx, r.job.config.GitPath, args...)
	words := &tail{}
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = r.dir, r.env, output, words, waitPipes
	apart(cmd)
	err := cmd.Run()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if _, exited := errors.AsType[*exec.ExitError](err); exited {
		return r.job.failed("git "+args[0]+" failed", errors.New(words.last()))
	}
	if err != nil {
		return fmt.Errorf("%w: expected the program git, which gets files of git repositories: %w", ErrGit, err)
	}
	return nil
}

// failed is an error of the source, that is named without its secrets.
func (j *job) failed(detail string, err error) error {
	return &wire.SourceError{URL: j.source.String(), Detail: detail, Err: err}
}

// tail keeps the end of what git says.
type tail struct{ text []byte }

const tailMost = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	if over := len(t.text) - tailMost; over > 0 {
		t.text = append(t.text[:0], t.text[over:]...)
	}
	return len(p), nil
}

// last is the line that says why: the last that says fatal or error, else the last.
func (t *tail) last() string {
	lines := strings.FieldsFunc(string(t.text), func(r rune) bool { return r == '\n' || r == '\r' })
	for i := len(lines) - 1; i >= 0; i-- {
		if strings.HasPrefix(lines[i], "fatal: ") || strings.HasPrefix(lines[i], "error: ") {
			return wire.Clip(lines[i], 300)
		}
	}
	if len(lines) == 0 {
		return "it did not say why"
	}
	return wire.Clip(lines[len(lines)-1], 300)
}
