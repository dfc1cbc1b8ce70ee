package cache

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"assay/artifact"
)

// aged is a store with a clock, and blobs whose age in days is their name.
type aged struct {
	*Store
	now time.Time
}

func newAged(t *testing.T) *aged {
	t.Helper()
	// Far from the time of the files, which the system gives them.
	a := &aged{now: time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)}
	s, err := Open(t.TempDir(), Options{Now: func() time.Time { return a.now }, Notice: func(text string) { t.Log("notice:", text) }})
	if err != nil {
		t.Fatal(err)
	}
	a.Store = s
	return a
}

// add commits a blob of so many bytes that was used so many days ago.
func (a *aged) add(t *testing.T, days, size int) Blob {
	t.Helper()
	defer func(now time.Time) { a.now = now }(a.now)
	a.now = a.now.AddDate(0, 0, -days)
	return store(t, a.Store, []byte(strings.Repeat(string(rune('A'+days%26)), size)))
}

func (a *aged) prune(t *testing.T, opts PruneOptions) PruneReport {
	t.Helper()
	report, err := a.Prune(t.Context(), opts)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

func older(days int) PruneOptions {
	return PruneOptions{Older: new(time.Duration(days) * 24 * time.Hour)}
}

func within(size int64) PruneOptions { return PruneOptions{MaxSize: &size} }

func digestsOf(entries []Entry) (list []artifact.Digest) {
	for _, e := range entries {
		list = append(list, e.Digest)
	}
	return list
}

// wantHeld demands that just these blobs are left, whole, in the index and on disk.
func (a *aged) wantHeld(t *testing.T, want ...Blob) {
	t.Helper()
	entries, err := a.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []artifact.Digest
	for _, b := range want {
		all = append(all, b.Digest())
	}
	if got := sortedDigests(digestsOf(entries)); !slices.Equal(got, sortedDigests(all)) {
		t.Errorf("expected %v, found %v", all, got)
	}
	if got := files(t, a.blobsDir()); len(got) != len(want) {
		t.Errorf("expected %d files, found %q", len(want), got)
	}
	if left := files(t, a.stagingDir()); len(left) != 0 {
		t.Errorf("expected nothing staged, found %q", left)
	}
}

func TestPruneOlder(t *testing.T) {
	a := newAged(t)
	b1, b5, b9, pinned, stale := a.add(t, 1, 10), a.add(t, 5, 10), a.add(t, 9, 10), a.add(t, 8, 10), a.add(t, 7, 10)
	keep(t, a.Store, "p", pinned.Digest())
	if err := a.Keep(t.Context(), KindLock, "l", filepath.Join(a.dir, "no.lock"), stale.Digest()); err != nil {
		t.Fatal(err)
	}
	opts := older(5)
	opts.DryRun = true
	before := files(t, a.dir)
	dry := a.prune(t, opts)
	if got := files(t, a.dir); !slices.Equal(got, before) {
		t.Errorf("expected a dry run to change nothing, found %q", got)
	}
	a.wantHeld(t, b1, b5, b9, pinned, stale)
	real := a.prune(t, older(5))
	if !reflect.DeepEqual(dry, real) {
		t.Errorf("expected the dry run to tell what was done, found %+v and %+v", dry, real)
	}
	if got, want := digestsOf(real.Removed), []artifact.Digest{b9.Digest(), stale.Digest()}; !slices.Equal(got, want) || real.Freed != 20 || real.Held != 30 {
		t.Errorf("expected %v to go, found %v, %d freed, %d held", want, got, real.Freed, real.Held)
	}
	if len(real.Kept) != 1 || real.Kept[0].Digest != pinned.Digest() || real.Kept[0].InUse || len(real.Kept[0].References) != 1 || real.Kept[0].References[0].Name != "p" {
		t.Errorf("expected the pinned one to be kept for its pin, found %+v", real.Kept)
	}
	if len(real.Stale) != 1 || real.Stale[0].Name != "l" {
		t.Errorf("expected the reference without origin, found %+v", real.Stale)
	}
	a.wantHeld(t, b1, b5, pinned)
	if refs, err := a.References(t.Context()); err != nil || len(refs) != 1 {
		t.Errorf("expected the pin alone, found %v, %v", refs, err)
	}
	if again := a.prune(t, older(5)); len(again.Removed)+len(again.Stale) != 0 || len(again.Kept) != 1 {
		t.Errorf("expected nothing more, found %+v", again)
	}
}

func TestPruneMaxSize(t *testing.T) {
	a := newAged(t)
	b1, b2, b3, pinned := a.add(t, 1, 100), a.add(t, 2, 100), a.add(t, 3, 100), a.add(t, 4, 50)
	keep(t, a.Store, "p", pinned.Digest())
	if report := a.prune(t, within(350)); len(report.Removed)+len(report.Kept) != 0 || report.Held != 350 {
		t.Errorf("expected all to fit, found %+v", report)
	}
	// A note makes one the last used.
	a.now = a.now.Add(-time.Hour)
	if err := a.Note(t.Context(), b3.Digest(), Name{Product: "p"}); err != nil {
		t.Fatal(err)
	}
	a.now = a.now.Add(time.Hour)
	report := a.prune(t, within(250))
	if got := digestsOf(report.Removed); !slices.Equal(got, []artifact.Digest{b2.Digest()}) || report.Held != 250 || len(report.Kept) != 1 {
		t.Errorf("expected the least recently used to go, found %+v", report)
	}
	a.wantHeld(t, b1, b3, pinned)
	both := within(10_000)
	both.Older = older(0).Older
	if report := a.prune(t, both); len(report.Removed) != 2 || report.Held != 50 {
		t.Errorf("expected either bound to do, found %+v", report)
	}
	if report := a.prune(t, within(0)); len(report.Removed) != 0 || report.Held != 50 {
		t.Errorf("expected the pinned one to stay, found %+v", report)
	}
	a.wantHeld(t, pinned)
}

// TestPruneLeavesWhatIsUsed: and another goes in its place, where the size asks for
// it.
func TestPruneLeavesWhatIsUsed(t *testing.T) {
	a := newAged(t)
	old, asked, staged, noted, next := a.add(t, 10, 100), a.add(t, 9, 100), a.add(t, 8, 100), a.add(t, 7, 100), a.add(t, 6, 100)
	if _, err := a.Get(asked.Digest()); err != nil {
		t.Fatal(err)
	}
	stage, err := a.Stage(t.Context(), artifact.Digests{staged.Digest()}, 100)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Note(t.Context(), noted.Digest(), Name{}); err != nil {
		t.Fatal(err)
	}
	a.resetTime(t, noted) // the note alone must do
	a.now = a.now.Add(settled - time.Second)
	opts := within(400)
	opts.DryRun = true
	dry := a.prune(t, opts)
	if len(dry.Removed) != 1 || dry.Removed[0].Digest != old.Digest() {
		t.Errorf("expected the oldest to go, found %+v", dry)
	}
	for _, dryRun := range []bool{true, false} {
		opts := within(100)
		opts.DryRun = dryRun
		report := a.prune(t, opts)
		if got := digestsOf(report.Removed); !slices.Equal(got, []artifact.Digest{old.Digest(), next.Digest()}) || report.Held != 300 {
			t.Errorf("expected those that rest to go, found %+v", report)
		}
		var kept []artifact.Digest
		for _, k := range report.Kept {
			if kept = append(kept, k.Digest); !k.InUse || len(k.References) != 0 {
				t.Errorf("expected %v to be in use, found %+v", k.Digest, k)
			}
		}
		slices.SortFunc(kept, compareDigests)
		if want := sortedDigests([]artifact.Digest{asked.Digest(), staged.Digest(), noted.Digest()}); !slices.Equal(kept, want) {
			t.Errorf("expected %v to stay, found %v", want, kept)
		}
	}
	if err := stage.Abort(); err != nil {
		t.Fatal(err)
	}
	a.now = a.now.Add(time.Second)
	if report := a.prune(t, within(0)); len(report.Removed) != 3 {
		t.Errorf("expected all to go when they have rested, found %+v", report)
	}
	a.wantHeld(t)
}

// TestPruneSeesWhatComesBetween: what happens after Prune has looked around counts.
func TestPruneSeesWhatComesBetween(t *testing.T) {
	a := newAged(t)
	pinned, noted, gone, rest := a.add(t, 4, 10), a.add(t, 3, 10), a.add(t, 2, 10), a.add(t, 1, 10)
	p := &pruner{store: a.Store, opts: within(0), now: a.now}
	if err := p.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	keep(t, a.Store, "p", pinned.Digest())
	a.now = a.now.Add(-time.Hour)
	err := a.Note(t.Context(), noted.Digest(), Name{})
	a.now = a.now.Add(time.Hour)
	a.resetTime(t, noted)
	if err := errors.Join(err, os.Remove(gone.Path()), p.collect(t.Context())); err != nil {
		t.Fatal(err)
	}
	if got := digestsOf(p.report.Removed); !slices.Equal(got, []artifact.Digest{rest.Digest()}) || p.report.Held != 20 || len(p.report.Kept) != 2 {
		t.Errorf("expected the last one alone, found %+v", p.report)
	}
	a.wantHeld(t, pinned, noted)
	// A reference that breaks between two batches ends it.
	p = &pruner{store: a.Store, opts: within(0), now: a.now}
	if err := p.begin(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(a.refPath(KindPin, "p"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.collect(t.Context()); !errors.Is(err, ErrReference) {
		t.Errorf("expected %v, found %v", ErrReference, err)
	}
	a.wantHeld(t, pinned, noted)
}

// resetTime takes the time of a blob's file far away from the clock.
func (a *aged) resetTime(t *testing.T, b Blob) {
	t.Helper()
	if err := os.Chtimes(b.Path(), time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
}

func TestNoPrune(t *testing.T) {
	a := newAged(t)
	for what, opts := range map[string]PruneOptions{"no bound": {}, "age": older(-1), "size": within(-1)} {
		if _, err := a.Prune(t.Context(), opts); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: expected %v, found %v", what, ErrInvalid, err)
		}
	}
	if report := a.prune(t, PruneOptions{MaxSize: new(int64(0)), DryRun: true}); !reflect.DeepEqual(report, PruneReport{}) || len(files(t, a.dir)) != 0 {
		t.Errorf("expected nothing of an empty cache, found %+v", report)
	}
	blob := a.add(t, 9, 10)
	keep(t, a.Store, "p", blob.Digest())
	if err := os.WriteFile(a.refPath(KindPin, "p"), []byte("{}"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dryRun := range []bool{true, false} {
		opts := older(1)
		opts.DryRun = dryRun
		report, err := a.Prune(t.Context(), opts)
		if !errors.Is(err, ErrReference) || !reflect.DeepEqual(report, PruneReport{}) {
			t.Errorf("expected %v and nothing done, found %+v, %v", ErrReference, report, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Prune(ctx, older(1)); err == nil {
		t.Error("expected an error, found none")
	}
	if _, err := a.Release(t.Context(), KindPin, "p"); err != nil {
		t.Fatal(err)
	}
	for _, dryRun := range []bool{true, false} {
		opts := older(1)
		opts.DryRun = dryRun
		if _, err := a.Prune(ctx, opts); !errors.Is(err, context.Canceled) {
			t.Errorf("expected %v, found %v", context.Canceled, err)
		}
	}
	a.wantHeld(t, blob)
}

func TestPruneClearsUp(t *testing.T) {
	a := newAged(t)
	held, lost := a.add(t, 0, 10), a.add(t, 1, 20)
	if err := a.Describe(t.Context(), Facts{Digest: lost.Digest()}); err != nil {
		t.Fatal(err)
	}
	long := a.now.AddDate(0, 0, -31)
	recent := a.now.AddDate(0, 0, -29)
	stays := []string{
		fmt.Sprintf("damaged/%s.%d", held.Digest().Hex(), recent.UnixNano()),
		fmt.Sprintf("index.db.damaged-%d", recent.Unix()),
		"index.db.damaged-x", "other.db.damaged-1", ".other",
	}
	goes := []string{
		fmt.Sprintf("damaged/%s.%d", held.Digest().Hex(), long.UnixNano()),
		fmt.Sprintf("damaged/%s.%d.1/folder/file", held.Digest().Hex(), long.UnixNano()),
		"damaged/stray", // its own time is long ago
		fmt.Sprintf("index.db.damaged-%d", long.Unix()),
		fmt.Sprintf("facts.db.damaged-%d.1", long.Unix()),
		".index.db.0011.tmp", "refs/pin/.p.0011.tmp",
		"staging/sha256-" + sum("x").Hex() + ".part",
	}
	for _, name := range append(slices.Clone(stays), goes...) {
		path := filepath.Join(a.dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte("12345"), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(lost.Path()); err != nil {
		t.Fatal(err)
	}
	opts := within(1 << 20)
	opts.DryRun = true
	before := files(t, a.dir)
	if dry := a.prune(t, opts); dry.Damaged != 5 || dry.DamagedBytes != 25 {
		t.Errorf("expected five files of what is damaged, found %+v", dry)
	}
	if got := files(t, a.dir); !slices.Equal(got, before) {
		t.Errorf("expected a dry run to change nothing, found %q", got)
	}
	report := a.prune(t, within(1<<20))
	if report.Damaged != 5 || report.DamagedBytes != 25 || len(report.Removed) != 0 {
		t.Errorf("expected five files of what is damaged, found %+v", report)
	}
	left := files(t, a.dir)
	for _, name := range goes {
		if slices.Contains(left, name) {
			t.Errorf("%s: expected it to go", name)
		}
	}
	for _, name := range stays {
		if !slices.Contains(left, name) {
			t.Errorf("%s: expected it to stay", name)
		}
	}
	a.wantHeld(t, held)
	if known, err := a.Described(t.Context(), lost.Digest()); err != nil || known {
		t.Errorf("expected the facts to go with the blob, found %v, %v", known, err)
	}
	err := a.view(t.Context(), func(tx *bbolt.Tx) error {
		if n := tx.Bucket(bucketBlobs).Stats().KeyN; n != 1 {
			t.Errorf("expected one entry, found %d", n)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// With a bound by age, that one counts.
	if report := a.prune(t, older(1)); report.Damaged != 2 {
		t.Errorf("expected the others that are older, found %+v", report)
	}
}

func TestPruneCompacts(t *testing.T) {
	a := newAged(t)
	blob := a.add(t, 0, 10)
	for i := range 64 {
		if err := a.Note(t.Context(), blob.Digest(), Name{File: strings.Repeat("f", 8000), Version: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	before, err := os.Stat(a.index.path)
	if err != nil {
		t.Fatal(err)
	}
	// Most of it is free once the names are gone.
	err = a.update(t.Context(), func(tx *bbolt.Tx) error { return putRecord(tx, blob.Digest(), record{Length: 10, Added: a.now}) })
	if err != nil {
		t.Fatal(err)
	}
	report := a.prune(t, within(1<<20))
	after, err := os.Stat(a.index.path)
	if err != nil || report.Compacted != before.Size()-after.Size() || report.Compacted < before.Size()/2 {
		t.Errorf("expected most of %d bytes to go, found %d, %v", before.Size(), report.Compacted, err)
	}
	a.wantHeld(t, blob)
}

// TestKeptWhilePruned: what Keep has promised to keep is there, however many prune
// at once, by a clock for which nothing is in use.
func TestKeptWhilePruned(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	hasty, err := Open(dir, Options{Now: func() time.Time { return time.Now().Add(time.Hour) }})
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	stop := make(chan struct{})
	for range 2 {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, err := hasty.Prune(t.Context(), within(0)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	kept := 0
	for i := range 100 {
		blob := store(t, s, []byte{byte(i)})
		keep(t, s, "p", blob.Digest())
		for n := range 3 {
			_, err := os.Lstat(blob.Path())
			if n == 0 && errors.Is(err, os.ErrNotExist) {
				break // it went before Keep
			}
			if err != nil {
				t.Errorf("blob %d: expected it to stay, found %v", i, err)
			}
			kept++
			time.Sleep(time.Millisecond)
		}
	}
	close(stop)
	all.Wait()
	t.Logf("%d looks at kept blobs", kept)
}

// TestPrunePartials: what transfers left that were cut goes by its age, and for want
// of room; what somebody is at stays.
func TestPrunePartials(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string]PruneOptions{"older": older(2), "size": {MaxSize: new(int64(0))}} {
		s := open(t, t.TempDir())
		for seed := range uint64(3) {
			data := random(30+seed, 1<<20)
			g := stageOf(t, s, data)
			put(t, g, data, 0, 600<<10, 0)
			if seed == 2 {
				t.Cleanup(func() { g.Abort() })
				continue // it goes on
			}
			if err := g.Keep(); err != nil {
				t.Fatal(err)
			}
			if seed == 0 {
				continue // it was cut just now
			}
			long := time.Now().Add(-3 * 24 * time.Hour)
			if err := os.Chtimes(g.path, long, long); err != nil {
				t.Fatal(err)
			}
		}
		for _, dry := range []bool{true, false} {
			opts.DryRun = dry
			report, err := s.Prune(t.Context(), opts)
			if err != nil || report.Partial != 1 || report.PartialBytes != 600<<10 {
				t.Errorf("%s: expected one of 600 KiB, found %d of %d, %v", name, report.Partial, report.PartialBytes, err)
			}
			want := 7 // two parts with records, and one with its lock, that has none yet
			if !dry {
				want = 5
			}
			if left := files(t, s.stagingDir()); len(left) > want || len(left) < want-2 {
				t.Errorf("%s, dry run %v: found %q", name, dry, left)
			}
		}
	}
}
