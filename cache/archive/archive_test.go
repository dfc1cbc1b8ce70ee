package archive

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"assay/artifact"
	"assay/cache"
)

func open(t testing.TB, dir string) *cache.Store {
	t.Helper()
	s, err := cache.Open(dir, cache.Options{LockWait: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func put(t testing.TB, s *cache.Store, algorithm artifact.Algorithm, data []byte, names ...cache.Name) artifact.Digest {
	t.Helper()
	d := artifact.DigestOf(algorithm, data)
	stage, err := s.Stage(t.Context(), artifact.Digests{d}, int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	_, err = stage.Write(data)
	_, commitErr := stage.Commit(t.Context())
	if err := errors.Join(err, commitErr); err != nil {
		t.Fatal(err)
	}
	if len(names) > 0 {
		if err := s.Note(t.Context(), d, names...); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

func items(t testing.TB, s *cache.Store) (list []Item) {
	t.Helper()
	entries, err := s.List(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		list = append(list, Item{Entry: e})
	}
	return list
}

func export(t testing.TB, s *cache.Store, list []Item) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(t.Context(), &b, s, list, nil); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// files lists what is in a folder of the cache.
func files(t testing.TB, dir string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			list = append(list, filepath.Base(path))
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

var large = bytes.Repeat([]byte("large"), 200_000)

// sample is a cache of four blobs with names and evidence.
func sample(t testing.TB) (*cache.Store, []Item) {
	t.Helper()
	s := open(t, t.TempDir())
	put(t, s, artifact.SHA256, []byte("a"), cache.Name{Repository: "acme", Product: "hello", Version: "1.0.0"}, cache.Name{File: "<a>"})
	put(t, s, artifact.SHA256, nil)
	put(t, s, artifact.SHA256, large)
	put(t, s, artifact.SHA512, []byte("b"), cache.Name{Target: "b"})
	list := items(t, s)
	for i, item := range list {
		if item.Entry.Length == 1 {
			receipt := json.RawMessage(`{"schema":"x","outcome":"proven","at":"2026-01-02T03:04:05Z","repository":"acme","target":"t","evidence":null}`)
			text, err := Evidence(item.Entry.Digest, []json.RawMessage{receipt})
			if err != nil {
				t.Fatal(err)
			}
			list[i].Evidence = text
		}
	}
	return s, list
}

func TestRoundTrip(t *testing.T) {
	s, list := sample(t)
	text := export(t, s, list)
	slices.Reverse(list)
	if again := export(t, s, list); !bytes.Equal(again, text) {
		t.Error("expected the same bytes in any order")
	}
	other := open(t, t.TempDir())
	var last int64
	total := int64(len(large) + 2)
	progress := func(done, all int64) {
		if done < last || all != total {
			t.Errorf("expected at least %d of %d, found %d of %d", last, total, done, all)
		}
		last = done
	}
	imported, err := Read(t.Context(), bytes.NewReader(text), other, Options{Quota: total, Progress: progress})
	if err != nil || len(imported) != 4 || last != total {
		t.Fatalf("expected four blobs, found %+v, %v", imported, err)
	}
	claims := 0
	for _, one := range imported {
		blob, err := other.Get(one.Digest)
		if err == nil {
			err = blob.Check(t.Context())
		}
		if err != nil || one.Held || blob.Length() != one.Length {
			t.Errorf("expected a whole, new blob, found %+v, %v", one, err)
		}
		claims += len(one.Claims)
		for _, c := range one.Claims {
			if want := (Claim{Outcome: "proven", At: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Repository: "acme", Target: "t"}); c != want {
				t.Errorf("expected %+v, found %+v", want, c)
			}
		}
	}
	if claims != 2 {
		t.Errorf("expected two claims, found %d", claims)
	}
	// The names are those of before, in their order: the archive of the copy is the
	// same.
	copied := items(t, other)
	for i := range copied {
		for _, item := range list {
			if item.Entry.Digest == copied[i].Entry.Digest {
				copied[i].Evidence = item.Evidence
			}
		}
	}
	if again := export(t, other, copied); !bytes.Equal(again, text) {
		t.Error("expected the copy to give the same bytes")
	}
	// Once more: all is held, and keeps its names.
	d := imported[0].Digest
	if err := other.Note(t.Context(), d, cache.Name{Product: "own"}); err != nil {
		t.Fatal(err)
	}
	imported, err = Read(t.Context(), bytes.NewReader(text), other, Options{Quota: total})
	if err != nil || len(imported) != 4 || slices.ContainsFunc(imported, func(one Imported) bool { return !one.Held }) {
		t.Errorf("expected all to be held, found %+v, %v", imported, err)
	}
	for _, item := range items(t, other) {
		if item.Entry.Digest == d && item.Entry.Names[0].Product != "own" {
			t.Errorf("expected the names of before, found %v", item.Entry.Names)
		}
	}
}

// TestNothingOfTheMachine: an entry's header has neither time nor owner.
func TestNothingOfTheMachine(t *testing.T) {
	s, list := sample(t)
	r := tar.NewReader(bytes.NewReader(export(t, s, list)))
	var names []string
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, h.Name)
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" || !h.ModTime.Equal(time.Unix(0, 0)) || h.Mode != 0o444 || h.Typeflag != tar.TypeReg {
			t.Errorf("expected a plain header, found %+v", h)
		}
	}
	if len(names) != 7 || names[0] != manifestName || !slices.IsSorted(names[1:]) {
		t.Errorf("expected seven names in order, found %q", names)
	}
}

func TestNoWrite(t *testing.T) {
	s, list := sample(t)
	for what, test := range map[string]struct {
		items []Item
		want  error
	}{
		"twice":    {append(slices.Clone(list), list[0]), ErrInvalid},
		"not held": {[]Item{{Entry: cache.Entry{Digest: artifact.DigestOf(artifact.SHA256, []byte("x"))}}}, cache.ErrMissing},
		"evidence": {[]Item{{Entry: list[0].Entry, Evidence: make([]byte, maxEvidence+1)}}, ErrInvalid},
		"names":    {[]Item{{Entry: cache.Entry{Digest: list[0].Entry.Digest, Names: make([]cache.Name, maxNames+1)}}}, ErrInvalid},
	} {
		var b bytes.Buffer
		if err := Write(t.Context(), &b, s, test.items, nil); !errors.Is(err, test.want) || b.Len() != 0 {
			t.Errorf("%s: expected %v and nothing written, found %d bytes, %v", what, test.want, b.Len(), err)
		}
	}
	if _, err := Evidence(list[0].Entry.Digest, []json.RawMessage{[]byte(`"` + strings.Repeat("x", maxEvidence) + `"`)}); !errors.Is(err, ErrInvalid) {
		t.Errorf("expected %v, found %v", ErrInvalid, err)
	}
	if _, err := Evidence(list[0].Entry.Digest, make([]json.RawMessage, maxClaims+1)); !errors.Is(err, ErrInvalid) {
		t.Errorf("expected %v, found %v", ErrInvalid, err)
	}
	// A blob that rots is found out, and no archive is completed with it.
	for _, item := range list {
		if item.Entry.Length == int64(len(large)) {
			rotten := bytes.Clone(large)
			rotten[77]++
			if err := errors.Join(os.Chmod(item.Entry.Path, 0o600), os.WriteFile(item.Entry.Path, rotten, 0o600)); err != nil {
				t.Fatal(err)
			}
		}
	}
	var b bytes.Buffer
	if err := Write(t.Context(), &b, s, list, nil); !errors.Is(err, cache.ErrDamaged) {
		t.Errorf("expected %v, found %v", cache.ErrDamaged, err)
	}
	if _, err := Read(t.Context(), &b, open(t, t.TempDir()), Options{Quota: 1 << 30}); !errors.Is(err, cache.ErrMismatch) {
		t.Errorf("expected %v, found %v", cache.ErrMismatch, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := Write(ctx, io.Discard, s, items(t, s), nil); !errors.Is(err, context.Canceled) {
		t.Errorf("expected %v, found %v", context.Canceled, err)
	}
}

// TestCutArchive: what was whole before the cut stays, and nothing else.
func TestCutArchive(t *testing.T) {
	s, list := sample(t)
	text := export(t, s, list)
	whole := 0
	// The end mark, and the zeros that fill up the last entry, may be missing.
	end := len(text) - 1024 - 512
	for at := 0; at < end; at += 511 {
		if at > 8<<10 && at < end-(200<<10) {
			at += 100 << 10 // within the large blob
		}
		dir := t.TempDir()
		other := open(t, dir)
		imported, err := Read(t.Context(), bytes.NewReader(text[:at]), other, Options{Quota: 1 << 30})
		if !errors.Is(err, ErrArchive) || !strings.Contains(err.Error(), "found the end of the file") {
			t.Errorf("cut at %d: expected %v that tells of the end, found %v", at, ErrArchive, err)
		}
		if got := files(t, filepath.Join(dir, "blobs")); len(got) != len(imported) {
			t.Errorf("cut at %d: expected %v, found %q", at, imported, got)
		}
		if got := files(t, filepath.Join(dir, "staging")); len(got) != 0 {
			t.Errorf("cut at %d: expected nothing staged, found %q", at, got)
		}
		whole = max(whole, len(imported))
		for _, one := range imported {
			blob, err := other.Get(one.Digest)
			if err == nil {
				err = blob.Check(t.Context())
			}
			if err != nil {
				t.Errorf("cut at %d: %v", at, err)
			}
		}
	}
	if whole != 4 {
		t.Errorf("expected cuts behind the last blob, found %d whole ones", whole)
	}
}

func TestReaderFails(t *testing.T) {
	s, list := sample(t)
	text := export(t, s, list)
	wrong := errors.New("wrong")
	for _, at := range []int{0, 700, 3000, len(text) - 3000} {
		_, err := Read(t.Context(), io.MultiReader(bytes.NewReader(text[:at]), iotest.ErrReader(wrong)), open(t, t.TempDir()), Options{Quota: 1 << 30})
		if !errors.Is(err, wrong) || errors.Is(err, ErrArchive) {
			t.Errorf("at %d: expected %v, found %v", at, wrong, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := Read(ctx, bytes.NewReader(text), open(t, t.TempDir()), Options{Quota: 1 << 30, Progress: func(done, _ int64) {
		if done > 100 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("expected %v, found %v", context.Canceled, err)
	}
	dir := t.TempDir()
	if _, err := Read(t.Context(), bytes.NewReader(text), open(t, dir), Options{Quota: int64(len(large)) + 1}); !errors.Is(err, ErrQuota) || len(files(t, dir)) != 0 {
		t.Errorf("expected %v and nothing kept, found %v", ErrQuota, err)
	}
}

// TestWhatClaimsSay: the short form, for people.
func TestWhatClaimsSay(t *testing.T) {
	d := artifact.DigestOf(artifact.SHA256, nil)
	text, err := Evidence(d, []json.RawMessage{[]byte(`{"outcome":"refused","product":"p","version":"1"}`), []byte("null")})
	if err != nil {
		t.Fatal(err)
	}
	claims, err := decodeClaims(manifestBlob{Digest: d}, text)
	if want := []Claim{{Outcome: "refused", Product: "p", Version: "1"}, {}}; err != nil || !reflect.DeepEqual(claims, want) {
		t.Errorf("expected %+v, found %+v, %v", want, claims, err)
	}
}
