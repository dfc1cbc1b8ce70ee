package serve

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"assay/artifact"
	"assay/mirror"
	"assay/mirror/storage"
)

// maxSmall is the longest object that is kept in memory, in bytes: metadata nearly
// always is, and many targets are. What is longer goes out by sendfile.
const maxSmall = 64 << 10

// overhead is what an object in memory weighs beside its bytes: the headers, and
// its places in map and list.
const overhead = 1 << 10

// errDamaged: an object is not what its digest says. Clients see it as absent.
var errDamaged = errors.New("the object is damaged")

// small is an object in memory, and the headers that go with its bytes. None of it
// changes.
type small struct {
	body    []byte
	headers *fixed
}

// memory keeps small objects by digest. As those never change, none is ever stale;
// whether one may be served is asked of the Library each time.
type memory struct {
	mu    sync.Mutex // guards what follows
	items *lru[artifact.Digest, *small]
}

func newMemory(limit int64) *memory {
	return &memory{items: newLRU[artifact.Digest, *small](limit)}
}

func (m *memory) get(digest artifact.Digest) *small {
	m.mu.Lock()
	defer m.mu.Unlock()
	if item, ok := m.items.get(digest); ok {
		return *item
	}
	return nil
}

// put keeps an object, and returns it or the same one that came first.
func (m *memory) put(digest artifact.Digest, item *small) *small {
	m.mu.Lock()
	defer m.mu.Unlock()
	if first, ok := m.items.get(digest); ok {
		return *first
	}
	return *m.items.put(digest, item, int64(len(item.body))+overhead)
}

// readSmall reads and proves an object that was opened. It is one of maxSmall at
// most.
func readSmall(o storage.Object, f *mirror.File) (*small, error) {
	body := make([]byte, f.Length)
	if _, err := io.ReadFull(o, body); err != nil {
		return nil, fmt.Errorf("%w: expected %d bytes: %w", errDamaged, f.Length, err)
	}
	if n, err := o.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		return nil, fmt.Errorf("%w: expected %d bytes, found more", errDamaged, f.Length)
	}
	want := f.Digests.Primary()
	if found := artifact.DigestOf(want.Algorithm(), body); found != want {
		return nil, fmt.Errorf("%w: expected %s, found %s", errDamaged, want, found)
	}
	return &small{body: body, headers: fixedOf(f)}, nil
}
