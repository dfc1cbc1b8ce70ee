package wire

import (
	"context"
	"errors"
	"strings"
	"testing"

	"assay/trust"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	u := parsed(t, "https://ann:"+password+"@a.example/x?q="+password)
	slow := slowError{errors.New("a byte a minute")}
	err := Explain(t.Context(), u, slow)
	if !errors.Is(err, ErrSource) || !errors.Is(err, trust.ErrNoAnswer) || err.Error() != "https://a.example/x?…: given up: too slow: a byte a minute" {
		t.Errorf("a cause alone: found %v", err)
	}
	if again := Explain(t.Context(), u, err); again != err {
		t.Errorf("what is explained already: found %v", again)
	}
	interrupt := errors.New("interrupted by the user")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(interrupt)
	if err := Explain(ctx, u, err); err != interrupt {
		t.Errorf("expected %v, found %v", interrupt, err)
	}
}

func TestClip(t *testing.T) {
	t.Parallel()
	if got := Clip("a\x1b[2Jb\nc\u0085d", 100); strings.ContainsAny(got, "\x1b\n\u0085") || !strings.HasPrefix(got, "a") {
		t.Errorf("found %q", got)
	}
	if got := Clip(strings.Repeat("x", 11), 10); got != strings.Repeat("x", 10)+"…" {
		t.Errorf("found %q", got)
	}
}
