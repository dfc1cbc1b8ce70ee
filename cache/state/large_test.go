package state

import (
	"errors"
	"fmt"
	"os"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"

	"go.etcd.io/bbolt"
)

// TestLargeValues takes one key through all sizes, beside others that stay. Each
// step is read by a process of its own, so that all seals are compared.
func TestLargeValues(t *testing.T) {
	db := open(t, t.TempDir())
	put(t, db, "a", "floor", "7")
	put(t, db, "a", "z", "7")
	for i, size := range []int{1, largeValue - 4, largeValue, largeValue + 1, 3 * largeValue, largeValue + 2, 0, 5 * largeValue, largeValue - 3} {
		value := strings.Repeat(string(rune('a'+i)), size)
		put(t, db, "a", "meta", value)
		other := again(t, db)
		if got := get(t, other, "a", "meta"); got != value {
			t.Errorf("%d bytes: found %d others", size, len(got))
		}
		wantKeys(t, other, "floor", "meta", "z")
	}
	err := db.Trust("a").Update(t.Context(), func(tx Tx) error {
		return errors.Join(tx.Put("meta", make([]byte, 2*largeValue)), tx.Delete("meta"), tx.Put("y", make([]byte, 2*largeValue)))
	})
	if err != nil {
		t.Fatal(err)
	}
	wantKeys(t, again(t, db), "floor", "y", "z")
	boom := errors.New("boom")
	err = db.Trust("a").Update(t.Context(), func(tx Tx) error { return errors.Join(tx.Delete("y"), boom) })
	if !errors.Is(err, boom) || len(get(t, again(t, db), "a", "y")) != 2*largeValue {
		t.Errorf("expected the value after %v, found %v", boom, err)
	}
	if removed, err := db.RemoveRepository(t.Context(), "a"); !removed || err != nil {
		t.Errorf("expected a removal, found %v, %v", removed, err)
	}
	wantKeys(t, again(t, db))
}

func wantKeys(t *testing.T, db *DB, want ...string) {
	t.Helper()
	err := db.Trust("a").View(t.Context(), func(tx Tx) error {
		keys, err := tx.Keys("")
		if !reflect.DeepEqual(keys, want) {
			t.Errorf("expected the keys %q, found %q", want, keys)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// TestLargeValuesRaiseTheFormat: a program that knows none would take them for
// damage.
func TestLargeValuesRaiseTheFormat(t *testing.T) {
	db := open(t, t.TempDir())
	for _, test := range []struct{ size, format int }{
		{largeValue, formatFirst}, {largeValue + 1, formatLarge}, {1, formatLarge},
	} {
		put(t, db, "a", "k", strings.Repeat("v", test.size))
		err := again(t, db).view(t.Context(), func(s *session) error {
			if s.format != test.format {
				t.Errorf("%d bytes: expected format %d, found %d", test.size, test.format, s.format)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestLostLargeValue takes a value out of its bucket, and changes one, behind
// the table's back.
func TestLostLargeValue(t *testing.T) {
	for name, damage := range map[string]func(*bbolt.Bucket) error{
		"lost":    func(own *bbolt.Bucket) error { return own.Delete(wholeKey) },
		"other":   func(own *bbolt.Bucket) error { return own.Put(wholeKey, make([]byte, largeValue+5)) },
		"shorter": func(own *bbolt.Bucket) error { return own.Put(wholeKey, own.Get(wholeKey)[:largeValue]) },
	} {
		db := open(t, t.TempDir())
		put(t, db, "a", "k", strings.Repeat("v", largeValue+1))
		err := db.update(t.Context(), func(s *session) error {
			return damage(s.tx.Bucket([]byte(tableTrust)).Bucket([]byte("a")).Bucket([]byte("k")))
		})
		if err != nil {
			t.Fatal(err)
		}
		err = again(t, db).Trust("a").View(t.Context(), func(Tx) error { return nil })
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "seal") {
			t.Errorf("%s: expected %v by the seal, found %v", name, ErrDamaged, err)
		}
	}
}

// TestDamageByLargeValues flips bits in the header of each page of a file with
// large values, and in the first bytes behind it.
func TestDamageByLargeValues(t *testing.T) {
	db := open(t, t.TempDir())
	for _, key := range []string{"b", "c", "d"} {
		put(t, db, "a", key, strings.Repeat(key, largeValue+1))
	}
	want, err := contents(t, db)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(db.Path())
	if err != nil {
		t.Fatal(err)
	}
	for at := 0; at < len(data); at += os.Getpagesize() {
		for _, i := range []int{0, 8, 10, 12, 20, 32} {
			flipped := slices.Clone(data)
			flipped[at+i] ^= 0x11
			damagedOr(t, db, fmt.Sprintf("page %d, byte %d", at/os.Getpagesize(), i), flipped, at/os.Getpagesize() > 1, want)
		}
	}
}

// TestMemoryOfALargeValue: an update takes two copies of it, and keeps none.
func TestMemoryOfALargeValue(t *testing.T) {
	const size = 4 << 20
	db := open(t, t.TempDir())
	value := make([]byte, size)
	update := func(key string) {
		err := db.Trust("a").Update(t.Context(), func(tx Tx) error { return tx.Put(key, value) })
		if err != nil {
			t.Fatal(err)
		}
	}
	update("0")
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	for _, key := range []string{"1", "2", "3", "4"} {
		update(key)
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if took := (after.TotalAlloc - before.TotalAlloc) / 4; took > 3*size {
		t.Errorf("expected an update to allocate at most %d bytes, found %d", 3*size, took)
	}
	if after.HeapAlloc > before.HeapAlloc+size/2 {
		t.Errorf("expected nothing to be kept, found %d bytes", after.HeapAlloc-before.HeapAlloc)
	}
}

// TestTablesAreNoValues: what a table holds is never taken out as a value.
func TestTablesAreNoValues(t *testing.T) {
	db := open(t, t.TempDir())
	put(t, db, "a", "k", "v")
	err := db.update(t.Context(), func(s *session) error {
		trust, err := s.top(tableTrust)
		if err != nil {
			return err
		}
		if value, err := trust.get("a"); value != nil || err != nil {
			t.Errorf("expected no value, found %q, %v", value, err)
		}
		for name, err := range map[string]error{
			"put": trust.put("a", []byte("v")), "put large": trust.put("a", make([]byte, 2*largeValue)), "delete": trust.delete("a"),
		} {
			if !errors.Is(err, ErrInvalid) {
				t.Errorf("%s: expected %v, found %v", name, ErrInvalid, err)
			}
		}
		return nil
	})
	if err != nil || get(t, again(t, db), "a", "k") != "v" {
		t.Errorf("the table was changed: %v", err)
	}
}
