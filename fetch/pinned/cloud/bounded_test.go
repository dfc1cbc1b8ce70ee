package cloud

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay/fetch/pinned"
)

// A server for tokens that never answers is not waited for longer than the caller
// wants, whatever the library's source makes of the context; and who gives up is
// not told that the credentials are bad.
func TestGCSServerThatIsSilent(t *testing.T) {
	bare(t)
	asked, end := make(chan struct{}, 1), make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		asked <- struct{}{}
		<-end
	}))
	defer silent.Close()
	defer close(end)
	path := filepath.Join(t.TempDir(), "account.json")
	accountFile(t, path, silent.URL)
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", path)

	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := GCS{}.Places(ctx, gcsObject)
	if !errors.Is(err, pinned.ErrCredentials) || !strings.Contains(err.Error(), "Google: expected an answer of the service that gives them out within "+findTime.String()) {
		t.Errorf("got %v", err)
	}
	<-asked

	ctx, cancel = context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := (GCS{}).Places(ctx, gcsObject); !errors.Is(err, context.Canceled) || errors.Is(err, pinned.ErrCredentials) {
		t.Errorf("got %v, want %v alone", err, context.Canceled)
	}
}
