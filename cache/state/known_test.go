package state

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/internal/boltfile"
)

// losing takes an entry out behind the back of its table.
func losing(t *testing.T, db *DB) {
	t.Helper()
	err := db.update(t.Context(), func(s *session) error {
		return s.tx.Bucket([]byte(tableTrust)).Bucket([]byte("a")).Delete([]byte("floor"))
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestOthersAreChecked: a process that knows the file looks at all of it again
// once somebody else has written to it, or put another in its place.
func TestOthersAreChecked(t *testing.T) {
	for name, change := range map[string]func(*testing.T, *DB){
		"written":  func(t *testing.T, db *DB) { losing(t, again(t, db)) },
		"replaced": func(t *testing.T, db *DB) { losing(t, again(t, db)); replace(t, db) },
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, t.TempDir())
			put(t, db, "a", "floor", "7")
			put(t, db, "a", "other", "7")
			change(t, db)
			err := db.Trust("a").View(t.Context(), func(Tx) error { return nil })
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "seal") {
				t.Errorf("reading: expected %v by the seal, found %v", ErrDamaged, err)
			}
			err = db.Trust("a").Update(t.Context(), func(Tx) error { return nil })
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "seal") {
				t.Errorf("writing: expected %v by the seal, found %v", ErrDamaged, err)
			}
		})
	}
}

// replace puts a copy in the file's place.
func replace(t *testing.T, db *DB) {
	t.Helper()
	data, err := os.ReadFile(db.Path())
	if err == nil {
		err = os.WriteFile(db.Path()+"-", data, 0o600)
	}
	if err = errors.Join(err, os.Rename(db.Path()+"-", db.Path())); err != nil {
		t.Fatal(err)
	}
}

// TestEachTableIsChecked: to know the file by one table is not to know the
// others, nor is what was rolled back.
func TestEachTableIsChecked(t *testing.T) {
	db := open(t, t.TempDir())
	put(t, db, "a", "floor", "7")
	losing(t, db)
	db = again(t, db)
	put(t, db, "b", "k", "v")
	if get(t, db, "b", "k") != "v" {
		t.Error("expected the other repository to be whole")
	}
	for range 2 {
		err := db.Trust("a").Update(t.Context(), func(Tx) error { return nil })
		if !errors.Is(err, ErrDamaged) {
			t.Errorf("expected %v, found %v", ErrDamaged, err)
		}
	}
}

// TestKnownTableIsNotWalked shows what is not looked for: what a process does to
// itself.
func TestKnownTableIsNotWalked(t *testing.T) {
	db := open(t, t.TempDir())
	put(t, db, "a", "floor", "7")
	put(t, db, "a", "other", "7")
	losing(t, db)
	if get(t, db, "a", "other") != "7" {
		t.Error("expected the other entry")
	}
	err := again(t, db).Trust("a").View(t.Context(), func(Tx) error { return nil })
	if !errors.Is(err, ErrDamaged) {
		t.Errorf("expected another process to find %v, found %v", ErrDamaged, err)
	}
}

// TestDamageInAKnownFile flips bits in the header of each page while the file
// looks untouched. It may go unseen, but bbolt must not take the process along.
func TestDamageInAKnownFile(t *testing.T) {
	whole := open(t, t.TempDir())
	data := fill(t, whole)
	faults := 0
	for at := 2 * os.Getpagesize(); at < len(data); at += os.Getpagesize() {
		for _, i := range []int{0, 8, 11} { // number, kind, entries
			db := again(t, whole)
			overwrite(t, db, data)
			if get(t, db, "a", "key-7") == "" {
				t.Fatal("expected the entry")
			}
			damaged := slices.Clone(data)
			damaged[at+i] ^= 0x15
			overwrite(t, db, damaged)
			_, err := contents(t, db)
			if err == nil {
				err = db.Trust("a").Update(t.Context(), func(tx Tx) error { return tx.Put("key-7", []byte("v")) })
			}
			if err != nil && !errors.Is(err, ErrDamaged) {
				t.Errorf("page %d, byte %d: expected %v, found %v", at/os.Getpagesize(), i, ErrDamaged, err)
			}
			if errors.Is(err, boltfile.ErrPanic) {
				faults++
			}
		}
	}
	if faults == 0 {
		t.Error("expected that bbolt met some of the damage, found none")
	}
}

// overwrite changes the bytes of the file, and nothing else about it.
func overwrite(t *testing.T, db *DB, data []byte) {
	t.Helper()
	file, err := os.OpenFile(db.Path(), os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteAt(data, 0)
	then := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if err := errors.Join(err, file.Truncate(int64(len(data))), file.Close(), os.Chtimes(db.Path(), then, then)); err != nil {
		t.Fatal(err)
	}
}
