package trust

import "time"

// Limits bound what a repository may make a client read, keep and compute.
// Zero fields take the value of DefaultLimits.
type Limits struct {
	// Bytes of one file, by role. What a parent signs as a length can lower
	// them for that file, never raise them.
	Root, Timestamp, Snapshot, Targets int64
	// RootRotations is how many new roots one refresh may accept.
	RootRotations int
	// Roles is how many delegated roles one look-up may visit.
	Roles int
	// Depth is how deep the JSON of metadata may nest.
	Depth int
}

// DefaultLimits leave room above every repository known to us: a root of the
// public-good Sigstore has 7 kB; a snapshot with 16,384 hash bins 1.5 MB; and
// 100,000 targets take 20 MB. Targets is not higher than that needs, as metadata
// is parsed, at some forty times its size in memory, before its signature can be
// checked.
func DefaultLimits() Limits {
	return Limits{
		Root:          512 << 10,
		Timestamp:     16 << 10,
		Snapshot:      16 << 20,
		Targets:       24 << 20,
		RootRotations: 256,
		Roles:         1024,
		Depth:         32,
	}
}

func (l Limits) withDefaults() Limits {
	d := DefaultLimits()
	for _, field := range []struct{ value, fallback *int64 }{
		{&l.Root, &d.Root}, {&l.Timestamp, &d.Timestamp}, {&l.Snapshot, &d.Snapshot}, {&l.Targets, &d.Targets},
	} {
		if *field.value <= 0 {
			*field.value = *field.fallback
		}
	}
	for _, field := range []struct{ value, fallback *int }{
		{&l.RootRotations, &d.RootRotations}, {&l.Roles, &d.Roles}, {&l.Depth, &d.Depth},
	} {
		if *field.value <= 0 {
			*field.value = *field.fallback
		}
	}
	return l
}

const (
	// clockSlack is how far the clock may be behind the latest time seen.
	clockSlack = time.Hour
	// MaxGrace is the longest grace that a configuration may ask for.
	MaxGrace = 7 * 24 * time.Hour
	// maxSignatures bounds the signatures of one file; the roles of real
	// repositories have at most a few dozen keys.
	maxSignatures = 256
	// maxName is the longest name of a role, in bytes.
	maxName = 1024
)
