package cache

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
)

func TestNotesAndList(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s, err := Open(t.TempDir(), Options{Now: func() time.Time { now = now.Add(time.Minute); return now }})
	if err != nil {
		t.Fatal(err)
	}
	a, b := store(t, s, []byte("a")), store(t, s, []byte("b"))
	for i := range 70 {
		if err := s.Note(t.Context(), a.Digest(), Name{Product: "p", Version: fmt.Sprint(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Note(t.Context(), a.Digest(), Name{Product: "p", Version: "10"}); err != nil {
		t.Fatal(err)
	}
	list, err := s.List(t.Context())
	if err != nil || len(list) != 2 || list[0].Digest != a.Digest() || list[1].Digest != b.Digest() {
		t.Fatalf("expected a before b, found %+v, %v", list, err)
	}
	names := list[0].Names
	if len(names) != maxNames || names[0].Version != "10" || names[1].Version != "69" || names[63].Version != "6" {
		t.Errorf("expected the 64 newest names, found %v", names)
	}
	if list[1].Length != 1 || list[1].Path != b.Path() || !list[1].Noted.IsZero() || list[1].Added.IsZero() {
		t.Errorf("expected the plain entry of b, found %+v", list[1])
	}
	if err := s.Note(t.Context(), digests(bytesA).Primary(), Name{}); !errors.Is(err, ErrMissing) {
		t.Errorf("expected %v, found %v", ErrMissing, err)
	}
	if err := s.Note(t.Context(), a.Digest(), Name{File: strings.Repeat("f", 9000)}); !errors.Is(err, ErrInvalid) {
		t.Errorf("expected %v, found %v", ErrInvalid, err)
	}
	if err := os.Remove(b.Path()); err != nil {
		t.Fatal(err)
	}
	if list, err := s.List(t.Context()); err != nil || len(list) != 1 {
		t.Errorf("expected a alone, found %+v, %v", list, err)
	}
}

func TestUsed(t *testing.T) {
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	for _, test := range []struct{ added, noted, want time.Time }{
		{early, time.Time{}, early},
		{early, late, late},
		{late, early, late}, // found again without an entry, by a clock that was set back
	} {
		if got := (Entry{Added: test.added, Noted: test.noted}).Used(); got != test.want {
			t.Errorf("added %v, noted %v: expected %v, found %v", test.added, test.noted, test.want, got)
		}
	}
}

func TestVerify(t *testing.T) {
	s := open(t, t.TempDir())
	a, b := store(t, s, bytesA), store(t, s, []byte("b"))
	stray := filepath.Join(s.blobsDir(), "sha256", "aa", "stray")
	err := errors.Join(os.Remove(b.Path()), os.MkdirAll(filepath.Dir(stray), 0o700), os.WriteFile(stray, []byte("x"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	var last, total int64
	report, err := s.Verify(t.Context(), func(d, t int64) { last, total = d, t })
	if err != nil {
		t.Fatal(err)
	}
	if report.Checked != 2 || report.Bytes != a.Length() || last != a.Length() || total != a.Length()+1 {
		t.Errorf("expected two files and the bytes of a, found %+v, %d of %d", report, last, total)
	}
	if len(report.Damaged) != 1 || report.Damaged[0].Path != stray || !report.Damaged[0].Digest.IsZero() {
		t.Errorf("expected the stray file, found %v", report.Damaged)
	}
	if !reflect.DeepEqual(report.Missing, []artifact.Digest{b.Digest()}) {
		t.Errorf("expected b missing, found %v", report.Missing)
	}
	if report, err := s.Verify(t.Context(), nil); err != nil || len(report.Missing)+len(report.Damaged) != 0 {
		t.Errorf("expected nothing the second time, found %+v, %v", report, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Verify(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("expected %v, found %v", context.Canceled, err)
	}
}

// TestVerifyMany: whoever comes first, the report has the order of the names, and
// progress only grows.
func TestVerifyMany(t *testing.T) {
	s := open(t, t.TempDir())
	var want []string
	var total int64
	for i := range 60 {
		data := bytes.Repeat([]byte{byte(i)}, 1000*(i%7)+1)
		total += int64(len(data))
		if blob := store(t, s, data); i%3 == 0 {
			data[0]++
			damage(t, blob.Path(), data)
			want = append(want, blob.Path())
		}
	}
	slices.Sort(want)
	// One at a time, as progress is told under a lock: no lock of the test's own.
	last := int64(0)
	report, err := s.Verify(t.Context(), func(done, all int64) {
		if done < last || all != total {
			t.Errorf("expected at least %d of %d bytes, found %d of %d", last, total, done, all)
		}
		last = done
	})
	var got []string
	for _, d := range report.Damaged {
		got = append(got, d.Path)
	}
	if err != nil || !slices.Equal(got, want) || report.Checked != 60 || report.Bytes != total || last != total {
		t.Errorf("expected 60 checked and %q damaged, found %+v, %v", want, report, err)
	}
	if list, err := s.List(t.Context()); err != nil || len(list) != 40 {
		t.Errorf("expected 40 left, found %d, %v", len(list), err)
	}
	// What the index has lost is entered; what ends the run ends it soon.
	if err := os.Remove(s.indexPath()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	report, err = s.Verify(ctx, func(int64, int64) { cancel() })
	if !errors.Is(err, context.Canceled) || report.Checked >= 40 || len(report.Damaged) != 0 {
		t.Errorf("expected %v, found %+v, %v", context.Canceled, report, err)
	}
}
