//go:build unix && !solaris && !aix

package unpack

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// TestLockOfNothing: between the opening and the lock another process removed the
// folder, and perhaps one has been made in its place.
func TestLockOfNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "stage")
	for _, again := range []bool{false, true} {
		if err := os.Mkdir(path, 0o700); err != nil {
			t.Fatal(err)
		}
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if again {
			if err := os.Mkdir(path, 0o700); err != nil {
				t.Fatal(err)
			}
		}
		_, err = lockOpened(file, path)
		wantError(t, err, fs.ErrNotExist, path)
	}
}
