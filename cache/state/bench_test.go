package state

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
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

// BenchmarkLarge stores a file of 200 MB in 50 updates, and reads it in one View.
func BenchmarkLarge(b *testing.B) {
	const values = 50
	b.Run("put", func(b *testing.B) {
		b.SetBytes(values * (4 << 20))
		b.ReportAllocs()
		for b.Loop() {
			db, err := Open(b.TempDir(), Options{})
			if err != nil {
				b.Fatal(err)
			}
			for i := range values {
				putLarge(b, db, 0, i)
			}
		}
	})
	b.Run("get", func(b *testing.B) {
		db := stock(b, values, 10)
		b.SetBytes(values * (4 << 20))
		b.ReportAllocs()
		for b.Loop() {
			err := db.Trust("a").View(b.Context(), func(tx Tx) error {
				for i := range values {
					value, err := tx.Get(bulkKey(0, i))
					if err != nil || len(value) != 4<<20 {
						return errors.Join(err, errors.New("not what was written"))
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkReplace takes the place of a file of 200 MB by five others, one after
// the other: each is put in 50 updates, and then the one before is deleted. It
// reports the size of the database after the first and after the last, and what
// a small update costs beside all the free pages.
func BenchmarkReplace(b *testing.B) {
	const values = 50
	for b.Loop() {
		db := stock(b, values, 10)
		b.ReportMetric(megabytes(b, db), "MB-first")
		for set := range 5 {
			for i := range values {
				putLarge(b, db, set+1, i)
			}
			err := db.Trust("a").Update(b.Context(), func(tx Tx) error {
				for i := range values {
					if err := tx.Delete(bulkKey(set, i)); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
			b.Logf("after set %d: %.0f MB", set+1, megabytes(b, db))
		}
		b.ReportMetric(megabytes(b, db), "MB-last")
		start := time.Now()
		for range 10 {
			err := db.Trust("a").Update(b.Context(), func(tx Tx) error { return tx.Put(smallKey(1), []byte("v")) })
			if err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(time.Since(start).Microseconds())/10, "µs/small")
	}
}

func megabytes(b *testing.B, db *DB) float64 {
	b.Helper()
	info, err := os.Stat(db.Path())
	if err != nil {
		b.Fatal(err)
	}
	return float64(info.Size()) / 1e6
}

// BenchmarkProofs works on the memory of 10,000 proven artifacts, each with a
// receipt of 4 to 8 KiB, a first-seen digest and a verdict. "first" is the first
// transaction of a process, "next" any further one.
func BenchmarkProofs(b *testing.B) {
	db, err := Open(b.TempDir(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	key := func(family string, i int) string { return fmt.Sprintf("%s/%08x%056x", family, i*2654435761%(1<<32), i) }
	for batch := range 100 {
		err := db.Proofs().Update(b.Context(), func(tx Tx) (err error) {
			for i := batch * 100; i < batch*100+100; i++ {
				err = errors.Join(err, tx.Put(key("receipt", i), bytes.Repeat([]byte{byte(i)}, 4096+i%5*1024)),
					tx.Put(key("seen", i), make([]byte, 100)), tx.Put(key("verdict", i), make([]byte, 300)))
			}
			return err
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	info, err := os.Stat(db.Proofs().Path())
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("%d MB", info.Size()/1e6)
	value := make([]byte, 6000)
	for _, step := range []struct {
		name string
		run  func(*DB) error
	}{
		{"get", func(db *DB) error {
			return db.Proofs().View(b.Context(), func(tx Tx) error { _, err := tx.Get(key("receipt", 77)); return err })
		}},
		{"group", func(db *DB) error {
			return db.Proofs().View(b.Context(), func(tx Tx) error { _, err := tx.Keys(key("receipt", 77) + "/"); return err })
		}},
		{"keys", func(db *DB) error {
			return db.Proofs().View(b.Context(), func(tx Tx) error { _, err := tx.Keys("receipt/"); return err })
		}},
		{"put", func(db *DB) error {
			value[0]++
			return db.Proofs().Update(b.Context(), func(tx Tx) error { return tx.Put(key("receipt", 77), value) })
		}},
		{"all", func(db *DB) error {
			for _, err := range db.Proofs().All(b.Context(), "receipt/") {
				if err != nil {
					return err
				}
			}
			return nil
		}},
		{"trust", func(db *DB) error { return db.Trust("a").View(b.Context(), func(Tx) error { return nil }) }},
	} {
		b.Run(step.name+"/first", func(b *testing.B) {
			for b.Loop() {
				fresh, err := Open(filepath.Dir(db.Path()), Options{})
				if err == nil {
					err = step.run(fresh)
				}
				if err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(step.name+"/next", func(b *testing.B) {
			for b.Loop() {
				if err := step.run(db); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
