package trust_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"assay/internal/testrepo"
	"assay/trust"
)

// largeBench is a repository whose targets take two pieces of the store. The
// police stays away: it parses all of them at each step.
func largeBench(t *testing.T) *bench {
	t.Helper()
	b := newBench(t, testrepo.Options{})
	repo, err := testrepo.Large(testrepo.Options{Now: b.repo.Now}, testrepo.LargeOptions{Targets: 30_000})
	must(t, err)
	b.repo, b.remote.repo = repo, repo
	b.config.Root, b.config.Store = repo.Root(), b.store
	return b
}

// pieces are the keys under which pieces lie.
func (b *bench) pieces() (keys []string) {
	for key := range b.store.Entries() {
		if strings.HasPrefix(key, prefixMeta) && strings.Count(key, "/") == 2 {
			keys = append(keys, key)
		}
	}
	return keys
}

func TestLargeRoleIsStoredInPieces(t *testing.T) {
	t.Parallel()
	b := largeBench(t)
	b.mustRefresh()
	if keys := b.pieces(); len(keys) != 2 {
		t.Fatalf("expected two pieces, found %v", keys)
	}
	b.remote.requests()
	view := b.mustRefresh()
	if asked := b.remote.requests(); len(asked) != 2 {
		t.Errorf("expected the next root and the timestamp to be asked for, found %v", asked)
	}
	for _, view := range []*trust.View{view, mustOffline(t, b)} {
		target, err := view.Target(t.Context(), testrepo.LargePath(29_999))
		if err != nil || target.Length() == 0 {
			t.Errorf("expected the last target, found %v, %v", target, err)
		}
	}
}

// meddler calls before ahead of each Update and view ahead of each View, by its
// number from 1; nil: it does nothing.
type meddler struct {
	trust.Store
	before         func(update int) error
	view           func(view int)
	updates, views int
}

func (m *meddler) Update(ctx context.Context, fn func(trust.Tx) error) error {
	m.updates++
	if m.before != nil {
		if err := m.before(m.updates); err != nil {
			return err
		}
	}
	return m.Store.Update(ctx, fn)
}

func (m *meddler) View(ctx context.Context, fn func(trust.Tx) error) error {
	m.views++
	if m.view != nil {
		m.view(m.views)
	}
	return m.Store.View(ctx, fn)
}

var errCut = errors.New("cut off")

// A run that ends between two pieces leaves what no record names; the next one
// completes it, and nothing unnamed is left.
func TestCutBetweenPieces(t *testing.T) {
	t.Parallel()
	b := largeBench(t)
	honest := b.config.Store
	b.config.Store = &meddler{Store: honest, before: func(int) error {
		if len(b.pieces()) == 1 {
			return errCut
		}
		return nil
	}}
	if _, err := b.refresh(); !errors.Is(err, errCut) {
		t.Fatalf("expected the cut, found %v", err)
	}
	b.config.Store = honest
	if _, err := b.open().Offline(t.Context()); !errors.Is(err, trust.ErrNotHeld) {
		t.Errorf("expected nothing complete, found %v", err)
	}
	b.mustRefresh()
	if keys := b.pieces(); len(keys) != 2 {
		t.Errorf("expected two pieces, found %v", keys)
	}
}

// Another process that completes a refresh sweeps what no record names yet, in
// the middle of this one's pieces.
func TestPiecesSweptByAnotherProcess(t *testing.T) {
	t.Parallel()
	b := largeBench(t)
	honest := b.config.Store
	swept := false
	b.config.Store = &meddler{Store: honest, before: func(int) error {
		if keys := b.pieces(); len(keys) == 2 && !swept {
			swept = true
			return b.store.Update(t.Context(), func(tx trust.Tx) error { return tx.Delete(keys[0]) })
		}
		return nil
	}}
	b.mustRefresh()
	b.config.Store = honest
	if keys := b.pieces(); len(keys) != 2 || !swept {
		t.Errorf("expected both pieces after one was swept, found %v, %v", keys, swept)
	}
	if _, err := mustOffline(t, b).Target(t.Context(), testrepo.LargePath(0)); err != nil {
		t.Error(err)
	}
}

// Records and bytes are read in transactions of their own. What another process
// swept away in between is not damage: the records name something newer by then.
func TestSweptBetweenRecordsAndBytes(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	other := b.open()
	b.config.Store = &meddler{Store: b.config.Store, view: func(view int) {
		if view == 2 {
			_, err := other.Refresh(t.Context())
			must(t, err)
		}
	}}
	view, err := b.open().Offline(t.Context())
	if err != nil || version(view, "targets") != 2 {
		t.Errorf("expected the set that the other process completed, found %v", err)
	}
}

// reader counts what is read of metadata's bytes.
type reader struct {
	trust.Store
	read int
}

func (r *reader) View(ctx context.Context, fn func(trust.Tx) error) error {
	return r.Store.View(ctx, func(tx trust.Tx) error { return fn(&readerTx{tx, r}) })
}

type readerTx struct {
	trust.Tx
	reader *reader
}

func (tx *readerTx) Get(key string) ([]byte, error) {
	if strings.HasPrefix(key, prefixMeta) {
		tx.reader.read++
	}
	return tx.Tx.Get(key)
}

// What the snapshot says is unchanged is neither read nor parsed again by a
// process that has it.
func TestUnchangedRolesAreTakenOver(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.add("team/x", "team")
	b.publish()
	counter := &reader{Store: b.config.Store}
	b.config.Store = counter
	repository := b.open()
	look := func() {
		t.Helper()
		view, err := repository.Refresh(t.Context())
		must(t, err)
		_, err = view.Target(t.Context(), "team/x")
		must(t, err)
	}
	look()
	counter.read = 0
	look()
	if counter.read != 0 {
		t.Errorf("nothing new: %d values were read again", counter.read)
	}
	b.remote.requests()
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	look()
	if asked := b.remote.requests(); len(asked) != 4 || counter.read != 0 {
		t.Errorf("new targets: expected next root, timestamp, snapshot and targets to be asked for and nothing to be read, found %v, %d", asked, counter.read)
	}
}
