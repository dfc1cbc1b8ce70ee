package cloud

import (
	"errors"
	"strings"
	"testing"

	"assay/fetch/pinned"
)

// A regular file whose bytes can't be read is no file of credentials.
func TestGCSFileThatCannotBeRead(t *testing.T) {
	bare(t)
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/proc/self/mem")
	_, err := GCS{}.Places(t.Context(), gcsObject)
	if !errors.Is(err, pinned.ErrCredentials) || !strings.Contains(err.Error(), "/proc/self/mem: expected a file of at most 1048576 bytes that can be read") {
		t.Errorf("got %v", err)
	}
}
