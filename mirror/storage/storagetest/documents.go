package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"assay/mirror/storage"
)

// replace writes a document over a version, and gives the new one.
func (s suite) replace(t *testing.T, name string, old storage.Version, data []byte) storage.Version {
	t.Helper()
	version, err := s.Replace(t.Context(), name, old, data)
	if err != nil {
		t.Fatal(err)
	}
	s.wantDocument(t, name, version, data)
	return version
}

func (s suite) wantDocument(t *testing.T, name string, version storage.Version, data []byte) {
	t.Helper()
	got, found, err := s.Document(t.Context(), name)
	if err != nil || found != version || !bytes.Equal(got, data) || (got == nil) != (data == nil) {
		t.Errorf("%s: expected %d bytes of version %s, found %d of %s, %v", name, len(data), version, len(got), found, err)
	}
	if (version == "") != (data == nil) {
		t.Errorf("%s: expected a version where there is a document, found %q", name, string(version))
	}
}

func testDocument(t *testing.T, s suite) {
	const name = "repositories/acme/current"
	s.wantDocument(t, name, "", nil)
	first := s.replace(t, name, "", []byte("one"))
	second := s.replace(t, name, first, []byte("two"))
	if first == second {
		t.Errorf("expected another version for another text, found %s", first)
	}
	// What is handed out, and in, is the caller's.
	data, _, err := s.Document(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	clear(data)
	mine := []byte("three")
	third := s.replace(t, name, second, mine)
	clear(mine)
	s.wantDocument(t, name, third, []byte("three"))
	s.replace(t, name, third, nil)
	if names, err := s.Documents(t.Context(), ""); err != nil || len(names) != 0 {
		t.Errorf("expected no document, found %q, %v", names, err)
	}
	s.replace(t, name, "", nil) // none stays none
	s.replace(t, name, "", []byte("four"))
}

func testEmptyDocument(t *testing.T, s suite) {
	version := s.replace(t, "empty", "", []byte{})
	if names, err := s.Documents(t.Context(), ""); err != nil || !slices.Equal(names, []string{"empty"}) {
		t.Errorf("expected the empty document, found %q, %v", names, err)
	}
	s.replace(t, "empty", version, nil)
}

func testDocumentNames(t *testing.T, s suite) {
	long := strings.Repeat("n", storage.MaxName)
	names := []string{
		"a", "a-b", "a.b", "a/b", "a/b/c", "a_b", "a0", "b", "0", "-", "_", "a..b", "a.", "con", "x.tmp", "x.lock",
		long, strings.Repeat("s/", storage.MaxName/2-1) + "s",
	}
	versions := map[string]storage.Version{}
	for _, name := range names { // one may continue another
		versions[name] = s.replace(t, name, "", []byte("this is "+name))
	}
	slices.Sort(names)
	for prefix, want := range map[string][]string{
		"": names, "a/": {"a/b", "a/b/c"}, "a/b": {"a/b", "a/b/c"}, "b": {"b"}, "nn": {long}, "none": nil, "../": nil, "/": nil, "A": nil, long + "n": nil,
	} {
		if got, err := s.Documents(t.Context(), prefix); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: expected %q, found %q, %v", prefix, want, got, err)
		}
	}
	for name, version := range versions {
		s.wantDocument(t, name, version, []byte("this is "+name))
	}
	s.replace(t, "a/b", versions["a/b"], nil)
	s.wantDocument(t, "a/b/c", versions["a/b/c"], []byte("this is a/b/c"))
	s.wantDocument(t, "a", versions["a"], []byte("this is a"))
}

func testHostileNames(t *testing.T, s suite) {
	for _, name := range []string{
		"", "/", "/x", "x/", "a//b", ".", "..", "../x", "a/../b", "a/..", ".x", "a/.x", "./a", "A", "a/B", "é", "a b", "a\x00b", "a\nb",
		`a\b`, "a+b", "a:b", "a*", "%2e%2e", "~", strings.Repeat("n", storage.MaxName+1), strings.Repeat("a/", storage.MaxName/2) + "ab",
	} {
		if data, version, err := s.Document(t.Context(), name); !errors.Is(err, storage.ErrInvalid) || data != nil || version != "" {
			t.Errorf("%q: expected %v, found %q, %v", name, storage.ErrInvalid, data, err)
		}
		for _, data := range [][]byte{nil, []byte("x")} {
			if version, err := s.Replace(t.Context(), name, "", data); !errors.Is(err, storage.ErrInvalid) || version != "" {
				t.Errorf("%q: expected %v, found %v, %v", name, storage.ErrInvalid, version, err)
			}
		}
	}
	if names, err := s.Documents(t.Context(), ""); err != nil || len(names) != 0 {
		t.Errorf("expected no document, found %q, %v", names, err)
	}
}

func testDocumentLength(t *testing.T, s suite) {
	version := s.replace(t, "long", "", bytesOf(1, storage.MaxDocument))
	if _, err := s.Replace(t.Context(), "long", version, bytesOf(2, storage.MaxDocument+1)); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("expected %v, found %v", storage.ErrInvalid, err)
	}
	s.wantDocument(t, "long", version, bytesOf(1, storage.MaxDocument))
}

func testChanged(t *testing.T, s suite) {
	refuses := func(name string, old storage.Version, data []byte) {
		t.Helper()
		if version, err := s.Replace(t.Context(), name, old, data); !errors.Is(err, storage.ErrChanged) || version != "" {
			t.Errorf("expected %v, found %v, %v", storage.ErrChanged, version, err)
		}
	}
	first := s.replace(t, "d", "", []byte("one"))
	second := s.replace(t, "d", first, []byte("two"))
	for _, old := range []storage.Version{"", first, "nothing like it"} {
		for _, data := range [][]byte{nil, []byte("two"), []byte("three")} {
			refuses("d", old, data)
			s.wantDocument(t, "d", second, []byte("two"))
		}
	}
	s.replace(t, "d", second, nil)
	for _, data := range [][]byte{nil, []byte("three")} {
		refuses("d", second, data)
		s.wantDocument(t, "d", "", nil)
	}
}

// testReplaceAtOnce: of those that have read the same version one wins.
func testReplaceAtOnce(t *testing.T, s suite) {
	const rounds, writers = 5, 8
	version := storage.Version("")
	for round := range rounds {
		var won atomic.Pointer[[]byte]
		var count atomic.Int32
		var all sync.WaitGroup
		for writer := range writers {
			all.Go(func() {
				data := fmt.Appendf(nil, "round %d, writer %d", round, writer)
				_, err := s.Replace(t.Context(), "d", version, data)
				switch {
				case err == nil:
					count.Add(1)
					won.Store(&data)
				case !errors.Is(err, storage.ErrChanged):
					t.Errorf("expected %v, found %v", storage.ErrChanged, err)
				}
			})
		}
		all.Wait()
		if count.Load() != 1 {
			t.Fatalf("expected one winner, found %d", count.Load())
		}
		data, next, err := s.Document(t.Context(), "d")
		if err != nil || !bytes.Equal(data, *won.Load()) {
			t.Fatalf("expected what the winner wrote, %q, found %q, %v", *won.Load(), data, err)
		}
		version = next
	}
}

// testReadWhileReplaced: a reader sees one text or the other, and its version.
func testReadWhileReplaced(t *testing.T, s suite) {
	texts := [][]byte{bytesOf(1, 100_000), bytesOf(2, 50_000)}
	version := s.replace(t, "d", "", texts[0])
	versions := []storage.Version{version, ""}
	ctx, stop := context.WithCancel(t.Context())
	var writer sync.WaitGroup
	writer.Go(func() {
		for i := 1; i < 50; i++ {
			next, err := s.Replace(t.Context(), "d", version, texts[i%2])
			if err != nil {
				t.Error(err)
				break
			}
			version = next
		}
		stop()
	})
	for ctx.Err() == nil {
		data, found, err := s.Document(t.Context(), "d")
		if err != nil {
			t.Error(err)
			break
		}
		switch {
		case bytes.Equal(data, texts[0]) && found == versions[0]:
		case bytes.Equal(data, texts[1]) && found != versions[0]:
		default:
			t.Errorf("expected one of the two texts, found %d bytes of version %s", len(data), found)
			stop()
		}
	}
	writer.Wait()
}

// testCancelled: whoever gave up is told so, and has changed nothing.
func testCancelled(t *testing.T, s suite) {
	data := bytesOf(1, 1000)
	digest := s.put(t, data)
	version := s.replace(t, "d", "", []byte("one"))
	blob := s.fetch(t, []byte("fetched"))
	before := len(s.list(t))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	calls := s.asking(digest)
	calls["put"] = func(ctx context.Context) error { _, err := s.Put(ctx, []byte("new")); return err }
	calls["put again"] = func(ctx context.Context) error { _, err := s.Put(ctx, data); return err }
	calls["adopt"] = func(ctx context.Context) error { return s.Adopt(ctx, blob) }
	calls["delete"] = func(ctx context.Context) error { return s.Delete(ctx, digest) }
	calls["slow check"] = func(ctx context.Context) error { return s.Check(ctx, digest, 1) }
	calls["document"] = func(ctx context.Context) error { _, _, err := s.Document(ctx, "d"); return err }
	calls["replace"] = func(ctx context.Context) error { _, err := s.Replace(ctx, "d", version, []byte("two")); return err }
	calls["remove"] = func(ctx context.Context) error { _, err := s.Replace(ctx, "d", version, nil); return err }
	calls["documents"] = func(ctx context.Context) error { _, err := s.Documents(ctx, ""); return err }
	calls["free"] = func(ctx context.Context) error { _, err := s.Free(ctx); return err }
	calls["objects"] = func(ctx context.Context) (last error) {
		for _, last = range s.Objects(ctx) {
		}
		return last
	}
	for what, call := range calls {
		if err := call(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: expected %v, found %v", what, context.Canceled, err)
		}
	}
	s.holds(t, digest, data)
	s.wantDocument(t, "d", version, []byte("one"))
	if got := s.list(t); len(got) != before {
		t.Errorf("expected %d objects, as before, found %v", before, got)
	}
}
