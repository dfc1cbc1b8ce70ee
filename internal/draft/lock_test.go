package draft

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/internal/draft/drafttest"
)

// leave puts down what a crash leaves of a file.
func leave(t *testing.T, path string) string {
	t.Helper()
	left := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".0123456789abcdef.tmp")
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err := errors.Join(err, os.WriteFile(left, []byte("half"), 0o644)); err != nil {
		t.Fatal(err)
	}
	return left
}

// TestSweep: what a crash left is removed before a tool publishes it; what is
// somebody else's stays.
func TestSweep(t *testing.T) {
	o := drafted(t, drafttest.Dist{})
	r, _ := mustDraft(t, o)
	dir := filepath.Join(o.Output, "hello", "1.4.2")
	gone := []string{leave(t, filepath.Join(dir, "release.json")), leave(t, filepath.Join(dir, "checksums.txt"))}
	stays := leave(t, filepath.Join(dir, "other.txt"))
	if _, err := r.Write(context.Background(), false); err != nil {
		t.Fatal(err)
	}
	index := filepath.Join(o.Output, "channel-candidate", "hello.json")
	gone = append(gone, leave(t, index))
	p := promotion(t, o.Output, "1.4.2", NoChannel, "candidate")
	promoted(t, p)
	for _, path := range gone {
		if _, err := os.Lstat(path); err == nil {
			t.Errorf("left: %s", path)
		}
	}
	if _, err := os.Lstat(stays); err != nil {
		t.Error(err)
	}
}

// TestOneAtATime: whoever writes second waits, and finds all of it there.
func TestOneAtATime(t *testing.T) {
	o := drafted(t, drafttest.Dist{})
	var releases []*Release
	for range 4 {
		r, _ := mustDraft(t, o)
		releases = append(releases, r)
	}
	var group sync.WaitGroup
	changed := make([]bool, len(releases))
	for i, r := range releases {
		group.Go(func() {
			written, err := r.Write(context.Background(), false)
			if err != nil {
				t.Error(err)
			}
			for _, w := range written {
				changed[i] = changed[i] || w.Changed
			}
		})
	}
	group.Wait()
	times := 0
	for _, c := range changed {
		if c {
			times++
		}
	}
	if times != 1 {
		t.Errorf("written %d times", times)
	}
}

// TestLockIsWaitedFor: of two promotions at once the second finds that the index is
// not the one that it read, and none is lost.
func TestLockIsWaitedFor(t *testing.T) {
	dir := tree(t, map[string]string{"channel-candidate/hello.json": candidate, "channel-stable/hello.json": stable})
	out, err := Promote(promotion(t, dir, "1.5.0", "candidate", "stable"))
	if err != nil {
		t.Fatal(err)
	}
	held, err := lockTree(context.Background(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if held.lock == nil {
		t.Fatal("the folder of this test can't be locked")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if err := out.Write(ctx); !errors.Is(err, context.DeadlineExceeded) || read(t, dir, "channel-stable/hello.json") != stable {
		t.Errorf("got %v", err)
	}
	wrote := make(chan error)
	go func() { wrote <- out.Write(context.Background()) }()
	at := filepath.Join(dir, "channel-stable", "hello.json")
	if err := os.WriteFile(at, []byte(stable+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	held.release()
	if err := <-wrote; !errors.Is(err, ErrChanged) {
		t.Errorf("got %v", err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 2 || !strings.HasPrefix(files[0].Name(), "channel-") {
		t.Errorf("left: %v, %v", files, err)
	}
}
