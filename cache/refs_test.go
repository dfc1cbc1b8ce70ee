package cache

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"assay/artifact"
)

// keep makes a pin.
func keep(t *testing.T, s *Store, name string, digests ...artifact.Digest) {
	t.Helper()
	if err := s.Keep(t.Context(), KindPin, name, "", digests...); err != nil {
		t.Fatal(err)
	}
}

func sum(text string) artifact.Digest { return artifact.DigestOf(artifact.SHA256, []byte(text)) }

func TestReferences(t *testing.T) {
	now := time.Date(2026, 3, 4, 5, 6, 7, 8, time.UTC)
	dir := t.TempDir()
	s, err := Open(filepath.Join(dir, "cache"), Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if refs, err := s.References(t.Context()); err != nil || len(refs) != 0 {
		t.Errorf("expected none, found %v, %v", refs, err)
	}
	if got := files(t, dir); len(got) != 0 {
		t.Errorf("expected that looking makes nothing, found %q", got)
	}
	origin := filepath.Join(dir, "assay.lock")
	if err := os.WriteFile(origin, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	keep(t, s, "a", sum("1"))
	keep(t, s, "a", sum("2"), sum("1"), sum("2"))
	if err := s.Keep(t.Context(), KindLock, "x@1.0_+", origin, sum("3")); err != nil {
		t.Fatal(err)
	}
	want := []Reference{
		{Kind: KindLock, Name: "x@1.0_+", Origin: origin, Since: now, Digests: []artifact.Digest{sum("3")}},
		{Kind: KindPin, Name: "a", Since: now, Digests: sortedDigests([]artifact.Digest{sum("1"), sum("2")})},
	}
	refs, err := s.References(t.Context())
	if err != nil || !reflect.DeepEqual(refs, want) {
		t.Fatalf("expected %+v, found %+v, %v", want, refs, err)
	}
	if !refs[1].holds(sum("1")) || refs[1].holds(sum("3")) || refs[0].String() != "lock "+origin || refs[1].String() != "pin" {
		t.Errorf("expected both to say what they hold, found %v", refs)
	}
	if got := (Reference{Kind: KindInstall, Name: "n"}).String(); got != "install n" {
		t.Errorf("expected its name, found %q", got)
	}
	// Without its origin a reference holds nothing.
	if err := os.Remove(origin); err != nil {
		t.Fatal(err)
	}
	if refs, err = s.References(t.Context()); err != nil || !refs[0].Stale || refs[0].holds(sum("3")) || refs[1].Stale {
		t.Errorf("expected the lock to be stale, found %+v, %v", refs, err)
	}
	for _, want := range []bool{true, false} {
		if released, err := s.Release(t.Context(), KindPin, "a"); err != nil || released != want {
			t.Errorf("expected %v, found %v, %v", want, released, err)
		}
	}
	if got := files(t, filepath.Join(dir, "cache")); !reflect.DeepEqual(got, []string{"refs/lock/x@1.0_+"}) {
		t.Errorf("expected the lock's reference alone, found %q", got)
	}
}

func TestNoReference(t *testing.T) {
	s := open(t, t.TempDir())
	long := strings.Repeat("n", maxReferenceName+1)
	many := make([]artifact.Digest, maxReferenceDigests+1)
	for i := range many {
		many[i] = artifact.DigestOf(artifact.SHA256, []byte{byte(i), byte(i >> 8), byte(i >> 16)})
	}
	for what, test := range map[string]struct {
		kind         Kind
		name, origin string
		digests      []artifact.Digest
	}{
		"kind":            {"other", "n", "", many[:1]},
		"no name":         {KindPin, "", "", many[:1]},
		"long name":       {KindPin, long, "", many[:1]},
		"upper case":      {KindPin, "Name", "", many[:1]},
		"path":            {KindPin, "a/b", "", many[:1]},
		"hidden":          {KindPin, ".a", "", many[:1]},
		"parent":          {KindPin, "..", "", many[:1]},
		"relative origin": {KindLock, "n", "assay.lock", many[:1]},
		"unclean origin":  {KindLock, "n", "/a/../assay.lock", many[:1]},
		"long origin":     {KindLock, "n", "/" + strings.Repeat("o", maxNameLength), many[:1]},
		"no digest":       {KindPin, "n", "", nil},
		"empty digest":    {KindPin, "n", "", make([]artifact.Digest, 1)},
		"many digests":    {KindPin, "n", "", many},
	} {
		if err := s.Keep(t.Context(), test.kind, test.name, test.origin, test.digests...); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: expected %v, found %v", what, ErrInvalid, err)
		}
	}
	if _, err := s.Release(t.Context(), KindPin, "../pin"); !errors.Is(err, ErrInvalid) {
		t.Errorf("expected %v, found %v", ErrInvalid, err)
	}
	if got := files(t, s.dir); len(got) != 0 {
		t.Errorf("expected nothing, found %q", got)
	}
}

// TestUnreadableReferences: each of them is told by name, and keeps no other from
// being read.
func TestUnreadableReferences(t *testing.T) {
	s := open(t, t.TempDir())
	keep(t, s, "good", sum("1"))
	keep(t, s, "bad", sum("1"))
	bad := s.refPath(KindPin, "bad")
	whole, err := os.ReadFile(bad)
	if err != nil {
		t.Fatal(err)
	}
	swap := func(old, new string) []byte { return bytes.Replace(whole, []byte(old), []byte(new), 1) }
	for what, text := range map[string][]byte{
		"empty":          {},
		"cut":            whole[:len(whole)/2],
		"garbage":        []byte("garbage"),
		"other schema":   swap("reference/v1", "reference/v2"),
		"other name":     swap(`"bad"`, `"good"`),
		"other kind":     swap(`"pin"`, `"lock"`),
		"unknown kind":   swap(`"pin"`, `"pint"`),
		"unknown member": swap(`"name"`, `"more": "x", "name"`),
		"member twice":   swap(`"name"`, `"name": "good", "name"`),
		"folded case":    swap(`"name": "bad",`, `"name": "bad", "Name": "bad",`),
		"null":           swap(`"bad"`, `null`),
		"digest":         swap("sha256:", "sha257:"),
		"digest twice":   swap(`"sha256:`, `"`+sum("1").String()+`", "sha256:`),
		"no digests":     swap(`"`+sum("1").String()+`"`, ""),
		"no list":        swap(`[`, `[[`),
		"time":           swap(`"since": "`, `"since": "x`),
		"origin":         swap(`"since"`, `"origin": "a", "since"`),
		"behind it":      append(bytes.Clone(whole), "{}"...),
		"space":          append(bytes.Clone(whole), ' '),
		"too long":       append(bytes.Clone(whole), bytes.Repeat([]byte(" "), maxReferenceFile)...),
	} {
		if bytes.Equal(text, whole) {
			t.Fatalf("%s: nothing was changed", what)
		}
		if err := os.WriteFile(bad, text, 0o600); err != nil {
			t.Fatal(err)
		}
		wantUnreadable(t, s, what, bad)
	}
	for what, make := range map[string]func(string) error{
		"folder": func(path string) error { return os.Mkdir(path, 0o700) },
		"link":   func(path string) error { return os.Symlink(s.refPath(KindPin, "good"), path) },
	} {
		if err := errors.Join(os.RemoveAll(bad), make(bad)); err != nil {
			t.Fatal(err)
		}
		wantUnreadable(t, s, what, bad)
	}
	// A crash may leave a file in the making; it never counted.
	if err := errors.Join(os.RemoveAll(bad), os.WriteFile(s.refPath(KindPin, ".bad.0011.tmp"), nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if refs, err := s.References(t.Context()); err != nil || len(refs) != 1 {
		t.Errorf("expected one, found %v, %v", refs, err)
	}
	// What this program does not know may be a newer one's.
	for _, stray := range []string{"profile", "README"} {
		path := filepath.Join(s.refsDir(), stray)
		if err := os.MkdirAll(path, 0o700); stray == "profile" && err != nil {
			t.Fatal(err)
		} else if stray == "README" {
			if err := errors.Join(os.RemoveAll(path), os.WriteFile(path, nil, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
		var unreadable *ReferenceError
		if _, err := s.References(t.Context()); !errors.As(err, &unreadable) || unreadable.Path != path || !errors.Is(err, ErrReference) {
			t.Errorf("%s: expected %v that names it, found %v", stray, ErrReference, err)
		}
		if err := os.RemoveAll(path); err != nil {
			t.Fatal(err)
		}
	}
}

func wantUnreadable(t *testing.T, s *Store, what, path string) {
	t.Helper()
	refs, err := s.References(t.Context())
	var unreadable *ReferenceError
	if !errors.Is(err, ErrReference) || !errors.As(err, &unreadable) || unreadable.Path != path || !strings.Contains(err.Error(), path) {
		t.Errorf("%s: expected %v that names %s, found %v", what, ErrReference, path, err)
	}
	if len(refs) != 1 || refs[0].Name != "good" {
		t.Errorf("%s: expected the other one all the same, found %v", what, refs)
	}
}

// TestReferencesTakeTurns: who holds the lock of the references keeps others from
// changing them, for a limited time.
func TestReferencesTakeTurns(t *testing.T) {
	s := open(t, t.TempDir())
	keep(t, s, "a", sum("1"))
	err := s.withReferences(t.Context(), func() error {
		s.lockWait = 20 * time.Millisecond
		if err := s.Keep(t.Context(), KindPin, "b", "", sum("1")); !errors.Is(err, ErrBusy) {
			t.Errorf("expected %v, found %v", ErrBusy, err)
		}
		if _, err := s.Release(t.Context(), KindPin, "a"); !errors.Is(err, ErrBusy) {
			t.Errorf("expected %v, found %v", ErrBusy, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if err := s.Keep(ctx, KindPin, "b", "", sum("1")); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, ErrBusy) {
			t.Errorf("expected %v, found %v", context.DeadlineExceeded, err)
		}
		return nil
	})
	if refs, listErr := s.References(t.Context()); err != nil || listErr != nil || len(refs) != 1 {
		t.Errorf("expected the first alone, found %v, %v, %v", refs, err, listErr)
	}
}

// TestReferencesReadAgain: what was read before is not read again, unless a file
// has changed.
func TestReferencesReadAgain(t *testing.T) {
	s := open(t, t.TempDir())
	keep(t, s, "a", sum("1"))
	first, err := s.readReferences(t.Context(), referenceSet{})
	if err != nil {
		t.Fatal(err)
	}
	same, err := s.readReferences(t.Context(), first)
	if err != nil || &same.list[0] != &first.list[0] {
		t.Errorf("expected what was read before, found %v, %v", same, err)
	}
	for _, change := range []func() error{
		func() error { return s.Keep(t.Context(), KindPin, "a", "", sum("2")) },
		func() error { return s.Keep(t.Context(), KindPin, "b", "", sum("2")) },
		func() error { _, err := s.Release(t.Context(), KindPin, "a"); return err },
	} {
		before := same
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if same, err = s.readReferences(t.Context(), before); err != nil || reflect.DeepEqual(same.list, before.list) {
			t.Errorf("expected others than %v, found %v, %v", before.list, same.list, err)
		}
	}
}

func FuzzDecodeReference(f *testing.F) {
	whole, err := Reference{Kind: KindLock, Name: "n", Origin: "/o", Since: time.Unix(1, 0).UTC(), Digests: []artifact.Digest{sum("1")}}.encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add(whole[1:])
	f.Add([]byte(`{"schema":"assay.reference/v1"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		ref, err := decodeReference(text)
		if err != nil {
			return
		}
		again, err := ref.encode()
		if err != nil || !bytes.Equal(again, text) || ref.check() != nil {
			t.Errorf("expected nothing but what is written, found %q for %q", again, text)
		}
	})
}
