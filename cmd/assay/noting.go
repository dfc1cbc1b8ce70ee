package main

import (
	"bytes"
	"context"
	"strings"
	"sync/atomic"

	"assay/trust"
)

// notingStore notes whether anything was stored through it that was not there
// before. A refresh that fails returns no view that could tell what it accepted
// until then, and kept.
type notingStore struct {
	trust.Store
	stored atomic.Bool
	// roots is told which versions of the root were stored; nil: nobody is.
	roots func(ctx context.Context, versions []string)
}

func (n *notingStore) Update(ctx context.Context, fn func(trust.Tx) error) error {
	var noting *notingTx
	err := n.Store.Update(ctx, func(tx trust.Tx) error {
		noting = &notingTx{Tx: tx}
		return fn(noting)
	})
	if err != nil || noting == nil {
		return err
	}
	if noting.stored {
		n.stored.Store(true)
	}
	if len(noting.roots) > 0 && n.roots != nil {
		n.roots(ctx, noting.roots)
	}
	return nil
}

// notingTx leaves deletions out: what is accepted is always put.
type notingTx struct {
	trust.Tx
	stored bool
	roots  []string
}

func (t *notingTx) Put(key string, value []byte) error {
	version, isRoot := strings.CutPrefix(key, "root/")
	if !t.stored || isRoot {
		before, err := t.Get(key)
		if err != nil {
			return err
		}
		isNew := before == nil || !bytes.Equal(before, value)
		t.stored = t.stored || isNew
		if isRoot && isNew {
			t.roots = append(t.roots, version)
		}
	}
	return t.Tx.Put(key, value)
}
