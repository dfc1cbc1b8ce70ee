package cache

import (
	"encoding/binary"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"go.etcd.io/bbolt"

	"assay/artifact"
)

// together runs step b.N times in all, from so many goroutines.
func together(b *testing.B, goroutines int, step func(i int64) error) {
	var next atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for range goroutines {
		all.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := step(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// BenchmarkIndex is a call on an index of 10,000 entries: to enter a blob, and to
// look one up.
func BenchmarkIndex(b *testing.B) {
	digest := func(i int64) artifact.Digest {
		return artifact.DigestOf(artifact.SHA256, binary.BigEndian.AppendUint64(nil, uint64(i)))
	}
	for _, goroutines := range []int{1, 8, 64} {
		s, err := Open(b.TempDir(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprintf("enter/%d", goroutines), func(b *testing.B) {
			fillBench(b, s)
			together(b, goroutines, func(i int64) error { return s.enter(b.Context(), digest(i), i) })
		})
		b.Run(fmt.Sprintf("lookup/%d", goroutines), func(b *testing.B) {
			fillBench(b, s)
			together(b, goroutines, func(i int64) error {
				_, _, err := s.lookup(b.Context(), digest(i))
				return err
			})
		})
	}
}

// fillBench makes the entries, in one transaction.
func fillBench(b *testing.B, s *Store) {
	b.Helper()
	err := s.update(b.Context(), func(tx *bbolt.Tx) error {
		for i := range 10_000 {
			d := artifact.DigestOf(artifact.SHA256, fmt.Append(nil, "filler", i))
			if err := putRecord(tx, d, record{Length: 1}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
}
