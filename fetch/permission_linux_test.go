package fetch_test

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"syscall"
	"testing"

	"assay/fetch"
	"assay/internal/testrepo"
)

// A file that may not be read is no wrong input, and one whose reading fails is
// not taken for what came before.
func TestIdentifyUnreadable(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	file := fileOf(t, "tool.tgz", []byte("a tool"))
	must(t, os.Chmod(file, 0))
	client := b.client()
	if _, err := client.Identify(t.Context(), "/proc/self/mem"); !errors.Is(err, syscall.EIO) {
		t.Errorf("expected %v, found %v", syscall.EIO, err)
	}
	done := make(chan error)
	go func() {
		runtime.LockOSThread()      // and no Unlock: the thread ends here
		_ = syscall.Setfsuid(65534) // root may read anything
		_, err := client.Identify(t.Context(), file)
		done <- err
	}()
	if err := <-done; !errors.Is(err, fs.ErrPermission) || errors.Is(err, fetch.ErrInput) {
		t.Errorf("expected %v, found %v", fs.ErrPermission, err)
	}
}
