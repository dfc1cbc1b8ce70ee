package trust_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

// errDisk is what a Store answers whose disk has failed.
var errDisk = errors.New("the disk has failed")

// crash is what a process ends with that is killed.
type crash struct{}

// failure is how one write fails.
type failure string

// A write may fail before it is begun, after the work was done and before it is
// durable, or when it is durable already; and in place of the error there may be
// nobody left to see it.
const (
	refused failure = "refused"
	undone  failure = "undone"
	durable failure = "durable, and an error"
	killed  failure = "killed before"
	gone    failure = "killed after"
)

// faulty is a Store whose at-th Update (from 0) fails.
type faulty struct {
	trust.Store
	at    int
	how   failure
	count int
}

func (f *faulty) Update(ctx context.Context, fn func(trust.Tx) error) error {
	f.count++
	if f.count-1 != f.at {
		return f.Store.Update(ctx, fn)
	}
	switch f.how {
	case refused:
		return errDisk
	case undone:
		return f.Store.Update(ctx, func(tx trust.Tx) error { return errors.Join(fn(tx), errDisk) })
	case killed:
		panic(crash{})
	}
	if err := f.Store.Update(ctx, fn); err != nil {
		return err
	}
	if f.how == gone {
		panic(crash{})
	}
	return errDisk
}

// scenario is a state that is held, and what a refresh then finds.
type scenario struct {
	options testrepo.Options // but for the keys of root, of which there is one
	held    func(b *bench)   // before the state is filled; nil: there is none yet
	news    func(b *bench)
	look    []string // paths that are looked up after the refresh
	large   bool
}

var scenarios = map[string]scenario{
	"first": {news: func(*bench) {}, look: []string{"a.txt"}},
	"nothing new": {
		held: func(*bench) {}, news: func(*bench) {}, look: []string{"a.txt"},
	},
	"new targets": {
		held: func(*bench) {},
		news: func(b *bench) { must(b.t, b.repo.AddTarget("b.txt", []byte("beta"))); b.publish() },
		look: []string{"b.txt"},
	},
	"a new timestamp": {
		held: func(*bench) {}, news: func(b *bench) { must(b.t, b.repo.PublishTimestamp()) }, look: []string{"a.txt"},
	},
	"three roots, and floors that fall": {
		held: func(*bench) {},
		news: func(b *bench) {
			must(b.t, b.repo.RotateRoot())
			must(b.t, b.repo.RotateKey("timestamp"))
			must(b.t, b.repo.PublishRoot())
			must(b.t, b.repo.RotateKey("snapshot"))
			b.publish()
		},
		look: []string{"a.txt"},
	},
	"delegated roles": {
		held: func(b *bench) {
			b.delegate("targets",
				testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}},
				testrepo.DelegatedRole{Name: "other", Paths: []string{"other/*"}},
			)
			b.add("team/a", "team")
			b.publish()
		},
		news: func(b *bench) {
			b.add("team/b", "team")
			b.add("other/a", "other")
			b.publish()
		},
		look: []string{"team/b", "other/a"},
	},
	"large targets, stored in pieces": {
		held: func(*bench) {},
		news: func(b *bench) {
			must(b.t, b.repo.AddTarget("b.txt", []byte("beta")))
			must(b.t, b.repo.Forge("targets", testrepo.Forgery{Bytes: padded}))
			b.publish()
		},
		look: []string{"b.txt"}, large: true,
	},
	"after a fast forward": {
		options: testrepo.Options{NoMetaHashes: true},
		held: func(b *bench) {
			snapshot, err := metadata.Snapshot().FromBytes(b.repo.Files(0)["1.snapshot.json"])
			must(b.t, err)
			snapshot.Signed.Version = 1 << 40
			b.remote.replace(fmt.Sprintf("%d.snapshot.json", 1<<40), signed(b.t, snapshot, b.repo.Keys("snapshot")))
			b.remote.replace("timestamp.json", forgedTimestamp(b.t, b, func(s *metadata.TimestampType) {
				s.Version, s.Meta["snapshot.json"].Version = 1<<40, 1<<40
			}))
		},
		news: func(b *bench) {
			b.remote.clear()
			must(b.t, b.repo.RotateKey("timestamp"))
			must(b.t, b.repo.RotateKey("snapshot"))
			b.publish()
		},
		look: []string{"a.txt"},
	},
}

// padded is a file that is too large for one value of the state.
func padded(data []byte) []byte {
	return append(data, bytes.Repeat([]byte(" "), 4<<20+100)...)
}

// process refreshes and looks up as one process does. It reports whether it was
// killed.
func (b *bench) process(r *trust.Repository, look []string) (err error, dead bool) {
	defer func() {
		if p := recover(); p != nil {
			if _, dead = p.(crash); !dead {
				panic(p)
			}
		}
	}()
	view, err := r.Refresh(b.t.Context())
	if err != nil {
		return err, false
	}
	for _, path := range look {
		target, err := view.Target(b.t.Context(), path)
		if err != nil {
			return err, false
		}
		if target.IsZero() {
			b.t.Errorf("%s: an empty target", path)
		}
	}
	return nil, false
}

// with opens the repository over another store.
func (b *bench) with(store trust.Store) *trust.Repository {
	b.t.Helper()
	config := b.config
	config.Store = store
	r, err := trust.Open(config)
	must(b.t, err)
	return r
}

// prepare fills the state of a scenario, lets the news happen, and gives what is
// held before them.
func (s scenario) prepare(t *testing.T) (*bench, map[string][]byte) {
	t.Helper()
	s.options.Quorum = map[string]testrepo.Quorum{"root": {Keys: 1, Threshold: 1}}
	b := newBench(t, s.options)
	if s.held != nil {
		s.held(b)
		b.mustRefresh()
	}
	entries := b.store.Entries()
	s.news(b)
	return b, entries
}

// Each write of each scenario fails in each way. What is left is the set of
// before or the new one, and the next run gets where an undisturbed one does,
// whether it is another process or the same. What was written in vain is gone
// when the next change has come.
func TestEachWriteFails(t *testing.T) {
	t.Parallel()
	for name, scenario := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if scenario.large && raceDetector {
				t.Skip("takes a minute with the race detector, and runs nothing at once")
			}
			b, before := scenario.prepare(t)
			book := &casebook{}
			must(t, b.repo.PublishTimestamp())
			run := faultRun{bench: b, book: book, look: scenario.look, before: before, sets: []string{"", b.setIn(copyOf(t, before))}}
			store := copyOf(t, before)
			counter := &faulty{Store: newPolice(t, store, book), at: -1}
			b.remote.serve(b.repo.Generation() - 1)
			err, _ := b.process(b.with(counter), scenario.look)
			must(t, err)
			run.end, run.sets = store.Entries(), append(run.sets, b.setIn(store))
			b.remote.serve(0)
			err, _ = b.process(b.with(store), scenario.look)
			must(t, err)
			run.later = store.Entries()
			for at := range counter.count {
				for _, how := range []failure{refused, durable, killed, gone} {
					run.fails(at, how, false)
				}
				for _, how := range []failure{undone, durable} {
					run.fails(at, how, true)
				}
			}
		})
	}
}

type faultRun struct {
	*bench
	book               *casebook
	look               []string
	before, end, later map[string][]byte // states of undisturbed runs
	sets               []string          // what may be held offline
}

// fails has one write fail; same says that the process lives on and tries again.
func (f faultRun) fails(at int, how failure, same bool) {
	f.t.Helper()
	what := fmt.Sprintf("write %d %s, same process %v", at, how, same)
	store := copyOf(f.t, f.before)
	guarded := newPolice(f.t, store, f.book)
	disk := &faulty{Store: guarded, at: at, how: how}
	f.remote.serve(f.repo.Generation() - 1)
	process := f.with(disk)
	err, dead := f.process(process, f.look)
	if wanted := how == killed || how == gone; dead != wanted || !dead && !errors.Is(err, errDisk) {
		f.t.Errorf("%s: expected the error of the disk, found %v, killed %v", what, err, dead)
	}
	if left := f.setIn(store); !slices.Contains(f.sets, left) {
		f.t.Errorf("%s: expected one of the sets %q, found %q", what, f.sets, left)
	}
	if disk.at = -1; !same {
		process = f.with(guarded)
	}
	if err, _ := f.process(process, f.look); err != nil {
		f.t.Errorf("%s: again: %v", what, err)
	}
	diff := differ(store.Entries(), f.end)
	if len(diff) == 0 {
		return
	}
	diff = slices.DeleteFunc(diff, func(key string) bool {
		return strings.HasPrefix(key, prefixMeta) && f.end[key] == nil
	})
	if len(diff) > 0 {
		f.t.Errorf("%s: again: expected the state of an undisturbed run, found other values of %q", what, diff)
	}
	f.remote.serve(0)
	if err, _ := f.process(process, f.look); err != nil {
		f.t.Errorf("%s: the next change: %v", what, err)
	}
	if diff := differ(store.Entries(), f.later); len(diff) > 0 {
		f.t.Errorf("%s: the next change: expected the state of an undisturbed run, found other values of %q", what, diff)
	}
}

// setIn tells which set is held offline; empty for none.
func (b *bench) setIn(store trust.Store) string {
	b.t.Helper()
	view, err := b.with(store).Offline(b.t.Context())
	if errors.Is(err, trust.ErrNotHeld) {
		return ""
	}
	must(b.t, err)
	text := ""
	for _, role := range view.Roles()[1:] {
		text += fmt.Sprint(role.Role, " ", role.Version, " ")
	}
	return text
}

// differ lists the keys whose values are not the same.
func differ(a, b map[string][]byte) []string {
	keys := map[string]bool{}
	for key := range a {
		keys[key] = true
	}
	for key := range b {
		keys[key] = true
	}
	maps.DeleteFunc(keys, func(key string, _ bool) bool {
		_, inA := a[key]
		_, inB := b[key]
		return inA == inB && string(a[key]) == string(b[key])
	})
	return slices.Sorted(maps.Keys(keys))
}
