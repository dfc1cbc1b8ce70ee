package main

import (
	"errors"
	"testing"

	"assay/trust"
)

func TestNotingStore(t *testing.T) {
	refused := errors.New("refused")
	put := func(key, value string, then error) func(trust.Tx) error {
		return func(tx trust.Tx) error {
			if err := tx.Put(key, []byte(value)); err != nil {
				return err
			}
			return then
		}
	}
	for name, test := range map[string]struct {
		fn   func(trust.Tx) error
		want bool
		err  error
	}{
		"another value": {fn: put("held", "new", nil), want: true},
		"another key":   {fn: put("more", "", nil), want: true},
		"the same":      {fn: put("held", "old", nil)},
		"rolled back":   {fn: put("held", "new", refused), err: refused},
		"deleted":       {fn: func(tx trust.Tx) error { return tx.Delete("held") }},
		"nothing":       {fn: func(trust.Tx) error { return nil }},
		"then the same": {fn: func(tx trust.Tx) error {
			return errors.Join(put("held", "new", nil)(tx), put("more", "x", nil)(tx), put("more", "x", nil)(tx))
		}, want: true},
	} {
		var memory trust.MemStore
		if err := memory.Update(t.Context(), put("held", "old", nil)); err != nil {
			t.Fatal(err)
		}
		store := &notingStore{Store: &memory}
		if err := store.Update(t.Context(), test.fn); !errors.Is(err, test.err) {
			t.Errorf("%s: expected %v, found %v", name, test.err, err)
		}
		if got := store.stored.Load(); got != test.want {
			t.Errorf("%s: expected %v, found %v", name, test.want, got)
		}
	}
}
