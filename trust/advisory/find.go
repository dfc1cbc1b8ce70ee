package advisory

import (
	"cmp"
	"slices"
	"strings"

	"assay/trust/sbom"
)

// Product is the artifact that is asked about.
type Product struct {
	Name    string
	Version string
	PURL    string // empty: pkg:generic/NAME@VERSION
}

// component is the product as a component of itself.
func (p Product) component() sbom.Component {
	c := sbom.Component{Name: p.Name, Version: p.Version, PURL: p.PURL}
	if c.PURL == "" && c.Name != "" {
		c.PURL = "pkg:generic/" + escaper.Replace(c.Name)
		if c.Version != "" {
			c.PURL += "@" + escaper.Replace(c.Version)
		}
	}
	return c
}

// escaper escapes what has a meaning in a purl.
var escaper = strings.NewReplacer("%", "%25", "/", "%2F", "@", "%40", "?", "%3F", "#", "%23", "+", "%2B")

// Find lists what is known of a product and its components, the product itself
// among them: one Finding for each vulnerability and component, sorted by
// component and id. What several documents call by names that they share is one
// vulnerability, and what they say of it is joined: the worst state, all names,
// the highest version that mends it.
func (s *Set) Find(product Product, components []sbom.Component) []Finding {
	f := finder{set: s, product: product.component()}
	f.statements()
	f.component(&f.product, true)
	for i := range components {
		f.component(&components[i], false)
	}
	f.left()
	slices.SortStableFunc(f.found, func(a, b Finding) int {
		return cmp.Or(
			strings.Compare(a.Component.Name, b.Component.Name), strings.Compare(a.Component.Version, b.Component.Version),
			strings.Compare(a.Component.PURL, b.Component.PURL), strings.Compare(a.ID, b.ID),
		)
	})
	return f.found
}

// finder gathers the findings of one question.
type finder struct {
	set     *Set
	product sbom.Component
	found   []Finding

	whole named                      // statements about the product as a whole
	parts map[string][]partOfProduct // statements about parts of it, by index term
}

// applied is a statement, and how well it fits.
type applied struct {
	number int
	fits   match
	used   *bool // it went with a record, or with a component
}

// named are statements, and where they stand by the names of their
// vulnerabilities.
type named struct {
	list   []applied
	byName map[string][]int
}

func (n *named) add(a applied, names []string) {
	if n.byName == nil {
		n.byName = map[string][]int{}
	}
	for _, name := range names {
		n.byName[name] = append(n.byName[name], len(n.list))
	}
	n.list = append(n.list, a)
}

// partOfProduct is a statement about a part of the product.
type partOfProduct struct {
	applied
	ids []string // of the part
}

// component finds what is known of one component.
func (f *finder) component(c *sbom.Component, isProduct bool) {
	var found []Finding
	var own named
	if !isProduct {
		own = f.own(c)
	}
	for _, o := range f.set.outcomes(c) {
		found = append(found, f.overridden(o, c, &own))
	}
	found = append(found, f.alone(c, &own)...)
	f.found = append(f.found, join(found, c)...)
}

// overridden is what a record says, after the statements that go with it.
func (f *finder) overridden(o outcome, c *sbom.Component, own *named) Finding {
	r := f.set.records[o.record]
	finding := Finding{
		ID: r.id, Aliases: r.aliases, State: o.state, Summary: r.summary, Severity: cmp.Or(r.severity, o.severity),
		Modified: r.modified, Component: *c, Fixed: o.fixed, Why: o.why, Source: r.source,
	}
	if len(own.list) == 0 && len(f.whole.list) == 0 {
		return finding
	}
	var best *applied
	names := f.set.linkedNames(o.record)
	for _, statements := range []*named{own, &f.whole} {
		for name := range names {
			for _, at := range statements.byName[name] {
				a := &statements.list[at]
				*a.used = true
				if best == nil || f.set.overrides(*a, *best) {
					best = a
				}
			}
		}
	}
	if best != nil {
		f.set.apply(*best, &finding)
	}
	return finding
}

// alone makes findings of the statements that no record goes with: of those that
// share a name, one.
func (f *finder) alone(c *sbom.Component, statements *named) []Finding {
	var best []applied
	at := map[string]int{} // names → best
	for _, a := range statements.list {
		if *a.used {
			continue
		}
		names := f.set.statements[a.number].names
		place := len(best)
		for _, name := range names {
			if have, ok := at[name]; ok {
				place = have
				break
			}
		}
		if place == len(best) {
			best = append(best, a)
		} else if f.set.overrides(a, best[place]) {
			best[place] = a
		}
		for _, name := range names {
			at[name] = place
		}
	}
	var found []Finding
	for _, a := range best {
		st := f.set.statements[a.number]
		finding := Finding{ID: st.names[0], Aliases: st.names[1:], Summary: st.summary, Component: *c}
		f.set.apply(a, &finding)
		found = append(found, finding)
	}
	return found
}

// left makes findings of the product itself of the statements about it that went
// with nothing else: those about it as a whole, and those that it is affected by
// a part that its components do not list.
func (f *finder) left() {
	rest := f.whole
	for _, parts := range f.parts {
		for _, part := range parts {
			if !*part.used && !f.set.clears(part.number) {
				*part.used = true
				a := part.applied
				a.used = new(bool)
				rest.list = append(rest.list, a)
			}
		}
	}
	slices.SortStableFunc(rest.list, func(a, b applied) int { return a.number - b.number })
	f.found = append(f.found, join(f.alone(&f.product, &rest), &f.product)...)
}
