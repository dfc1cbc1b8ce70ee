package mirror

import (
	"context"
	"errors"
	"strings"
	"time"

	"assay/artifact"
	"assay/mirror/storage"
)

// young protects what came lately from a collection, and unfinished while some
// repository has nothing published: its first run may have been cut off, and goes
// on from what came.
const (
	young      = 10 * time.Minute
	unfinished = 7 * 24 * time.Hour
)

// Collect removes the objects that no generation leads to, and none that was
// published before whose timestamp has not expired. While a run fetches it waits
// for the next time, and removes nothing.
//
// Crash here: some objects are gone that nothing leads to.
func (m *Mirror) Collect(ctx context.Context) (removed int, freed int64, err error) {
	if !m.configuring.TryLock() {
		return 0, 0, nil
	}
	defer m.configuring.Unlock()
	if !m.writing.TryLock() {
		return 0, 0, nil
	}
	defer m.writing.Unlock()
	live, whole, err := m.live(ctx)
	if err != nil {
		return 0, 0, err
	}
	old := m.now().Add(-young)
	if !whole {
		old = m.now().Add(-unfinished)
	}
	for info, err := range m.storage.Objects(ctx) {
		if err != nil {
			return removed, freed, err
		}
		if live[info.Digest] || info.Added.After(old) {
			continue
		}
		if err := m.storage.Delete(ctx, info.Digest); errors.Is(err, storage.ErrInUse) {
			continue // the next time
		} else if err != nil {
			return removed, freed, err
		}
		removed++
		freed += info.Length
	}
	m.counters.Counter("assay_mirror_collected_objects_total").Add(int64(removed))
	m.counters.Counter("assay_mirror_collected_bytes_total").Add(freed)
	m.measure(ctx)
	return removed, freed, nil
}

// live are the objects that something leads to. whole tells that every repository
// has published something, those too that were taken out of the settings: they may
// come back.
func (m *Mirror) live(ctx context.Context) (live map[artifact.Digest]bool, whole bool, err error) {
	live, whole = map[artifact.Digest]bool{}, true
	published, err := m.storage.Documents(ctx, documentOf(""))
	if err != nil {
		return nil, false, err
	}
	for _, name := range published {
		if _, err := m.repository(strings.TrimPrefix(name, documentOf(""))); err != nil {
			whole = false
		}
	}
	now := m.now()
	for _, r := range m.list() {
		s := r.serving.Load()
		if s == nil {
			whole = false
			continue
		}
		live[s.digest], live[s.generation.Listing] = true, true
		for _, f := range s.generation.Files {
			live[f.SHA256] = true
		}
		for _, t := range s.listing.targets {
			if t.carried {
				live[t.key()] = true
			}
		}
		for _, old := range s.generation.Retained {
			if old.Until.After(now) {
				live[old.Digests.Primary()] = true
			}
		}
	}
	return live, whole, nil
}
