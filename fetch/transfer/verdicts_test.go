package transfer

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"time"

	"assay/cache"
	"assay/fetch/wire"
)

// TestEndOfARequest: by which errors a place is gone, with which words, and which
// of them end it all.
func TestEndOfARequest(t *testing.T) {
	t.Parallel()
	missing := &wire.SourceError{URL: "u", Detail: "the source answers 404", Err: fs.ErrNotExist}
	refused := &wire.SourceError{URL: "u", Detail: "401", Err: &wire.StatusError{Code: 401}}
	disk := errors.New("no space left")
	const withdrawn = "it was withdrawn"
	for name, test := range map[string]struct {
		err       error
		ifMissing string
		gone      string // empty: it is not
		ends      error
	}{
		"wrong bytes":            {fmt.Errorf("u: %w", ErrWrongBytes), withdrawn, "u: sent other bytes than promised", nil},
		"missing, and known why": {missing, withdrawn, "it was withdrawn: u: the source answers 404: file does not exist", nil},
		"missing":                {missing, "", "u: the source answers 404: file does not exist", nil},
		"refused":                {refused, withdrawn, "u: 401", nil},
		"too long":               {fmt.Errorf("u: %w", wire.ErrTooLong), withdrawn, "u: longer than its limit", nil},
		"less than asked for":    {errShort, withdrawn, "", nil},
		"of this disk":           {disk, withdrawn, "", disk},
	} {
		g := newRig(t, nil, 1000, 2, Object{})
		s := g.sites[0]
		s.IfMissing = test.ifMissing
		r := g.under(0, 0, 1000, nil)
		r.err = test.err
		if err := g.end(r); err != test.ends {
			t.Errorf("%s: expected %v, found %v", name, test.ends, err)
		}
		if found := s.gone; (found == nil) != (test.gone == "") || found != nil && (found.Error() != test.gone || !errors.Is(found, test.err)) {
			t.Errorf("%s: expected %q, found %v", name, test.gone, found)
		}
		if len(g.runs) > 0 || g.sites[1].gone != nil {
			t.Errorf("%s: expected nothing under way, and the other place to be there, found %v, %v", name, g.runs, g.sites[1].gone)
		}
	}
}

// TestGivenUp: the tries are told where there were several.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	if err := givenUp(fs.ErrNotExist, 1); err != fs.ErrNotExist {
		t.Errorf("expected the error alone, found %v", err)
	}
	if err := givenUp(fs.ErrNotExist, 2); !errors.Is(err, fs.ErrNotExist) || !strings.HasSuffix(err.Error(), "(given up after 2 tries)") {
		t.Errorf("expected the tries to be told, found %v", err)
	}
	if err := tooLong(fs.ErrNotExist, time.Hour); !errors.Is(err, fs.ErrNotExist) || !strings.HasSuffix(err.Error(), "it asks to come back in 1h0m0s") {
		t.Errorf("expected the pause to be told, found %v", err)
	}
}

// TestOtherRequestsOfALiar are ended, and nobody else's.
func TestOtherRequestsOfALiar(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, 1000, 2, Object{})
	var liars, others []error
	g.under(0, 0, 500, &liars)
	g.under(1, 500, 1000, &others)
	g.wrong(g.sites[0], ErrWrongBytes)
	if len(liars) != 1 || liars[0] != errNotNeeded || len(others) != 0 {
		t.Errorf("expected the liar's alone to be ended, found %v and %v", liars, others)
	}
}

// TestSuspects: whose bytes are dropped where all is there and wrong, and who is
// not asked any more.
func TestSuspects(t *testing.T) {
	t.Parallel()
	all, half, rest := cache.Span{From: 0, To: 1000}, cache.Span{From: 0, To: 500}, cache.Span{From: 500, To: 1000}
	for name, test := range map[string]struct {
		senders   [2]int // of the halves
		setUp     func(*rig)
		lacks     cache.Span
		liar      bool // the first place
		suspended int  // the place that is; nobody: none is
		alone     bool // from then on
	}{
		"one sent all":                       {[2]int{0, 0}, nil, all, true, nobody, false},
		"an earlier run had all":             {[2]int{nobody, nobody}, nil, all, false, nobody, false},
		"the first is suspected first":       {[2]int{0, 1}, nil, half, false, 0, false},
		"an earlier run is, before all":      {[2]int{0, nobody}, nil, rest, false, nobody, false},
		"then the second":                    {[2]int{0, 1}, func(g *rig) { g.trial.tried = map[int]bool{g.originOf(g.sites[0], ""): true} }, rest, false, 1, false},
		"all were":                           {[2]int{0, 1}, func(g *rig) { g.trial.tried = map[int]bool{0: true, 1: true} }, all, false, nobody, true},
		"one alone, and two sent it":         {[2]int{0, 1}, func(g *rig) { g.trial.alone = true }, all, false, nobody, true},
		"one alone":                          {[2]int{0, 0}, func(g *rig) { g.trial.alone = true }, all, true, nobody, true},
		"one alone, which changed its file":  {[2]int{0, nobody}, func(g *rig) { g.trial.alone = true; g.sites[0].origins[g.stage.Origin("earlier")] = true }, all, true, nobody, true},
		"one that nobody could replace":      {[2]int{0, 1}, func(g *rig) { g.sites[1].gone = ErrWrongBytes }, rest, false, 1, false},
		"an earlier run, and nobody is left": {[2]int{0, nobody}, func(g *rig) { g.sites[0].gone, g.sites[1].gone = ErrWrongBytes, ErrWrongBytes }, rest, true, nobody, false},
	} {
		g := newRig(t, nil, 1000, 2, Object{})
		g.put(test.senders[0], 0, make([]byte, 500))
		g.put(test.senders[1], 500, make([]byte, 500))
		if test.setUp != nil {
			test.setUp(g)
		}
		gone := g.sites[1].gone != nil
		g.suspect(cache.ErrMismatch)
		g.lacks(name, test.lacks)
		g.areLiars(name, test.liar, gone)
		for i, s := range g.sites {
			if s.suspended != (i == test.suspended) || s.suspended && g.trial.suspect != s {
				t.Errorf("%s: expected %d to be suspended, found %d: %v", name, test.suspended, i, s.suspended)
			}
		}
		if g.trial.alone != test.alone {
			t.Errorf("%s: expected one alone to be asked: %v, found %v", name, test.alone, g.trial.alone)
		}
	}
}

// TestTooManyRounds: whoever sent any of it is not asked again, and all is dropped.
func TestTooManyRounds(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, 1000, 2, Object{})
	g.put(nobody, 0, make([]byte, 500))
	g.put(0, 500, make([]byte, 500))
	g.trial.rounds = 2*len(g.sites) + mostRounds
	g.job.mismatch(cache.ErrMismatch)
	g.areLiars("too many rounds", true, false)
	g.lacks("too many rounds", cache.Span{From: 0, To: 1000})
}

// TestOutputThatFails while all is there is nobody's fault, and nothing is fetched
// again.
func TestOutputThatFails(t *testing.T) {
	t.Parallel()
	g := newRig(t, nil, 1000, 1, Object{})
	g.put(0, 0, make([]byte, 1000))
	full := errors.New("no space left")
	if err := g.stage.Also(&output{room: 1000, err: full}); err != nil {
		t.Fatal(err)
	}
	if err := g.stage.Put(&cache.Buffer{}, 0, 0, 0); err != full {
		t.Fatalf("expected %v, found %v", full, err)
	}
	if done, err := g.prove(); done || err != full {
		t.Errorf("expected %v, found %v, %v", full, done, err)
	}
	g.areLiars("an output that fails", false)
	if missing := g.stage.Missing(); len(missing) > 0 {
		t.Errorf("expected nothing to be dropped, found %v", missing)
	}
}

// output has room for so many bytes.
type output struct {
	room int
	err  error
}

func (o *output) WriteAt(p []byte, _ int64) (int, error) {
	if o.room == 0 {
		return 0, o.err
	}
	o.room -= len(p)
	return len(p), nil
}
