package config

import (
	"fmt"
	"strconv"
)

// Limits bound what a repository may make this machine read, keep and compute;
// package trust says what each is about. They are always set, from 1 to what
// MaxLimits has.
type Limits struct {
	Root, Timestamp, Snapshot, Targets   int64 // bytes of one file
	RootRotations, Roles, Listing, Depth int64 // counts
}

// DefaultLimits hold where nothing is configured: those of package trust, which
// this one does not know. A test of the command holds both together.
func DefaultLimits() Limits {
	return Limits{
		Root: 512 << 10, Timestamp: 16 << 10, Snapshot: 16 << 20, Targets: 256 << 20,
		RootRotations: 256, Roles: 1024, Listing: 1 << 16, Depth: 32,
	}
}

// MaxLimits is as far as they can be raised; likewise those of package trust.
func MaxLimits() Limits {
	return Limits{
		Root: 16 << 20, Timestamp: 1 << 20, Snapshot: 256 << 20, Targets: 1 << 30,
		RootRotations: 1 << 16, Roles: 1 << 16, Listing: 1 << 22, Depth: 128,
	}
}

// limit is one of the limits.
type limit struct {
	key   string
	size  bool // in bytes, else a count
	field func(*Limits) *int64
}

var limits = []limit{
	{KeyLimits + ".root", true, func(l *Limits) *int64 { return &l.Root }},
	{KeyLimits + ".timestamp", true, func(l *Limits) *int64 { return &l.Timestamp }},
	{KeyLimits + ".snapshot", true, func(l *Limits) *int64 { return &l.Snapshot }},
	{KeyLimits + ".targets", true, func(l *Limits) *int64 { return &l.Targets }},
	{KeyLimits + ".root_rotations", false, func(l *Limits) *int64 { return &l.RootRotations }},
	{KeyLimits + ".roles", false, func(l *Limits) *int64 { return &l.Roles }},
	{KeyLimits + ".listing", false, func(l *Limits) *int64 { return &l.Listing }},
	{KeyLimits + ".depth", false, func(l *Limits) *int64 { return &l.Depth }},
}

// limitsDocument is the table as files spell it: sizes are numbers or texts with
// a unit, counts are numbers. What else TOML has is refused with the same words
// as a number out of bounds.
type limitsDocument struct {
	Root          any `toml:"root"`
	Timestamp     any `toml:"timestamp"`
	Snapshot      any `toml:"snapshot"`
	Targets       any `toml:"targets"`
	RootRotations any `toml:"root_rotations"`
	Roles         any `toml:"roles"`
	Listing       any `toml:"listing"`
	Depth         any `toml:"depth"`
}

// limit takes the limits of a file, each by itself: another layer may set
// another.
func (b *builder) limit(doc limitsDocument, f *file) error {
	said := []any{doc.Root, doc.Timestamp, doc.Snapshot, doc.Targets, doc.RootRotations, doc.Roles, doc.Listing, doc.Depth}
	for i, l := range limits {
		if said[i] == nil {
			continue
		}
		origin := f.origin(l.key)
		n, err := l.parse(said[i])
		if err != nil {
			return &Error{Origin: origin, Key: l.key, Kind: ErrValue, Err: err}
		}
		if err := b.checkLock(l.key, n == *l.field(&b.limits), origin); err != nil {
			return err
		}
		b.setLimit(l, n, origin)
	}
	return nil
}

func (b *builder) setLimit(l limit, n int64, origin Origin) {
	*l.field(&b.limits) = n
	b.values[l.key] = Value{Key: l.key, Value: l.text(n), Origin: origin}
}

// parse reads a value of a file. The error tells what may stand there.
func (l limit) parse(value any) (n int64, err error) {
	number, ok, found := int64(0), false, ""
	switch value := value.(type) {
	case int64:
		number, ok, found = value, true, strconv.FormatInt(value, 10)
	case string:
		found = strconv.Quote(clip(value))
		if l.size {
			number, ok = ParseSize(value)
		}
	default:
		found = strconv.Quote(clip(fmt.Sprint(value)))
	}
	ceiling := MaxLimits()
	if highest := *l.field(&ceiling); !ok || number < 1 || number > highest {
		return 0, fmt.Errorf("expected %s, found %s", l.expected(highest), found)
	}
	return number, nil
}

func (l limit) expected(highest int64) string {
	if l.size {
		return fmt.Sprintf("1 B to %s, as \"300 KiB\" or a whole number of bytes", sizeText(highest))
	}
	return fmt.Sprintf("a whole number from 1 to %d", highest)
}

func (l limit) text(n int64) string {
	if l.size {
		return sizeText(n)
	}
	return strconv.FormatInt(n, 10)
}
