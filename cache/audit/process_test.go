package audit

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

const childVariable = "ASSAY_AUDIT_TEST_CHILD"

// TestMain is also the other process: with the variable set, the test binary
// appends to the log of the folder that it names.
func TestMain(m *testing.M) {
	dir := os.Getenv(childVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	l, err := Open(dir, Options{LockWait: time.Minute})
	for range 10 {
		if err == nil {
			_, err = l.Append(context.Background(), Entry{Action: Get, User: fmt.Sprint(os.Getpid())})
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// TestNoFork appends from goroutines and processes at once, all starting without
// a log: each entry gets in, and they make one chain.
func TestNoFork(t *testing.T) {
	dir := t.TempDir()
	var all sync.WaitGroup
	failures := make(chan error, 10)
	for range 4 {
		all.Go(func() {
			l, err := Open(dir, Options{LockWait: time.Minute})
			for range 5 {
				if err == nil {
					_, err = l.Append(t.Context(), Entry{Action: Get})
				}
			}
			failures <- err
		})
	}
	for range 2 {
		all.Go(func() {
			command := exec.Command(os.Args[0])
			command.Env = append(os.Environ(), childVariable+"="+dir)
			output, err := command.CombinedOutput()
			if err != nil {
				err = fmt.Errorf("%w: %s", err, output)
			}
			failures <- err
		})
	}
	all.Wait()
	close(failures)
	for err := range failures {
		if err != nil {
			t.Error(err)
		}
	}
	if r, err := open(t, dir).Verify(t.Context(), Head{}); err != nil || r.FirstBroken != nil || r.Entries != 40 {
		t.Errorf("expected 40 entries that hold, found %+v, %v", r, err)
	}
}

// TestKilled ends processes in the middle of their work: what is there holds, and
// the next goes on from it.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	l := open(t, dir)
	for i := range 8 {
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(3+2*i)*time.Millisecond)
		command := exec.CommandContext(ctx, os.Args[0])
		command.Env = append(os.Environ(), childVariable+"="+dir)
		err := command.Run()
		cancel()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		kept := add(t, l, Entry{Action: Get, User: "between"})
		if r, err := l.Verify(t.Context(), Head{kept.Seq, kept.Hash}); err != nil || r.FirstBroken != nil {
			t.Fatalf("after kill %d: %+v, %v", i, r, err)
		}
	}
}
