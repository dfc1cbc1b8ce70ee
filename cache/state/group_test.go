package state

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"assay/internal/boltfile"
)

var errRefused = errors.New("refused")

// TestManyUpdatesOfOneDB: goroutines that share transactions, some of which fail or
// panic after they wrote, leave whole tables with what was acknowledged.
func TestManyUpdatesOfOneDB(t *testing.T) {
	db := open(t, t.TempDir())
	var all sync.WaitGroup
	for i := range 24 {
		all.Go(func() {
			name, other := fmt.Sprint("r", i%3), fmt.Sprint("new", i)
			for n := range 10 {
				err := updateOrPanic(db, name, fmt.Sprintf("k%d/%d", i, n), n)
				if want := n%5 == 3; errors.Is(err, errRefused) != want || !want && err != nil {
					t.Errorf("goroutine %d, update %d: %v", i, n, err)
				}
			}
			if _, err := db.AddRepository(t.Context(), Repository{Name: other, URL: "u"}, map[string][]byte{"k": nil}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, db := range []*DB{db, again(t, db)} {
		for r := range 3 {
			var keys []string
			err := db.Trust(fmt.Sprint("r", r)).View(t.Context(), func(tx Tx) (err error) { keys, err = tx.Keys(""); return err })
			if err != nil || len(keys) != 8*6 || slices.ContainsFunc(keys, func(key string) bool { return key == "lost" }) {
				t.Errorf("expected the 48 that were acknowledged, found %q, %v", keys, err)
			}
		}
		if list, err := db.Repositories(t.Context()); err != nil || len(list) != 24 {
			t.Errorf("expected 24 repositories, found %d, %v", len(list), err)
		}
	}
}

// updateOrPanic writes a key; of five updates one fails, and one panics.
func updateOrPanic(db *DB, name, key string, n int) (err error) {
	defer func() {
		if value := recover(); value != nil && (n%5 != 4 || value != any(key)) {
			err = fmt.Errorf("the panic %v", value)
		}
	}()
	return db.Trust(name).Update(context.Background(), func(tx Tx) error {
		switch n % 5 {
		case 3:
			return errors.Join(tx.Put("lost", []byte(key)), errRefused)
		case 4:
			_ = tx.Put("lost", []byte(key))
			panic(key)
		}
		return tx.Put(key, []byte("v"))
	})
}

// TestOneMachineID: who reads the number that another makes in the same transaction
// has it only where that is kept.
func TestOneMachineID(t *testing.T) {
	db := open(t, t.TempDir())
	db.rand = rand.Reader
	ids := make([][16]byte, 16)
	var all sync.WaitGroup
	for i := range ids {
		all.Go(func() {
			var err error
			if ids[i], err = db.MachineID(t.Context()); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			err := db.update(t.Context(), func(s *session) error { return errRefused })
			if !errors.Is(err, errRefused) {
				t.Errorf("expected %v, found %v", errRefused, err)
			}
		})
	}
	all.Wait()
	stored, err := again(t, db).MachineID(t.Context())
	if err != nil || len(slices.Compact(append(ids, stored))) != 1 {
		t.Errorf("expected one number, found %v, %v", ids, err)
	}
}

// TestLargeValuesDontShare: the memory that a transaction takes is bounded.
func TestLargeValuesDontShare(t *testing.T) {
	db := open(t, t.TempDir())
	put(t, db, "a", "k", "v")
	transactions := 0
	db.group = boltfile.NewGroup(db.path, func(s *boltfile.Session) { transactions++; db.sealed = map[string]bool{} })
	end, err := db.group.Take(t.Context(), time.Now().Add(time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			err := db.Trust("a").Update(t.Context(), func(tx Tx) error { return tx.Put(fmt.Sprint("k", i), make([]byte, 4<<20)) })
			if err != nil {
				t.Error(err)
			}
		})
	}
	end()
	all.Wait()
	if transactions < 4 {
		t.Errorf("expected at most 8 MiB in a transaction, found 32 MiB in %d", transactions)
	}
}
