package mirror

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/trust"
)

func sum(text string) artifact.Digest { return artifact.DigestOf(artifact.SHA256, []byte(text)) }

func promised(path, text string, carried bool) promise {
	return promise{path: path, digests: artifact.Digests{sum(text)}, length: int64(len(text)), carried: carried}
}

func TestFindByOddNames(t *testing.T) {
	hex := sum("odd").Hex()
	l := newListing([]promise{
		promised("plain", "plain", true),
		promised("a.b.c.d", "dots", true),
		promised("dir/sub/.hidden", "hidden", true),
		promised(hex+".looks-hashed", "looks", true),
		promised("dir/"+hex, "digest alone", true),
		{path: "both", digests: artifact.Digests{sum("both"), artifact.DigestOf(artifact.SHA512, []byte("both"))}, carried: true},
		promised("looks-hashed", "odd", true),
	}, nil, nil)
	for _, c := range []struct {
		name, path string
		hashed     bool
	}{
		{"plain", "plain", false},
		{sum("plain").Hex() + ".plain", "plain", true},
		{"a.b.c.d", "a.b.c.d", false},
		{sum("dots").Hex() + ".a.b.c.d", "a.b.c.d", true},
		{"dir/sub/" + sum("hidden").Hex() + "..hidden", "dir/sub/.hidden", true},
		{hex + ".looks-hashed", hex + ".looks-hashed", false}, // its path, though it is a digest of another, too
		{sum("looks").Hex() + "." + hex + ".looks-hashed", hex + ".looks-hashed", true},
		{"dir/" + hex, "dir/" + hex, false},
		{sum("both").Hex() + ".both", "both", true},
		{artifact.DigestOf(artifact.SHA512, []byte("both")).Hex() + ".both", "both", true},
		{"", "", false},
		{"none", "", false},
		{sum("dots").Hex() + ".plain", "", false}, // of another file
		{strings.ToUpper(sum("plain").Hex()) + ".plain", "", false},
		{sum("hidden").Hex() + ".dir/sub/.hidden", "", false}, // before the wrong segment
		{sum("plain").Hex(), "", false},
		{".plain", "", false},
		{"dir/", "", false},
		{"dir//plain", "", false},
		{"../plain", "", false},
	} {
		p, hashed, ok := l.find(c.name)
		if ok != (c.path != "") || p.path != c.path || hashed != c.hashed {
			t.Errorf("%q: expected %q, hashed=%v, found %q, hashed=%v, %v", c.name, c.path, c.hashed, p.path, hashed, ok)
		}
	}
}

func TestListingKeepsWhatItWasMadeOf(t *testing.T) {
	l := newListing([]promise{
		promised("b <&>\u2028\x00", "b", true), promised("a", "a", false), promised("bundle", "bundle", true), promised("left", "left", false),
	}, map[artifact.Digest][]string{sum("b"): {"bundle", "bundle", "left", "none"}, sum("a"): {"left"}}, nil)
	data, err := l.encode("acme")
	if err != nil {
		t.Fatal(err)
	}
	again, err := decodeListing(data, "acme")
	if err != nil {
		t.Fatal(err)
	}
	if twice, err := again.encode("acme"); err != nil || !bytes.Equal(twice, data) {
		t.Errorf("expected\n%s\nfound\n%s, %v", data, twice, err)
	}
	if got := again.tally(); got.Promised != 4 || got.Carried != 2 {
		t.Errorf("tally: expected 2 of 4, found %+v", got)
	}
	if i, found := again.byKey[sum("bundle")]; !found || len(again.bundles) != 1 || !slices.Equal(again.bundles[sum("b")], []int32{i}) {
		t.Errorf("bundles: expected the one that is carried, once, found %v", again.bundles)
	}
	if _, found := again.byKey[sum("left")]; found {
		t.Error("by digest: expected only what is carried")
	}
}

// FuzzListing: what does not read is ErrDamaged, and what reads is written as it was
// read.
func FuzzListing(f *testing.F) {
	l := newListing([]promise{promised("a", "a", true), promised("b", "b", false)}, map[artifact.Digest][]string{sum("x"): {"a"}}, nil)
	good, err := l.encode("acme")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(bytes.Replace(good, []byte("[0]"), []byte("[2]"), 1))
	f.Add(bytes.Replace(good, []byte("[0]"), []byte("[-1]"), 1))
	f.Add(bytes.Replace(good, []byte(`"targets":2`), []byte(`"targets":9223372036854775807`), 1))
	f.Add(bytes.Replace(good, []byte(`"path":"a"`), []byte(`"path":"c"`), 1))
	f.Add([]byte(`{"schema":"assay.mirror.listing/v1","repository":"acme","targets":1}` + "\n" + `{"path":"x","length":1,"digests":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := decodeListing(data, "acme")
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("expected %v, found %v", ErrDamaged, err)
			}
			return
		}
		once, err := l.encode("acme")
		if err != nil {
			t.Fatal(err)
		}
		again, err := decodeListing(once, "acme")
		if err != nil {
			t.Fatalf("expected what was written to read, found %v in %q", err, once)
		}
		if twice, err := again.encode("acme"); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("expected %q, found %q, %v", once, twice, err)
		}
		for i, target := range l.targets {
			if p, _, ok := l.find(target.path); !ok || p.path != target.path {
				t.Fatalf("target %d: expected %q, found %q", i, target.path, p.path)
			}
		}
	})
}

// FuzzGeneration is the same of a generation.
func FuzzGeneration(f *testing.F) {
	good, err := (&generation{
		Schema: generationSchema, Repository: "acme", Number: 1, Basis: sum("basis"), Listing: sum("listing"),
		Roles:    []RoleVersion{{Role: "timestamp", Version: 1, Expires: time.Unix(1, 0).UTC()}},
		Files:    []metadataFile{{"timestamp.json", "timestamp", sum("t"), 1}},
		Retained: []retained{{"1.root.json", artifact.Digests{sum("r")}, 1, time.Unix(1, 0).UTC()}},
	}).encode()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add(bytes.Replace(good, []byte(`"number":1`), []byte(`"number":0`), 1))
	f.Add([]byte(`{"schema":"assay.mirror.generation/v1","repository":"acme","number":1,"files":[{}],"roles":[{}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		g, err := decodeGeneration(data, "acme")
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Fatalf("expected %v, found %v", ErrDamaged, err)
			}
			return
		}
		g.expires()
		once, err := g.encode()
		if err != nil {
			return // a time that JSON does not have
		}
		again, err := decodeGeneration(once, "acme")
		if err != nil {
			t.Fatalf("expected what was written to read, found %v in %q", err, once)
		}
		if twice, err := again.encode(); err != nil || !bytes.Equal(once, twice) {
			t.Fatalf("expected %q, found %q, %v", once, twice, err)
		}
	})
}

// TestRetain: a name stays as long as some timestamp that led to it, over several
// generations, and no longer.
func TestRetain(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	after := func(hours int) time.Time { return now.Add(time.Duration(hours) * time.Hour) }
	make := func(number int64, expires time.Time, text string) (*generation, *listing) {
		files := []metadataFile{{Name: "timestamp.json"}, {Name: "snapshot.json"}, {Name: "1.root.json"}}
		files = append(files, metadataFile{Name: fmt.Sprintf("%d.snapshot.json", number), SHA256: sum(text)})
		return &generation{Number: number, Roles: []RoleVersion{{Role: "timestamp", Version: number, Expires: expires}}, Files: files},
			newListing([]promise{promised("file", text, true), promised("same", "same", true), promised("not carried", text, false)}, nil, nil)
	}
	names := func(g *generation) map[string]time.Time {
		found := map[string]time.Time{}
		for _, r := range g.Retained {
			found[r.Name] = r.Until
		}
		if len(found) != len(g.Retained) {
			t.Errorf("expected each name once, found %+v", g.Retained)
		}
		return found
	}
	want := func(what string, g *generation, want map[string]time.Time) {
		t.Helper()
		if got := names(g); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: expected %v, found %v", what, want, got)
		}
	}
	file := func(text string) string { return hashedName("file", sum(text)) }
	g1, l1 := make(1, after(10), "one")
	g2, l2 := make(2, after(5), "two") // expires before the one that it replaces
	g3, l3 := make(3, after(20), "three")
	g4, l4 := make(4, after(30), "one") // back again
	g5, l5 := make(5, after(40), "five")
	g2.retain(g1, l1, l2, nil, now)
	want("2", g2, map[string]time.Time{file("one"): after(10), "1.snapshot.json": after(10)})
	g3.retain(g2, l2, l3, nil, now)
	want("3", g3, map[string]time.Time{file("one"): after(10), file("two"): after(10), "1.snapshot.json": after(10), "2.snapshot.json": after(10)})
	g4.retain(g3, l3, l4, nil, after(9))
	want("4", g4, map[string]time.Time{
		file("one"): after(10), file("two"): after(10), file("three"): after(20),
		"1.snapshot.json": after(10), "2.snapshot.json": after(10), "3.snapshot.json": after(20),
	})
	g5.retain(g4, l4, l5, nil, after(10))
	want("5", g5, map[string]time.Time{file("three"): after(20), file("one"): after(30), "3.snapshot.json": after(20), "4.snapshot.json": after(30)})
}

func TestRetainHasABound(t *testing.T) {
	old := &generation{Roles: []RoleVersion{{Role: "timestamp", Expires: time.Unix(100, 0)}}, Files: []metadataFile{{Name: "9.snapshot.json"}}}
	for i := range maxRetained {
		old.Retained = append(old.Retained, retained{Name: fmt.Sprint(i), Until: time.Unix(100, 0)})
	}
	g := &generation{}
	g.retain(old, newListing(nil, nil, nil), newListing(nil, nil, nil), nil, time.Unix(1, 0))
	if len(g.Retained) != maxRetained || g.Retained[0].Name != "9.snapshot.json" {
		t.Errorf("expected the last %d, found %d", maxRetained, len(g.Retained))
	}
}

func TestGenerationAfter(t *testing.T) {
	of := func(root, timestamp int64) *generation {
		return &generation{Roles: []RoleVersion{{Role: "root", Version: root}, {Role: "timestamp", Version: timestamp}}}
	}
	old := of(2, 5)
	for _, good := range []*generation{of(2, 5), of(2, 6), of(3, 1)} {
		if err := good.after(old); err != nil {
			t.Errorf("%+v: %v", good.Roles, err)
		}
	}
	for _, bad := range []*generation{of(2, 4), of(1, 6), of(1, 4), {}} {
		if err := bad.after(old); !errors.Is(err, trust.ErrRollback) {
			t.Errorf("%+v: expected %v, found %v", bad.Roles, trust.ErrRollback, err)
		}
	}
}

func TestImmutableNames(t *testing.T) {
	for name, want := range map[string]bool{
		"timestamp.json": false, "snapshot.json": false, "1.root.json": true, "12.a%2Fb.json": true, ".json": false, "x1.json": false, "1": false, "1x.json": false,
	} {
		if got := immutableMetadata(name); got != want {
			t.Errorf("%q: expected %v, found %v", name, want, got)
		}
	}
}

func TestPauseAfter(t *testing.T) {
	for _, c := range []struct {
		every    time.Duration
		failures int
		want     time.Duration
	}{
		{time.Hour, 0, time.Hour}, {time.Hour, 1, firstPause}, {time.Hour, 2, 2 * firstPause}, {time.Hour, 5, 16 * firstPause},
		{time.Hour, 9, time.Hour}, {time.Hour, 1 << 40, time.Hour}, {5 * time.Second, 1, 5 * time.Second},
	} {
		for range 20 {
			if got := pauseAfter(c.every, c.failures); got < c.want || got > c.want+c.want/10 {
				t.Errorf("%s after %d failures: expected %s and up to a tenth more, found %s", c.every, c.failures, c.want, got)
			}
		}
	}
}

func TestSettingsCheck(t *testing.T) {
	good := Settings{Name: "acme", Mode: Full, Every: MinEvery}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	filter := Filter{Products: []string{"hello"}}
	for what, change := range map[string]func(*Settings){
		"mode":          func(s *Settings) { s.Mode = "whole" },
		"no filter":     func(s *Settings) { s.Filter = filter },
		"takes it":      func(s *Settings) { s.Filter = filter },
		"found none":    func(s *Settings) { s.Mode = Filtered },
		"or less often": func(s *Settings) { s.Every = MinEvery - 1 },
		"0 or more":     func(s *Settings) { s.Mode, s.Filter = Lazy, Filter{Keep: -1} },
		"bounds of 0":   func(s *Settings) { s.Mode, s.Filter = Lazy, Filter{MaxAge: -1} },
		"":              func(s *Settings) { s.Name = "../acme" },
	} {
		s := good
		change(&s)
		if err := s.Check(); err == nil || !strings.Contains(err.Error(), what) {
			t.Errorf("expected an error with %q, found %v", what, err)
		}
	}
	for _, s := range []Settings{{Name: "acme", Mode: Lazy, Every: time.Hour}, {Name: "acme", Mode: Lazy, Every: time.Hour, Filter: filter}, {Name: "acme", Mode: Filtered, Every: time.Hour, Filter: filter}} {
		if err := s.Check(); err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

func TestFailureIsForgottenInTime(t *testing.T) {
	ended := time.Unix(1000, 0)
	f := &flight{ended: ended}
	for after, want := range map[time.Duration]bool{0: true, remembered - 1: true, remembered: false, -time.Second: false} {
		if got := f.answers(ended.Add(after)); got != want {
			t.Errorf("%s after: expected %v, found %v", after, want, got)
		}
	}
	if !(&flight{}).answers(ended) {
		t.Error("under way: expected it to answer")
	}
}

func TestReserveInOneStep(t *testing.T) {
	m := &Mirror{quota: 100, room: room{used: 40}}
	if free, taken := m.take(-1, 50); free != 60 || !taken {
		t.Errorf("expected 50 of 60, found %d, %v", free, taken)
	}
	if free, taken := m.take(-1, 20); free != 10 || taken {
		t.Errorf("expected 20 of 10 to be refused, found %d, %v", free, taken)
	}
	if free, taken := m.take(margin+55, 5); free != 5 || !taken { // less on the device than by the quota
		t.Errorf("expected 5 of 5, found %d, %v", free, taken)
	}
	if m.room.reserved != 55 {
		t.Errorf("expected 55 to be reserved, found %d", m.room.reserved)
	}
}
