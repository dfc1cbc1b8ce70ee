package mirror

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"assay/artifact"
	"assay/mirror/storage"
)

// ErrQuota: what is to be fetched does not fit. Nothing of it was fetched.
var ErrQuota = errors.New("no room for what is to be fetched")

// margin is left free on the device, in bytes: for the state, and for logs.
const margin = 64 << 20

// room is what is taken of the storage, and what is promised to runs.
type room struct {
	used     int64
	reserved int64
}

// reserve takes room for bytes that will be fetched, by the quota and by the device,
// until release is called with those that came. Where there is none, what was
// fetched on demand and not asked for since longest goes first.
func (m *Mirror) reserve(ctx context.Context, name string, bytes int64) (release func(came fetchedSum), err error) {
	if bytes <= 0 {
		return func(fetchedSum) {}, nil
	}
	for {
		device, err := m.storage.Free(ctx)
		if err != nil {
			return nil, err
		}
		free, taken := m.take(device, bytes)
		if taken {
			break
		}
		freed, err := m.evict(ctx, bytes-free)
		if err != nil {
			return nil, err
		}
		if freed == 0 {
			return nil, fmt.Errorf("%s: %w: expected at most %d bytes, by the quota and the device, found %d to fetch", name, ErrQuota, free, bytes)
		}
	}
	return func(came fetchedSum) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.room.reserved -= bytes
		m.room.used += came.bytes
		m.objects += came.count
	}, nil
}

// fetchedSum is how much came.
type fetchedSum struct{ count, bytes int64 }

// left is how many bytes may still be fetched; -1: not bounded, as far as is known.
func (m *Mirror) left(ctx context.Context) (int64, error) {
	device, err := m.storage.Free(ctx)
	if err != nil {
		return 0, err
	}
	free, _ := m.take(device, 0)
	return free, nil
}

// take reserves bytes if there is room for them, in one step, as others reserve, too.
// free is what was there before.
func (m *Mirror) take(device, bytes int64) (free int64, taken bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	free = -1
	if m.quota > 0 {
		free = max(0, m.quota-m.room.used-m.room.reserved)
	}
	if device >= 0 {
		device = max(0, device-margin-m.room.reserved)
		if free < 0 || device < free {
			free = device
		}
	}
	if taken = free < 0 || bytes <= free; taken {
		m.room.reserved += bytes
	}
	return free, taken
}

// measure finds out anew how much is used, by looking at every object: at the start,
// and after a collection. In between it is reckoned. What can't be found out stays
// as it was.
func (m *Mirror) measure(ctx context.Context) {
	var used, objects int64
	for info, err := range m.storage.Objects(ctx) {
		if err != nil {
			m.log.Warn("the storage can't be measured", "error", err.Error())
			return
		}
		used += info.Length
		objects++
	}
	m.mu.Lock()
	m.room.used, m.objects = used, objects
	m.mu.Unlock()
}

// evict removes targets of lazy repositories, those that were not asked for since
// longest first, until at least so many bytes are free.
func (m *Mirror) evict(ctx context.Context, bytes int64) (freed int64, err error) {
	type candidate struct {
		r    *repository
		at   *serving
		t    promise
		used int64
	}
	var all []candidate
	kept := map[artifact.Digest]bool{} // by other modes
	for _, r := range m.list() {
		now := r.serving.Load()
		if now == nil {
			continue
		}
		for _, t := range now.listing.targets {
			switch {
			case !t.carried || isDocument(t.path):
			case r.settings.Mode != Lazy:
				kept[t.key()] = true
			default:
				all = append(all, candidate{r, now, t, m.asked(t.key())})
			}
		}
	}
	slices.SortStableFunc(all, func(x, y candidate) int { return int(min(1, max(-1, x.used-y.used))) })
	for _, c := range all {
		if freed >= bytes {
			break
		}
		if _, err := m.storage.Stat(ctx, c.t.key()); kept[c.t.key()] || errors.Is(err, storage.ErrMissing) {
			continue
		} else if err != nil {
			return freed, err
		}
		if err := m.storage.Delete(ctx, c.t.key()); errors.Is(err, storage.ErrInUse) {
			continue
		} else if err != nil {
			return freed, err
		}
		freed += c.t.length
		m.mu.Lock()
		m.room.used -= c.t.length
		m.objects--
		m.mu.Unlock()
		c.at.held.Add(-1)
		c.at.bytes.Add(-c.t.length)
		m.counters.Counter("assay_mirror_evictions_total").Add(1)
	}
	return freed, nil
}

// asked is when a target was last asked for, as a number that grows; 0: not since
// the start.
func (m *Mirror) asked(key artifact.Digest) int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.uses[key]
}

// use notes that a target of a lazy repository was asked for.
func (m *Mirror) use(key artifact.Digest) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.turn++
	m.uses[key] = m.turn
}
