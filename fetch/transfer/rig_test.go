package transfer

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"assay/cache"
)

// rig is a job that a test drives by hand, with a stage of a real store.
type rig struct {
	*job
	t       *testing.T
	seen    []Observation
	notices []string
}

// newRig has so many places, none of which is ever asked. length -1: not known.
func newRig(t *testing.T, data []byte, length int64, count int, object Object) *rig {
	t.Helper()
	b := newBench(t)
	stage, err := b.store.StageAny(t.Context(), digests(data))
	if length >= 0 {
		stage.Abort()
		stage, err = b.store.Stage(t.Context(), digests(data), length)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stage.Abort() })
	g := &rig{t: t}
	var all []Place
	for i := range count {
		all = append(all, placeAt(t, fmt.Sprintf("http://%d.example", i)))
	}
	object.Observe = func(o Observation) { g.seen = append(g.seen, o) }
	options := Options{Pause: time.Hour, MaxPause: time.Hour, Notice: func(text string) { g.notices = append(g.notices, text) }}
	g.job = newJob(t.Context(), New(engineOf(b), options), object, all, stage, &meter{})
	return g
}

// nobody is the place of bytes that an earlier run has left.
const nobody = -1

// put writes bytes as if a place had sent them.
func (g *rig) put(site int, from int, data []byte) {
	g.t.Helper()
	origin := g.stage.Origin("earlier")
	if site != nobody {
		origin = g.originOf(g.sites[site], "")
	}
	if err := g.stage.Put(&cache.Buffer{Data: data}, len(data), int64(from), origin); err != nil {
		g.t.Fatal(err)
	}
}

// under is a request for a part that is under way; causes is what it was ended by.
func (g *rig) under(site int, from, to int64, causes *[]error) *run {
	now := time.Now()
	r := &run{site: g.sites[site], began: now, seen: now, window: now, at: from, to: to, cancel: func(cause error) {
		if causes != nil {
			*causes = append(*causes, cause)
		}
	}}
	g.runs[r] = true
	return r
}

// areLiars expects those places alone not to be asked any more, for wrong bytes.
func (g *rig) areLiars(what string, want ...bool) {
	g.t.Helper()
	for i, s := range g.sites {
		if s.gone != nil && !errors.Is(s.gone, ErrWrongBytes) || (s.gone != nil) != want[i] {
			g.t.Errorf("%s: place %d: expected it to have lied: %v, found %v", what, i, want[i], s.gone)
		}
	}
}

// lacks expects one part to be missing.
func (g *rig) lacks(what string, want cache.Span) {
	g.t.Helper()
	missing := g.stage.Missing()
	if len(missing) != 1 || missing[0].From != want.From || missing[0].To != want.To {
		g.t.Errorf("%s: expected %d to %d to be missing, found %v", what, want.From, want.To, missing)
	}
}
