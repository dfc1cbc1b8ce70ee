package mirror

import (
	"context"
	"errors"
	"time"

	"assay/artifact"
	"assay/mirror/storage"
)

// Scrub tells of the search for damage.
type Scrub struct {
	Ended   time.Time `json:"ended,omitzero"` // of the last whole one
	Checked int64     `json:"checked"`        // objects, in the last or the current one
	Damaged int64     `json:"damaged"`        // objects, since the start
	Healed  int64     `json:"healed"`         // of them, fetched again
}

// StorageStatus tells of the storage.
type StorageStatus struct {
	Quota   int64 `json:"quota"` // bytes; 0: none
	Used    int64 `json:"used"`  // bytes
	Objects int64 `json:"objects"`
	Free    int64 `json:"free"` // bytes that may still be fetched; -1: not known
	Scrub   Scrub `json:"scrub"`
}

// Storage tells how full the storage is.
func (m *Mirror) Storage(ctx context.Context) (StorageStatus, error) {
	free, err := m.left(ctx)
	m.mu.Lock()
	defer m.mu.Unlock()
	return StorageStatus{Quota: m.quota, Used: m.room.used, Objects: m.objects, Free: free, Scrub: m.scrub}, err
}

// keepScrubbing looks for damage until ctx ends.
func (m *Mirror) keepScrubbing(ctx context.Context) {
	m.mu.Lock()
	every, rate := m.scrubEvery, m.scrubRate
	m.mu.Unlock()
	if every <= 0 || rate <= 0 {
		return
	}
	for {
		timer := time.NewTimer(pauseAfter(every, 0))
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
		if _, err := m.ScrubNow(ctx, rate); err != nil && ctx.Err() == nil {
			m.log.Warn("the scrub has ended early", "error", err.Error())
		}
	}
}

// ScrubNow hashes all that is live, at most rate bytes a second (0: as fast as it
// goes), and has what is damaged fetched again. It tells how many objects were.
func (m *Mirror) ScrubNow(ctx context.Context, rate int64) (damaged int, err error) {
	m.mu.Lock()
	m.scrub.Checked = 0
	m.mu.Unlock()
	live, _, err := m.live(ctx)
	if err != nil {
		return 0, err
	}
	defer func() {
		if damaged > 0 { // what is missing now, the next run fetches
			m.recount(context.WithoutCancel(ctx))
		}
	}()
	for digest := range live {
		err := m.storage.Check(ctx, digest, rate)
		m.counters.Counter("assay_mirror_scrubbed_objects_total").Add(1)
		m.mu.Lock()
		m.scrub.Checked++
		m.mu.Unlock()
		switch {
		case errors.Is(err, storage.ErrMismatch):
			damaged++
			m.counters.Counter("assay_mirror_scrub_damaged_total").Add(1)
			m.log.Error("damaged in the storage, set aside", "digest", digest.String(), "error", err.Error())
			healed := m.heal(ctx, digest)
			m.mu.Lock()
			m.scrub.Damaged++
			if healed {
				m.scrub.Healed++
			}
			m.mu.Unlock()
		case errors.Is(err, storage.ErrMissing), err == nil:
		default:
			return damaged, err
		}
	}
	m.mu.Lock()
	m.scrub.Ended = m.now().UTC()
	m.mu.Unlock()
	return damaged, nil
}

// recount finds out anew what is held of all repositories.
func (m *Mirror) recount(ctx context.Context) {
	for _, r := range m.list() {
		now := r.serving.Load()
		if now == nil {
			continue
		}
		if err := r.recount(ctx, now); err != nil {
			m.log.Warn("what is held can't be counted", "repository", r.settings.Name, "error", err.Error())
		}
	}
}

// heal brings back an object that was damaged: a target from the upstream, metadata
// from the memory of trust, which has it byte for byte.
func (m *Mirror) heal(ctx context.Context, digest artifact.Digest) (healed bool) {
	for _, r := range m.list() {
		now := r.serving.Load()
		if now == nil {
			continue
		}
		var err error
		if i, found := now.listing.byKey[digest]; found {
			err = r.demand(ctx, now.listing.targets[i].path, digest)
		} else {
			err = r.restore(ctx, now, digest)
		}
		if err == nil {
			if _, err = m.storage.Stat(ctx, digest); err == nil {
				return true
			}
		}
		m.log.Warn("not healed yet; the next run tries again", "repository", r.settings.Name, "digest", digest.String(), "error", err.Error())
	}
	return false
}

// restore writes a generation's own files again.
func (r *repository) restore(ctx context.Context, now *serving, digest artifact.Digest) error {
	var data []byte
	var err error
	switch digest {
	case now.digest:
		data, err = now.generation.encode()
	case now.generation.Listing:
		data, err = now.listing.encode(r.settings.Name)
	default:
		s, err := r.held(ctx)
		if err != nil {
			return err
		}
		for f, err := range s.View().Metadata(ctx) {
			if err != nil {
				return err
			}
			if f.SHA256 == digest {
				data = f.Bytes
			}
		}
	}
	if err != nil || data == nil {
		return err
	}
	_, err = r.m.storage.Put(ctx, data)
	return err
}
