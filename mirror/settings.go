package mirror

import (
	"fmt"
	"slices"
	"time"

	"assay/artifact"
)

// Mode says how much of an upstream a mirror carries.
type Mode string

// The modes.
const (
	Full     Mode = "full"     // every target that is promised
	Filtered Mode = "filtered" // what Filter lets through
	Lazy     Mode = "lazy"     // fetched when it is first asked for; Filter counts, too
)

// Modes are all of them.
func Modes() []Mode { return []Mode{Full, Filtered, Lazy} }

// Filter chooses releases. What is empty chooses all. Documents (catalog.json,
// channel indexes of the products, mirrors.json, trusted_root.json) are always
// carried; a target outside the release layout only where Products and Channels
// are empty.
type Filter struct {
	Products  []string
	Channels  []string            // a release is carried if one of them lists it
	Platforms []artifact.Platform // an artifact of "any" platform always is
	Versions  *artifact.Range     // nil: all
	// Keep is how many releases of each channel are carried, the newest first; 0: all.
	Keep int
	// MaxAge leaves out releases that were published longer ago; 0: none.
	MaxAge time.Duration
}

// IsZero reports whether everything is chosen.
func (f Filter) IsZero() bool {
	return len(f.Products) == 0 && len(f.Channels) == 0 && len(f.Platforms) == 0 && f.Versions == nil && f.Keep == 0 && f.MaxAge == 0
}

// Settings say how one upstream is mirrored.
type Settings struct {
	Name   string // of the repository, here and upstream
	Mode   Mode
	Filter Filter
	// Every is how often the upstream is asked; a tenth of it, at random, is added.
	Every time.Duration
	// ServeExpired goes on serving when the metadata has expired. Clients refuse it
	// all the same, unless they have a grace.
	ServeExpired bool
	// Imported: what the upstream has is brought by a person, and whole: there is no
	// schedule, and a run that lacks a target publishes nothing.
	Imported bool
	// Sources are URLs that readers are told of as having the same targets; without
	// credentials.
	Sources []string
}

// Check reports what can't be.
func (s Settings) Check() error {
	if err := artifact.ValidRepository(s.Name); err != nil {
		return err
	}
	switch {
	case !slices.Contains(Modes(), s.Mode):
		return fmt.Errorf("expected a mode (full, filtered, lazy), found %.40q", s.Mode)
	case s.Mode == Full && !s.Filter.IsZero():
		return fmt.Errorf("expected no filter in the mode %q, found one: the mode %q takes it", Full, Filtered)
	case s.Mode == Filtered && s.Filter.IsZero():
		return fmt.Errorf("expected a filter in the mode %q, found none: the mode %q carries all", Filtered, Full)
	case s.Mode == Lazy && s.Imported:
		return fmt.Errorf("expected the mode %q or %q of what comes by import alone, found %q: there is nobody to ask later", Full, Filtered, Lazy)
	case s.Every < MinEvery:
		return fmt.Errorf("expected to ask every %s or less often, found %s", MinEvery, s.Every)
	case s.Filter.Keep < 0 || s.Filter.MaxAge < 0:
		return fmt.Errorf("expected bounds of 0 or more, found less")
	}
	return nil
}

// MinEvery is how often an upstream may be asked at most.
const MinEvery = 5 * time.Second
