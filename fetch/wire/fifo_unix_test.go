//go:build unix

package wire

import (
	"errors"
	"path/filepath"
	"syscall"
	"testing"
)

// TestPipe: to open one would wait for whoever writes into it.
func TestPipe(t *testing.T) {
	t.Parallel()
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Skipf("no pipe can be made here: %v", err)
	}
	if _, _, err := OpenRegular(pipe); !errors.Is(err, ErrNotRegular) {
		t.Errorf("expected %v, found %v", ErrNotRegular, err)
	}
}
