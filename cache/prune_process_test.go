package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/artifact"
)

// pruneChild removes all that it may, a few times.
func pruneChild(ctx context.Context, s *Store) error {
	for range 20 {
		if _, err := s.Prune(ctx, within(0)); err != nil {
			return err
		}
	}
	return nil
}

// getChild asks for a few blobs over and over, and makes those that are gone, as
// fetch does. What it is given is whole.
func getChild(ctx context.Context, s *Store) error {
	for i := range 60 {
		data := []byte(strings.Repeat(fmt.Sprint(i%6), 10_000))
		want := artifact.Digests{artifact.DigestOf(artifact.SHA256, data)}
		blob, err := s.Get(want.Primary())
		if errors.Is(err, ErrMissing) {
			blob, err = makeBlob(ctx, s, want, data)
		}
		if err == nil {
			err = s.Note(ctx, want.Primary(), Name{Product: "p"})
		}
		if err == nil {
			err = blob.Check(ctx)
		}
		// Gone between two steps is missing, and never anything else.
		if err != nil && (!errors.Is(err, ErrMissing) || errors.Is(err, ErrDamaged)) {
			return err
		}
	}
	return nil
}

func makeBlob(ctx context.Context, s *Store, want artifact.Digests, data []byte) (Blob, error) {
	stage, err := s.Stage(ctx, want, int64(len(data)))
	if err != nil {
		return Blob{}, err
	}
	defer stage.Abort()
	if blob, held := stage.Held(ctx); held {
		return blob, nil
	}
	if _, err := stage.Write(data); err != nil {
		return Blob{}, err
	}
	return stage.Commit(ctx)
}

// TestPruneBesideGets: two processes prune while three get.
func TestPruneBesideGets(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	pinned := store(t, s, []byte(strings.Repeat("0", 10_000)))
	keep(t, s, "p", pinned.Digest())
	var all sync.WaitGroup
	for _, mode := range []string{"prune", "get", "prune", "get", "get"} {
		all.Go(func() {
			if output, err := command(mode, dir).CombinedOutput(); err != nil {
				t.Errorf("%s: %v: %s", mode, err, output)
			}
		})
	}
	all.Wait()
	report, err := s.Verify(t.Context(), nil)
	if err != nil || len(report.Damaged)+len(report.Missing) != 0 {
		t.Errorf("expected nothing damaged and no entry without a blob, found %+v, %v", report, err)
	}
	if err := pinned.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if left := files(t, s.stagingDir()); len(left) != 0 {
		t.Errorf("expected nothing staged, found %q", left)
	}
	if left := files(t, s.damagedDir()); len(left) != 0 {
		t.Errorf("expected nothing set aside, found %q", left)
	}
}

// TestKilledInPrune: after kill -9, at any moment, what is left is whole, what was
// kept is there, and the next Prune goes on.
func TestKilledInPrune(t *testing.T) {
	if os.Getenv(faultsVariable) == "none" {
		t.Skip("left out by " + faultsVariable)
	}
	dir := t.TempDir()
	s := open(t, dir)
	pinned := store(t, s, bytesA)
	keep(t, s, "p", pinned.Digest())
	killed := 0
	for round := range 12 {
		for i := range 80 {
			store(t, s, []byte{byte(i)})
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Duration(8+3*round)*time.Millisecond)
		c := exec.CommandContext(ctx, command("prune", dir).Path)
		c.Env = command("prune", dir).Env
		err := c.Run()
		cancel()
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) && !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal(err)
		}
		if err != nil {
			killed++
		}
		// Each blob that is listed is there, and each that is there can be asked for.
		entries, err := s.List(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			blob, err := s.Get(e.Digest)
			if err == nil {
				err = blob.Check(t.Context())
			}
			if err != nil {
				t.Errorf("round %d: %v", round, err)
			}
		}
		if err := pinned.Check(t.Context()); err != nil {
			t.Errorf("round %d: the pinned blob: %v", round, err)
		}
	}
	if killed == 0 {
		t.Error("expected some of the processes to be killed, found none")
	}
	// The lock files of the last that was killed wait for who wants those blobs.
	for i := range 80 {
		store(t, s, []byte{byte(i)})
	}
	if output, err := command("prune", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	report, err := s.Verify(t.Context(), nil)
	if err != nil || report.Checked != 1 || len(report.Damaged)+len(report.Missing) != 0 {
		t.Errorf("expected the pinned blob alone, found %+v, %v", report, err)
	}
	// The lock of a blob that the last one killed had removed is left, for a sweep.
	for _, name := range files(t, s.stagingDir()) {
		if locked, err := isLocked(filepath.Join(s.stagingDir(), name)); locked || err != nil || filepath.Ext(name) != lockSuffix {
			t.Errorf("expected nothing staged but locks that can be had, found %q, %v, %v", name, locked, err)
		}
	}
}
