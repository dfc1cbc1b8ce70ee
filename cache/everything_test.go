package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// everything is all that a store does, in steps: the tests that have its system
// calls fail, or its disk fill, run it.
type everything struct {
	*Store
	hasty *Store // by whose clock nothing is in use
}

// The blobs of everything. That of held is there from the beginning, with a
// reference, that of aged without one, and a part of that of resumed.
var (
	everythingHeld    = random(50, 10_000)
	everythingAged    = random(51, 20_000)
	everythingResumed = random(52, 700<<10)
	everythingBegun   = random(53, 900<<10)
	everythingSmall   = random(54, 3000)
	everythingUntold  = random(55, 200<<10)
)

func openEverything(dir string, wait time.Duration, notice func(string)) (*everything, error) {
	s, err := Open(dir, Options{LockWait: wait, Notice: notice})
	if err != nil {
		return nil, err
	}
	hasty, err := Open(dir, Options{LockWait: wait, Notice: notice, Now: func() time.Time { return time.Now().Add(time.Hour) }})
	return &everything{Store: s, hasty: hasty}, err
}

// prepareEverything makes the cache that everything begins with. With names its
// index has pages enough to be compacted once those of aged are free.
func prepareEverything(t *testing.T, dir string, names int) {
	t.Helper()
	s := open(t, dir)
	keep(t, s, "held", store(t, s, everythingHeld).Digest())
	aged := store(t, s, everythingAged).Digest()
	for range 2 {
		if err := s.Note(t.Context(), aged, longNames(names)...); err != nil {
			t.Fatal(err)
		}
	}
	g := stageOf(t, s, everythingResumed)
	put(t, g, everythingResumed, 0, 400<<10, 0)
	if err := g.Keep(); err != nil {
		t.Fatal(err)
	}
}

// longNames need room in the index.
func longNames(n int) (names []Name) {
	for i := range n {
		names = append(names, Name{Target: fmt.Sprint(i), File: strings.Repeat("f", maxNameLength-10)})
	}
	return names
}

// everythingStep is one of them, and what it is good for.
type everythingStep struct {
	name string
	run  func(context.Context) error
}

// steps are in an order in which each has something to do.
func (e *everything) steps() []everythingStep {
	resumed := digests(everythingResumed).Primary()
	return []everythingStep{
		{"get", func(ctx context.Context) error {
			blob, err := e.Get(digests(everythingHeld).Primary())
			if err == nil {
				err = blob.Check(ctx)
			}
			return err
		}},
		{"fetch", func(ctx context.Context) error { return e.fetch(ctx, everythingResumed) }},
		{"fetch a small one", func(ctx context.Context) error { return e.fetch(ctx, everythingSmall) }},
		{"fetch one of a length that is not told", e.fetchUntold},
		{"begin", e.begin},
		{"note", func(ctx context.Context) error { return e.Note(ctx, resumed, longNames(10)...) }},
		{"describe", func(ctx context.Context) error {
			return e.Describe(ctx, Facts{Digest: resumed, Components: []Component{{Name: "c"}}})
		}},
		{"refer", func(ctx context.Context) error { return e.Keep(ctx, KindLock, "resumed", "", resumed) }},
		{"prune", func(ctx context.Context) error { _, err := e.hasty.Prune(ctx, within(0)); return err }},
		{"list", func(ctx context.Context) error { _, err := e.List(ctx); return err }},
		{"verify", func(ctx context.Context) error {
			report, err := e.Verify(ctx, nil)
			for _, damage := range report.Damaged {
				err = errors.Join(err, damage)
			}
			return err
		}},
		{"release", func(ctx context.Context) error { _, err := e.Release(ctx, KindLock, "none"); return err }},
	}
}

// fetch brings a blob as a transfer does, from where the last one ended.
func (e *everything) fetch(ctx context.Context, data []byte) error {
	g, err := e.Stage(ctx, digests(data), int64(len(data)))
	if err != nil {
		return err
	}
	return finish(ctx, g, data)
}

func (e *everything) fetchUntold(ctx context.Context) error {
	g, err := e.StageAny(ctx, digests(everythingUntold))
	if err != nil {
		return err
	}
	return finish(ctx, g, everythingUntold)
}

// finish writes what is missing, and commits, unless the blob is there by now.
func finish(ctx context.Context, g *Stage, data []byte) error {
	defer g.Abort()
	if _, held := g.Held(ctx); held {
		return nil
	}
	if g.Length() < 0 { // what is missing is not told, but that it is all
		if err := fill(ctx, g, data, []Span{{To: int64(len(data))}}); err != nil {
			return err
		}
	} else if err := fill(ctx, g, data, g.Missing()); err != nil {
		return err
	}
	blob, err := g.Commit(ctx)
	if err == nil {
		err = blob.Check(ctx)
	}
	return err
}

// begin leaves a partial file.
func (e *everything) begin(ctx context.Context) error {
	g, err := e.Stage(ctx, digests(everythingBegun), int64(len(everythingBegun)))
	if err != nil {
		return err
	}
	if _, held := g.Held(ctx); held {
		return g.Abort()
	}
	return errors.Join(fill(ctx, g, everythingBegun, []Span{{To: 512 << 10}}), g.Keep())
}

// fill writes parts of data.
func fill(ctx context.Context, g *Stage, data []byte, parts []Span) error {
	for _, part := range parts {
		for at := part.From; at < part.To; {
			b, err := g.Buffer(ctx)
			if err != nil {
				return err
			}
			n := copy(b.Data, data[at:part.To])
			if err := g.Put(b, n, at, 0); err != nil {
				return err
			}
			at += int64(n)
		}
	}
	return nil
}

// everythingChild runs all the steps, whatever becomes of them, and tells of each
// on a line. An error that is none of this package's for a fault of the disk ends
// it.
func everythingChild(ctx context.Context) error {
	e, err := openEverything(os.Getenv(childFolder), 2*time.Second, func(text string) { fmt.Println("notice:", text) })
	if err != nil {
		return err
	}
	for _, step := range e.steps() {
		err := step.run(ctx)
		fmt.Printf("%s: %v\n", step.name, err)
		if err != nil && !isFault(err) {
			return fmt.Errorf("%s: not an error of the disk: %w", step.name, err)
		}
	}
	return nil
}

// isFault reports whether a disk that fails may lead to an error: also that
// something is missing, which could not be made before. Never is it damage.
func isFault(err error) bool {
	return (errors.Is(err, ErrDisk) || errors.Is(err, ErrMissing) || errors.Is(err, ErrReference)) && !errors.Is(err, ErrDamaged)
}
