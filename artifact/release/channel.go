package release

import (
	"time"

	"assay/artifact"
)

// Status is what a channel says about a release.
type Status string

// The statuses, and by which selectors a release with that status is taken.
const (
	StatusCurrent    Status = "current"    // any
	StatusSuperseded Status = "superseded" // an exact version or a range
	StatusDeprecated Status = "deprecated" // an exact version, or the channel "deprecated"
	StatusRevoked    Status = "revoked"    // none
)

// Channel is the index of a product's releases in one channel.
type Channel struct {
	document
	Schema    string         `json:"schema"`
	Product   string         `json:"product"`
	Channel   string         `json:"channel"`
	Updated   time.Time      `json:"updated"`
	MaxAge    Duration       `json:"max_age,omitzero"`     // after Updated the index is too old; 0 for no bound
	EndOfLife time.Time      `json:"end_of_life,omitzero"` // zero where none is announced
	Releases  []ChannelEntry `json:"releases"`             // in the publisher's order, each version once
}

// ChannelEntry is a release in a channel.
type ChannelEntry struct {
	Version  artifact.Version `json:"version"`
	Manifest string           `json:"manifest"` // always ManifestPath of the product and the version
	Status   Status           `json:"status"`
	Since    time.Time        `json:"since"`
	Reason   string           `json:"reason,omitempty"`
	Advisory string           `json:"advisory,omitempty"`
	Rollout  *Rollout         `json:"rollout,omitempty"` // nil: every machine at once
}

// Rollout lets a release reach the machines by and by.
type Rollout struct {
	Salt  string        `json:"salt"`
	Steps []RolloutStep `json:"steps"` // at least one; later ones never reach fewer machines
}

// RolloutStep is the share of machines, in percent from 0 to 100, that a release
// has reached from a time on.
type RolloutStep struct {
	At      time.Time `json:"at"`
	Percent int       `json:"percent"`
}

// DecodeChannel reads the index that lies at ChannelPath(product, channel), at
// most MaxChannelBytes. Errors are *FieldError; ErrBinding where the names
// inside are others.
func DecodeChannel(data []byte, product, channel string) (*Channel, error) {
	path := ChannelPath(product, channel)
	var c Channel
	doc, err := form{"channel", MaxChannelBytes}.decode(path, data, &c)
	if err != nil {
		return nil, err
	}
	c.document = doc
	if p := first(func(report reporter) { c.check(product, channel, report) }); p != nil {
		return nil, inDocument(path, p)
	}
	return &c, nil
}

// check reports everything that the schema can't say.
func (c *Channel) check(product, channel string, report reporter) {
	if c.Product != product {
		report(unbound("product", product, c.Product))
	}
	if c.Channel != channel {
		report(unbound("channel", channel, c.Channel))
	}
	precedence := map[string]bool{}
	for i, entry := range c.Releases {
		// Two that differ in build metadata only would have no order.
		if core := withoutBuild(entry.Version); precedence[core] {
			report(malformed(at("releases", i, "version"), "each version once, whatever its build metadata", quote(entry.Version.String())+" again"))
		} else {
			precedence[core] = true
		}
		// A version that the schema refuses names no manifest.
		if want := ManifestPath(product, entry.Version); entry.Manifest != want && !entry.Version.IsZero() {
			report(unbound(at("releases", i, "manifest"), want, entry.Manifest))
		}
		if p := entry.Rollout.check(); p != nil {
			p.Field = at("releases", i, "rollout."+p.Field)
			report(p)
		}
	}
}

// check holds a rollout to one direction: a machine that a release has reached
// is not left by it again.
func (r *Rollout) check() *problem {
	if r == nil || len(r.Steps) == 0 { // the schema refuses the latter
		return nil
	}
	for i, step := range r.Steps[1:] {
		before := r.Steps[i]
		if !step.At.After(before.At) {
			return malformed(at("steps", i+1, "at"), "a time after "+before.At.Format(time.RFC3339Nano), step.At.Format(time.RFC3339Nano))
		}
		if step.Percent < before.Percent {
			return malformed(at("steps", i+1, "percent"), "at least "+describe(before.Percent), describe(step.Percent))
		}
	}
	return nil
}

// Lookup finds the entry of exactly this version.
func (c *Channel) Lookup(version artifact.Version) (ChannelEntry, bool) {
	for _, entry := range c.Releases {
		if entry.Version == version {
			return entry, true
		}
	}
	return ChannelEntry{}, false
}
