package state

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// Repository is one that `trust add` registered.
type Repository struct {
	Name        string    `json:"name"`
	URL         string    `json:"url"`
	MetadataURL string    `json:"metadata_url,omitempty"`
	TargetsURL  string    `json:"targets_url,omitempty"`
	Layout      string    `json:"layout,omitempty"` // where probing found the metadata
	RootSHA256  string    `json:"root_sha256"`      // of the root that it was added with
	RootVersion int64     `json:"root_version"`     // of that root
	Added       time.Time `json:"added"`
}

// Repositories lists the registered repositories by name.
func (db *DB) Repositories(ctx context.Context) ([]Repository, error) {
	var list []Repository
	err := db.view(ctx, func(s *session) error {
		t, err := s.repositories()
		if err != nil {
			return err
		}
		names, err := t.repositories.keys("")
		if err != nil {
			return err
		}
		list = nil
		for _, name := range names {
			r, _, err := t.get(name)
			if err != nil {
				return err
			}
			list = append(list, r)
		}
		return nil
	})
	return list, err
}

// Repository looks up one registered repository, and reports whether there is
// one of that name.
func (db *DB) Repository(ctx context.Context, name string) (r Repository, found bool, err error) {
	err = db.view(ctx, func(s *session) error {
		t, err := s.repositories()
		if err != nil {
			return err
		}
		r, found, err = t.get(name)
		return err
	})
	return r, found, err
}

// CheckRepository looks for the registration of r, and compares it: other URLs or
// another root digest under the same name are an ErrConflict. It writes nothing.
func (db *DB) CheckRepository(ctx context.Context, r Repository) (have Repository, found bool, err error) {
	have, found, err = db.Repository(ctx, r.Name)
	if err == nil && found && !have.same(r) {
		err = &ConflictError{Name: r.Name, Have: have, Want: r}
	}
	return have, found, err
}

// same reports whether r and other are one repository, found in one place.
func (r Repository) same(other Repository) bool {
	return r.URL == other.URL && r.MetadataURL == other.MetadataURL && r.TargetsURL == other.TargetsURL && r.RootSHA256 == other.RootSHA256
}

// AddRepository registers r together with its first trust entries, in one
// transaction. Added is set to now where it is zero. The same again, with equal
// URLs and root digest, changes nothing and returns false; so the trust entries
// of a known repository are never set back. Anything else under the same name,
// and trust entries of a repository that was only declared so far that differ
// from the given ones, are an ErrConflict. No trust entries at all are an
// ErrInvalid: nothing is registered without a root.
func (db *DB) AddRepository(ctx context.Context, r Repository, trust map[string][]byte) (changed bool, err error) {
	if err := checkKey(r.Name); err != nil {
		return false, err
	}
	if len(trust) == 0 {
		return false, fmt.Errorf("%w: %q: expected the trust entries that it begins with, found none", ErrInvalid, clip(r.Name))
	}
	if r.Added.IsZero() {
		r.Added = db.now().UTC()
	}
	err = db.update(ctx, func(s *session) error {
		changed = false
		t, err := s.repositories()
		if err != nil {
			return err
		}
		have, found, err := t.get(r.Name)
		if err != nil {
			return err
		}
		if found {
			if !have.same(r) {
				return &ConflictError{Name: r.Name, Have: have, Want: r}
			}
			return nil
		}
		changed = true
		if err := t.put(r); err != nil {
			return err
		}
		return s.addTrust(r.Name, trust)
	})
	return changed && err == nil, err
}

// addTrust writes trust entries, and refuses to change one that is there.
func (s *session) addTrust(name string, entries map[string][]byte) error {
	top, err := s.top(tableTrust)
	if err != nil {
		return err
	}
	own, err := top.makeChild(name)
	if err != nil {
		return err
	}
	for _, key := range slices.Sorted(maps.Keys(entries)) {
		have, err := own.get(key)
		if err != nil {
			return err
		}
		if have != nil && !bytes.Equal(have, entries[key]) {
			return fmt.Errorf("%w: trust state of %q is held already and its entry %q differs; use another name, or run `assay trust remove %s` first", ErrConflict, clip(name), clip(key), clip(name))
		}
		if have != nil {
			continue
		}
		if err := own.put(key, entries[key]); err != nil {
			return err
		}
	}
	return nil
}

// SetLayout remembers where probing found the metadata of a repository, which
// need not be registered. An empty layout forgets it.
func (db *DB) SetLayout(ctx context.Context, name, layout string) error {
	return db.update(ctx, func(s *session) error {
		layouts, err := s.top(tableLayouts)
		if err != nil {
			return err
		}
		if layout == "" {
			return layouts.delete(name)
		}
		return layouts.put(name, []byte(layout))
	})
}

// Layout returns what SetLayout remembered, empty if nothing.
func (db *DB) Layout(ctx context.Context, name string) (layout string, err error) {
	err = db.view(ctx, func(s *session) error {
		layouts, err := s.top(tableLayouts)
		if err != nil {
			return err
		}
		value, err := layouts.get(name)
		layout = string(value)
		return err
	})
	return layout, err
}

// RemoveRepository forgets a repository in one transaction: its registration,
// layout and trust state, version floors included. It reports whether there was
// a registration or trust state; a layout alone is only a remembered guess.
func (db *DB) RemoveRepository(ctx context.Context, name string) (removed bool, err error) {
	if err := checkKey(name); err != nil {
		return false, err
	}
	err = db.update(ctx, func(s *session) error {
		t, err := s.repositories()
		if err != nil {
			return err
		}
		registration, err := t.repositories.get(name)
		if err != nil {
			return err
		}
		for _, table := range []*table{t.repositories, t.layouts} {
			if err := table.delete(name); err != nil {
				return err
			}
		}
		trust, err := s.top(tableTrust)
		if err != nil {
			return err
		}
		dropped, err := trust.dropChild(name)
		removed = dropped || registration != nil
		return err
	})
	return removed && err == nil, err
}

// registrations are the two tables that make up a Repository.
type registrations struct{ repositories, layouts *table }

func (s *session) repositories() (t registrations, err error) {
	if t.repositories, err = s.top(tableRepositories); err != nil {
		return t, err
	}
	t.layouts, err = s.top(tableLayouts)
	return t, err
}

func (t registrations) get(name string) (r Repository, found bool, err error) {
	value, err := t.repositories.get(name)
	if err != nil || value == nil {
		return Repository{}, false, err
	}
	if err := json.Unmarshal(value, &r); err != nil || r.Name != name {
		return Repository{}, false, t.repositories.s.damaged("the registration of %q does not read as one", clip(name))
	}
	layout, err := t.layouts.get(name)
	if err != nil {
		return Repository{}, false, err
	}
	r.Layout = string(layout)
	return r, true, nil
}

func (t registrations) put(r Repository) error {
	// A layout that is there was found out for what had the name before.
	if err := t.layouts.delete(r.Name); err != nil {
		return err
	}
	if r.Layout != "" {
		if err := t.layouts.put(r.Name, []byte(r.Layout)); err != nil {
			return err
		}
		r.Layout = "" // kept in one place only
	}
	value, err := json.Marshal(r)
	if err != nil {
		return err
	}
	return t.repositories.put(r.Name, value)
}
