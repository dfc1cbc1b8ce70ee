package storagetest

import (
	"errors"
	"slices"
	"sync"
	"testing"

	"assay/artifact"
	"assay/cache"
	"assay/mirror/storage"
)

// lengths are those at which a back end may change its ways.
var lengths = []int{0, 1, 4096, 256<<10 + 1, 1<<20 + 7}

func testPut(t *testing.T, s suite) {
	for i, length := range lengths {
		data := bytesOf(i, length)
		digest := s.put(t, data)
		s.holds(t, digest, data)
		if again := s.put(t, data); again != digest {
			t.Errorf("expected %v again, found %v", digest, again)
		}
		s.holds(t, digest, data)
	}
	// What is handed in stays the caller's.
	data := bytesOf(9, 100)
	digest := s.put(t, data)
	clear(data)
	s.holds(t, digest, bytesOf(9, 100))
	if got := s.list(t); len(got) != len(lengths)+1 {
		t.Errorf("expected %d objects, found %v", len(lengths)+1, got)
	}
}

// testPutAtOnce: the same bytes, and others, by several goroutines.
func testPutAtOnce(t *testing.T, s suite) {
	const kinds, each = 4, 4
	var all sync.WaitGroup
	for i := range kinds * each {
		all.Go(func() {
			data := bytesOf(i%kinds, 10_000)
			digest, err := s.Put(t.Context(), data)
			if err != nil || digest != artifact.DigestOf(artifact.SHA256, data) {
				t.Errorf("expected the digest of the bytes, found %v, %v", digest, err)
				return
			}
			s.holds(t, digest, data)
		})
	}
	all.Wait()
	if got := s.list(t); len(got) != kinds {
		t.Errorf("expected %d objects, found %v", kinds, got)
	}
}

func testPutDamaged(t *testing.T, s suite) {
	data := bytesOf(1, 5000)
	digest := s.put(t, data)
	s.Damage(t, digest)
	if again := s.put(t, data); again != digest {
		t.Errorf("expected %v again, found %v", digest, again)
	}
	s.holds(t, digest, data)
}

func testAdopt(t *testing.T, s suite) {
	for i, length := range lengths {
		data := bytesOf(i, length)
		blob := s.fetch(t, data)
		for range 2 {
			if err := s.Adopt(t.Context(), blob); err != nil {
				t.Error(err)
			}
			s.holds(t, blob.Digest(), data)
		}
	}
	if got := s.list(t); len(got) != len(lengths) {
		t.Errorf("expected %d objects, found %v", len(lengths), got)
	}
	if err := s.Adopt(t.Context(), cache.Blob{}); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("a blob of nothing: expected %v, found %v", storage.ErrInvalid, err)
	}
	// Prune, or a person, was faster.
	gone := s.fetch(t, []byte("gone"))
	if _, err := s.Cache.Remove(t.Context(), gone.Digest()); err != nil {
		t.Fatal(err)
	}
	if err := s.Adopt(t.Context(), gone); !errors.Is(err, storage.ErrMissing) {
		t.Errorf("expected %v, found %v", storage.ErrMissing, err)
	}
	s.lacks(t, gone.Digest())
}

func testMissing(t *testing.T, s suite) {
	data := bytesOf(1, 100)
	s.put(t, data)
	s.lacks(t, artifact.DigestOf(artifact.SHA256, []byte("another")))
	// It is stored by one digest, and not by the other.
	s.lacks(t, artifact.DigestOf(artifact.SHA512, data))
	for what, call := range s.asking(artifact.Digest{}) {
		if err := call(t.Context()); !errors.Is(err, storage.ErrInvalid) {
			t.Errorf("%s of no digest: expected %v, found %v", what, storage.ErrInvalid, err)
		}
	}
	if err := s.Delete(t.Context(), artifact.Digest{}); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("delete of no digest: expected %v, found %v", storage.ErrInvalid, err)
	}
}

func testCheck(t *testing.T, s suite) {
	for i, rate := range []int64{0, 1 << 30} {
		bad, good := bytesOf(2*i, 300_000), bytesOf(2*i+1, 300_000)
		digest, other := s.put(t, bad), s.put(t, good)
		s.Damage(t, digest)
		if err := s.Check(t.Context(), digest, rate); !errors.Is(err, storage.ErrMismatch) || !errors.Is(err, storage.ErrMissing) {
			t.Errorf("rate %d: expected %v and %v, found %v", rate, storage.ErrMismatch, storage.ErrMissing, err)
		}
		s.lacks(t, digest)
		// Once: from then on it is missing only.
		if err := s.Check(t.Context(), digest, rate); !errors.Is(err, storage.ErrMissing) || errors.Is(err, storage.ErrMismatch) {
			t.Errorf("rate %d: expected %v alone, found %v", rate, storage.ErrMissing, err)
		}
		s.holds(t, other, good)
		s.put(t, bad)
		s.holds(t, digest, bad)
	}
}

func testCheckRate(t *testing.T, s suite) {
	data := bytesOf(1, 100_000)
	digest := s.put(t, data)
	for _, rate := range []int64{1 << 62, 1 << 30, 100_000_000} {
		if err := s.Check(t.Context(), digest, rate); err != nil {
			t.Errorf("rate %d: %v", rate, err)
		}
	}
	if err := s.Check(t.Context(), digest, -1); !errors.Is(err, storage.ErrInvalid) {
		t.Errorf("expected %v, found %v", storage.ErrInvalid, err)
	}
	s.holds(t, digest, data)
}

func testDelete(t *testing.T, s suite) {
	data, other := bytesOf(1, 300_000), bytesOf(2, 10)
	digest, stays := s.put(t, data), s.put(t, other)
	open, err := s.Open(t.Context(), digest)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	for range 2 { // none there is no error
		if err := s.Delete(t.Context(), digest); err != nil {
			t.Error(err)
		}
		s.lacks(t, digest)
	}
	reads(t, open, data)
	s.holds(t, stays, other)
	s.put(t, data)
	s.holds(t, digest, data)
	blob := s.fetch(t, []byte("fetched"))
	if err := s.Adopt(t.Context(), blob); err != nil {
		t.Error(err)
	}
	if err := s.Delete(t.Context(), blob.Digest()); err != nil {
		t.Error(err)
	}
	s.lacks(t, blob.Digest())
}

// testDeleteInUse: a back end whose objects are not in the cache may delete it.
func testDeleteInUse(t *testing.T, s suite) {
	data := bytesOf(1, 100)
	blob := s.fetch(t, data)
	if err := s.Adopt(t.Context(), blob); err != nil {
		t.Fatal(err)
	}
	if err := s.Cache.Keep(t.Context(), cache.KindMirror, "m", "", blob.Digest()); err != nil {
		t.Fatal(err)
	}
	switch err := s.Delete(t.Context(), blob.Digest()); {
	case err == nil:
		s.lacks(t, blob.Digest())
	case errors.Is(err, storage.ErrInUse):
		s.holds(t, blob.Digest(), data)
	default:
		t.Errorf("expected nothing or %v, found %v", storage.ErrInUse, err)
	}
	if err := blob.Check(t.Context()); err != nil {
		t.Errorf("what a reference holds: %v", err)
	}
}

func testObjects(t *testing.T, s suite) {
	if got := s.list(t); len(got) != 0 {
		t.Errorf("expected an empty storage, found %v", got)
	}
	want := map[artifact.Digest]int64{}
	for i := range 20 {
		want[s.put(t, bytesOf(i, 100+i))] = int64(100 + i)
	}
	for _, info := range s.list(t) {
		if length, ok := want[info.Digest]; !ok || info.Length != length || info.Added.IsZero() {
			t.Errorf("expected %d bytes and a time, found %+v", length, info)
		}
		delete(want, info.Digest)
	}
	if len(want) != 0 {
		t.Errorf("expected these, too: %v", want)
	}
	for range s.Objects(t.Context()) {
		break // who has seen enough
	}
}

func testObjectsChange(t *testing.T, s suite) {
	var stay []artifact.Digest
	for i := range 10 {
		stay = append(stay, s.put(t, bytesOf(i, 100)))
	}
	var seen []artifact.Digest
	n := 10
	for info, err := range s.Objects(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		seen = append(seen, info.Digest)
		if n < 20 {
			// One comes, and one that has come before goes.
			digest := s.put(t, bytesOf(n, 100))
			if n%2 == 0 {
				if err := s.Delete(t.Context(), digest); err != nil {
					t.Error(err)
				}
			}
			n++
		}
	}
	for _, digest := range stay {
		if !slices.Contains(seen, digest) {
			t.Errorf("expected %v, which was there all the time", digest)
		}
	}
	slices.SortFunc(seen, func(a, b artifact.Digest) int { return slices.Compare([]byte(a.Hex()), []byte(b.Hex())) })
	if all := len(seen); len(slices.Compact(seen)) != all {
		t.Error("expected each object once")
	}
}

func testFree(t *testing.T, s suite) {
	if free, err := s.Free(t.Context()); err != nil || free < -1 {
		t.Errorf("expected a number of bytes, or -1, found %d, %v", free, err)
	}
}
