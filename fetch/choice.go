package fetch

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"assay/fetch/mirrors"
	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/trust"
)

// outage is why a site is not asked, or only in the end, for the rest of the run.
type outage struct {
	last bool  // asked behind all others; else not at all
	err  error // what was found
}

// sites are those to ask, in the order of choice, the repository's own last; and
// those that were silent in this run, or lied or failed lately, for where no other
// has an answer. What was dropped is in neither. The repository's own place is
// never dropped for lagging: it may lack what is new, and is the last in any case.
// Nor does it count that it failed lately: who else would find out a frozen mirror?
func (s *Source) sites() (usable, last []*site) {
	choices := s.choices()
	s.mu.Lock()
	defer s.mu.Unlock()
	sort := func(t *site, doubtful bool) {
		switch out, given := s.out[t]; {
		case given && !out.last:
		case given, doubtful:
			last = append(last, t)
		default:
			usable = append(usable, t)
		}
	}
	for _, c := range choices {
		if i := slices.IndexFunc(s.mirrors, func(t *site) bool { return t.URL == c.URL }); i >= 0 {
			sort(s.mirrors[i], c.Record.Lied() || c.Record.Failing())
		}
	}
	if !s.mirrorsOnly {
		sort(s.origin, false)
	}
	return usable, last
}

// order is all that sites gives.
func (s *Source) order() []*site {
	usable, last := s.sites()
	return append(usable, last...)
}

// choices are the mirrors in the order of choice.
func (s *Source) choices() []mirrors.Choice {
	s.mu.Lock()
	var list []mirrors.Mirror
	for _, t := range s.mirrors {
		list = append(list, t.Mirror)
	}
	s.mu.Unlock()
	return mirrors.Choose(list, s.client(), s.memory)
}

// consultedNow is how many mirrors are asked how new they are: more, where that
// tells which is the fastest.
func (s *Source) consultedNow() int {
	return max(consulted, len(mirrors.Probe(s.choices(), s.client(), probed)))
}

// winnerFirst moves the site whose timestamp counts to the front.
func (s *Source) winnerFirst(list []*site) []*site {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(list, s.winner)
	if i < 0 {
		return list
	}
	return slices.Insert(slices.Delete(slices.Clone(list), i, i+1), 0, s.winner)
}

// won notes whose timestamp counts.
func (s *Source) won(t *site, version int64) {
	s.mu.Lock()
	s.winner, s.newest = t, version
	s.mu.Unlock()
	s.checkLag(t, version)
}

// checkLag compares the version of a site's timestamp with the newest.
func (s *Source) checkLag(t *site, version int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timely[t] = version
	if version >= s.newest || s.newest == 0 || t.origin {
		return
	}
	s.out[t] = outage{err: fmt.Errorf("it lags behind: its timestamp is %d, the newest %d", version, s.newest)}
}

// drop gives up sites for this run whose answers were refused while another's was
// not, and says so. The repository's own place may still serve bytes, which are
// proven by themselves.
func (s *Source) drop(refused []answer) {
	for _, a := range refused {
		result := mirrors.Lied
		if errors.Is(a.err, trust.ErrExpired) || errors.Is(a.err, trust.ErrRollback) {
			result = mirrors.Failed // what it sent is genuine, and old
		}
		s.memory.Observe(a.site.URL, mirrors.Event{Result: result})
		s.mu.Lock()
		s.out[a.site] = outage{last: a.site.origin, err: a.err}
		s.refusals = append(s.refusals, a.err)
		s.mu.Unlock()
		s.warn(fmt.Sprintf("%s is given up for this run, as another source has what is right: %v", a.site.name(), a.err))
	}
}

// noteFailure puts a site that did not answer behind all others, and a mirror that
// answered with something else than a file. Whether the repository's own place has
// one file says little of the next, and nobody else finds out a frozen mirror.
func (s *Source) noteFailure(t *site, err error) {
	broken := errors.Is(err, wire.ErrSource) && !errors.Is(err, fs.ErrNotExist) && !t.origin
	if !broken && !errors.Is(err, trust.ErrNoAnswer) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.out[t]; !ok {
		s.out[t] = outage{last: true, err: err}
	}
}

// learn has remembered what a request to a site has shown. That it has no such
// file is no failure, nor is that the caller gave up.
func (s *Source) learn(t *site, e mirrors.Event, err error) {
	if s.alone() {
		return // there is nothing to choose between
	}
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist), errors.Is(err, wire.ErrTooLong):
	case errors.Is(err, transfer.ErrWrongBytes):
		e = mirrors.Event{Result: mirrors.Lied}
	case errors.Is(err, wire.ErrSource):
		e = mirrors.Event{Result: mirrors.Failed}
	default:
		return
	}
	s.memory.Observe(t.URL, e)
}
