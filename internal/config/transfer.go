package config

import (
	"fmt"
	"strconv"
	"time"
)

// Transfer says how bytes are moved. It is always set, within the bounds that
// MaxTransfer has.
type Transfer struct {
	Downloads   int64         // at once
	Connections int64         // to one host at once; see Host
	Bandwidth   int64         // bytes a second of all downloads together; 0: no limit
	MinRate     int64         // bytes a second, below which a source is too slow
	Stall       time.Duration // without a byte, then a source is given up
	Retries     int64         // of one source, before it counts as failed; 0: none
}

// DefaultTransfer holds where nothing is configured.
func DefaultTransfer() Transfer {
	return Transfer{Downloads: 6, Connections: 8, MinRate: 1 << 10, Stall: 30 * time.Second, Retries: 5}
}

// MaxTransfer is the highest of each.
func MaxTransfer() Transfer {
	return Transfer{Downloads: 64, Connections: 64, Bandwidth: 1 << 40, MinRate: 1 << 30, Stall: time.Hour, Retries: 100}
}

// setting is one of transfers.
type setting struct {
	key   string
	unit  unit
	least int64
	field func(*Transfer) *int64
}

// noLimit is how files spell a bandwidth without limit: it lifts that of an
// earlier layer.
const noLimit = "none"

var transfers = []setting{
	{KeyTransfer + ".downloads", count, 1, func(t *Transfer) *int64 { return &t.Downloads }},
	{KeyTransfer + ".connections", count, 1, func(t *Transfer) *int64 { return &t.Connections }},
	{KeyTransfer + ".bandwidth", size, 1 << 10, func(t *Transfer) *int64 { return &t.Bandwidth }},
	{KeyTransfer + ".min_rate", size, 1, func(t *Transfer) *int64 { return &t.MinRate }},
	{KeyTransfer + ".stall", span, int64(time.Second), func(t *Transfer) *int64 { return (*int64)(&t.Stall) }},
	{KeyTransfer + ".retries", count, 0, func(t *Transfer) *int64 { return &t.Retries }},
}

// transferDocument is the table as files spell it; see limitsDocument.
type transferDocument struct {
	Downloads   any `toml:"downloads"`
	Connections any `toml:"connections"`
	Bandwidth   any `toml:"bandwidth"`
	MinRate     any `toml:"min_rate"`
	Stall       any `toml:"stall"`
	Retries     any `toml:"retries"`
}

// transfer takes the settings of a file, each by itself.
func (b *builder) transfer(doc transferDocument, f *file) error {
	said := []any{doc.Downloads, doc.Connections, doc.Bandwidth, doc.MinRate, doc.Stall, doc.Retries}
	for i, s := range transfers {
		if said[i] == nil {
			continue
		}
		origin := f.origin(s.key)
		n, err := s.parse(said[i])
		if err != nil {
			return &Error{Origin: origin, Key: s.key, Kind: ErrValue, Err: err}
		}
		if err := b.checkLock(s.key, n == *s.field(&b.moving), origin); err != nil {
			return err
		}
		b.setTransfer(s, n, origin)
	}
	return nil
}

func (b *builder) setTransfer(s setting, n int64, origin Origin) {
	*s.field(&b.moving) = n
	b.values[s.key] = Value{Key: s.key, Value: s.text(n), Origin: origin}
}

// parse reads a value of a file. The error tells what may stand there.
func (s setting) parse(value any) (int64, error) {
	number, ok, found := int64(0), false, strconv.Quote(clip(fmt.Sprint(value)))
	switch value := value.(type) {
	case int64:
		number, ok, found = value, s.unit != span, strconv.FormatInt(value, 10)
	case string:
		switch {
		case s.lifts() && value == noLimit:
			return 0, nil
		case s.unit == size:
			number, ok = ParseSize(value)
		case s.unit == span:
			number, ok = parseSpan(value)
		}
	}
	ceiling := MaxTransfer()
	if highest := *s.field(&ceiling); !ok || number < s.least || number > highest {
		return 0, fmt.Errorf("expected %s, found %s", s.expected(highest), found)
	}
	return number, nil
}

// lifts reports whether there may be no limit: where 0 is none to begin with.
func (s setting) lifts() bool {
	builtIn := DefaultTransfer()
	return *s.field(&builtIn) == 0
}

func (s setting) expected(highest int64) string {
	switch s.unit {
	case size:
		more := ""
		if s.lifts() {
			more = fmt.Sprintf(", or %q", noLimit)
		}
		return fmt.Sprintf("%s to %s a second, as \"300 KiB\" or a whole number of bytes%s", sizeText(s.least), sizeText(highest), more)
	case span:
		return fmt.Sprintf("a duration from %s to %s, like \"30s\"", s.text(s.least), s.text(highest))
	default:
		return fmt.Sprintf("a whole number from %d to %d", s.least, highest)
	}
}

func (s setting) text(n int64) string {
	switch {
	case s.lifts() && n == 0:
		return noLimit
	case s.unit == size:
		return sizeText(n)
	case s.unit == span:
		return spanText(time.Duration(n))
	default:
		return strconv.FormatInt(n, 10)
	}
}

// parseSpan reads a duration like 30s or 5m, in nanoseconds.
func parseSpan(text string) (int64, bool) {
	d, err := parseGrace(text)
	return int64(d), err == nil && text != ""
}

// spanText is a duration as parseSpan reads it.
func spanText(d time.Duration) string {
	for _, unit := range []struct {
		name string
		span time.Duration
	}{{"h", time.Hour}, {"m", time.Minute}} {
		if d >= unit.span && d%unit.span == 0 {
			return strconv.FormatInt(int64(d/unit.span), 10) + unit.name
		}
	}
	return strconv.FormatInt(int64(d/time.Second), 10) + "s"
}
