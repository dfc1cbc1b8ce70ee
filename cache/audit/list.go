package audit

import (
	"context"
	"iter"
	"strings"
	"time"
)

// Filter says which entries are wanted; an empty field asks for nothing.
type Filter struct {
	Since, Until time.Time // at or after Since, before Until
	Action       string    // that action, or with "trust" every action "trust.…"
	Product      string
	Repository   string
	User         string
	Limit        int // at most so many entries, if above 0
}

func (f Filter) wants(e Entry) bool {
	switch {
	case !f.Since.IsZero() && e.Time.Before(f.Since), !f.Until.IsZero() && !e.Time.Before(f.Until):
		return false
	case f.Action != "" && e.Action != f.Action && !strings.HasPrefix(e.Action, f.Action+"."):
		return false
	}
	return (f.Product == "" || f.Product == e.Subject.Product) &&
		(f.Repository == "" || f.Repository == e.Subject.Repository) &&
		(f.User == "" || f.User == e.User)
}

// List gives the wanted entries, the newest first, a few at a time in memory and
// without a lock between them: what is appended meanwhile is not among them. An
// error is the last that comes. That each entry fits its hash is checked, but not
// the chain: Verify does.
func (l *Log) List(ctx context.Context, f Filter) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		given := 0
		for next, more := []byte(nil), true; more; {
			lines, err := l.before(ctx, next)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			more = len(lines) == batch
			for _, line := range lines {
				next = line.key
				e, err := line.entry()
				if err != nil {
					yield(Entry{}, err)
					return
				}
				if !f.wants(e) {
					continue
				}
				if given++; !yield(e, nil) || given == f.Limit {
					return
				}
			}
		}
	}
}
