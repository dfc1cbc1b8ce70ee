package policy

import (
	"fmt"
	"slices"
	"strings"

	"assay/trust/advisory"
	"assay/trust/sbom"
)

// noComponents is what is found where a rule asks for something of components
// that are not known.
const noComponents = "neither a bill of materials nor a list of components"

// listed reports whether the components are known. A bill of materials may list
// none; the manifest's list, which may be left out, says nothing if it is empty.
func (j *judgement) listed() bool { return j.HasSBOM || len(j.Components) > 0 }

// claim tells of components that nobody but the manifest vouches for.
func (j *judgement) claim() string {
	if j.HasSBOM {
		return ""
	}
	return "the components are those that the manifest claims"
}

// licenses judges the product's licence and those of its components.
func (j *judgement) licenses(r *rule) []outcome {
	if r.Licenses == nil {
		return nil
	}
	var outcomes []outcome
	if allow := r.Licenses.Allow; allow != nil {
		outcomes = append(outcomes, j.license("only "+several(allow), func(e sbom.Expression) bool { return e.Within(nil, allow) }))
	}
	if deny := r.Licenses.Deny; deny != nil {
		outcomes = append(outcomes, j.license("none of "+several(deny), func(e sbom.Expression) bool { return e.Within(deny) }))
	}
	return outcomes
}

// license judges by the lists of all rules together: what one of them keeps out
// can't be the side of an OR that another one is content with. alone judges by
// the one list that the outcome is about.
func (j *judgement) license(expected string, alone func(sbom.Expression) bool) outcome {
	o := outcome{expected: expected, why: j.claim()}
	if !j.listed() {
		o.found = noComponents
		return o
	}
	var deny []string
	var allow [][]string
	for _, r := range j.matched {
		if r.Licenses != nil {
			deny = append(deny, r.Licenses.Deny...)
		}
		if r.Licenses != nil && r.Licenses.Allow != nil {
			allow = append(allow, r.Licenses.Allow)
		}
	}
	faults := map[string]string{} // many components share a licence
	var bad []string
	judge := func(name, license string) {
		text, known := faults[license]
		if !known {
			text = licenseFault(sbom.ParseExpression(license), func(e sbom.Expression) bool { return e.Within(deny, allow...) }, alone)
			faults[license] = text
		}
		if text != "" {
			bad = append(bad, name+": "+text)
		}
	}
	judge("the product", j.License)
	for _, c := range j.Components {
		judge(nameOf(c), c.License)
	}
	if o.ok = bad == nil; o.ok {
		o.found = fmt.Sprintf("%s for the product, and %d components", quote(j.License), len(j.Components))
	} else {
		o.found = several(bad)
	}
	return o
}

// licenseFault is what is wrong with a licence; empty is nothing.
func licenseFault(e sbom.Expression, together, alone func(sbom.Expression) bool) string {
	switch {
	case e.IsZero():
		return "not stated"
	case !e.Valid():
		return "no SPDX expression: " + e.String()
	case together(e):
		return ""
	case alone(e):
		return e.String() + " (rules together)"
	}
	return e.String()
}

// components looks for those that are denied.
func (j *judgement) components(r *rule) []outcome {
	if r.Components == nil {
		return nil
	}
	o := outcome{expected: "none of " + several(r.Components.Deny), why: j.claim()}
	if !j.listed() {
		o.found = noComponents
		return []outcome{o}
	}
	var bad []string
	for _, c := range j.Components {
		for i, query := range r.denied {
			match, known := query.Matches(c)
			if !match && isPURL(query) && !hasPURL(c) && slices.Contains(sbom.Names(c), query.Name()) {
				match, known = true, false // a list without purls, or with odd ones, is no way around
			}
			switch {
			case !match:
			case known:
				bad = append(bad, nameOf(c))
			default:
				bad = append(bad, fmt.Sprintf("%s, which can't be compared with %s", nameOf(c), r.Components.Deny[i]))
			}
		}
	}
	if bad = distinct(bad); bad == nil {
		o.ok, o.found = true, fmt.Sprintf("%d other components", len(j.Components))
	} else {
		o.found = several(bad)
	}
	return []outcome{o}
}

// hasPURL reports whether a component has a purl that can be read.
func hasPURL(c sbom.Component) bool {
	key, _ := sbom.KeyOf(c.PURL)
	return key != ""
}

func isPURL(query sbom.Query) bool { return strings.HasPrefix(query.String(), "pkg:") }

// advisories judges what is known to be wrong with components. To refuse, doubt
// is enough: a version that can't be compared, or one that is looked into.
func (j *judgement) advisories(r *rule) []outcome {
	if r.Advisories == "" {
		return nil
	}
	o := outcome{expected: "no component that an advisory speaks of, but for what VEX statements clear", why: j.claim()}
	var affected, doubtful []string
	cleared := 0
	for _, f := range j.Findings {
		text := f.ID + " in " + nameOf(f.Component)
		switch f.State {
		case advisory.NotAffected, advisory.Fixed:
			cleared++
		case advisory.Affected:
			affected = append(affected, text)
		default:
			doubtful = append(doubtful, text+" (not known whether)")
		}
	}
	all := append(affected, doubtful...)
	switch {
	case len(all) > 0:
		o.found = several(all)
	case len(j.Advisories) == 0:
		o.found = "no advisories to look in"
	case !j.listed():
		o.found = noComponents
	default:
		o.ok, o.found = true, fmt.Sprintf("none in %d components, by %s", len(j.Components), several(j.Advisories))
	}
	if cleared > 0 {
		o.found += fmt.Sprintf("; %d cleared", cleared)
	}
	if r.Advisories == Warn && !o.ok {
		o.unchecked, o.why = true, o.found+"; the rule only warns"
	}
	return []outcome{o}
}

// nameOf is like "left-pad 1.3.0".
func nameOf(c sbom.Component) string {
	name := c.Name
	if name == "" {
		name = c.PURL
	}
	return strings.TrimSpace(name + " " + c.Version)
}
