package release

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"
)

// deprecatedChannel is the channel that has the deprecated releases: nothing in
// it need be current.
const deprecatedChannel = "deprecated"

func (l *linter) channel(c *Channel) {
	if l.future(c.Updated) {
		l.report("channel.updated", "updated", "a time that has passed at "+stamp(l.now), stamp(c.Updated), "it, or a clock, is wrong")
	}
	if end := c.Updated.Add(time.Duration(c.MaxAge)); c.MaxAge > 0 && l.now.After(end) && !l.faults.at("updated") {
		l.report("channel.too-old", "max_age", "an index that is not older than its max_age of "+c.MaxAge.String(), "that it is too old since "+stamp(end),
			"assay refuses to choose by it: look through the releases, set updated, and publish it anew")
	}
	if !c.EndOfLife.IsZero() && l.now.After(c.EndOfLife) {
		l.report("channel.end-of-life", "end_of_life", "a channel that is still kept", "that it ended on "+stamp(c.EndOfLife), "deprecate its releases, and name the channel to move to in the reason")
	}
	current := slices.ContainsFunc(c.Releases, func(e ChannelEntry) bool { return e.Status == StatusCurrent })
	switch {
	case len(c.Releases) == 0:
		l.report("channel.empty", "releases", "a release", "none", "add one, or take the channel out of the catalog")
	case !current && c.Channel != deprecatedChannel && !l.faults.within("releases"):
		l.report("channel.current", "releases", "a release with the status current", "none", "nothing can be chosen by the channel's name otherwise")
	}
	salts := map[string]int{}
	for i, e := range c.Releases {
		l.entry(i, e)
		if e.Rollout == nil {
			continue
		}
		if first, seen := salts[e.Rollout.Salt]; seen {
			l.report("rollout.salt", at("releases", i, "rollout.salt"), "a salt of its own", fmt.Sprintf("that of releases[%d], %s", first, quote(e.Rollout.Salt)),
				"put the version into it, or the same machines try every release first")
		} else {
			salts[e.Rollout.Salt] = i
		}
	}
}

func (l *linter) entry(i int, e ChannelEntry) {
	if l.future(e.Since) {
		l.report("channel.since", at("releases", i, "since"), "a time that has passed at "+stamp(l.now), stamp(e.Since), "a status holds from when it is published; use rollout for later")
	}
	if e.Status == StatusRevoked || e.Status == StatusDeprecated {
		l.need("channel.reason", at("releases", i, "reason"), e.Reason, "why "+e.Version.String()+" is "+string(e.Status), "people are told to stop using it")
	}
	if e.Status == StatusRevoked {
		l.need("channel.advisory", at("releases", i, "advisory"), e.Advisory, "the URL of an advisory", "people must find out whether they were harmed")
	}
	if e.Rollout == nil || l.faults.at(at("releases", i, "status")) || l.faults.at(at("releases", i, "rollout.steps")) {
		return
	}
	if e.Status != StatusCurrent {
		l.report("rollout.status", at("releases", i, "rollout"), "no rollout of a release that is "+string(e.Status), "one", "remove it")
		return
	}
	if last := e.Rollout.Steps[len(e.Rollout.Steps)-1]; last.Percent < 100 {
		l.report("rollout.complete", at("releases", i, "rollout.steps"), "a last step of 100 percent", strconv.Itoa(last.Percent), "some machines never get the release otherwise")
	}
}

func (l *linter) catalog(c *Catalog) {
	if len(c.Products) == 0 {
		l.report("catalog.empty", "products", "a product", "none", "nothing can be found by its name otherwise")
	}
	for i, p := range c.Products {
		l.need("catalog.summary", at("products", i, "summary"), p.Summary, "what "+p.Name+" does, in a line", "people see it in lists")
		if !slices.Contains(p.Channels, "stable") {
			l.report("catalog.stable", at("products", i, "channels"), "the channel stable among them", "only "+strings.Join(p.Channels[:min(len(p.Channels), 5)], ", "),
				"stable is meant wherever no channel is named; without it, people have to name one")
		}
	}
}

func (l *linter) mirrors(m *Mirrors) {
	if len(m.Mirrors) == 0 {
		l.report("mirrors.empty", "mirrors", "a mirror", "none", "add one, or leave the document out")
	}
	seen := map[string]int{}
	for i, mirror := range m.Mirrors {
		base := strings.TrimRight(mirror.URL, "/")
		if first, twice := seen[base]; twice {
			l.report("mirrors.twice", at("mirrors", i, "url"), "each mirror once", fmt.Sprintf("that of mirrors[%d]", first), "make one entry of them")
		} else {
			seen[base] = i
		}
		for j, network := range mirror.CIDRs {
			l.network(at("mirrors", i, at("cidrs", j, "")), network)
		}
	}
}

func (l *linter) network(field string, network netip.Prefix) {
	if masked := network.Masked(); masked != network {
		l.report("mirrors.network", field, masked.String(), network.String(), "is that the network that is meant?")
	}
}
