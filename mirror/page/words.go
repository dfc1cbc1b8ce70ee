package page

import (
	"fmt"
	"strconv"
	"time"

	"assay/internal/shown"
)

// The bounds of texts from outside, in bytes.
const (
	maxName   = 100
	maxLine   = 300 // a path
	maxReason = 600
)

// name, path and reason make a text from outside fit to be shown.
func name(text string) string   { return shown.Inert(text, maxName) }
func path(text string) string   { return shown.Inert(text, maxLine) }
func reason(text string) string { return shown.Inert(text, maxReason) }

// moment is a time as the page shows it; zero: never.
type moment struct {
	Machine string // for the attribute datetime
	Text    string // how long ago, or until then
	Exact   string
}

func momentOf(t, now time.Time) moment {
	if t.IsZero() {
		return moment{Text: "never"}
	}
	m := moment{Machine: t.UTC().Format(time.RFC3339), Exact: t.UTC().Format("2006-01-02 15:04 UTC")}
	if d := t.Sub(now); d >= 0 {
		m.Text = "in " + durationText(d)
	} else {
		m.Text = durationText(-d) + " ago"
	}
	return m
}

// durationText is a time in its two largest units.
func durationText(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%d s", int(d.Seconds()))
	case d < time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 24*time.Hour:
		return pair(int(d.Hours()), "h", int(d.Minutes())%60, "min")
	case d < 100*24*time.Hour:
		return pair(int(d.Hours()/24), "d", int(d.Hours())%24, "h")
	}
	return fmt.Sprintf("%d d", int(d.Hours()/24))
}

func pair(most int, unit string, rest int, small string) string {
	if rest == 0 {
		return fmt.Sprintf("%d %s", most, unit)
	}
	return fmt.Sprintf("%d %s %d %s", most, unit, rest, small)
}

// shortText is a time to three digits or so: of a run, of an answer.
func shortText(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000)
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	}
	return durationText(d)
}

// bytesText is a size in decimal units, as the command line has it.
func bytesText(n int64) string {
	if n < 1000 {
		return strconv.FormatInt(max(n, 0), 10) + " B"
	}
	value, unit := float64(n)/1000, 0
	for value >= 999.5 && unit < len(units)-1 {
		value, unit = value/1000, unit+1
	}
	if value < 9.95 {
		return fmt.Sprintf("%.1f %s", value, units[unit])
	}
	return fmt.Sprintf("%.0f %s", value, units[unit])
}

var units = [...]string{"kB", "MB", "GB", "TB", "PB", "EB"}

// numberText is a whole number with its thousands apart.
func numberText(n int64) string {
	digits := strconv.FormatInt(n, 10)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + "\u202f" + digits[i:]
	}
	return digits
}

// percentText is a share; "–" of nothing.
func percentText(part, whole int64) string {
	if whole <= 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(part)/float64(whole))
}
