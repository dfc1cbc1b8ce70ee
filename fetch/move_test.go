package fetch_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"assay/artifact"
	"assay/cache"
	"assay/fetch"
	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/trust"
)

// A file that no repository promises: its length is not known before.
func TestMove(t *testing.T) {
	t.Parallel()
	content := strings.Repeat("content", 100_000)
	var authorization sync.Map
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		authorization.Store(r.URL.Path, r.Header.Get("Authorization"))
		switch r.URL.Path {
		case "/none":
			http.NotFound(w, r)
		case "/chunked":
			w.(http.Flusher).Flush()
			fallthrough
		default:
			_, _ = w.Write([]byte(content))
		}
	}))
	defer server.Close()
	pool := server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	place := func(path string) transfer.Place {
		u, err := url.Parse(server.URL + path)
		must(t, err)
		return transfer.Place{URL: u, Reach: wire.ReachOf(u), Authorization: "Bearer secret"}
	}
	sums := func(text string) artifact.Digests {
		return artifact.Digests{artifact.DigestOf(artifact.SHA256, []byte(text)), artifact.DigestOf(artifact.SHA512, []byte(text))}
	}
	for _, test := range []struct {
		name  string
		paths []string
		want  artifact.Digests
		limit int64
		err   error
	}{
		{"whole", []string{"/whole"}, sums(content), 1 << 30, nil},
		{"exactly as long", []string{"/chunked"}, sums(content), int64(len(content)), nil},
		{"the second place", []string{"/none", "/whole"}, sums(content), 1 << 30, nil},
		{"no place has it", []string{"/none"}, sums(content), 1 << 30, fetch.ErrSource},
		{"too long, announced", []string{"/whole"}, sums(content), int64(len(content)) - 1, wire.ErrTooLong},
		{"too long, not announced", []string{"/chunked"}, sums(content), int64(len(content)) - 1, wire.ErrTooLong},
		{"other bytes", []string{"/whole"}, sums("other"), 1 << 30, cache.ErrMismatch},
		{"one digest is wrong", []string{"/whole"}, artifact.Digests{sums(content)[0], sums("other")[1]}, 1 << 30, cache.ErrMismatch},
	} {
		t.Run(test.name, func(t *testing.T) {
			root := t.TempDir()
			store, err := cache.Open(root, cache.Options{})
			must(t, err)
			client, err := fetch.NewClient(fetch.Config{Cache: store, Engine: wire.New(wire.Options{RootCAs: pool}), Transfer: transfer.Options{Retries: -1}})
			must(t, err)
			var places []transfer.Place
			for _, path := range test.paths {
				places = append(places, place(path))
			}
			blob, moved, from, err := client.Move(t.Context(), places, test.want, test.limit, "file")
			if test.err != nil {
				if !errors.Is(err, test.err) || strings.Contains(err.Error(), "secret") {
					t.Fatalf("expected %v, found %v", test.err, err)
				}
				if _, err := store.Get(test.want.Primary()); !errors.Is(err, cache.ErrMissing) {
					t.Errorf("expected no blob, found %v", err)
				}
				return
			}
			must(t, err)
			if moved != int64(len(content)) || from != server.URL+test.paths[len(test.paths)-1] || blob.Digest() != test.want[0] || blob.Check(t.Context()) != nil {
				t.Errorf("found %d bytes from %s, %v", moved, from, blob.Digest())
			}
			if sent, _ := authorization.Load(test.paths[0]); sent != "Bearer secret" {
				t.Errorf("sent %v", sent)
			}
			// Who comes later finds it, if it is all that is wanted.
			if _, moved, _, err := client.Move(t.Context(), places, test.want, test.limit, "file"); err != nil || moved != 0 {
				t.Errorf("again: found %d bytes, %v", moved, err)
			}
			_, _, _, err = client.Move(t.Context(), places, artifact.Digests{test.want[0], sums("other")[1]}, test.limit, "file")
			if !errors.Is(err, trust.ErrMismatch) {
				t.Errorf("held, but for one digest: found %v", err)
			}
			if left, err := filepath.Glob(filepath.Join(root, "staging", "*.part")); err != nil || len(left) > 0 {
				t.Errorf("left are %v, %v", left, err)
			}
		})
	}
}
