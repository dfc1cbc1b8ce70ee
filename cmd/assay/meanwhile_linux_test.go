package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gofrs/flock"

	"assay/internal/config"
)

// TestRemovedMeanwhile: a release that another process removes between the look and
// the start is unpacked again, so often and not for ever.
func TestRemovedMeanwhile(t *testing.T) {
	m := helloMachine(t, "#!/bin/sh\nexit 0\n")
	for _, test := range []struct{ removals, code int }{{0, 0}, {1, 0}, {2, 0}, {3, noProgram}} {
		starts := 0
		var stderr bytes.Buffer
		a := &app{
			stdout: &bytes.Buffer{}, stderr: &stderr, env: m.env, now: time.Now,
			dirs: config.Dirs{Config: filepath.Join(m.home, "config"), Cache: filepath.Join(m.home, "cache"), State: filepath.Join(m.home, "state")},
		}
		a.start = func(_ context.Context, path string, _ []string) error {
			if starts++; starts > test.removals {
				if _, err := os.Stat(path); err != nil {
					t.Errorf("expected the program, found %v", err)
				}
				return nil
			}
			dir, _, _ := strings.Cut(path, "/tree/")
			return errors.Join(fmt.Errorf("%w: %s", errNoProgram, path), os.RemoveAll(dir))
		}
		code := a.run(t.Context(), []string{"exec", "hello@1.5.0"})
		if code != test.code || starts != min(test.removals+1, 3) {
			t.Errorf("%d removals: expected the code %d, found %d after %d starts: %s", test.removals, test.code, code, starts, stderr.String())
		}
	}
	// What is only damaged is not looked for again.
	trees, err := filepath.Glob(filepath.Join(m.home, "data/products/acme/hello/1/tree/*"))
	if err != nil || len(trees) != 1 || os.Remove(trees[0]) != nil {
		t.Fatalf("found %v, %v", trees, err)
	}
	m.expect(noProgram, "unpacks it anew", "exec", "hello")
}

// TestChangedMeanwhile: what was decided while another run was at work is not done
// when that has changed what runs.
func TestChangedMeanwhile(t *testing.T) {
	m := helloMachine(t, "#!/bin/sh\nexit 0\n")
	product := filepath.Join(m.home, "data", "products", "acme", "hello")
	current := filepath.Join(product, "current")
	path := filepath.Join(filepath.Dir(product), ".hello.lock")
	m.must("install", "hello@1.5.0")
	for _, line := range []string{"install hello@1.4.2", "upgrade hello@stable", "rollback hello"} {
		lock := flock.New(path)
		if err := lock.Lock(); err != nil {
			t.Fatal(err)
		}
		wait := watchOpens(t, path)
		command := m.command("assay", strings.Fields(line)...)
		var output bytes.Buffer
		command.Stdout, command.Stderr = &output, &output
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		wait()
		target, err := os.Readlink(current)
		if err := errors.Join(err, os.Remove(current), lock.Close()); err != nil { // as an uninstall has it
			t.Fatal(err)
		}
		_ = command.Wait()
		if code := command.ProcessState.ExitCode(); code != 31 || !strings.Contains(output.String(), "changed it meanwhile: acme:hello: expected 1.5.0 of the request") {
			t.Errorf("%s: expected 31, found %d: %s", line, code, output.String())
		}
		if _, err := os.Lstat(current); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: expected nothing to run, found %v", line, err)
		}
		if err := os.Symlink(target, current); err != nil {
			t.Fatal(err)
		}
	}
}

// watchOpens waits, when it is called, until somebody opens a file.
func watchOpens(t *testing.T, path string) (wait func()) {
	t.Helper()
	fd, err := syscall.InotifyInit1(syscall.IN_NONBLOCK | syscall.IN_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	events := os.NewFile(uintptr(fd), "inotify")
	if _, err := syscall.InotifyAddWatch(fd, path, syscall.IN_OPEN); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		defer events.Close()
		var event [4096]byte
		_ = events.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := events.Read(event[:]); err != nil {
			t.Fatalf("expected %s to be waited for, found %v", path, err)
		}
	}
}
