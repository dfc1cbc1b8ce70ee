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
	if r.Licenses.Allow != nil {
		// What another rule denies can't be the side of an OR that this one allows.
		allowed := slices.DeleteFunc(slices.Clone(r.Licenses.Allow), func(id string) bool {
			return sbom.ParseExpression(id).Mentions(j.deniedLicenses())
		})
		outcomes = append(outcomes, j.license("only "+several(r.Licenses.Allow), func(e sbom.Expression) bool { return e.Satisfies(allowed) }))
	}
	if r.Licenses.Deny != nil {
		outcomes = append(outcomes, j.license("none of "+several(r.Licenses.Deny), func(e sbom.Expression) bool { return !e.Mentions(r.Licenses.Deny) }))
	}
	return outcomes
}

func (j *judgement) deniedLicenses() []string {
	var ids []string
	for _, r := range j.matched {
		if r.Licenses != nil {
			ids = append(ids, r.Licenses.Deny...)
		}
	}
	return ids
}

func (j *judgement) license(expected string, good func(sbom.Expression) bool) outcome {
	o := outcome{expected: expected, why: j.claim()}
	if !j.listed() {
		o.found = noComponents
		return o
	}
	verdicts := map[string]bool{} // many components share a licence
	var bad []string
	judge := func(name, license string) {
		ok, known := verdicts[license]
		if !known {
			expression := sbom.ParseExpression(license)
			ok = !expression.IsZero() && good(expression)
			verdicts[license] = ok
		}
		switch {
		case ok:
		case sbom.ParseExpression(license).IsZero():
			bad = append(bad, name+": not stated")
		default:
			bad = append(bad, name+": "+license)
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
			if !match && isPURL(query) && c.PURL == "" && slices.Contains(sbom.Names(c), query.Name()) {
				match, known = true, false // a list without purls is no way around
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
