package cache

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"
)

func (s *Store) indexPath() string { return s.index.path }

func TestHeldIndexIsBusy(t *testing.T) {
	s := open(t, t.TempDir())
	blob := store(t, s, bytesA)
	holder, err := bbolt.Open(s.indexPath(), 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer holder.Close()
	s.lockWait = 50 * time.Millisecond
	if _, err := s.Get(blob.Digest()); !errors.Is(err, ErrBusy) {
		t.Errorf("expected %v, found %v", ErrBusy, err)
	}
	if _, err := s.List(t.Context()); !errors.Is(err, ErrBusy) {
		t.Errorf("expected %v, found %v", ErrBusy, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	s.lockWait = time.Minute
	if _, err := s.List(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("expected %v, found %v", context.DeadlineExceeded, err)
	}
	// A commit does not fail over it, and the blob is entered later.
	s.lockWait = 50 * time.Millisecond
	other := store(t, s, []byte("other"))
	if err := holder.Close(); err != nil {
		t.Fatal(err)
	}
	if list, err := s.List(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("expected one entry, found %v, %v", list, err)
	}
	if _, err := s.Get(other.Digest()); err != nil {
		t.Error(err)
	}
	if list, err := s.List(t.Context()); err != nil || len(list) != 2 {
		t.Errorf("expected two entries, found %v, %v", list, err)
	}
}

func TestNewerIndex(t *testing.T) {
	s := open(t, t.TempDir())
	blob := store(t, s, bytesA)
	err := s.update(t.Context(), func(tx *bbolt.Tx) error { return tx.Bucket(bucketFormat).Put(keyVersion, []byte("2")) })
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Get(blob.Digest()); !errors.Is(err, ErrNewer) {
		t.Errorf("expected %v, found %v", ErrNewer, err)
	}
	if err := s.Note(t.Context(), blob.Digest(), Name{}); !errors.Is(err, ErrNewer) {
		t.Errorf("expected %v, found %v", ErrNewer, err)
	}
	if left := files(t, s.dir); slices.ContainsFunc(left, func(name string) bool { return strings.Contains(name, "damaged") }) {
		t.Errorf("a newer index was set aside: %q", left)
	}
}

func TestLostIndexIsRebuilt(t *testing.T) {
	s := open(t, t.TempDir())
	a, b := store(t, s, bytesA), store(t, s, []byte("b"))
	if err := os.Remove(s.indexPath()); err != nil {
		t.Fatal(err)
	}
	list, err := s.List(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatalf("expected two entries, found %v, %v", list, err)
	}
	for _, entry := range list {
		if entry.Digest == a.Digest() && entry.Length != a.Length() || entry.Digest == b.Digest() && entry.Length != b.Length() {
			t.Errorf("expected the lengths of the files, found %+v", entry)
		}
	}
}

// TestDamagedIndex damages the index in many ways. Each time the blobs are
// found, and where the damage was noticed the index was set aside.
func TestDamagedIndex(t *testing.T) {
	var notices []string
	now := time.Unix(1_700_000_000, 0)
	s, err := Open(t.TempDir(), Options{Notice: func(text string) { notices = append(notices, text) }, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	blob := store(t, s, bytesA)
	for i := range 40 {
		store(t, s, []byte{byte(i)})
	}
	if err := s.Note(t.Context(), blob.Digest(), Name{Product: "p"}); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(s.indexPath())
	if err != nil {
		t.Fatal(err)
	}
	page := os.Getpagesize()
	for _, test := range []struct {
		name   string
		change func([]byte) []byte
	}{
		{"empty", func([]byte) []byte { return nil }},
		{"one byte", func(data []byte) []byte { return data[:1] }},
		{"one page", func(data []byte) []byte { return data[:page] }},
		{"two pages and a half", func(data []byte) []byte { return data[:2*page+page/2] }},
		{"one page short", func(data []byte) []byte { return data[:len(data)/page*page/2] }},
		{"zeros", func(data []byte) []byte { return make([]byte, len(data)) }},
		{"garbage", func(data []byte) []byte { return bytes.Repeat([]byte("garbage"), 9999) }},
		{"entry", func(data []byte) []byte {
			return bytes.ReplaceAll(data, []byte(`"length":500000`), []byte(`"length":500001`))
		}},
		{"key", func(data []byte) []byte { return bytes.ReplaceAll(data, []byte("sha256:"), []byte("sha257:")) }},
		{"bucket", func(data []byte) []byte { return bytes.ReplaceAll(data, []byte("blobs"), []byte("blubs")) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			notices = nil
			changed := test.change(slices.Clone(whole))
			if err := os.WriteFile(s.indexPath(), changed, 0o600); err != nil {
				t.Fatal(err)
			}
			if list, err := s.List(t.Context()); err != nil || len(list) != 41 {
				t.Errorf("expected 41 entries, found %d, %v", len(list), err)
			}
			if _, err := s.Get(blob.Digest()); err != nil {
				t.Error(err)
			}
			aside, _ := filepath.Glob(s.indexPath() + ".damaged-1700000000*")
			if len(aside) != 1 {
				t.Fatalf("expected the old index aside, found %q", aside)
			}
			if got, _ := os.ReadFile(aside[0]); !bytes.Equal(got, changed) {
				t.Error("expected the damaged bytes aside, found others")
			}
			if len(notices) != 1 || !strings.Contains(notices[0], aside[0]) {
				t.Errorf("expected one notice with the path, found %q", notices)
			}
			os.Remove(aside[0])
		})
	}
	for at := 0; at < len(whole); at += 257 {
		flipped := slices.Clone(whole)
		flipped[at] ^= 0x21
		if err := os.WriteFile(s.indexPath(), flipped, 0o600); err != nil {
			t.Fatal(err)
		}
		if got, err := s.Get(blob.Digest()); err != nil || got.Length() != blob.Length() {
			t.Errorf("byte %d: expected the blob, found %v", at, err)
		}
		if _, err := s.List(t.Context()); err != nil {
			t.Errorf("byte %d: %v", at, err)
		}
	}
}

func TestIndexThatIsAFolder(t *testing.T) {
	s := open(t, t.TempDir())
	if err := os.MkdirAll(filepath.Join(s.indexPath(), "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := s.List(t.Context()); !errors.Is(err, ErrDisk) {
		t.Errorf("expected %v, found %v", ErrDisk, err)
	}
}
