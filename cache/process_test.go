package cache

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// faultsVariable chooses how much the tests of faults try: "soak" everything,
// "none" nothing, as where mutants run, which shorter tests must find.
const faultsVariable = "ASSAY_FAULTS"

const (
	childVariable = "ASSAY_CACHE_TEST_CHILD" // write, or hang in mid-write; prune, or get; everything
	childFolder   = "ASSAY_CACHE_TEST_DIR"
)

// TestMain is also the other process.
func TestMain(m *testing.M) {
	mode := os.Getenv(childVariable)
	if mode == "" {
		os.Exit(m.Run())
	}
	if err := child(mode); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func child(mode string) error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if mode == "everything" {
		return everythingChild(ctx)
	}
	opts := Options{LockWait: time.Minute}
	if mode == "prune" {
		// By this clock nothing is in use: what is must be kept by the locks.
		opts.Now = func() time.Time { return time.Now().Add(time.Hour) }
	}
	s, err := Open(os.Getenv(childFolder), opts)
	if err != nil {
		return err
	}
	switch mode {
	case "prune":
		return pruneChild(ctx, s)
	case "get":
		return getChild(ctx, s)
	}
	stage, err := s.Stage(ctx, digests(bytesA), int64(len(bytesA)))
	if err != nil {
		return err
	}
	defer stage.Abort()
	if _, held := stage.Held(ctx); held {
		fmt.Println("held")
		return nil
	}
	_, err = stage.Write(bytesA[:1000])
	fmt.Println("writing")
	if mode == "hang" {
		select {}
	}
	_, writeErr := stage.Write(bytesA[1000:])
	_, commitErr := stage.Commit(ctx)
	return errors.Join(err, writeErr, commitErr)
}

func command(mode, dir string) *exec.Cmd {
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childVariable+"="+mode, childFolder+"="+dir)
	return c
}

// TestManyProcesses: of eight processes that want one blob, one writes it.
func TestManyProcesses(t *testing.T) {
	dir := t.TempDir()
	outputs := make([]string, 8)
	var all sync.WaitGroup
	for i := range outputs {
		all.Go(func() {
			output, err := command("write", dir).CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, output)
			}
			outputs[i] = strings.TrimSpace(string(output))
		})
	}
	all.Wait()
	slices.Sort(outputs)
	if outputs[6] != "held" || outputs[7] != "writing" {
		t.Errorf("expected one writer, found %q", outputs)
	}
	s := open(t, dir)
	if report, err := s.Verify(t.Context(), nil); err != nil || report.Checked != 1 || len(report.Damaged) != 0 {
		t.Errorf("expected one whole blob, found %+v, %v", report, err)
	}
	if left := files(t, s.stagingDir()); len(left) != 0 {
		t.Errorf("expected an empty staging folder, found %q", left)
	}
}

// TestKilledInMidWrite: after kill -9 the next run goes on at once, and a live
// process is waited for.
func TestKilledInMidWrite(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	for range 2 {
		c := command("hang", dir)
		output, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(output).ReadString('\n')
		if line != "writing\n" {
			t.Errorf("expected the child to write, found %q, %v", line, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 60*time.Millisecond)
		if _, err := s.Stage(ctx, digests(bytesA), 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("expected %v, found %v", context.DeadlineExceeded, err)
		}
		cancel()
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		c.Wait()
		if left := files(t, s.stagingDir()); len(left) != 2 {
			t.Errorf("expected the partial file and its lock, found %q", left)
		}
		if left := files(t, filepath.Join(dir, "blobs")); len(left) != 0 {
			t.Errorf("expected no blob, found %q", left)
		}
	}
	if err := store(t, s, bytesA).Check(t.Context()); err != nil {
		t.Error(err)
	}
	if left := files(t, s.stagingDir()); len(left) != 0 {
		t.Errorf("expected an empty staging folder, found %q", left)
	}
}
