package boltfile

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestMake(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	path := filepath.Join(dir, "test.db")
	only := func(names ...string) {
		t.Helper()
		entries, _ := os.ReadDir(dir)
		var found []string
		for _, e := range entries {
			found = append(found, e.Name())
		}
		if len(found) != len(names) || len(names) == 1 && found[0] != names[0] {
			t.Errorf("expected %q, found %q", names, found)
		}
	}
	wrong := errors.New("wrong")
	if err := Make(t.Context(), path, soon(), func(*Session) error { return wrong }); !errors.Is(err, wrong) {
		t.Errorf("expected %v, found %v", wrong, err)
	}
	only()
	ctx, cancel := context.WithCancel(t.Context())
	err := Make(t.Context(), path, soon(), func(s *Session) error { return s.Guard(func() error { panic("wrong") }) })
	wantKind(t, err, ErrDamaged, err.(*Error).Path)
	only()
	if err := Make(t.Context(), path, soon(), func(s *Session) error {
		// Another process is faster.
		put(t, path, "other")
		return write(s, "mine")
	}); err != nil {
		t.Error(err)
	}
	only("test.db")
	wantValue(t, path, "other")
	cancel()
	if err := Make(ctx, path, soon(), func(*Session) error { return wrong }); err != nil {
		t.Errorf("expected what is there to be left alone, found %v", err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := Make(t.Context(), path, soon(), func(s *Session) error { return write(s, "mine") }); err != nil {
		t.Error(err)
	}
	only("test.db")
	wantValue(t, path, "mine")
	below := filepath.Join(path, "below.db")
	err = Make(t.Context(), below, soon(), func(*Session) error { return nil })
	wantKind(t, err, ErrDisk, below)
}
