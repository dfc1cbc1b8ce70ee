package cache

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestFullDisk(t *testing.T) {
	dir := smallDisk(t, "size=512k")
	s := open(t, dir)
	held := store(t, s, []byte("held"))
	large := bytes.Repeat([]byte("x"), 1<<20)
	// A length that is known is found out to be too much before a byte is written,
	// one that is not when the disk is full.
	_, early := s.Stage(t.Context(), digests(large), int64(len(large)))
	stage, err := s.StageAny(t.Context(), digests(large))
	if err != nil {
		t.Fatal(err)
	}
	_, copyErr := io.CopyBuffer(struct{ io.Writer }{stage}, struct{ io.Reader }{bytes.NewReader(large)}, make([]byte, 32<<10))
	_, err = stage.Commit(t.Context())
	for _, err := range []error{early, copyErr, err} {
		if !errors.Is(err, ErrDisk) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "free some space") {
			t.Errorf("expected %v for want of space, with a hint, found %v", ErrDisk, err)
		}
	}
	if left := files(t, s.stagingDir()); len(left) != 0 {
		t.Errorf("expected nothing staged, found %q", left)
	}
	if left := files(t, s.blobsDir()); len(left) != 1 || held.Check(t.Context()) != nil {
		t.Errorf("expected the held blob alone, found %q", left)
	}
	store(t, s, []byte("small"))
}

// TestPruneOnAFullDisk: of all commands this one must work then.
func TestPruneOnAFullDisk(t *testing.T) {
	dir := smallDisk(t, "size=1m")
	s := open(t, dir)
	keep(t, s, "p", store(t, s, []byte("held")).Digest())
	large := store(t, s, bytes.Repeat([]byte("x"), 400<<10))
	fill := filepath.Join(dir, "fill")
	file, err := os.Create(fill)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.CopyBuffer(struct{ io.Writer }{file}, struct{ io.Reader }{zeros{}}, make([]byte, 4096)); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("expected a full disk, found %v", err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.Keep(t.Context(), KindPin, "q", "", large.Digest()); !errors.Is(err, ErrDisk) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("expected %v for want of space, found %v", ErrDisk, err)
	}
	if refs, err := s.References(t.Context()); err != nil || len(refs) != 1 {
		t.Errorf("expected the first reference alone, found %v, %v", refs, err)
	}
	hasty, err := Open(dir, Options{Now: func() time.Time { return time.Now().Add(time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	report, err := hasty.Prune(t.Context(), within(0))
	if err != nil || len(report.Removed) != 1 || report.Freed != 400<<10 {
		t.Errorf("expected the large one to go, found %+v, %v", report, err)
	}
	if list, err := s.List(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("expected the held blob alone, found %v, %v", list, err)
	}
	store(t, s, []byte("small"))
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
