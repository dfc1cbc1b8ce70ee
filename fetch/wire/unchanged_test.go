package wire_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"assay/fetch/wire"
)

// document asks for a URL's document and expects a text.
func document(t *testing.T, e *wire.Engine, address, want string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	data, _, err := e.ReadDocument(t.Context(), u, wire.ReachOf(u), 1<<20)
	if err != nil || string(data) != want {
		t.Errorf("expected %q, found %q, %v", want, data, err)
	}
	for i := range data { // what was handed out is the caller's
		data[i] = 'x'
	}
}

func TestDocumentIsAskedForByItsETag(t *testing.T) {
	text, tag, whole := "one", `"1"`, 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tag != "" {
			w.Header().Set("ETag", tag)
		}
		if tag != "" && r.Header.Get("If-None-Match") == tag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		whole++
		w.Write([]byte(text))
	}))
	defer server.Close()
	e := wire.New(wire.Options{})
	document(t, e, server.URL, "one")
	document(t, e, server.URL, "one")
	document(t, e, server.URL, "one")
	if whole != 1 {
		t.Errorf("unchanged: expected it to come once, found %d times", whole)
	}
	text, tag = "two", `"2"`
	document(t, e, server.URL, "two")
	document(t, e, server.URL, "two")
	if whole != 2 {
		t.Errorf("changed: expected it to come once more, found %d times in all", whole)
	}
	text, tag = "three", ""
	document(t, e, server.URL, "three")
	text, tag = "four", `W/"2"`
	document(t, e, server.URL, "four")
	if whole != 4 {
		t.Errorf("without a strong ETag: expected it to come each time, found %d times in all", whole)
	}
}

func TestNotModifiedThatNobodyAskedFor(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) }))
	defer server.Close()
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	var status *wire.StatusError
	_, _, err = wire.New(wire.Options{Retries: -1}).ReadDocument(t.Context(), u, wire.ReachOf(u), 100)
	if !errors.Is(err, wire.ErrSource) || !errors.As(err, &status) || status.Code != http.StatusNotModified {
		t.Errorf("expected a 304 to be refused, found %v", err)
	}
}
