package main

import (
	"context"
	"errors"
	"strings"
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

// TestRootsAreNoted: the roots of an update are told once they are kept.
func TestRootsAreNoted(t *testing.T) {
	refused := errors.New("refused")
	for name, test := range map[string]struct {
		fn   func(trust.Tx) error
		want string
	}{
		"new":         {func(tx trust.Tx) error { return errors.Join(tx.Put("root/2", nil), tx.Put("root/3", nil)) }, "2 3"},
		"held":        {func(tx trust.Tx) error { return errors.Join(tx.Put("role/x", nil), tx.Put("root/1", []byte("one"))) }, ""},
		"rolled back": {func(tx trust.Tx) error { return errors.Join(tx.Put("root/2", nil), refused) }, ""},
		"others":      {func(tx trust.Tx) error { return tx.Put("floor/root", nil) }, ""},
	} {
		var memory trust.MemStore
		if err := memory.Update(t.Context(), func(tx trust.Tx) error { return tx.Put("root/1", []byte("one")) }); err != nil {
			t.Fatal(err)
		}
		got := ""
		store := &notingStore{Store: &memory, roots: func(_ context.Context, versions []string) { got = strings.Join(versions, " ") }}
		if err := store.Update(t.Context(), test.fn); err != nil && !errors.Is(err, refused) {
			t.Fatal(err)
		}
		if got != test.want {
			t.Errorf("%s: expected roots %q, found %q", name, test.want, got)
		}
	}
}
