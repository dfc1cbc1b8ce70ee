package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"testing"
)

// sizes are the states to measure: the files of one repository that signs few
// roles, of one with 16,384 hash bins, and of one that signs a single huge file.
var sizes = []struct {
	name  string
	large int // values of 4 MiB
	small int // values of 200 B, each hundredth one of 12 kB
}{
	{"entries=100", 0, 100},
	{"entries=33000", 0, 33000},
	{"bytes=200MB", 50, 10},
}

// stock gives a database with entries of a repository "a".
func stock(b *testing.B, large, small int) *DB {
	b.Helper()
	db, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	err = db.Trust("a").Update(b.Context(), func(tx Tx) error {
		for i := range small {
			size := 200
			if i%100 == 99 {
				size = 12000
			}
			if err := tx.Put(smallKey(i), bytes.Repeat([]byte{byte(i)}, size)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for i := range large {
		putLarge(b, db, 0, i)
	}
	return db
}

func smallKey(i int) string { return fmt.Sprintf("role/%x-%08d/floor", i*2654435761%(1<<32), i) }

func bulkKey(set, i int) string { return fmt.Sprintf("meta/%064x/%04d", set, i) }

func putLarge(b *testing.B, db *DB, set, i int) {
	b.Helper()
	value := make([]byte, 4<<20)
	binary.NativeEndian.PutUint64(value, uint64(i))
	err := db.Trust("a").Update(b.Context(), func(tx Tx) error { return tx.Put(bulkKey(set, i), value) })
	if err != nil {
		b.Fatal(err)
	}
}

// benchmark runs step on each size: "first" is the first transaction of a
// process, "next" any further one.
func benchmark(b *testing.B, step func(*DB) error) {
	for _, size := range sizes {
		b.Run(size.name, func(b *testing.B) {
			db := stock(b, size.large, size.small)
			b.Run("first", func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					fresh, err := Open("x", Options{})
					if err != nil {
						b.Fatal(err)
					}
					fresh.path = db.path
					if err := step(fresh); err != nil {
						b.Fatal(err)
					}
				}
			})
			b.Run("next", func(b *testing.B) {
				if err := step(db); err != nil {
					b.Fatal(err)
				}
				b.ReportAllocs()
				for b.Loop() {
					if err := step(db); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}

func BenchmarkGetOne(b *testing.B) {
	benchmark(b, func(db *DB) error {
		return db.Trust("a").View(b.Context(), func(tx Tx) error {
			value, err := tx.Get(smallKey(1))
			if len(value) != 200 {
				err = errors.New("not what was written")
			}
			return err
		})
	})
}

func BenchmarkPutOne(b *testing.B) {
	value := make([]byte, 200)
	benchmark(b, func(db *DB) error {
		value[0]++
		return db.Trust("a").Update(b.Context(), func(tx Tx) error { return tx.Put(smallKey(1), value) })
	})
}
