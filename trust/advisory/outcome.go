package advisory

import (
	"strings"

	"assay/trust/sbom"
)

// outcome is what a record says of a component.
type outcome struct {
	verdict
	record   int
	severity string
}

// outcomes judges a component by all records that name its package; those that
// say nothing of its version are left out.
func (s *Set) outcomes(c *sbom.Component) []outcome {
	var found []outcome
	key, version := sbom.KeyOf(c.PURL)
	if c.Version != "" {
		version = c.Version
	}
	if key == "" {
		name := strings.ToLower(strings.ReplaceAll(c.Name, ":", "/"))
		certain := strings.Contains(name, "/")
		for _, at := range s.byName[name] {
			found = s.add(found, at, version, "", certain)
		}
		return found
	}
	for _, at := range s.byKey[key] {
		found = s.add(found, at, version, c.PURL, true)
	}
	if strings.Contains(c.PURL, "upstream=") {
		more, _ := alternativeKeys(c.PURL, key)
		for _, other := range more {
			for _, at := range s.byKey[other] {
				found = s.add(found, at, version, c.PURL, true)
			}
		}
	}
	return found
}

// add judges by one package of a record, and keeps the worst of each record.
func (s *Set) add(found []outcome, at place, version, purl string, certain bool) []outcome {
	a := &s.records[at.record].affected[at.affected]
	if a.release != "" && strings.Contains(purl, "distro=") {
		if _, release := alternativeKeys(purl, ""); !sameRelease(a.release, release) {
			return found
		}
	}
	v := a.judge(version)
	if v.state == "" {
		return found
	}
	if v.state == Affected && !certain {
		v.state, v.why = Unknown, "the component has no purl, and may be a namesake"
	}
	next := outcome{v, int(at.record), a.severity}
	for i := range found {
		if found[i].record == next.record {
			if v.state.weight() > found[i].state.weight() {
				found[i] = next
			}
			return found
		}
	}
	return append(found, next)
}

// maxNamesakes is the most records that one name links; a name that more have is
// no name of one vulnerability.
const maxNamesakes = 100

// linkedNames are the names of a record's vulnerability: its own, and those of the
// records that share one with it. No more steps are taken, so that a loose alias
// somewhere clears nothing far away.
func (s *Set) linkedNames(number int) map[string]bool {
	all := map[string]bool{}
	for _, name := range s.records[number].names() {
		all[name] = true
		others := s.named[name]
		if len(others) > maxNamesakes {
			continue
		}
		for _, other := range others {
			for _, further := range s.records[other].names() {
				all[further] = true
			}
		}
	}
	return all
}

// names are the record's id and aliases.
func (r *record) names() []string { return append([]string{r.id}, r.aliases...) }
