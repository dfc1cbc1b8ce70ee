package state

import (
	"context"
	"fmt"
)

// Tx is the view that a function has of one repository's trust state, within
// one transaction; it must not be used afterwards. It is an alias, so that a
// package that declares the same one needs no import of this.
//
// Get returns a copy, nil if there is no such key. It is the one read here that
// does not look at the value's checksum: who keeps trust state must be able to
// tell damaged bytes by itself, and knows which of them can be fetched again.
// Keys lists the keys with a
// prefix, sorted. A key has 1 to 4096 bytes and does not begin with a zero
// byte; a value has at most 512 MiB. Put and Delete in a View are ErrReadOnly.
type Tx = interface {
	Get(key string) ([]byte, error)
	Put(key string, value []byte) error
	Delete(key string) error
	Keys(prefix string) ([]string, error)
}

// TrustStore is the trust state of one repository, registered here or only
// declared in a configuration.
type TrustStore struct {
	db         *DB
	repository string
	bound      *Repository // the registration that must still be there; nil: none
}

// Trust returns the trust state of the named repository.
func (db *DB) Trust(repository string) *TrustStore {
	return &TrustStore{db: db, repository: repository}
}

// TrustOf returns the trust state of a registered repository. Once that very
// registration is gone, each transaction is ErrRemoved: a refresh that goes on
// behind a removal must not bring back what was forgotten, nor mix with a new
// repository of the name. Where AddRepository's entries are not there, as an
// earlier version could leave it, it is ErrNoTrust.
func (db *DB) TrustOf(r Repository) *TrustStore {
	return &TrustStore{db: db, repository: r.Name, bound: &r}
}

// check wants the registration that this store is bound to.
func (t *TrustStore) check(s *session) error {
	if t.bound == nil {
		return nil
	}
	registered, err := s.repositories()
	if err != nil {
		return err
	}
	have, found, err := registered.get(t.repository)
	if err == nil && (!found || !have.same(*t.bound) || !have.Added.Equal(t.bound.Added)) {
		err = fmt.Errorf("%w: %q", ErrRemoved, clip(t.repository))
	}
	return err
}

// checkTable wants that there is something in the table of a bound store; own is
// nil where there is no table.
func (t *TrustStore) checkTable(own *table) error {
	if t.bound == nil || own != nil && own.seal.count > 0 {
		return nil
	}
	name := clip(t.repository)
	return fmt.Errorf("%w: %q is registered without a root; run `assay trust remove %s`, and then `assay trust add` again", ErrNoTrust, name, name)
}

// View runs fn on a consistent picture of the state. Where nothing is stored
// fn sees an empty one, and nothing is created.
func (t *TrustStore) View(ctx context.Context, fn func(Tx) error) error {
	if err := checkKey(t.repository); err != nil {
		return err
	}
	seen := false
	stored, err := t.db.viewStored(ctx, func(s *session) error {
		seen = false
		if err := t.check(s); err != nil {
			return err
		}
		trust, err := s.top(tableTrust)
		if err != nil {
			return err
		}
		own, err := trust.child(t.repository)
		if err == nil {
			err = t.checkTable(own)
		}
		if own == nil || err != nil {
			return err
		}
		seen = true
		return fn(reader{own})
	})
	switch {
	case err != nil || stored && seen:
		return err
	case !stored && t.bound != nil:
		return fmt.Errorf("%w: %q", ErrRemoved, clip(t.repository))
	}
	return fn(reader{})
}

// Update runs fn and keeps all that it wrote, durably, when fn returns nil and
// ctx has not ended; otherwise nothing. Updates of all processes take turns:
// what fn reads is what the one before left. fn must be short, as others wait. In
// View and Update it may run more than once, and in another goroutine: what counts
// is the last time, so it sets anew all that it hands out.
func (t *TrustStore) Update(ctx context.Context, fn func(Tx) error) error {
	if err := checkKey(t.repository); err != nil {
		return err
	}
	return t.db.update(ctx, func(s *session) error {
		if err := t.check(s); err != nil {
			return err
		}
		trust, err := s.top(tableTrust)
		if err != nil {
			return err
		}
		own, err := trust.makeChild(t.repository)
		if err == nil {
			err = t.checkTable(own)
		}
		if err != nil {
			return err
		}
		return fn(writer{own})
	})
}

// reader is the Tx of a View; its table is nil where nothing is stored.
type reader struct{ table *table }

func (r reader) Get(key string) ([]byte, error) {
	if r.table == nil {
		return nil, nil
	}
	return r.table.stored(key)
}

func (r reader) Keys(prefix string) ([]string, error) {
	if r.table == nil {
		return nil, nil
	}
	return r.table.keys(prefix)
}

func (r reader) Put(string, []byte) error { return ErrReadOnly }
func (r reader) Delete(string) error      { return ErrReadOnly }

// writer is the Tx of an Update.
type writer struct{ table *table }

func (w writer) Get(key string) ([]byte, error)       { return w.table.stored(key) }
func (w writer) Keys(prefix string) ([]string, error) { return w.table.keys(prefix) }
func (w writer) Put(key string, value []byte) error   { return w.table.put(key, value) }
func (w writer) Delete(key string) error              { return w.table.delete(key) }
