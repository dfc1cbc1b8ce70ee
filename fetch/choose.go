package fetch

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"assay/artifact"
	"assay/artifact/release"
	"assay/trust"
)

// channelDeprecated is the one channel whose deprecated releases may be chosen.
const channelDeprecated = "deprecated"

// PassedKind says in a word why a release was not chosen.
type PassedKind string

// The kinds. What is passed over by a rollout, for lack of approval or by its age may
// be chosen another day.
const (
	PassedStatus   PassedKind = "status"
	PassedRevoked  PassedKind = "revoked"
	PassedRollout  PassedKind = "rollout"
	PassedApproval PassedKind = "approval"
	PassedAge      PassedKind = "age"
)

// Passed is a release that was not chosen, and why.
type Passed struct {
	Version artifact.Version `json:"version"`
	Reason  string           `json:"reason"`
	Kind    PassedKind       `json:"kind"`
	// Percent of all machines are reached by its rollout, this one at Reaches; zero:
	// no step announces it.
	Percent int       `json:"percent,omitempty"`
	Reaches time.Time `json:"reaches,omitzero"`
}

// choice is a release, and how it came to be chosen.
type choice struct {
	entry    release.ChannelEntry
	channel  string
	why      string
	passed   []Passed
	warnings []string
	unasked  bool           // the channel is one that lists it, not one that it was asked for by
	least    release.Status // the worst that any channel says; only where unasked
}

// leastStatus is the worst that a channel says of a version.
func (c *chooser) leastStatus(version artifact.Version) release.Status {
	var least release.Status
	order := []release.Status{"", release.StatusCurrent, release.StatusSuperseded, release.StatusDeprecated, release.StatusRevoked}
	for _, index := range c.indexes {
		if entry, ok := index.Lookup(version); ok && slices.Index(order, entry.Status) > slices.Index(order, least) {
			least = entry.Status
		}
	}
	return least
}

// chooser picks a release of one product by the rules of statuses and rollouts.
// It does no I/O.
type chooser struct {
	product string
	indexes []*release.Channel // of every channel that the catalog lists
	now     time.Time
	place   func(salt string) int // this machine's cohort
	// approved is trust.ErrNotApproved for a release that other repositories
	// must approve and have not, and a revocation for one that the first of them
	// has revoked; any other error ends the choice. nil: none must.
	approved func(release.ChannelEntry) error
	// young is the refusal of a release that is too young by policy, and nil for all
	// others. nil: no rule asks for an age.
	young func(channel string, entry release.ChannelEntry) error
	// impatient: a rollout that has not reached this machine is not waited for.
	impatient bool
}

// revoked finds the channel that revokes a version; nil: none does. Revoked in
// one channel is revoked in all.
func (c *chooser) revoked(version artifact.Version) *revocation {
	for _, index := range c.indexes {
		if entry, ok := index.Lookup(version); ok && entry.Status == release.StatusRevoked {
			return &revocation{product: c.product, channel: index.Channel, entry: entry}
		}
	}
	return nil
}

func (c *chooser) index(channel string) (*release.Channel, error) {
	var names []string
	for _, index := range c.indexes {
		if index.Channel == channel {
			return index, nil
		}
		names = append(names, index.Channel)
	}
	return nil, fmt.Errorf("%w: %s has no channel %q; it has %s", ErrUnknown, c.product, channel, strings.Join(names, ", "))
}

// choose applies a selector; one by digest is for the caller.
func (c *chooser) choose(selector artifact.Selector) (choice, error) {
	channel := artifact.DefaultChannel
	if selector.Kind == artifact.ByChannel {
		channel = selector.Channel
	}
	index, err := c.index(channel)
	if err != nil {
		return choice{}, err
	}
	if selector.Kind == artifact.ByVersion {
		return c.exact(index, selector.Version)
	}
	if err := c.checkAge(index); err != nil {
		return choice{}, err
	}
	return c.newest(index, selector)
}

// checkAge refuses a channel that its publisher has not renewed in time.
func (c *chooser) checkAge(index *release.Channel) error {
	if index.MaxAge == 0 {
		return nil
	}
	if until := index.Updated.Add(time.Duration(index.MaxAge)); !c.now.Before(until) {
		return fmt.Errorf("%w: the channel %s of %s was updated at %s and is good for %s, until %s", ErrTooOld,
			index.Channel, c.product, index.Updated.UTC().Format(time.RFC3339), index.MaxAge, until.UTC().Format(time.RFC3339))
	}
	return nil
}

// exact takes the one version that was named, whatever its rollout.
func (c *chooser) exact(index *release.Channel, version artifact.Version) (choice, error) {
	if err := c.refuseRevoked(version); err != nil {
		return choice{}, err
	}
	entry, ok := index.Lookup(version)
	if !ok {
		return choice{}, c.unknownVersion(index, version)
	}
	ch := choice{entry: entry, channel: index.Channel, why: "named exactly"}
	if entry.Status == release.StatusDeprecated {
		ch.warnings = []string{deprecation(c.product, entry)}
	}
	return ch, nil
}

func (c *chooser) refuseRevoked(version artifact.Version) error {
	if by := c.revoked(version); by != nil {
		return by
	}
	return nil
}

func deprecation(product string, entry release.ChannelEntry) string {
	text := fmt.Sprintf("%s %s is deprecated since %s", product, entry.Version, entry.Since.Format(time.DateOnly))
	if entry.Reason != "" {
		text += ": " + entry.Reason
	}
	return text
}

func (c *chooser) unknownVersion(index *release.Channel, version artifact.Version) error {
	var elsewhere, here []string
	for _, other := range c.indexes {
		if _, ok := other.Lookup(version); ok {
			elsewhere = append(elsewhere, other.Channel)
		}
	}
	for _, entry := range newestFirst(index) {
		if c.revoked(entry.Version) == nil {
			here = append(here, entry.Version.String())
		}
	}
	text := fmt.Sprintf("%s has no version %s in %s", c.product, version, index.Channel)
	switch {
	case len(elsewhere) > 0:
		text += fmt.Sprintf("; it is in the channel %s", strings.Join(elsewhere, ", "))
	case len(here) > 0:
		text += fmt.Sprintf("; there is %s", strings.Join(here[:min(len(here), 5)], ", "))
	}
	return fmt.Errorf("%w: %s", ErrUnknown, text)
}

func newestFirst(index *release.Channel) []release.ChannelEntry {
	entries := slices.Clone(index.Releases)
	slices.SortStableFunc(entries, func(a, b release.ChannelEntry) int { return b.Version.Compare(a.Version) })
	return entries
}

// newest goes down from the newest release and takes the first that may be
// chosen. A rollout that has not reached this machine is passed over, unless
// the release below, that the machine would be held on, is revoked. With an error
// the choice has what was passed over.
func (c *chooser) newest(index *release.Channel, selector artifact.Selector) (choice, error) {
	ch := choice{channel: index.Channel, why: "the newest release in " + index.Channel}
	if selector.Kind == artifact.ByRange {
		ch.why = fmt.Sprintf("the newest release in %s that is %s", index.Channel, selector.Range)
	}
	var waiting *release.ChannelEntry
	var revoked, unapproved error
	for _, entry := range newestFirst(index) {
		if selector.Kind == artifact.ByRange && !selector.Range.Contains(entry.Version) {
			continue
		}
		passed, err := c.barred(index.Channel, selector.Kind, entry)
		var by *revocation
		switch {
		case errors.As(err, &by):
			if waiting != nil {
				ch.entry = *waiting
				ch.why += fmt.Sprintf("; its rollout is not waited for, as %s is revoked", entry.Version)
				return ch, nil
			}
			revoked = by
		case err != nil && passed == nil:
			return choice{}, err
		case err != nil:
			unapproved = cmp.Or(unapproved, err)
		}
		if err != nil && (by == nil || by.repository != "") {
			// The channel itself says nothing of it.
			ch.warnings = append(ch.warnings, fmt.Sprintf("%s %s is passed over: %s", c.product, entry.Version, passed.Reason))
		}
		if passed == nil {
			switch passed = c.waits(entry); {
			case passed != nil && c.impatient:
				ch.why += fmt.Sprintf("; its rollout, to %d %% of machines by now, is not waited for", passed.Percent)
				passed = nil
			case passed != nil && waiting == nil:
				waiting = &entry
			}
		}
		if passed != nil {
			ch.passed = append(ch.passed, *passed)
			continue
		}
		ch.entry = entry
		if entry.Status == release.StatusDeprecated {
			ch.warnings = append(ch.warnings, deprecation(c.product, entry))
		}
		return ch, nil
	}
	return choice{passed: ch.passed}, c.nothingLeft(index, selector, ch.passed, waiting, cmp.Or(unapproved, revoked))
}

// barred says why a release may not be chosen now; nil: nothing bars it. With the
// error that it is revoked, not approved, or too young by policy; an error alone is
// that it could not be found out. It is asked before the rollout, as what waits in
// one may yet be chosen.
func (c *chooser) barred(channel string, kind artifact.SelectorKind, entry release.ChannelEntry) (*Passed, error) {
	err := c.refuseRevoked(entry.Version)
	if reason := c.unfit(channel, kind, entry); err == nil && reason != "" {
		return &Passed{Version: entry.Version, Kind: PassedStatus, Reason: reason}, nil
	}
	if err == nil && c.approved != nil {
		err = c.approved(entry)
	}
	var by *revocation
	switch {
	case errors.As(err, &by):
		return &Passed{Version: entry.Version, Kind: PassedRevoked, Reason: "revoked in " + by.where()}, err
	case errors.Is(err, trust.ErrNotApproved):
		return &Passed{Version: entry.Version, Kind: PassedApproval, Reason: notYet(err)}, err
	case err != nil || c.young == nil:
		return nil, err
	}
	if err := c.young(channel, entry); err != nil {
		return &Passed{Version: entry.Version, Kind: PassedAge, Reason: tooYoung(err)}, err
	}
	return nil, nil
}

// unfit says why a release's status keeps it from being chosen; empty: nothing.
func (c *chooser) unfit(channel string, kind artifact.SelectorKind, entry release.ChannelEntry) string {
	switch entry.Status {
	case release.StatusCurrent:
		return ""
	case release.StatusSuperseded:
		if kind == artifact.ByRange {
			return ""
		}
	case release.StatusDeprecated:
		if kind == artifact.ByChannel && channel == channelDeprecated {
			return ""
		}
	}
	return string(entry.Status)
}

// rolling says why a rollout passes this machine over; empty: it does not.
func (c *chooser) rolling(entry release.ChannelEntry) string {
	if passed := c.waits(entry); passed != nil {
		return passed.Reason
	}
	return ""
}

// waits says how a rollout passes this machine over; nil: it does not.
func (c *chooser) waits(entry release.ChannelEntry) *Passed {
	if entry.Rollout == nil {
		return nil
	}
	place, percent := c.place(entry.Rollout.Salt), percentAt(entry.Rollout, c.now)
	if place < percent*cohorts/100 {
		return nil
	}
	passed := &Passed{
		Version: entry.Version, Kind: PassedRollout, Reason: fmt.Sprintf("in rollout to %d %% of machines", percent),
		Percent: percent, Reaches: reachedAt(entry.Rollout, place).UTC(),
	}
	if !passed.Reaches.IsZero() {
		passed.Reason += ", this one at " + passed.Reaches.Format(time.RFC3339)
	}
	return passed
}

func (c *chooser) nothingLeft(index *release.Channel, selector artifact.Selector, passed []Passed, waiting *release.ChannelEntry, barred error) error {
	if waiting != nil {
		return fmt.Errorf("%w: %s %s is %s; by its exact version it can be had now: %s@%s", ErrUnknown,
			c.product, waiting.Version, c.rolling(*waiting), c.product, waiting.Version)
	}
	if barred != nil {
		return barred
	}
	text := fmt.Sprintf("%s has no release to choose in %s", c.product, index.Channel)
	if selector.Kind == artifact.ByRange {
		text += fmt.Sprintf(" that is %s", selector.Range)
	}
	for _, p := range passed[:min(len(passed), 5)] {
		text += fmt.Sprintf("; %s is %s", p.Version, p.Reason)
	}
	return fmt.Errorf("%w: %s", ErrUnknown, text)
}
