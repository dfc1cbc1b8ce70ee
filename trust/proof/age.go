package proof

import (
	"fmt"
	"time"
)

// ago tells a time with its distance from now.
func (h *hearing) ago(t time.Time) string {
	if t.IsZero() {
		return "at an unknown time"
	}
	text := t.UTC().Format(time.RFC3339)
	if t.After(h.now) {
		return text + " (in the future)"
	}
	return fmt.Sprintf("%s (%s)", text, ageText(h.now.Sub(t)))
}

// ageText tells an age for people: in the largest unit of which it has two, cut
// to whole ones. A year is 365 days.
func ageText(age time.Duration) string {
	const day = 24 * time.Hour
	for _, unit := range []struct {
		name string
		long time.Duration
	}{{"years", 365 * day}, {"days", day}, {"hours", time.Hour}, {"minutes", time.Minute}, {"seconds", time.Second}} {
		if age >= 2*unit.long {
			return fmt.Sprintf("%d %s ago", age/unit.long, unit.name)
		}
	}
	return "just now"
}
