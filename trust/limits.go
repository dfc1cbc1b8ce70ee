package trust

import (
	"fmt"
	"time"
)

// Limits bound what a repository may make a client read, keep and compute.
// Zero fields take the value of DefaultLimits; none may be above MaxLimits.
type Limits struct {
	// Bytes of one file, by role. What a parent signs as a length can lower
	// them for that file, never raise them. A targets file takes its
	// size in memory, twice that while it is verified if it is not written in the
	// canonical form, and nearly ten times where a hostile one does its worst.
	Root, Timestamp, Snapshot, Targets int64
	// RootRotations is how many new roots one refresh may accept.
	RootRotations int
	// Roles is how many delegations one look-up may follow.
	Roles int
	// Listing is how many delegations the listing of a whole repository may
	// follow.
	Listing int
	// Depth is how deep the JSON of metadata may nest.
	Depth int
}

// DefaultLimits leave room above every repository known to us: a root of the
// public-good Sigstore has 7 kB; a snapshot with 16,384 hash bins 0.5 to 1.5 MB;
// and 1,000,000 targets take 200 MB.
func DefaultLimits() Limits {
	return Limits{
		Root:          512 << 10,
		Timestamp:     16 << 10,
		Snapshot:      16 << 20,
		Targets:       256 << 20,
		RootRotations: 256,
		Roles:         1024,
		Listing:       1 << 16,
		Depth:         32,
	}
}

// MaxLimits is as far as a configuration may raise the limits.
func MaxLimits() Limits {
	return Limits{
		Root:          16 << 20,
		Timestamp:     1 << 20,
		Snapshot:      256 << 20,
		Targets:       1 << 30,
		RootRotations: 1 << 16,
		Roles:         1 << 16,
		Listing:       1 << 22,
		Depth:         128,
	}
}

// limit is one field with what it must lie between.
type limit struct {
	name              string
	value             *int64
	fallback, highest int64
}

// withDefaults fills in the zero fields, and refuses those that are too high.
func (l Limits) withDefaults() (Limits, error) {
	d, m := DefaultLimits(), MaxLimits()
	rotations, roles, listing, depth := int64(l.RootRotations), int64(l.Roles), int64(l.Listing), int64(l.Depth)
	for _, field := range []limit{
		{"root", &l.Root, d.Root, m.Root},
		{"timestamp", &l.Timestamp, d.Timestamp, m.Timestamp},
		{"snapshot", &l.Snapshot, d.Snapshot, m.Snapshot},
		{"targets", &l.Targets, d.Targets, m.Targets},
		{"root rotations", &rotations, int64(d.RootRotations), int64(m.RootRotations)},
		{"roles", &roles, int64(d.Roles), int64(m.Roles)},
		{"listing", &listing, int64(d.Listing), int64(m.Listing)},
		{"depth", &depth, int64(d.Depth), int64(m.Depth)},
	} {
		if *field.value < 0 || *field.value > field.highest {
			return Limits{}, fmt.Errorf("%w: %s: expected 1 to %d, found %d", ErrLimits, field.name, field.highest, *field.value)
		}
		if *field.value == 0 {
			*field.value = field.fallback
		}
	}
	l.RootRotations, l.Roles, l.Listing, l.Depth = int(rotations), int(roles), int(listing), int(depth)
	return l, nil
}

const (
	// clockSlack is how far the clock may be behind the latest time seen.
	clockSlack = time.Hour
	// MaxGrace is the longest grace that a configuration may ask for.
	MaxGrace = 7 * 24 * time.Hour
	// maxSignatures bounds the signatures of one file; the roles of real
	// repositories have at most a few dozen keys.
	maxSignatures = 256
	// What one role may delegate: entries, keys, key ids of an entry, and paths
	// and prefixes of all entries. They become Go values, at many times the size
	// of their text, and a look-up goes through them.
	maxDelegations = 1 << 16
	maxKeys        = 1 << 12
	maxKeyIDs      = maxSignatures
	maxPatterns    = 1 << 18
	// maxName is the longest name of a role, in bytes.
	maxName = 1024
)
