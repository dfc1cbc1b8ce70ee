package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"assay/artifact"
	"assay/cache"
	"assay/mirror/storage"
)

// Backend is an empty storage, which a test has to itself.
type Backend struct {
	storage.Storage
	// Cache is where what is to be adopted is fetched.
	Cache *cache.Store
	// Damage changes the bytes of an object behind the storage's back, and not its
	// length.
	Damage func(t *testing.T, digest artifact.Digest)
}

// Run tests a back end. open is called by each test, and closes by t.Cleanup what
// it opens.
func Run(t *testing.T, open func(t *testing.T) Backend) {
	for _, test := range []struct {
		name string
		run  func(*testing.T, suite)
	}{
		{"put and read", testPut},
		{"put many at once", testPutAtOnce},
		{"put again what is damaged", testPutDamaged},
		{"adopt", testAdopt},
		{"no such object", testMissing},
		{"check", testCheck},
		{"check at a rate", testCheckRate},
		{"delete", testDelete},
		{"delete what is in use", testDeleteInUse},
		{"list", testObjects},
		{"list while it changes", testObjectsChange},
		{"free", testFree},
		{"document", testDocument},
		{"document of no bytes", testEmptyDocument},
		{"documents of many names", testDocumentNames},
		{"hostile names", testHostileNames},
		{"document of any length", testDocumentLength},
		{"changed document", testChanged},
		{"replace at once", testReplaceAtOnce},
		{"read while replaced", testReadWhileReplaced},
		{"cancelled", testCancelled},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, suite{open(t)}) })
	}
}

// suite is a back end with the steps that tests are made of.
type suite struct{ Backend }

func (s suite) put(t *testing.T, data []byte) artifact.Digest {
	t.Helper()
	digest, err := s.Put(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	if want := artifact.DigestOf(artifact.SHA256, data); digest != want {
		t.Fatalf("expected the digest %v, found %v", want, digest)
	}
	return digest
}

// fetch makes a blob in the cache, as a client does.
func (s suite) fetch(t *testing.T, data []byte) cache.Blob {
	t.Helper()
	want := artifact.Digests{artifact.DigestOf(artifact.SHA256, data), artifact.DigestOf(artifact.SHA512, data)}
	stage, err := s.Cache.Stage(t.Context(), want, int64(len(data)))
	if err == nil {
		_, err = stage.Write(data)
	}
	if err != nil {
		t.Fatal(err)
	}
	blob, err := stage.Commit(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return blob
}

// holds demands that an object is there, whole, by every way to read it.
func (s suite) holds(t *testing.T, digest artifact.Digest, data []byte) {
	t.Helper()
	if length, err := s.Stat(t.Context(), digest); err != nil || length != int64(len(data)) {
		t.Errorf("expected %d bytes, found %d, %v", len(data), length, err)
	}
	if err := s.Check(t.Context(), digest, 0); err != nil {
		t.Error(err)
	}
	object, err := s.Open(t.Context(), digest)
	if err != nil {
		t.Error(err)
		return
	}
	defer object.Close()
	reads(t, object, data)
}

// reads demands that an opened object gives these bytes, from the start, from the
// middle, and at an offset.
func reads(t *testing.T, object storage.Object, data []byte) {
	t.Helper()
	half := int64(len(data) / 2)
	for _, from := range []int64{0, half} {
		if at, err := object.Seek(from, io.SeekStart); err != nil || at != from {
			t.Errorf("expected to be at %d, found %d, %v", from, at, err)
		}
		if got, err := io.ReadAll(object); err != nil || !bytes.Equal(got, data[from:]) {
			t.Errorf("expected the %d bytes from %d, found %d, %v", len(data)-int(from), from, len(got), err)
		}
	}
	if end, err := object.Seek(0, io.SeekEnd); err != nil || end != int64(len(data)) {
		t.Errorf("expected the end at %d, found %d, %v", len(data), end, err)
	}
	part := make([]byte, len(data)-int(half))
	if n, err := object.ReadAt(part, half); n != len(part) || err != nil && !errors.Is(err, io.EOF) || !bytes.Equal(part, data[half:]) {
		t.Errorf("expected %d bytes at %d, found %d, %v", len(part), half, n, err)
	}
}

// lacks demands that there is no such object, whoever asks.
func (s suite) lacks(t *testing.T, digest artifact.Digest) {
	t.Helper()
	for what, call := range s.asking(digest) {
		if err := call(t.Context()); !errors.Is(err, storage.ErrMissing) {
			t.Errorf("%s: expected %v, found %v", what, storage.ErrMissing, err)
		}
	}
	for _, info := range s.list(t) {
		if info.Digest == digest {
			t.Errorf("expected %v not to be listed, found %+v", digest, info)
		}
	}
}

// asking are the calls that ask for an object.
func (s suite) asking(digest artifact.Digest) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"open": func(ctx context.Context) error {
			object, err := s.Open(ctx, digest)
			if object != nil && err != nil {
				return fmt.Errorf("expected no object beside an error, found one beside %v", err)
			}
			if object != nil {
				return object.Close()
			}
			return err
		},
		"stat":           func(ctx context.Context) error { _, err := s.Stat(ctx, digest); return err },
		"check":          func(ctx context.Context) error { return s.Check(ctx, digest, 0) },
		"check at speed": func(ctx context.Context) error { return s.Check(ctx, digest, 1<<30) },
	}
}

func (s suite) list(t *testing.T) (all []storage.Info) {
	t.Helper()
	for info, err := range s.Objects(t.Context()) {
		if err != nil {
			t.Error(err)
			break
		}
		all = append(all, info)
	}
	return all
}

// bytesOf are so many bytes, other ones for each seed.
func bytesOf(seed, length int) []byte {
	text := fmt.Appendf(nil, "object %d. ", seed)
	return bytes.Repeat(text, length/len(text)+1)[:length]
}
