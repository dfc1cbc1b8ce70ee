package fetch

import (
	"slices"

	"assay/fetch/mirrors"
)

// Report tells of one place where a repository lies.
type Report struct {
	mirrors.Mirror
	Own    bool // the repository's own place
	Rank   int  // in the order in which bytes are asked for, from 1; 0: it is not asked
	Why    string
	Record mirrors.Record // what is remembered
	// Timestamp is the version that it offers; 0: it was not asked in this run, or
	// has none.
	Timestamp int64
	// Out says why it is not asked in this run, or behind all others; nil: it is
	// asked in its turn.
	Out error
}

// Report tells of all places, in the order in which bytes are asked for, those that
// are not asked last. It makes no request.
func (s *Source) Report() []Report {
	choices, order := s.choices(), s.order()
	s.mu.Lock()
	defer s.mu.Unlock()
	var reports []Report
	for _, c := range choices {
		if i := slices.IndexFunc(s.mirrors, func(t *site) bool { return t.URL == c.URL }); i >= 0 {
			reports = append(reports, s.report(s.mirrors[i], order, c.Record, c.Why))
		}
	}
	why := "the repository's own, behind its mirrors"
	switch {
	case s.mirrorsOnly:
		why = "the repository's own: never asked, by mirrors_only"
	case len(reports) == 0:
		why = "the repository's own"
	}
	reports = append(reports, s.report(s.origin, order, s.memory.Record(s.origin.URL), why))
	last := len(reports) + 1
	slices.SortStableFunc(reports, func(a, b Report) int { return place(a.Rank, last) - place(b.Rank, last) })
	return reports
}

// place puts a rank of 0 last.
func place(rank, last int) int {
	if rank == 0 {
		return last
	}
	return rank
}

// report is that of one site. s.mu is held.
func (s *Source) report(t *site, order []*site, record mirrors.Record, why string) Report {
	return Report{
		Mirror: t.Mirror, Own: t.origin, Rank: slices.Index(order, t) + 1, Why: why, Record: record,
		Timestamp: s.timely[t], Out: s.out[t].err,
	}
}
