package proof

import (
	"testing"
	"time"
)

func TestAgo(t *testing.T) {
	const day = 24 * time.Hour
	h := &hearing{now: time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)}
	for want, age := range map[string]time.Duration{
		"2026-03-04T12:00:00Z (just now)":       0,
		"2026-03-04T11:59:57Z (3 seconds ago)":  3 * time.Second,
		"2026-03-04T11:02:00Z (58 minutes ago)": 58 * time.Minute,
		"2026-03-03T12:30:00Z (23 hours ago)":   day - 30*time.Minute,
		"2026-03-02T12:00:01Z (47 hours ago)":   2*day - time.Second,
		"2026-03-02T12:00:00Z (2 days ago)":     2 * day,
		"2026-02-23T07:00:00Z (9 days ago)":     9*day + 5*time.Hour,
		"2024-03-04T12:00:01Z (729 days ago)":   730*day - time.Second,
		"2023-07-02T21:00:00Z (2 years ago)":    975*day + 15*time.Hour,
		"2026-03-04T12:00:01Z (in the future)":  -time.Second,
	} {
		if got := h.ago(h.now.Add(-age)); got != want {
			t.Errorf("%s: expected %q, found %q", age, want, got)
		}
	}
	if got := h.ago(time.Time{}); got != "at an unknown time" {
		t.Errorf("expected that it is not known, found %q", got)
	}
}
