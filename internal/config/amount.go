package config

import (
	"fmt"
	"strconv"
	"time"
)

// unit is what a number of the configuration counts in.
type unit int

const (
	count unit = iota
	size       // bytes
	span       // nanoseconds; files have a text like "30s"
)

// amount is a number with bounds.
type amount struct {
	unit           unit
	least, highest int64
	none           bool // 0 or "none" stands for no limit, or for nothing at all
	pace           bool // of bytes a second
}

// parse reads a value of a file. The error tells what may stand there.
func (a amount) parse(value any) (int64, error) {
	number, ok, found := int64(0), false, strconv.Quote(clip(fmt.Sprint(value)))
	switch value := value.(type) {
	case int64:
		number, ok, found = value, a.unit != span || value == 0, strconv.FormatInt(value, 10)
	case string:
		switch {
		case a.none && value == noLimit:
			return 0, nil
		case a.unit == size:
			number, ok = ParseSize(value)
		case a.unit == span:
			var d time.Duration
			d, ok = parseDuration(value, time.Duration(a.highest))
			number = int64(d)
		}
	}
	if a.none && ok && number == 0 {
		return 0, nil
	}
	if !ok || number < a.least || number > a.highest {
		return 0, fmt.Errorf("expected %s, found %s", a.expected(), found)
	}
	return number, nil
}

func (a amount) expected() string {
	text, none := "", ""
	if a.none {
		none = fmt.Sprintf(", or %q", noLimit)
	}
	switch a.unit {
	case size:
		pace := ""
		if a.pace {
			pace = " a second"
		}
		text = fmt.Sprintf("%s to %s%s, as \"300 KiB\" or a whole number of bytes", sizeText(a.least), sizeText(a.highest), pace)
	case span:
		text = fmt.Sprintf("a duration from %s to %s, like \"90m\" or \"30d\"", a.text(a.least), a.text(a.highest))
	default:
		text = fmt.Sprintf("a whole number from %d to %d", a.least, a.highest)
	}
	return text + none
}

// text is an amount as parse reads it.
func (a amount) text(n int64) string {
	switch {
	case a.none && n == 0:
		return noLimit
	case a.unit == size:
		return sizeText(n)
	case a.unit == span:
		return spanText(time.Duration(n))
	}
	return strconv.FormatInt(n, 10)
}
