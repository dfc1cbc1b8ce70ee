package fetch

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"assay/fetch/mirrors"
	"assay/fetch/wire"
	"assay/internal/strictjson"
	"assay/trust"
)

// The bounds of one question to several sources.
const (
	consulted = 2 // mirrors that are asked how new they are, besides the repository's own place
	probed    = 4 // likewise, where nothing but latency decides, and none is remembered
	mostAsked = 8 // sources that one file of metadata is asked of
)

// inquiry is one question to the sources of a repository. It is used by one
// goroutine; those that it starts only send it answers.
type inquiry struct {
	source  *Source
	name    string
	limit   int64
	judge   func(raw []byte) error
	refused []answer // what judge, or a parser, found wrong
	failed  []answer // all others that gave nothing
}

// answer is what one site said.
type answer struct {
	site    *site
	raw     []byte
	err     error
	version int64 // that a timestamp claims; 0: it does not read as one
}

// inquire asks several sources for a file of metadata. How new they are, the next
// root and the timestamp, is asked of several at once; the rest of one after the
// other, beginning with the one whose timestamp counts.
func (s *Source) inquire(ctx context.Context, name string, limit int64, judge func(raw []byte) error) error {
	q := &inquiry{source: s, name: name, limit: limit, judge: judge}
	for _, batch := range q.batches() {
		answers, err := q.ask(ctx, batch)
		if err != nil {
			return err
		}
		if q.take(answers) {
			s.drop(q.refused)
			return nil
		}
		// That there is no further root is an answer, too; a source that is asked
		// later could only say the same, or be behind.
		if q.isRoot() && q.saysNone() != nil {
			break
		}
	}
	return q.failure()
}

func (q *inquiry) isRoot() bool      { return strings.HasSuffix(q.name, ".root.json") }
func (q *inquiry) isTimestamp() bool { return q.name == "timestamp.json" }

// batches are the sites to ask, those of a batch at once: at most mostAsked, and
// always the repository's own, unless it may not be.
func (q *inquiry) batches() [][]*site {
	usable, last := q.source.sites()
	own := slices.DeleteFunc(slices.Clone(usable), func(t *site) bool { return !t.origin })
	others := slices.DeleteFunc(usable, func(t *site) bool { return t.origin })
	room := mostAsked - len(own)
	others = others[:min(len(others), room)]
	last = last[:min(len(last), room-len(others))]

	var batches [][]*site
	if q.isRoot() || q.isTimestamp() {
		n := min(q.source.consultedNow(), len(others))
		batches = append(batches, append(slices.Clone(others[:n]), own...))
		batches = slices.AppendSeq(batches, slices.Chunk(others[n:], consulted))
		if len(last) > 0 {
			batches = append(batches, last)
		}
		return batches
	}
	for _, t := range q.source.winnerFirst(slices.Concat(others, own, last)) {
		batches = append(batches, []*site{t})
	}
	return batches
}

// ask asks the sites of a batch at once. Once one has given something the others
// have Patience left, a fifth of it once the repository's own place has: whoever is
// behind a mirror must not be able to hold up what honest sources say. The error
// is that the caller has given up.
func (q *inquiry) ask(ctx context.Context, batch []*site) ([]answer, error) {
	caller := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	incoming := make(chan answer, len(batch))
	for _, t := range batch {
		go func() {
			raw, err := t.read(ctx, q.name, q.limit)
			incoming <- answer{site: t, raw: raw, err: err}
		}()
	}
	var answers []answer
	var late <-chan time.Time
	for len(answers) < len(batch) {
		select {
		case a := <-incoming:
			answers = append(answers, a)
			switch useful := a.err == nil || errors.Is(a.err, trust.ErrNoMetadata); {
			case useful && a.site.origin:
				late = time.After(q.source.patience / 5)
			case useful && late == nil:
				late = time.After(q.source.patience)
			}
		case <-late:
			return q.withLate(batch, answers), nil
		case <-caller.Done():
			return nil, context.Cause(caller)
		}
	}
	if err := context.Cause(caller); err != nil {
		return nil, err
	}
	return answers, nil
}

// withLate adds those that were too slow, as silent.
func (q *inquiry) withLate(batch []*site, answers []answer) []answer {
	for _, t := range batch {
		if !slices.ContainsFunc(answers, func(a answer) bool { return a.site == t }) {
			err := &wire.SourceError{URL: t.URL, Detail: "given up", Err: fmt.Errorf("%w: another source had answered long before", trust.ErrNoAnswer)}
			q.source.learn(t, mirrors.Event{}, err)
			answers = append(answers, answer{site: t, err: err})
		}
	}
	return answers
}

// take judges the answers of a batch, of timestamps the one that claims the
// highest version first, and reports whether one was accepted.
func (q *inquiry) take(answers []answer) bool {
	var given []answer
	for _, a := range answers {
		switch {
		case a.err == nil:
			a.version = claimedVersion(a.raw)
			given = append(given, a)
		case errors.Is(a.err, trust.ErrTooLarge):
			q.refused = append(q.refused, a)
		default:
			q.source.noteFailure(a.site, a.err)
			q.failed = append(q.failed, a)
		}
	}
	order := q.source.order()
	slices.SortStableFunc(given, func(a, b answer) int {
		byVersion := 0
		if q.isTimestamp() {
			byVersion = cmp.Compare(b.version, a.version)
		}
		return cmp.Or(byVersion, cmp.Compare(slices.Index(order, a.site), slices.Index(order, b.site)))
	})
	for i, a := range given {
		if a.err = q.judge(a.raw); a.err != nil {
			q.refused = append(q.refused, a)
			continue
		}
		if q.isTimestamp() {
			q.settle(a, given[i+1:])
		}
		return true
	}
	return false
}

// settle notes whose timestamp counts, and what that says of the others.
func (q *inquiry) settle(winner answer, others []answer) {
	q.source.won(winner.site, winner.version)
	for _, a := range others {
		if a.version == 0 {
			a.err = errNoTimestamp
			q.refused = append(q.refused, a)
			continue
		}
		q.source.checkLag(a.site, a.version)
	}
}

// errNoTimestamp: what stands in the place of a timestamp is none.
var errNoTimestamp = errors.New("expected a timestamp, found something else")

// claimedVersion is the version that a timestamp says it has, nobody having
// checked its signatures; 0 where it does not read as metadata.
func claimedVersion(raw []byte) int64 {
	if strictjson.Screen(raw, strictjson.Limits{Bytes: len(raw), Depth: trust.MaxLimits().Depth}) != nil {
		return 0
	}
	var claim struct {
		Signed struct {
			Version int64 `json:"version"`
		} `json:"signed"`
	}
	if json.Unmarshal(raw, &claim) != nil {
		return 0
	}
	return max(claim.Signed.Version, 0)
}

// saysNone is the answer that there is no such file, nil where none said so.
func (q *inquiry) saysNone() error {
	for _, a := range q.failed {
		if errors.Is(a.err, trust.ErrNoMetadata) {
			return a.err
		}
	}
	return nil
}

// failure is the error where nothing was accepted. What was refused weighs most,
// then what was answered; only where no source has answered, nor was refused
// earlier in this run, is it trust.ErrNoAnswer.
func (q *inquiry) failure() error {
	none := q.saysNone()
	if q.isRoot() && none != nil {
		q.source.drop(q.refused) // others say that there is no such root
		return none
	}
	if len(q.refused) > 0 {
		return worst(q.refused)
	}
	var silent, other []answer
	for _, a := range q.failed {
		switch {
		case errors.Is(a.err, trust.ErrNoAnswer):
			silent = append(silent, a)
		case !errors.Is(a.err, trust.ErrNoMetadata):
			other = append(other, a)
		}
	}
	switch {
	case len(other) > 0:
		return worst(other)
	case none != nil:
		return none
	}
	return q.source.silence(silent)
}

// worst is the error to tell of several: the repository's own, else the last.
func worst(answers []answer) error {
	told := answers[len(answers)-1]
	for _, a := range answers {
		if a.site.origin {
			told = a
		}
	}
	if told.site.origin {
		return told.err
	}
	return fmt.Errorf("%w (from %s)", told.err, told.site.name())
}

// silence is the error where no source has answered. It is trust.ErrNoAnswer only
// if none did earlier in this run with something that was refused: what is wrong
// is no silence.
func (s *Source) silence(silent []answer) error {
	s.mu.Lock()
	refusals := slices.Clone(s.refusals)
	s.mu.Unlock()
	var errs []error
	for _, a := range silent {
		errs = append(errs, a.err)
	}
	err := errors.Join(errs...)
	switch {
	case len(refusals) > 0:
		return fmt.Errorf("%w; no other source answers: %v", refusals[len(refusals)-1], err)
	case err == nil:
		return &wire.SourceError{URL: s.origin.URL, Detail: "every source that may be asked was given up in this run"}
	}
	return err
}
