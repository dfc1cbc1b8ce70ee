package page

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"assay/mirror/counters"
)

// figuresRow is what readers got of something.
type figuresRow struct {
	Name, Requests, Bytes string
	P50, P90, P99         string
	Errors                string // by kind; empty: there were none
}

// errorKinds are the results of requests that are no answer to them.
var errorKinds = []struct{ result, word string }{
	{"error", "error"}, {"cut", "cut off"}, {"unavailable", "unavailable"}, {"not_found", "not found"},
	{"refused", "refused"}, {"unauthorized", "unauthorized"}, {"limited", "over the limit"},
}

// figures fills in what readers got.
func (p *Page) figures(v *view) {
	d := p.config.Counters.Distribution()
	for _, f := range d.Repositories {
		if f.Requests > 0 {
			v.Readers = append(v.Readers, rowOf(cmp.Or(name(f.Repository), "of no repository"), f))
		}
	}
	// The busiest first.
	slices.SortStableFunc(d.Releases, func(x, y counters.Figures) int { return cmp.Compare(y.Requests, x.Requests) })
	for _, f := range d.Releases {
		if f.Requests == 0 {
			continue
		}
		if len(v.Releases) == mostReleases {
			v.MoreReleases++
			continue
		}
		what := name(f.Repository) + " " + name(f.Product)
		if f.Channel != "" {
			what += " " + name(f.Channel)
		}
		v.Releases = append(v.Releases, rowOf(what, f))
	}
}

func rowOf(what string, f counters.Figures) figuresRow {
	row := figuresRow{
		Name: what, Requests: numberText(f.Requests), Bytes: bytesText(f.Bytes),
		P50: secondsText(f.Latency.P50), P90: secondsText(f.Latency.P90), P99: secondsText(f.Latency.P99),
	}
	var kinds []string
	for _, kind := range errorKinds {
		if n := f.Results[kind.result]; n > 0 {
			kinds = append(kinds, fmt.Sprintf("%s %s", numberText(n), kind.word))
		}
	}
	row.Errors = strings.Join(kinds, ", ")
	return row
}

func secondsText(seconds float64) string {
	if seconds <= 0 {
		return "–"
	}
	return shortText(time.Duration(seconds * float64(time.Second)))
}

// hits is the share of look-ups that were answered from what was held.
func (p *Page) hits(repository string) string {
	var hit, all int64
	for _, one := range p.config.Counters.Samples() {
		if one.Name != counters.Lookups || labelOf(one.Labels, counters.LabelRepository) != repository {
			continue
		}
		all += one.Value
		if labelOf(one.Labels, counters.LabelResult) == "hit" {
			hit += one.Value
		}
	}
	if all == 0 {
		return "no requests yet"
	}
	return fmt.Sprintf("%s of %s", percentText(hit, all), numberText(all))
}

// latency tells how long the requests to an upstream took.
func (p *Page) latency(repository string) string {
	for _, one := range p.config.Counters.Durations() {
		if one.Name == upstreamTime && labelOf(one.Labels, counters.LabelRepository) == repository && one.Count() > 0 {
			return fmt.Sprintf("; each request %s (p50), %s (p99)", shortText(one.Quantile(.5)), shortText(one.Quantile(.99)))
		}
	}
	return ""
}

// silent reports whether the upstream gave no answer when it was asked last.
func (p *Page) silent(repository string) bool {
	for _, one := range p.config.Counters.Samples() {
		if one.Name == upstreamUp && labelOf(one.Labels, counters.LabelRepository) == repository {
			return one.Value == 0
		}
	}
	return false // what it said was not counted
}

// labelOf is the value of a label; empty where there is none.
func labelOf(labels []string, name string) string {
	for i := 0; i+1 < len(labels); i += 2 {
		if labels[i] == name {
			return labels[i+1]
		}
	}
	return ""
}
