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

// Passed is a release that was not chosen, and why.
type Passed struct {
	Version artifact.Version `json:"version"`
	Reason  string           `json:"reason"`
}

// choice is a release, and how it came to be chosen.
type choice struct {
	entry    release.ChannelEntry
	channel  string
	why      string
	passed   []Passed
	warnings []string
}

// chooser picks a release of one product by the rules of statuses and rollouts.
// It does no I/O.
type chooser struct {
	product string
	indexes []*release.Channel // of every channel that the catalog lists
	now     time.Time
	place   func(salt string) int // this machine's cohort
	// approved is trust.ErrNotApproved for a release that other repositories
	// must approve and have not; any other error ends the choice. nil: none must.
	approved func(release.ChannelEntry) error
}

// revoked finds the channel that revokes a version. Revoked in one channel is
// revoked in all.
func (c *chooser) revoked(version artifact.Version) (string, release.ChannelEntry, bool) {
	for _, index := range c.indexes {
		if entry, ok := index.Lookup(version); ok && entry.Status == release.StatusRevoked {
			return index.Channel, entry, true
		}
	}
	return "", release.ChannelEntry{}, false
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
	ch, err := c.newest(index, selector)
	if err == nil && !index.EndOfLife.IsZero() && !c.now.Before(index.EndOfLife) {
		ch.warnings = append(ch.warnings, fmt.Sprintf("the channel %s of %s has reached its end of life at %s", channel, c.product, index.EndOfLife.Format(time.DateOnly)))
	}
	return ch, err
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
	channel, entry, ok := c.revoked(version)
	if !ok {
		return nil
	}
	return revokedError(c.product, channel, entry)
}

func revokedError(product, channel string, entry release.ChannelEntry) error {
	text := fmt.Sprintf("%s %s, in the channel %s since %s", product, entry.Version, channel, entry.Since.Format(time.DateOnly))
	if entry.Reason != "" {
		text += ": " + entry.Reason
	}
	if entry.Advisory != "" {
		text += " (" + entry.Advisory + ")"
	}
	return fmt.Errorf("%w: %s", ErrRevoked, text)
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
		if _, _, revoked := c.revoked(entry.Version); !revoked {
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
// the release below, that the machine would be held on, is revoked.
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
		if channel, reason, ok := c.revoked(entry.Version); ok {
			if waiting != nil {
				ch.entry = *waiting
				ch.why += fmt.Sprintf("; its rollout is not waited for, as %s is revoked", entry.Version)
				return ch, nil
			}
			revoked = revokedError(c.product, channel, reason)
			ch.passed = append(ch.passed, Passed{entry.Version, "revoked in " + channel})
			continue
		}
		reason := c.unfit(index.Channel, selector.Kind, entry)
		if reason == "" && c.approved != nil {
			// Before the rollout: what waits in one may yet be chosen.
			err := c.approved(entry)
			if err != nil && !errors.Is(err, trust.ErrNotApproved) {
				return choice{}, err
			}
			if err != nil {
				unapproved, reason = cmp.Or(unapproved, err), notYet(err)
				ch.warnings = append(ch.warnings, fmt.Sprintf("%s %s is passed over: %s", c.product, entry.Version, reason))
			}
		}
		if reason == "" {
			reason = c.rolling(entry)
			if reason != "" && waiting == nil {
				waiting = &entry
			}
		}
		if reason != "" {
			ch.passed = append(ch.passed, Passed{entry.Version, reason})
			continue
		}
		ch.entry = entry
		if entry.Status == release.StatusDeprecated {
			ch.warnings = append(ch.warnings, deprecation(c.product, entry))
		}
		return ch, nil
	}
	return choice{}, c.nothingLeft(index, selector, ch.passed, waiting, cmp.Or(unapproved, revoked))
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
	if entry.Rollout == nil {
		return ""
	}
	place, percent := c.place(entry.Rollout.Salt), percentAt(entry.Rollout, c.now)
	if place < percent*cohorts/100 {
		return ""
	}
	text := fmt.Sprintf("in rollout to %d %% of machines", percent)
	if at := reachedAt(entry.Rollout, place); !at.IsZero() {
		text += ", this one at " + at.UTC().Format(time.RFC3339)
	}
	return text
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
