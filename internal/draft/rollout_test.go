package draft

import (
	"errors"
	"strings"
	"testing"
	"time"

	"assay/artifact/release"
)

// TestPromoteDuringRollout: the same steps again are nothing new; others replace
// those that are left, and take nothing back.
func TestPromoteDuringRollout(t *testing.T) {
	dir := tree(t, map[string]string{"channel-candidate/hello.json": candidate, "channel-stable/hello.json": stable})
	p := promotion(t, dir, "1.5.0", "candidate", "stable")
	p.Rollout = []Step{{5, 0}, {25, 48 * time.Hour}, {100, 96 * time.Hour}}
	promoted(t, p)
	begun := read(t, dir, "channel-stable/hello.json")

	p.Now = now().Add(50 * time.Hour) // 25 percent have it
	if promoted(t, p).Changed() || read(t, dir, "channel-stable/hello.json") != begun {
		t.Errorf("edited again:\n%s", read(t, dir, "channel-stable/hello.json"))
	}
	for name, c := range map[string]struct {
		steps []Step
		words string
	}{
		"none":  {nil, "is in a rollout in the channel stable, at 25 percent: expected other steps"},
		"fewer": {[]Step{{10, 0}, {100, time.Hour}}, "found 10 percent after 0s"},
		"later": {[]Step{{50, time.Hour}}, "found 50 percent after 1h0m0s"},
	} {
		p.Rollout = c.steps
		if _, err := Promote(p); !errors.Is(err, ErrPromotion) || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%s: got %v, want %q", name, err, c.words)
		}
	}

	p.Rollout = []Step{{25, 0}, {50, 24 * time.Hour}}
	if out := promoted(t, p); !out.Changed() || out.Superseded != nil {
		t.Errorf("got %+v", out)
	}
	got := read(t, dir, "channel-stable/hello.json")
	if strings.Count(got, `"percent"`) != 3 || !strings.Contains(got, `"percent": 50`) || !strings.Contains(got, `"salt": "hello-1.5.0"`) {
		t.Errorf("got\n%s", got)
	}

	// To everybody; then there is nothing to take back, and what it replaced goes.
	p.Rollout = []Step{{100, 0}}
	promoted(t, p)
	p.Rollout = []Step{{1, 0}}
	if _, err := Promote(p); !errors.Is(err, ErrPromotion) || !strings.Contains(err.Error(), "for every machine already") {
		t.Errorf("got %v", err)
	}
	p.Rollout = nil
	if out := promoted(t, p); out.Status != release.StatusCurrent || len(out.Superseded) != 2 {
		t.Errorf("got %+v", out)
	}
	if got := read(t, dir, "channel-stable/hello.json"); strings.Contains(got, "rollout") {
		t.Errorf("got\n%s", got)
	}
	if promoted(t, p).Changed() {
		t.Error("edited again")
	}
}

// TestRolloutKeepsSalt: by another salt other machines would be reached.
func TestRolloutKeepsSalt(t *testing.T) {
	dir := tree(t, map[string]string{"channel-candidate/hello.json": strings.ReplaceAll(candidate, "1.4.8", "1.4.2"), "channel-stable/hello.json": stable})
	p := promotion(t, dir, "1.4.2", "candidate", "stable")
	p.Rollout = []Step{{10, 0}, {100, time.Hour}}
	promoted(t, p)
	if got := read(t, dir, "channel-stable/hello.json"); !strings.Contains(got, `"salt": "s"`) || strings.Contains(got, "hello-1.4.2") {
		t.Errorf("got\n%s", got)
	}
}
