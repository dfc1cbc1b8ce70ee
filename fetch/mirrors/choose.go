package mirrors

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Most is how many mirrors of one repository are used; of more the last ones in
// the order of choice are left out.
const Most = 64

// Mirror is a place that carries what a repository publishes.
type Mirror struct {
	// URL is that of its base, without user, password and query; what is learnt is
	// remembered by it.
	URL        string
	Region     string         // empty: not said
	Weight     int            // more is preferred
	CIDRs      []netip.Prefix // networks of clients that it is near to
	Configured bool           // else mirrors.json names it
	Origin     string         // where it is declared, in words
}

// Client is where this machine is, as far as it is known without a request.
type Client struct {
	Region    string // as configured; empty: not said
	Addresses []netip.Addr
}

// Choice is one mirror in the order of choice, with the reason of its place.
type Choice struct {
	Mirror
	Record Record
	Why    string // in words
}

// Choose puts mirrors into the order in which they are asked. Of several with one
// URL only the first in the list counts, so that mirrors.json can't say otherwise
// of one that is configured.
func Choose(list []Mirror, client Client, memory *Memory) []Choice {
	var ranked []rank
	seen := map[string]bool{}
	for _, m := range list {
		if seen[m.URL] {
			continue
		}
		seen[m.URL] = true
		ranked = append(ranked, newRank(m, client, memory.Record(m.URL)))
	}
	slices.SortStableFunc(ranked, rank.compare)
	var choices []Choice
	for _, r := range ranked[:min(len(ranked), Most)] {
		choices = append(choices, Choice{Mirror: r.Mirror, Record: r.record, Why: r.why(client)})
	}
	return choices
}

// rank is what a mirror is compared by.
type rank struct {
	Mirror
	record   Record
	lied     bool
	failing  bool
	region   int          // 0: another, 1: a part or the whole of it, 2: the same
	near     netip.Prefix // the narrowest network that this machine is in; zero: none
	declared int
}

func newRank(m Mirror, client Client, record Record) rank {
	r := rank{Mirror: m, record: record, lied: record.Lied(), failing: record.Failing(), region: regionMatch(m.Region, client.Region)}
	if m.Configured {
		r.declared = 1
	}
	for _, network := range m.CIDRs {
		near := slices.ContainsFunc(client.Addresses, func(a netip.Addr) bool { return network.Contains(a.Unmap()) })
		if near && (!r.near.IsValid() || network.Bits() > r.near.Bits()) {
			r.near = network
		}
	}
	return r
}

// regionMatch compares regions by their parts: eu is the whole of eu-west.
func regionMatch(mirror, client string) int {
	mirror, client = strings.ToLower(mirror), strings.ToLower(client)
	switch {
	case mirror == "" || client == "":
		return 0
	case mirror == client:
		return 2
	case strings.HasPrefix(mirror, client+"-") || strings.HasPrefix(client, mirror+"-"):
		return 1
	}
	return 0
}

func (r rank) compare(other rank) int {
	return cmp.Or(
		compareBool(r.lied, other.lied),
		compareBool(r.failing, other.failing),
		cmp.Compare(other.declared, r.declared),
		cmp.Compare(other.region, r.region),
		cmp.Compare(other.bits(), r.bits()),
		cmp.Compare(other.Weight, r.Weight),
		cmp.Compare(r.latency(), other.latency()),
	)
}

// compareBool puts false first.
func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// bits is how narrow the network is that this machine and the mirror share; -1:
// they share none.
func (r rank) bits() int {
	if !r.near.IsValid() {
		return -1
	}
	return r.near.Bits()
}

// latency puts a mirror of which nothing is remembered behind those that are known.
func (r rank) latency() time.Duration {
	if r.record.Latency == 0 {
		return maxLatency + 1
	}
	return r.record.Latency
}

// why tells what decided, in the order in which it was looked at.
func (r rank) why(client Client) string {
	var words []string
	switch {
	case r.lied:
		words = append(words, "last: it sent what is wrong")
	case r.failing:
		words = append(words, "last: it failed lately")
	}
	if r.Configured {
		words = append(words, "configured")
	} else {
		words = append(words, "named by the repository")
	}
	switch r.region {
	case 2:
		words = append(words, "in the region "+client.Region)
	case 1:
		words = append(words, fmt.Sprintf("region %s is near %s", r.Region, client.Region))
	}
	if r.near.IsValid() {
		words = append(words, fmt.Sprintf("this machine is in %s", r.near))
	}
	if r.Weight > 0 {
		words = append(words, fmt.Sprintf("weight %d", r.Weight))
	}
	if r.record.Latency > 0 {
		words = append(words, fmt.Sprintf("%s remembered", r.record.Latency.Round(time.Millisecond/10)))
	} else {
		words = append(words, "nothing remembered")
	}
	return strings.Join(words, ", ")
}

// Probe picks the mirrors worth a question each, because of nothing else than
// latency would decide between them, and none is remembered of any: at most so
// many, none where it would decide nothing.
func Probe(choices []Choice, client Client, most int) []Choice {
	if len(choices) == 0 {
		return nil
	}
	first := newRank(choices[0].Mirror, client, choices[0].Record)
	n := 0
	for _, c := range choices {
		r := newRank(c.Mirror, client, c.Record)
		if c.Record.Latency > 0 || r.compare(first) != 0 || n == most {
			break
		}
		n++
	}
	if n < 2 {
		return nil
	}
	return choices[:n]
}
