package main

import (
	"context"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/cache"
	"assay/trust/advisory"
	"assay/trust/sbom"
)

const (
	flagAdvisory = "advisory"
	anyAdvisory  = "any"
)

// findStore is a session for find. Where advisories are configured it can read
// them; it makes no request: one in a repository is read as it is held.
func (a *app) findStore(c *cli.Context) (*session, error) {
	s, err := a.bareStore(c)
	if err != nil || len(s.config.Advisories) == 0 {
		return s, err
	}
	if s.repositories, err = s.list(c.Context); err != nil {
		return nil, err
	}
	s.config.Offline = true
	return s, a.join(c, s, nil, nil)
}

// findAdvisories are the configured advisories; nil where there are none. Where
// nobody asked for them, that they can't be read is only told.
func (a *app) findAdvisories(c *cli.Context, s *session) (*advisory.Set, error) {
	asked := c.IsSet(flagAdvisory)
	if len(s.config.Advisories) == 0 {
		if asked {
			return nil, withHint(usagef("--advisory: no [[advisories]] are configured"), "`assay help config` tells how to name OSV or OpenVEX documents")
		}
		return nil, nil
	}
	set, err := s.advisories()(c.Context)
	if err != nil && !asked && context.Cause(c.Context) == nil {
		a.out.warn("the advisories can't be read: %v", err)
		return nil, nil
	}
	return set, err
}

// wanted reports whether a finding is about the advisory that was asked for, and
// says that something is wrong or may be.
func wanted(f advisory.Finding, id string) bool {
	if f.State != advisory.Affected && f.State != advisory.Unknown {
		return false
	}
	is := func(other string) bool { return strings.EqualFold(id, other) }
	return id == anyAdvisory || is(f.ID) || slices.ContainsFunc(f.Aliases, is)
}

// keepAffected narrows a question to components that an advisory speaks of.
func keepAffected(q *cache.Query, set *advisory.Set, id string) {
	before := q.Keep
	q.Keep = func(part cache.Component) bool {
		if before != nil && !before(part) {
			return false
		}
		findings := set.Find(advisory.Product{}, []sbom.Component{componentOf(part)})
		return slices.ContainsFunc(findings, func(f advisory.Finding) bool { return wanted(f, id) })
	}
}

// addAdvisories tells of each found component what advisories say of it, as a
// part of this artifact. With an id, components without that advisory go; false
// says that none is left.
func (d *foundDoc) addAdvisories(set *advisory.Set, id string) bool {
	var parts []foundPart
	for _, part := range d.Components {
		for _, f := range set.Find(advisory.Product{Name: d.Product, Version: d.Version}, []sbom.Component{part.Component}) {
			if wanted(f, anyAdvisory) && (id == "" || wanted(f, id)) {
				part.Advisories = append(part.Advisories, f)
			}
		}
		if id == "" || len(part.Advisories) > 0 {
			parts = append(parts, part)
		}
	}
	d.Components = parts
	return id == "" || len(parts) > 0
}

// advisoryText is what is wrong with a component, in few words.
func advisoryText(findings []advisory.Finding) string {
	var texts []string
	for _, f := range findings {
		text := f.ID
		if f.State == advisory.Unknown {
			text += "?"
		}
		if f.Fixed != "" {
			text += ", fixed in " + f.Fixed
		}
		texts = append(texts, text)
	}
	return strings.Join(texts, "; ")
}
