package fetch

import (
	"context"
	"fmt"
	"sync"

	"assay/trust"
)

// libraryBytes is how much text of documents a library keeps, decoded: that is a
// few times as much memory. Ten thousand products with three channels each have
// about 15 MiB.
const libraryBytes = 32 << 20

// library keeps the documents of one view that were read, proven and decoded, so
// that a thousand questions read each once. It lives as long as the view: what is
// published later is seen by whoever asks anew. Which target a path has is asked
// of the view each time; only what has the same path, length and digests is the
// same document. Errors are not kept. What it hands out is shared, and must not be
// changed. It is safe for several goroutines.
type library struct {
	mu      sync.Mutex
	kept    map[documentKey]*volume
	bytes   int64
	revoked map[bool]*revokedFiles // for exact questions, and for others
}

func newLibrary() *library {
	return &library{kept: map[documentKey]*volume{}, revoked: map[bool]*revokedFiles{false: {turn: newTurn()}, true: {turn: newTurn()}}}
}

// documentKey names a document by what decides over its content, and as what it
// was read.
type documentKey struct {
	kind    string
	path    string
	digests string
	length  int64
	item    int // in the document
}

func keyFor(kind string, target trust.Target, item int) documentKey {
	return documentKey{kind, target.Path(), fmt.Sprint(target.Digests()), target.Length(), item}
}

// volume is one document.
type volume struct {
	turn  turn
	read  bool // guarded by turn, as value is
	value any
	size  int64 // guarded by the library's mu; 0: it is not counted yet
}

// turn is a lock that is waited for no longer than the caller has time.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (t turn) end() { <-t }

// remembered is what a library has under a key, or else what read gives. Of those
// that ask at once one reads, and the others wait for it; should it fail, each
// tries for itself. size is of the text, in bytes.
func remembered[T any](ctx context.Context, l *library, key documentKey, size int64, read func() (T, error)) (T, error) {
	var none T
	v := l.volume(key)
	if err := v.turn.take(ctx); err != nil {
		return none, err
	}
	defer v.turn.end()
	if v.read {
		return v.value.(T), nil
	}
	value, err := read()
	if err != nil {
		l.drop(key, v)
		return none, err
	}
	v.read, v.value = true, value
	l.count(key, v, size)
	return value, nil
}

// volume is the place for a document, whether or not it was read yet.
func (l *library) volume(key documentKey) *volume {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := l.kept[key]
	if v == nil {
		v = &volume{turn: newTurn()}
		l.kept[key] = v
	}
	return v
}

func (l *library) drop(key documentKey, v *volume) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept[key] == v {
		delete(l.kept, key)
	}
}

// count makes room for a document that was read. Which others go is left to
// chance: of documents that are asked for one after the other, over and over, the
// one that was asked for longest ago would be the next to be asked for.
func (l *library) count(key documentKey, v *volume, size int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.kept[key] != v {
		return // given up while it was read again
	}
	v.size = max(size, 1)
	l.bytes += v.size
	for other, old := range l.kept {
		if l.bytes <= libraryBytes {
			return
		}
		if old != v && old.size > 0 {
			delete(l.kept, other)
			l.bytes -= old.size
		}
	}
}
