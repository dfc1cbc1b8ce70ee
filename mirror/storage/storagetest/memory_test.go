package storagetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/mirror/storage"
)

// memory is a back end that has nothing in common with a folder, to show that the
// suite asks for no more than the interface does.
type memory struct {
	mu        sync.Mutex
	objects   map[artifact.Digest][]byte
	documents map[string][]byte
}

func TestMemory(t *testing.T) {
	Run(t, func(t *testing.T) Backend {
		store, err := cache.Open(t.TempDir(), cache.Options{})
		if err != nil {
			t.Fatal(err)
		}
		m := &memory{objects: map[artifact.Digest][]byte{}, documents: map[string][]byte{}}
		return Backend{Storage: m, Cache: store, Damage: func(_ *testing.T, digest artifact.Digest) {
			m.mu.Lock()
			defer m.mu.Unlock()
			bad := bytes.Clone(m.objects[digest])
			bad[len(bad)/2] ^= 1
			m.objects[digest] = bad
		}}
	})
}

func (m *memory) Put(ctx context.Context, data []byte) (artifact.Digest, error) {
	digest := artifact.DigestOf(artifact.SHA256, data)
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return artifact.Digest{}, err
	}
	m.objects[digest] = append([]byte{}, data...)
	return digest, nil
}

func (m *memory) Adopt(ctx context.Context, blob cache.Blob) error {
	if blob.Digest().IsZero() {
		return fmt.Errorf("%w: a blob of nothing", storage.ErrInvalid)
	}
	r, err := blob.Open()
	if err != nil {
		return fmt.Errorf("%w: %w", storage.ErrMissing, err)
	}
	defer r.Close()
	data, err := io.ReadAll(r) // which hashes it
	if err != nil {
		return fmt.Errorf("%w, %w: %w", storage.ErrMismatch, storage.ErrMissing, err)
	}
	_, err = m.Put(ctx, data)
	return err
}

func (m *memory) get(ctx context.Context, digest artifact.Digest) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if digest.IsZero() {
		return nil, fmt.Errorf("%w: no digest", storage.ErrInvalid)
	}
	data, ok := m.objects[digest]
	if !ok {
		return nil, fmt.Errorf("%w: %v", storage.ErrMissing, digest)
	}
	return data, nil
}

type object struct{ *bytes.Reader }

func (object) Close() error { return nil }

func (m *memory) Open(ctx context.Context, digest artifact.Digest) (storage.Object, error) {
	data, err := m.get(ctx, digest)
	if err != nil {
		return nil, err
	}
	return object{bytes.NewReader(data)}, nil
}

func (m *memory) Stat(ctx context.Context, digest artifact.Digest) (int64, error) {
	data, err := m.get(ctx, digest)
	return int64(len(data)), err
}

func (m *memory) Check(ctx context.Context, digest artifact.Digest, rate int64) error {
	data, err := m.get(ctx, digest)
	switch {
	case err != nil:
		return err
	case rate < 0:
		return fmt.Errorf("%w: rate %d", storage.ErrInvalid, rate)
	case artifact.DigestOf(digest.Algorithm(), data) == digest:
		return nil
	}
	return errors.Join(fmt.Errorf("%w, %w: %v", storage.ErrMismatch, storage.ErrMissing, digest), m.Delete(ctx, digest))
}

func (m *memory) Delete(ctx context.Context, digest artifact.Digest) error {
	if _, err := m.get(ctx, digest); err != nil && !errors.Is(err, storage.ErrMissing) {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, digest)
	return nil
}

func (m *memory) Objects(ctx context.Context) iter.Seq2[storage.Info, error] {
	return func(yield func(storage.Info, error) bool) {
		m.mu.Lock()
		now := maps.Clone(m.objects)
		m.mu.Unlock()
		for digest, data := range now {
			if err := ctx.Err(); err != nil {
				yield(storage.Info{}, err)
				return
			}
			if !yield(storage.Info{Digest: digest, Length: int64(len(data)), Added: time.Unix(1, 0)}, nil) {
				return
			}
		}
	}
}

func (m *memory) Document(ctx context.Context, name string) ([]byte, storage.Version, error) {
	if err := errors.Join(ctx.Err(), storage.CheckName(name)); err != nil {
		return nil, "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	data := m.documents[name]
	return bytes.Clone(data), storage.VersionOf(data), nil
}

func (m *memory) Replace(ctx context.Context, name string, old storage.Version, data []byte) (storage.Version, error) {
	if err := errors.Join(ctx.Err(), storage.CheckName(name), storage.CheckDocument(data)); err != nil {
		return "", err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if found := storage.VersionOf(m.documents[name]); found != old {
		return "", fmt.Errorf("%w: %s: %s, not %s", storage.ErrChanged, name, found, old)
	}
	if data == nil {
		delete(m.documents, name)
		return "", nil
	}
	m.documents[name] = append([]byte{}, data...)
	return storage.VersionOf(data), nil
}

func (m *memory) Documents(ctx context.Context, prefix string) (names []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name := range m.documents {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, ctx.Err()
}

func (m *memory) Free(ctx context.Context) (int64, error) { return -1, ctx.Err() }
