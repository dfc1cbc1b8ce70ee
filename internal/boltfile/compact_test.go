package boltfile

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

// wasted makes a database of a few MiB with one small entry left, the nested
// bucket of it included.
func wasted(t *testing.T, path string) {
	t.Helper()
	put(t, path, strings.Repeat("v", 3<<20))
	s, err := Begin(t.Context(), path, true, soon())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	err = s.Guard(func() error {
		nested, err := s.Tx().Bucket(bucketTest).CreateBucket([]byte("nested"))
		if err != nil {
			return err
		}
		return errors.Join(nested.SetSequence(7), nested.Put([]byte("none"), nil), write(s, "small"))
	})
	if err := errors.Join(err, s.Commit()); err != nil {
		t.Fatal(err)
	}
}

func sizeOf(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}

func TestCompact(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	wasted(t, path)
	before := sizeOf(t, path)
	freed, err := Compact(t.Context(), path, soon())
	if err != nil || freed < before/2 || sizeOf(t, path) != before-freed {
		t.Errorf("expected at least half of %d bytes freed, found %d, %v", before, freed, err)
	}
	wantValue(t, path, "small")
	s, err := Begin(t.Context(), path, false, soon())
	if err != nil {
		t.Fatal(err)
	}
	err = s.Guard(func() error {
		nested := s.Tx().Bucket(bucketTest).Bucket([]byte("nested"))
		if nested == nil || nested.Sequence() != 7 || nested.Get([]byte("none")) == nil {
			return errors.New("expected the nested bucket with its number and its empty entry")
		}
		return nil
	})
	s.Close()
	if err != nil {
		t.Error(err)
	}
	if freed, err := Compact(t.Context(), path, soon()); err != nil || freed != 0 {
		t.Errorf("expected nothing more to free, found %d, %v", freed, err)
	}
	put(t, path, strings.Repeat("v", 3<<20))
	if freed, err := Compact(t.Context(), path, soon()); err != nil || freed != 0 {
		t.Errorf("expected nothing to free of what is in use, found %d, %v", freed, err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*")); len(left) != 0 {
		t.Errorf("expected no other file, found %q", left)
	}
}

func TestNoCompact(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "test.db")
	_, err := Compact(t.Context(), path, soon())
	wantKind(t, err, ErrAbsent, path)
	wasted(t, path)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	holder, err := Begin(t.Context(), path, false, soon())
	if err != nil {
		t.Fatal(err)
	}
	_, err = Compact(t.Context(), path, time.Now())
	wantKind(t, err, ErrBusy, path)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Compact(ctx, path, soon()); !errors.Is(err, context.Canceled) {
		t.Errorf("expected %v, found %v", context.Canceled, err)
	}
	holder.Close()
	// Asked to end while it copies, it leaves the file as it was.
	if _, err := Compact(ctx, path, soon()); !errors.Is(err, context.Canceled) {
		t.Errorf("expected %v, found %v", context.Canceled, err)
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, whole) {
		t.Errorf("expected the file as it was, found another, %v", err)
	}
	if err := os.WriteFile(path, whole[:len(whole)/2], 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Compact(t.Context(), path, soon())
	wantKind(t, err, ErrDamaged, path)
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) != 0 {
		t.Errorf("expected no other file, found %q", left)
	}
}

// TestReplacedFile: a file that is replaced between being opened and being locked
// is let go, for the one that has its name now.
func TestReplacedFile(t *testing.T) {
	for _, writable := range []bool{false, true} {
		dir := t.TempDir()
		path, other := filepath.Join(dir, "test.db"), filepath.Join(dir, "other.db")
		put(t, path, "old")
		put(t, other, "new")
		var renamed []error
		replace := func() {
			if len(renamed) == 0 {
				renamed = append(renamed, os.Rename(other, path))
			}
		}
		s, err := lock(t.Context(), path, options{writable: writable, unlocked: replace}, soon())
		if err := errors.Join(append(renamed, err)...); err != nil {
			t.Fatal(err)
		}
		if s, err = s.begin(writable, nil); err != nil {
			t.Fatal(err)
		}
		var got string
		err = s.Guard(func() error { got = string(s.Tx().Bucket(bucketTest).Get([]byte("key"))); return nil })
		s.Close()
		if err != nil || got != "new" {
			t.Errorf("expected the new file, found %q, %v", got, err)
		}
		_, err = lock(t.Context(), path, options{writable: writable, unlocked: func() { os.Remove(path) }}, soon())
		wantKind(t, err, ErrAbsent, path)
	}
}

// TestNoCommitIsLost counts in many sessions at once, while the file is compacted
// over and over.
func TestNoCommitIsLost(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	wasted(t, path)
	const writers, times = 4, 100
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for range times {
				if err := count(t.Context(), path); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { all.Wait(); close(done) }()
	compacted := 0
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		s, err := lock(t.Context(), path, options{writable: true}, soon())
		if err != nil {
			t.Fatal(err)
		}
		// Replaced in any case, however little it frees.
		if _, err := s.compact(t.Context(), 1<<40); err != nil {
			t.Fatal(err)
		}
		s.Close()
		compacted++
	}
	s, err := Begin(t.Context(), path, false, soon())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got := counted(s.Tx()); got != writers*times || compacted == 0 {
		t.Errorf("expected %d commits, found %d, with %d compactions", writers*times, got, compacted)
	}
}

var keyCount = []byte("count")

func counted(tx *bbolt.Tx) uint64 {
	value := tx.Bucket(bucketTest).Get(keyCount)
	if value == nil {
		return 0
	}
	return binary.BigEndian.Uint64(value)
}

func count(ctx context.Context, path string) error {
	s, err := Begin(ctx, path, true, soon())
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	defer s.Close()
	err = s.Guard(func() error {
		next := binary.BigEndian.AppendUint64(nil, counted(s.Tx())+1)
		return s.Tx().Bucket(bucketTest).Put(keyCount, next)
	})
	if err != nil {
		return err
	}
	return s.Commit()
}

// TestCompactThatCanNotRead: a fault of the disk is not damage of the file.
func TestCompactThatCanNotRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "test.db")
	wasted(t, path)
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	_, _, err = (&Session{path: path, file: file}).usage()
	wantKind(t, err, ErrDisk, path)
}
