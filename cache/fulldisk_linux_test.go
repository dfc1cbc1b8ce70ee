package cache

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
)

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("assay", dir, "tmpfs", 0, "size=512k"); err != nil {
		t.Skipf("needs a small tmpfs: %v", err)
	}
	defer syscall.Unmount(dir, 0)
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
