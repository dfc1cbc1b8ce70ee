package page

import (
	"fmt"
	"strings"
)

// The size of a plot, in units of its own; a style makes it as wide as there is room.
const (
	plotWidth  = 240
	plotHeight = 40
	plotPoints = 120 // a pixel or two each
)

// plot is two curves over time: what readers got, and what the upstream sent.
type plot struct {
	Served, Fetched string // the attribute d of a path; empty: nothing to draw
	Text            string // what the curves tell, in words
	Now, Peak       string // of what readers got
}

// plotOf draws flows of a minute each, the oldest first, over the width of a day's
// part that is known.
func plotOf(flows []flow) plot {
	if len(flows) == 0 {
		return plot{Text: "no figures yet; the first come after a minute", Now: "–", Peak: "–"}
	}
	var peakServed, peakFetched int64
	for _, f := range flows {
		peakServed, peakFetched = max(peakServed, f.served), max(peakFetched, f.fetched)
	}
	last := flows[len(flows)-1]
	p := plot{Now: rateText(last.served), Peak: rateText(peakServed)}
	p.Text = fmt.Sprintf("To readers (line) %s now, %s at most; from upstream (dashes) %s now, %s at most; over %s.",
		p.Now, p.Peak, rateText(last.fetched), rateText(peakFetched), minutesText(len(flows)))
	top := max(peakServed, peakFetched)
	if len(flows) < 2 || top == 0 {
		return p
	}
	p.Served = curve(flows, top, func(f flow) int64 { return f.served })
	p.Fetched = curve(flows, top, func(f flow) int64 { return f.fetched })
	return p
}

// curve is a path through the highest of each stretch of flows.
func curve(flows []flow, top int64, of func(flow) int64) string {
	points := min(len(flows), plotPoints)
	var d strings.Builder
	for i := range points {
		var high int64
		for _, f := range flows[i*len(flows)/points : (i+1)*len(flows)/points] {
			high = max(high, of(f))
		}
		command := 'L'
		if i == 0 {
			command = 'M'
		}
		x := float64(i) * plotWidth / float64(points-1)
		y := plotHeight - 1 - float64(high)/float64(top)*(plotHeight-3)
		fmt.Fprintf(&d, "%c%.1f %.1f", command, x, y)
	}
	return d.String()
}

// rateText is the rate of so many bytes in a minute.
func rateText(bytes int64) string { return bytesText(bytes/60) + "/s" }

func minutesText(n int) string {
	switch {
	case n == 1:
		return "1 minute"
	case n < 120:
		return fmt.Sprintf("%d minutes", n)
	}
	return fmt.Sprintf("%d hours", n/60)
}
