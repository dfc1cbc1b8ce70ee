package main

import (
	"bytes"
	"context"
	"sync/atomic"

	"assay/trust"
)

// notingStore notes whether anything was stored through it that was not there
// before. A refresh that fails returns no view that could tell what it accepted
// until then, and kept.
type notingStore struct {
	trust.Store
	stored atomic.Bool
}

func (n *notingStore) Update(ctx context.Context, fn func(trust.Tx) error) error {
	var noting *notingTx
	err := n.Store.Update(ctx, func(tx trust.Tx) error {
		noting = &notingTx{Tx: tx}
		return fn(noting)
	})
	if err == nil && noting != nil && noting.stored {
		n.stored.Store(true)
	}
	return err
}

// notingTx leaves deletions out: what is accepted is always put.
type notingTx struct {
	trust.Tx
	stored bool
}

func (t *notingTx) Put(key string, value []byte) error {
	if !t.stored {
		before, err := t.Get(key)
		if err != nil {
			return err
		}
		t.stored = before == nil || !bytes.Equal(before, value)
	}
	return t.Tx.Put(key, value)
}
