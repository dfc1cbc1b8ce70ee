package fetch_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"assay/fetch"
	"assay/fetch/wire"
	"assay/trust"
)

// noExcuse refuses errors that a refresh would go on after: neither "there is no
// next root" nor a silence that a grace covers.
func noExcuse(t *testing.T, what string, data []byte, err error) {
	t.Helper()
	if data != nil || !errors.Is(err, fetch.ErrSource) {
		t.Errorf("%s: expected a failure of the source and no data, found %q, %v", what, data, err)
	}
	for _, kind := range []error{trust.ErrNoMetadata, trust.ErrNoAnswer, trust.ErrTooLarge} {
		if errors.Is(err, kind) {
			t.Errorf("%s: expected nothing that a refresh goes on after, found %v", what, err)
		}
	}
}

// A redirect may change the host. It may not leave http and https, whatever the
// other scheme would read.
func TestMetadataRedirectedToAnotherScheme(t *testing.T) {
	t.Parallel()
	for _, target := range []string{
		"file:///etc/passwd", "file://localhost/etc/passwd", "FILE:///etc/passwd", "ftp://repo.invalid/2.root.json",
		"data:application/json,{}", "gopher://repo.invalid/", "unix:///run/x", "javascript:0", "mailto:a@repo.invalid", "http:///2.root.json",
	} {
		server := serving(t, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", target)
			w.WriteHeader(http.StatusFound)
		})
		data, err := ask(t, wire.Options{}, fetch.SourceConfig{URL: server.URL})
		noExcuse(t, target, data, err)
	}
}

// As many redirects as are allowed, and one more.
func TestRedirectsUpToTheLimit(t *testing.T) {
	t.Parallel()
	for count, refused := range map[int]bool{1: false, 10: false, 11: true, 1000: true} {
		var asked atomic.Int64
		server := serving(t, func(w http.ResponseWriter, q *http.Request) {
			if n := asked.Add(1); int(n) <= count {
				http.Redirect(w, q, fmt.Sprintf("/%d", n), http.StatusFound)
				return
			}
			w.Write([]byte("{}"))
		})
		data, err := ask(t, wire.Options{}, fetch.SourceConfig{URL: server.URL})
		if !refused {
			if err != nil || string(data) != "{}" {
				t.Errorf("%d redirects: found %q, %v", count, data, err)
			}
			continue
		}
		noExcuse(t, fmt.Sprint(count, " redirects"), data, err)
		if err == nil || !strings.Contains(err.Error(), "at most 10 redirects") {
			t.Errorf("%d redirects: expected the limit to be named, found %v", count, err)
		}
		if got := asked.Load(); got != 11 {
			t.Errorf("%d redirects: expected 11 requests, found %d", count, got)
		}
	}
}

// A small answer that would unpack to gigabytes is refused by its head: nothing
// is unpacked, and hardly anything read.
func TestPackedMetadataIsNotUnpacked(t *testing.T) {
	t.Parallel()
	var member bytes.Buffer
	packer := gzip.NewWriter(&member)
	_, err := packer.Write(make([]byte, 1<<20))
	must(t, err)
	must(t, packer.Close())
	for _, encoding := range []string{"gzip", "GZIP", "x-gzip", "deflate", "br", "zstd", "identity, gzip", "gzip, gzip"} {
		var sent atomic.Int64
		served := make(chan struct{})
		server := serving(t, func(w http.ResponseWriter, q *http.Request) {
			defer close(served)
			if accept := q.Header.Get("Accept-Encoding"); accept != "identity" {
				t.Errorf("expected Accept-Encoding: identity, found %q", accept)
			}
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Encoding", encoding)
			for range 64 << 10 { // some 64 MB that are 64 GiB
				n, err := w.Write(member.Bytes())
				if sent.Add(int64(n)); err != nil {
					return
				}
			}
		})
		data, err := ask(t, wire.Options{}, fetch.SourceConfig{URL: server.URL})
		noExcuse(t, encoding, data, err)
		if err == nil || !strings.Contains(err.Error(), "Content-Encoding") {
			t.Errorf("%s: expected the encoding to be named, found %v", encoding, err)
		}
		<-served
		if got := sent.Load(); got >= 60<<20 {
			t.Errorf("%s: expected the answer to be left unread, found %d bytes sent", encoding, got)
		}
	}
}

// The same without saying so: packed bytes are no metadata, and only as many of
// them are read as the limit says.
func TestPackedMetadataThatIsNotSaidToBe(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	packer := gzip.NewWriter(&packed)
	_, err := packer.Write(make([]byte, 100<<10))
	must(t, err)
	must(t, packer.Close())
	server := serving(t, func(w http.ResponseWriter, _ *http.Request) { w.Write(packed.Bytes()) })
	data, err := ask(t, wire.Options{}, fetch.SourceConfig{URL: server.URL})
	if err != nil || !bytes.Equal(data, packed.Bytes()) {
		t.Errorf("expected the bytes as they are, found %d of %d, %v", len(data), packed.Len(), err)
	}
	if _, err := trust.CheckRoot(data, trust.Limits{}); !errors.Is(err, trust.ErrMalformed) {
		t.Errorf("as a root: expected ErrMalformed, found %v", err)
	}
}
