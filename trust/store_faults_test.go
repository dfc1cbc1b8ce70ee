package trust_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"

	"assay/trust"
)

// operation is one thing that a Store is asked to do.
type operation string

// What a Store can fail at. A whole Update is TestEachWriteFails's.
const (
	opView   operation = "view"
	opGet    operation = "get"
	opKeys   operation = "keys"
	opPut    operation = "put"
	opDelete operation = "delete"
)

var operations = []operation{opView, opGet, opKeys, opPut, opDelete}

// broken is a Store whose at-th operation of one kind fails (from 0), and that
// complains where whoever asked goes on as if it had not.
type broken struct {
	trust.Store
	kind     operation
	under    string // counts only keys that begin with it
	at       int
	complain func(string)

	count  int
	failed bool
	before map[string][]byte // the state when it failed
	state  func() map[string][]byte
}

// fails counts an operation and tells whether it is the one.
func (b *broken) fails(kind operation, key string) bool {
	if kind != b.kind || !strings.HasPrefix(key, b.under) {
		return false
	}
	b.count++
	b.failed = b.failed || b.count-1 == b.at
	return b.count-1 == b.at
}

func (b *broken) View(ctx context.Context, fn func(trust.Tx) error) error {
	if b.fails(opView, b.under) {
		return errDisk
	}
	return b.Store.View(ctx, b.watching(fn))
}

func (b *broken) Update(ctx context.Context, fn func(trust.Tx) error) error {
	before := b.state()
	err := b.Store.Update(ctx, b.watching(fn))
	if b.failed && b.before == nil {
		b.before = before
	}
	return err
}

// watching complains of a transaction that keeps its failure to itself.
func (b *broken) watching(fn func(trust.Tx) error) func(trust.Tx) error {
	return func(tx trust.Tx) error {
		if b.failed {
			b.complain("went on to another transaction")
		}
		err := fn(brokenTx{tx, b})
		if b.failed && !errors.Is(err, errDisk) {
			b.complain(fmt.Sprintf("the transaction gave %v", err))
		}
		return err
	}
}

type brokenTx struct {
	trust.Tx
	broken *broken
}

func (t brokenTx) Get(key string) ([]byte, error) {
	if t.broken.fails(opGet, key) {
		return []byte("half of"), errDisk
	}
	return t.Tx.Get(key)
}

func (t brokenTx) Keys(prefix string) ([]string, error) {
	if t.broken.fails(opKeys, prefix) {
		return nil, errDisk
	}
	return t.Tx.Keys(prefix)
}

func (t brokenTx) Put(key string, value []byte) error {
	if t.broken.fails(opPut, key) {
		return errDisk
	}
	return t.Tx.Put(key, value)
}

func (t brokenTx) Delete(key string) error {
	if t.broken.fails(opDelete, key) {
		return errDisk
	}
	return t.Tx.Delete(key)
}

// breaking runs use once for each operation that it makes of each kind, over a
// copy of entries, and has that one fail: the error must come out, with what the
// failed transaction was to change left as it was. under narrows it down to
// the keys that begin with it.
func breaking(t *testing.T, entries map[string][]byte, under string, use func(trust.Store) error) (made map[operation]int) {
	t.Helper()
	made = map[operation]int{}
	for _, kind := range operations {
		for at := 0; ; at++ {
			what := fmt.Sprintf("%s %d fails", kind, at)
			store := copyOf(t, entries)
			disk := &broken{Store: store, kind: kind, under: under, at: at, state: store.Entries}
			disk.complain = func(complaint string) { t.Errorf("%s: %s", what, complaint) }
			err := use(disk)
			if !disk.failed {
				must(t, err)
				break
			}
			if made[kind]++; !errors.Is(err, errDisk) {
				t.Errorf("%s: expected the error of the disk, found %v", what, err)
			}
			if left := store.Entries(); disk.before != nil && len(differ(left, disk.before)) > 0 {
				t.Errorf("%s: a failed transaction changed %q", what, differ(left, disk.before))
			}
		}
	}
	return made
}

// All that a refresh and a look-up ask of the Store fails once, in every
// scenario: nobody takes it for an empty or a damaged state, and nothing of the
// transaction stays.
func TestEachOperationOfTheStoreFails(t *testing.T) {
	t.Parallel()
	for name, scenario := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if scenario.large && raceDetector {
				t.Skip("takes long with the race detector, and runs nothing at once")
			}
			b, before := scenario.prepare(t)
			under := ""
			if scenario.large { // the others see the rest
				under = prefixMeta
			}
			made := breaking(t, before, under, func(store trust.Store) error {
				err, _ := b.process(b.with(store), scenario.look)
				return err
			})
			if made[opGet] == 0 || made[opKeys] == 0 || made[opPut] == 0 {
				t.Errorf("expected operations of each kind, found %v", made)
			}
		})
	}
}

// What is held is not taken for lost, or for whole, because the disk fails.
func TestEachReadOfWhatIsHeldFails(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"delegated roles", "large targets, stored in pieces"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			scenario := scenarios[name]
			if scenario.large && raceDetector {
				t.Skip("takes long with the race detector, and runs nothing at once")
			}
			b, _ := scenario.prepare(t)
			err, _ := b.process(b.open(), scenario.look)
			must(t, err)
			breaking(t, b.store.Entries(), "", func(store trust.Store) error {
				view, err := b.with(store).Offline(t.Context())
				if err != nil {
					return err
				}
				for _, path := range scenario.look {
					if _, err := view.Target(t.Context(), path); err != nil {
						return err
					}
				}
				return nil
			})
			breaking(t, b.store.Entries(), "", func(store trust.Store) error {
				version, sum, err := b.with(store).GivenRoot(t.Context())
				if err == nil && (version != 1 || sum.IsZero()) {
					t.Errorf("expected root 1, found %d, %s", version, sum)
				}
				return err
			})
		})
	}
}

// A clock that can't be read or deleted was not reset.
func TestResetOfTheClockFails(t *testing.T) {
	t.Parallel()
	b := newBench(t, scenarios["nothing new"].options)
	b.mustRefresh()
	entries := b.store.Entries()
	made := breaking(t, entries, "", func(store trust.Store) error {
		latest, err := b.with(store).ResetClock(t.Context())
		if err == nil && !latest.Equal(start) {
			t.Errorf("expected %s to be forgotten, found %s", start, latest)
		}
		return err
	})
	if want := map[operation]int{opGet: 1, opDelete: 1}; !maps.Equal(made, want) {
		t.Errorf("expected %v, found %v", want, made)
	}
}

// Damaged bytes are fetched again, but not where the disk fails on the way to
// finding out that they are damaged.
func TestEachOperationFailsWhereBytesAreDamaged(t *testing.T) {
	t.Parallel()
	b, before := scenarios["nothing new"].prepare(t)
	for key := range before {
		if strings.HasPrefix(key, prefixMeta) {
			before[key] = []byte("{}")
		}
	}
	breaking(t, before, "", func(store trust.Store) error {
		err, _ := b.process(b.with(store), []string{"a.txt"})
		return err
	})
}

// Where nothing is held yet, one look at the records tells so.
func TestFirstRefreshReadsOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, scenarios["first"].options)
	counter := &meddler{Store: b.config.Store}
	if _, err := b.with(counter).Refresh(t.Context()); err != nil || counter.views != 1 {
		t.Errorf("expected one transaction that reads, found %d, %v", counter.views, err)
	}
}
