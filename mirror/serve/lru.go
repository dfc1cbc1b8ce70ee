package serve

import "container/list"

// lru keeps values up to a sum of weights, and drops first what was not used for
// the longest time. Who uses it holds a lock.
type lru[K comparable, V any] struct {
	limit, weight int64
	order         *list.List // of *held, the newest first
	byKey         map[K]*list.Element
}

type held[K comparable, V any] struct {
	key    K
	value  V
	weight int64
}

func newLRU[K comparable, V any](limit int64) *lru[K, V] {
	return &lru[K, V]{limit: limit, order: list.New(), byKey: map[K]*list.Element{}}
}

// get finds a value, which may be changed where it is.
func (l *lru[K, V]) get(key K) (*V, bool) {
	at, ok := l.byKey[key]
	if !ok {
		return nil, false
	}
	l.order.MoveToFront(at)
	return &at.Value.(*held[K, V]).value, true
}

// put keeps a value that is not there yet, and drops others for it.
func (l *lru[K, V]) put(key K, value V, weight int64) *V {
	h := &held[K, V]{key, value, weight}
	l.byKey[key] = l.order.PushFront(h)
	l.weight += weight
	for l.weight > l.limit && l.order.Len() > 1 {
		last := l.order.Back()
		gone := l.order.Remove(last).(*held[K, V])
		delete(l.byKey, gone.key)
		l.weight -= gone.weight
	}
	return &h.value
}
