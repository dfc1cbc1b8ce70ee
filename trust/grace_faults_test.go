package trust_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"assay/internal/testrepo"
	"assay/trust"
)

// With nothing held there is nothing that grace could cover, and the silence is
// what is told.
func TestGraceWithNothingHeld(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.config.Grace = time.Hour
	b.remote.fail("2.root.json", nil, fmt.Errorf("dial: %w", trust.ErrNoAnswer))
	if err := b.refuses(trust.ErrNoAnswer); errors.Is(err, trust.ErrNotHeld) {
		t.Errorf("expected the silence as the cause, found %v", err)
	}
}

// A clock that goes back while the sources are silent is not covered by grace.
func TestClockThatGoesBackDuringARefreshUnderGrace(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	b.config.Grace = time.Hour
	process := b.open()
	b.remote.answer = map[string]func() ([]byte, error){"2.root.json": func() ([]byte, error) {
		b.now = start.Add(-2 * time.Hour)
		return nil, trust.ErrNoAnswer
	}}
	var clock *trust.ClockError
	_, err := process.Refresh(t.Context())
	if !errors.As(err, &clock) || !clock.Now.Equal(start.Add(-2*time.Hour)) || !clock.Latest.Equal(start) {
		t.Errorf("expected a clock two hours behind %s, found %v", start, err)
	}
}

// Without a configured grace, silence is an error even while what is held has
// not expired: "fresh" is what was asked for.
func TestSilenceWithoutGrace(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	b.remote.fail("2.root.json", nil, fmt.Errorf("dial: %w", trust.ErrNoAnswer))
	b.refuses(trust.ErrNoAnswer)
	b.config.Grace = time.Hour
	if view := b.mustRefresh(); view.Freshness() != trust.Grace {
		t.Errorf("expected grace, found %s", view.Freshness())
	}
}
