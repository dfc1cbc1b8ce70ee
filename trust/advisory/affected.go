package advisory

import (
	"slices"

	"assay/trust/sbom"
)

// verdict is what one package of a record says of a version: Affected, Unknown
// with the reason, or nothing.
type verdict struct {
	state State
	fixed string
	why   string
}

// judge looks a version up in the versions and ranges (OSV schema, "Evaluation").
func (a *affected) judge(version string) verdict {
	if len(a.versions) == 0 && len(a.ranges) == 0 {
		if a.commits {
			return verdict{}
		}
		return verdict{state: Unknown, why: "the advisory names no versions"}
	}
	if version == "" {
		return verdict{state: Unknown, why: "the component states no version"}
	}
	_, listed := slices.BinarySearch(a.versions, withoutV(version))
	worst := verdict{}
	for i := range a.ranges {
		s := &a.ranges[i]
		found := s.judge(a.kindOf(s), version)
		if found.state.weight() > worst.state.weight() || found.state == worst.state && worst.fixed == "" {
			worst = found
		}
	}
	if listed {
		// The list is exact; a range says no more than what mends it.
		return verdict{state: Affected, fixed: worst.fixed}
	}
	return worst
}

// kindOf says whose rules compare versions in the range.
func (a *affected) kindOf(s *span) string {
	if s.semantic {
		return "cargo" // which has semantic versions and no more
	}
	return a.kind
}

// judge finds the last event that the version has reached, whatever the order in
// which they are listed.
func (s *span) judge(kind, version string) verdict {
	if !s.withinLimits(kind, version) {
		return verdict{}
	}
	last, begun := event{}, false
	mends, unknown := "", false
	for _, e := range s.events {
		order, known := compareEvent(kind, version, e)
		if !known {
			unknown = true
			continue
		}
		reached := order >= 0
		if e.what == lastAffected {
			reached = order > 0
		}
		if !reached {
			if e.what == fixed && (mends == "" || isBefore(kind, e.version, mends)) {
				mends = e.version
			}
			continue
		}
		if !begun || follows(kind, e, last) {
			last, begun = e, true
		}
	}
	switch {
	case unknown:
		return verdict{state: Unknown, why: "version " + quote(version) + " can't be compared with the advisory's"}
	case begun && last.what == introduced:
		return verdict{state: Affected, fixed: mends}
	}
	return verdict{}
}

// compareEvent compares the version with an event's. Introduced at "0" is before
// every version, also those before 0.0.0.
func compareEvent(kind, version string, e event) (order int, known bool) {
	if e.what == introduced && e.version == "0" {
		return 1, true
	}
	return sbom.Compare(kind, version, e.version)
}

// follows reports whether e comes after last, both of which were compared before.
func follows(kind string, e, last event) bool {
	if order, _ := sbom.Compare(kind, e.version, last.version); order != 0 {
		return order > 0
	}
	return e.what > last.what
}

// isBefore reports whether a is known to be older than b.
func isBefore(kind, a, b string) bool {
	order, _ := sbom.Compare(kind, a, b)
	return order < 0
}

// withinLimits reports whether the version is before one of the limits, if there
// are any.
func (s *span) withinLimits(kind, version string) bool {
	for _, limit := range s.limits {
		order, known := sbom.Compare(kind, version, limit)
		if !known || order < 0 { // "*" is none that can be compared
			return true
		}
	}
	return len(s.limits) == 0
}
