package pinned

import (
	"errors"
	"strings"
	"testing"

	getter "github.com/hashicorp/go-getter/v2"

	"assay/cache"
)

// A folder is never asked for: a getter says so, whoever asks.
func TestNoFolder(t *testing.T) {
	source, err := Parse("git::https://h.example/r//f", "/")
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range []getter.Getter{&fileGetter{&job{source: source}}, &gitGetter{&job{source: source}}} {
		if err := g.Get(t.Context(), &getter.Request{}); !errors.Is(err, ErrURL) {
			t.Errorf("got %v", err)
		}
		if mode, err := g.Mode(t.Context(), nil); err != nil || mode != getter.ModeFile {
			t.Errorf("got %v, %v", mode, err)
		}
	}
}

func TestProveHeldThatIsNot(t *testing.T) {
	if err := proveHeld(t.Context(), cache.Blob{}, nil); !errors.Is(err, cache.ErrMissing) {
		t.Errorf("got %v", err)
	}
}

func TestTail(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "it did not say why",
		"\n\r\n":                     "it did not say why",
		"one\ntwo\n":                 "two",
		"one\rtwo\r":                 "two",
		"error: a\nfatal: b\nmore\n": "fatal: b",
		"fatal: b\rerror: a\nmore":   "error: a",
		"remote: \x1b[2J\n":          "remote: \ufffd[2J",
		"fatal: b\n" + strings.Repeat("x", tailMost): strings.Repeat("x", 300) + "…",
	} {
		words := &tail{}
		for i := range len(text) {
			_, _ = words.Write([]byte{text[i]})
		}
		if got := words.last(); got != want || len(words.text) > tailMost {
			t.Errorf("%.40q: got %q", text, got)
		}
	}
}
