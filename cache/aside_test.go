package cache

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"assay/artifact"
)

func TestSetAside(t *testing.T) {
	now := time.Date(2026, 3, 4, 12, 0, 0, 5, time.UTC)
	s, err := Open(t.TempDir(), Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	want := func(what string, d artifact.Digest, want time.Time) {
		t.Helper()
		if got, err := s.SetAside(d); err != nil || !got.Equal(want) {
			t.Errorf("%s: expected %v, found %v, %v", what, want, got, err)
		}
	}
	blob := store(t, s, bytesA)
	want("nothing was ever damaged", blob.Digest(), time.Time{})
	// Twice at one time, then later: the last counts.
	for _, after := range []time.Duration{0, 0, time.Hour, -time.Minute} {
		now = now.Add(after)
		damage(t, blob.Path(), bytes.Repeat([]byte{1}, len(bytesA)))
		if err := blob.Check(t.Context()); !errors.Is(err, ErrDamaged) {
			t.Fatalf("expected %v, found %v", ErrDamaged, err)
		}
		blob = store(t, s, bytesA)
	}
	want("damaged, and stored again", blob.Digest(), now.Add(time.Minute))
	want("another blob", artifact.DigestOf(artifact.SHA256, nil), time.Time{})
	want("no digest", artifact.Digest{}, time.Time{})
	for _, name := range []string{blob.Digest().Hex(), blob.Digest().Hex() + ".x", blob.Digest().Hex() + ".99999999999999999999999", ".9000000000000000000"} {
		if err := os.WriteFile(filepath.Join(s.damagedDir(), name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want("files of other names", blob.Digest(), now.Add(time.Minute))
	want("no digest, among them", artifact.Digest{}, time.Time{})
	if err := os.RemoveAll(s.damagedDir()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.damagedDir(), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.SetAside(blob.Digest()); !errors.Is(err, ErrDisk) {
		t.Errorf("a file in place of the folder: expected %v, found %v", ErrDisk, err)
	}
}
