package cache

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"go.etcd.io/bbolt"

	"assay/artifact"
)

// later gives a store the index of a later assay, two formats on: the second step
// needs what the first one made.
func later(s *Store, taken *[]int) *Store {
	bucket := []byte("later")
	s.index.format = indexFormat + 2
	s.index.buckets = append(s.index.buckets, bucket)
	s.index.steps = map[int]func(*bbolt.Tx) error{
		indexFormat: func(tx *bbolt.Tx) error {
			*taken = append(*taken, indexFormat)
			_, err := tx.CreateBucket(bucket)
			return err
		},
		indexFormat + 1: func(tx *bbolt.Tx) error {
			*taken = append(*taken, indexFormat+1)
			return tx.Bucket(bucket).Put([]byte("k"), []byte("v"))
		},
	}
	return s
}

// oldIndex makes an index of this format, with a name in it.
func oldIndex(t *testing.T, dir string) Blob {
	t.Helper()
	s := open(t, dir)
	blob := store(t, s, bytesA)
	if err := s.Note(t.Context(), blob.Digest(), Name{Product: "p"}); err != nil {
		t.Fatal(err)
	}
	return blob
}

// wantNamed demands that the index was not rebuilt, which loses names.
func wantNamed(t *testing.T, s *Store) {
	t.Helper()
	list, err := s.List(t.Context())
	if err != nil || len(list) != 1 || len(list[0].Names) != 1 {
		t.Errorf("expected the entry with its name, found %+v, %v", list, err)
	}
	if aside, _ := filepath.Glob(s.indexPath() + ".damaged-*"); len(aside) != 0 {
		t.Errorf("expected nothing set aside, found %q", aside)
	}
}

func TestMigrate(t *testing.T) {
	dir := t.TempDir()
	blob := oldIndex(t, dir)
	var taken []int
	s := later(open(t, dir), &taken)
	wantNamed(t, s) // a reader migrates, too
	if len(taken) != 2 || taken[0] != indexFormat || taken[1] != indexFormat+1 {
		t.Errorf("expected each step once, found %v", taken)
	}
	if _, err := s.Get(blob.Digest()); err != nil || len(taken) != 2 {
		t.Errorf("expected no further step, found %v, %v", taken, err)
	}
	// The older assay sees a newer one's index, and leaves it alone.
	if _, err := open(t, dir).List(t.Context()); !errors.Is(err, ErrNewer) {
		t.Errorf("expected %v, found %v", ErrNewer, err)
	}
	wantNamed(t, s)
}

// TestMigrateAtOnce: however many meet the old index, its steps are taken once.
func TestMigrateAtOnce(t *testing.T) {
	dir := t.TempDir()
	blob := oldIndex(t, dir)
	var all sync.WaitGroup
	taken := make([][]int, 6)
	for i := range taken {
		s := later(open(t, dir), &taken[i])
		all.Go(func() {
			if err := s.Note(t.Context(), blob.Digest(), Name{Product: "p"}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	n := 0
	for _, steps := range taken {
		n += len(steps)
	}
	var more []int
	if wantNamed(t, later(open(t, dir), &more)); n != 2 || len(more) != 0 {
		t.Errorf("expected two steps in all, found %v", taken)
	}
}

// TestMigrationFails: all of it or nothing.
func TestMigrationFails(t *testing.T) {
	dir := t.TempDir()
	oldIndex(t, dir)
	whole, err := os.ReadFile(filepath.Join(dir, "index.db"))
	if err != nil {
		t.Fatal(err)
	}
	wrong := errors.New("wrong")
	var taken []int
	s := later(open(t, dir), &taken)
	second := s.index.steps[indexFormat+1]
	s.index.steps[indexFormat+1] = func(tx *bbolt.Tx) error { return errors.Join(second(tx), wrong) }
	if _, err := s.List(t.Context()); !errors.Is(err, wrong) {
		t.Errorf("expected %v, found %v", wrong, err)
	}
	wantNamed(t, open(t, dir)) // by the older assay

	// What a step finds damaged, and what no step leads from, is rebuilt.
	for what, spoil := range map[string]func(*Store){
		"damage": func(s *Store) {
			s.index.steps[indexFormat+1] = func(*bbolt.Tx) error { return &corruptEntry{"spoilt"} }
		},
		"no step": func(s *Store) { delete(s.index.steps, indexFormat+1) },
	} {
		if err := os.WriteFile(filepath.Join(dir, "index.db"), whole, 0o600); err != nil {
			t.Fatal(err)
		}
		var notices []string
		s, err := Open(dir, Options{Notice: func(text string) { notices = append(notices, text) }})
		if err != nil {
			t.Fatal(err)
		}
		spoil(later(s, &taken))
		list, err := s.List(t.Context())
		if err != nil || len(list) != 1 || len(list[0].Names) != 0 || list[0].Digest != artifact.DigestOf(artifact.SHA256, bytesA) {
			t.Errorf("%s: expected a rebuilt index, found %+v, %v", what, list, err)
		}
		if len(notices) != 1 || !strings.Contains(notices[0], "set aside") {
			t.Errorf("%s: expected a notice, found %q", what, notices)
		}
	}
}
