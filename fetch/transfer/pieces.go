package transfer

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"assay/artifact"
	"assay/cache"
)

// Pieces are the digests of an object's consecutive parts of Length bytes; the last
// part may be shorter.
type Pieces struct {
	Length  int64
	Digests []artifact.Digest
}

// mixedTries is how often a piece that several places sent parts of may be wrong,
// until none of them is asked any more.
const mixedTries = 3

// checker knows which pieces were found right.
type checker struct {
	pieces Pieces
	right  []bool
	mixed  map[int]int // by piece: how often it was wrong, and of several origins
}

func newChecker(p Pieces) *checker {
	return &checker{pieces: p, right: make([]bool, len(p.Digests)), mixed: map[int]int{}}
}

// span is where a piece lies in an object of so many bytes.
func (c *checker) span(i int, length int64) cache.Span {
	from := int64(i) * c.pieces.Length
	return cache.Span{From: from, To: min(from+c.pieces.Length, length)}
}

// forget has the pieces that a part belongs to checked again, once they are there
// again.
func (c *checker) forget(part cache.Span) {
	if c == nil {
		return
	}
	for i := part.From / c.pieces.Length; i <= (part.To-1)/c.pieces.Length && i < int64(len(c.right)); i++ {
		c.right[i] = false
	}
}

// checkPieces looks at the pieces that are there and were not looked at yet.
func (j *job) checkPieces() {
	if j.checks == nil {
		return
	}
	spans := j.stage.Spans()
	for i := range j.checks.right {
		piece := j.checks.span(i, j.stage.Length())
		if j.checks.right[i] || !covers(spans, piece) {
			continue
		}
		want := j.checks.pieces.Digests[i]
		digest := want.Algorithm().New()
		if _, err := io.Copy(digest, io.NewSectionReader(j.stage, piece.From, piece.Len())); err != nil {
			return // the stage itself can't be read: Prove tells
		}
		if got := artifact.SumOf(want.Algorithm(), digest); got != want {
			j.badPiece(i, piece, spans, got)
			continue
		}
		j.checks.right[i] = true
	}
}

// covers reports whether all of a part is there.
func covers(spans []cache.Span, p cache.Span) bool {
	at := p.From
	for _, s := range spans {
		if s.From <= at && s.To > at {
			at = s.To
		}
	}
	return at >= p.To
}

// badPiece drops a piece, and the place that sent it. Where several sent parts of
// it, nobody can tell which it was, and it is fetched again first.
func (j *job) badPiece(i int, piece cache.Span, spans []cache.Span, got artifact.Digest) {
	var senders []int
	for _, s := range spans {
		if s.From < piece.To && piece.From < s.To {
			senders = insert(senders, s.Origin, func(o int) int { return o })
		}
	}
	j.stage.Discard(piece.From, piece.To)
	j.meter.Add(-int(piece.Len()))
	if len(senders) > 1 {
		if j.checks.mixed[i]++; j.checks.mixed[i] < mixedTries {
			return
		}
	}
	mismatch := &cache.MismatchError{Want: j.checks.pieces.Digests[i], Got: got, WantLength: piece.Len(), GotLength: piece.Len()}
	for _, origin := range senders {
		if s := j.siteOf(origin); s != nil && s.gone == nil {
			j.wrong(s, fmt.Errorf("%s: %w: piece %d, %d bytes from %d on: %w", s.name, ErrWrongBytes, i+1, piece.Len(), piece.From, mismatch))
			j.mover.options.Notice(fmt.Sprintf("%s sent wrong bytes of %s; they are fetched again elsewhere", s.name, j.object.Name))
		}
	}
}

// insert adds a value that is not there yet, in the order of rank.
func insert(values []int, value int, rank func(int) int) []int {
	if slices.Contains(values, value) {
		return values
	}
	i, _ := slices.BinarySearchFunc(values, value, func(x, y int) int {
		return cmp.Or(cmp.Compare(rank(x), rank(y)), cmp.Compare(x, y))
	})
	return slices.Insert(values, i, value)
}
