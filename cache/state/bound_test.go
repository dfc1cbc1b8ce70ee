package state

import (
	"errors"
	"os"
	"testing"
)

// add registers r with a root, and returns the registration.
func add(t *testing.T, db *DB, r Repository) Repository {
	t.Helper()
	if _, err := db.AddRepository(t.Context(), r, map[string][]byte{"root/1": []byte("x")}); err != nil {
		t.Fatal(err)
	}
	have, found, err := db.CheckRepository(t.Context(), r)
	if err != nil || !found {
		t.Fatalf("expected the registration, found %v, %v", found, err)
	}
	return have
}

// TestNoRepositoryWithoutTrust: `trust add` that found its repository there, and
// lost it to `trust remove`, must not register a name without a root.
func TestNoRepositoryWithoutTrust(t *testing.T) {
	db := open(t, t.TempDir())
	r := Repository{Name: "a", URL: "https://a", RootSHA256: "1"}
	for name, entries := range map[string]map[string][]byte{"nil": nil, "none": {}} {
		if changed, err := db.AddRepository(t.Context(), r, entries); changed || !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: expected %v, found %v, %v", name, ErrInvalid, changed, err)
		}
	}
	if _, err := os.Lstat(db.Path()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("expected that nothing was written, found %v", err)
	}
}

// TestRegistrationWithoutTrust is what an earlier version could leave.
func TestRegistrationWithoutTrust(t *testing.T) {
	r := Repository{Name: "a", URL: "https://a", RootSHA256: "1"}
	for name, table := range map[string]bool{"no table": false, "an empty table": true} {
		db := open(t, t.TempDir())
		err := db.update(t.Context(), func(s *session) error {
			registered, err := s.repositories()
			if err != nil {
				return err
			}
			if !table {
				return registered.put(r)
			}
			trust, err := s.top(tableTrust)
			if err != nil {
				return err
			}
			_, err = trust.makeChild(r.Name)
			return errors.Join(err, registered.put(r))
		})
		if err != nil {
			t.Fatal(err)
		}
		ran := func(Tx) error { t.Errorf("%s: the function was run", name); return nil }
		if err := db.TrustOf(r).View(t.Context(), ran); !errors.Is(err, ErrNoTrust) {
			t.Errorf("%s: reading: expected %v, found %v", name, ErrNoTrust, err)
		}
		if err := db.TrustOf(r).Update(t.Context(), ran); !errors.Is(err, ErrNoTrust) {
			t.Errorf("%s: writing: expected %v, found %v", name, ErrNoTrust, err)
		}
		if removed, err := db.RemoveRepository(t.Context(), "a"); !removed || err != nil {
			t.Errorf("%s: expected a removal, found %v, %v", name, removed, err)
		}
	}
}

// A refresh that goes on behind `trust remove` must not bring anything back, and
// one of a repository that was replaced must not mix with the new one.
func TestTrustOfARemovedRepository(t *testing.T) {
	db := open(t, t.TempDir())
	r := Repository{Name: "a", URL: "https://a", RootSHA256: "1"}
	bound := db.TrustOf(add(t, db, r))
	write := func() error {
		return bound.Update(t.Context(), func(tx Tx) error { return tx.Put("k", []byte("v")) })
	}
	if err := write(); err != nil {
		t.Fatal(err)
	}
	if _, err := db.RemoveRepository(t.Context(), "a"); err != nil {
		t.Fatal(err)
	}
	gone := func(when string) {
		t.Helper()
		if err := write(); !errors.Is(err, ErrRemoved) {
			t.Errorf("%s: writing: expected %v, found %v", when, ErrRemoved, err)
		}
		if err := bound.View(t.Context(), func(Tx) error { return nil }); !errors.Is(err, ErrRemoved) {
			t.Errorf("%s: reading: expected %v, found %v", when, ErrRemoved, err)
		}
	}
	gone("removed")
	if removed, err := db.RemoveRepository(t.Context(), "a"); removed || err != nil {
		t.Errorf("something was left: %v, %v", removed, err)
	}
	other := r
	other.RootSHA256 = "2"
	add(t, db, other)
	gone("replaced")
	if _, _, err := db.CheckRepository(t.Context(), r); !errors.Is(err, ErrConflict) {
		t.Errorf("another root: expected %v, found %v", ErrConflict, err)
	}
	if err := os.Remove(db.Path()); err != nil {
		t.Fatal(err)
	}
	gone("without a database")
	if _, found, err := db.CheckRepository(t.Context(), r); found || err != nil {
		t.Errorf("without a database: found %v, %v", found, err)
	}
}
