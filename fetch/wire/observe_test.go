package wire

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"testing"
)

// TestObserved shows that each request is told of, redirected and failed ones too,
// with its host and nothing else of the URL.
func TestObserved(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/from" {
			http.Redirect(w, r, "/to", http.StatusFound)
		}
	}))
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	var mu sync.Mutex
	var seen []Exchange
	ctx := Observed(t.Context(), func(_ context.Context, x Exchange) {
		mu.Lock()
		defer mu.Unlock()
		seen = append(seen, x)
	})
	e := New(Options{Retries: -1})
	ask := func(ctx context.Context) error {
		answer, err := e.Open(ctx, Request{URL: base.JoinPath("from"), Reach: ReachOf(base)})
		if err == nil {
			err = answer.Body.Close()
		}
		return err
	}
	if err := ask(ctx); err != nil {
		t.Fatal(err)
	}
	if err := ask(t.Context()); err != nil { // nobody looks
		t.Fatal(err)
	}
	server.Close()
	if err := ask(ctx); err == nil {
		t.Fatal("the server is gone: expected an error, found none")
	}
	if len(seen) != 3 || seen[0].Status != http.StatusFound || seen[1].Status != http.StatusOK || seen[2].Status != 0 || seen[0].Host != base.Host || seen[0].Began.IsZero() {
		t.Errorf("expected a redirect, an answer and a failure of %s, found %+v", base.Host, seen)
	}
}
