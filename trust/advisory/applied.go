package advisory

import (
	"slices"

	"assay/trust/sbom"
)

// statements finds those about the product, and indexes the parts they name.
func (f *finder) statements() {
	f.parts = map[string][]partOfProduct{}
	for _, number := range f.set.about(&f.product) {
		st := f.set.statements[number]
		used := new(bool)
		whole := noMatch
		for _, p := range st.products {
			fits := matchIDs(p.ids, &f.product)
			if !f.set.counts(number, fits) {
				continue
			}
			if len(p.parts) == 0 {
				whole = max(whole, fits)
			}
			for _, ids := range p.parts {
				for _, id := range ids {
					term := indexTerm(id)
					f.parts[term] = append(f.parts[term], partOfProduct{applied{number, fits, used}, ids})
				}
			}
		}
		if whole != noMatch {
			f.whole.add(applied{number, whole, used}, st.names)
		}
	}
}

// about lists the statements that may be about a component as a product.
func (s *Set) about(c *sbom.Component) []int {
	var numbers []int
	for _, term := range indexTerms(c) {
		numbers = append(numbers, s.byProduct[term]...)
	}
	slices.Sort(numbers)
	return slices.Compact(numbers)
}

// own lists the statements about a component: as a part of the product, or as a
// product by itself.
func (f *finder) own(c *sbom.Component) named {
	var own named
	if len(f.set.statements) == 0 {
		return own
	}
	for _, term := range indexTerms(c) {
		for _, part := range f.parts[term] {
			if fits := min(part.fits, matchIDs(part.ids, c)); f.set.counts(part.number, fits) {
				*part.used = true
				own.add(applied{part.number, fits, new(bool)}, f.set.statements[part.number].names)
			}
		}
	}
	for _, number := range f.set.about(c) {
		st := f.set.statements[number]
		for _, p := range st.products {
			if fits := matchIDs(p.ids, c); len(p.parts) == 0 && f.set.counts(number, fits) {
				own.add(applied{number, fits, new(bool)}, st.names)
			}
		}
	}
	return own
}

// counts reports whether a statement that fits so well is heard: one that clears
// must fit exactly.
func (s *Set) counts(number int, fits match) bool {
	return fits == exact || fits == loose && !s.clears(number)
}

// clears reports whether a statement says that nothing is wrong.
func (s *Set) clears(number int) bool {
	state := s.statements[number].state
	return state == NotAffected || state == Fixed
}

// overrides reports whether a counts rather than b: the one of an earlier
// document; in one document one that fits exactly before one that fits loosely,
// then the newer one, the worse one, and the first that was read. Anyone may state
// any time, so times say nothing between documents.
func (s *Set) overrides(a, b applied) bool {
	x, y := s.statements[a.number], s.statements[b.number]
	if x.rank != y.rank {
		return x.rank < y.rank
	}
	if a.fits != b.fits {
		return a.fits > b.fits
	}
	if order := x.modified.Compare(y.modified); order != 0 {
		return order > 0
	}
	if order := x.state.weight() - y.state.weight(); order != 0 {
		return order > 0
	}
	return a.number < b.number
}

// apply puts a statement over what a record says.
func (s *Set) apply(a applied, finding *Finding) {
	st := s.statements[a.number]
	state, why := st.state, st.why
	if a.fits == loose {
		if finding.State == Affected {
			return
		}
		state, why = Unknown, "the statement may be about another version or build"
	}
	finding.State, finding.Why, finding.By = state, why, st.source
	finding.Source = joinText(finding.Source, st.source)
	if st.modified.After(finding.Modified) {
		finding.Modified = st.modified
	}
}
