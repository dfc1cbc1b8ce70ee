package boltfile

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
)

// TestGroupStays: readers and writers that wait for each other are served under one
// opening of the file, and it is closed afterwards.
func TestGroupStays(t *testing.T) {
	b := newGroup(t)
	var served []*Session
	b.held(true, func() {
		for i := range 3 {
			b.start(t.Context(), true, func(s *Session) error {
				served = append(served, s)
				return adding(strconv.Itoa(i))(s)
			})
			b.start(t.Context(), false, func(s *Session) error {
				served = append(served, s)
				if got := current(s); got != "012" {
					t.Errorf("expected what was committed, found %q", got)
				}
				return nil
			})
		}
	})
	if len(served) != 6 || slices.ContainsFunc(served, func(s *Session) bool { return s != served[0] }) {
		t.Errorf("expected one session for all six, found %v", served)
	}
	if served[0].bolt != nil || served[0].tx != nil {
		t.Error("expected the session closed, found it open")
	}
}

// TestGroupStaysBehindAWriterOnly: a session that was opened to read ends for a
// writer, which gets one of its own.
func TestGroupStaysBehindAWriterOnly(t *testing.T) {
	b := newGroup(t)
	b.held(false, func() {
		b.start(t.Context(), true, func(s *Session) error {
			if !s.writable {
				t.Error("expected a session that may write, found one that reads")
			}
			return adding("x")(s)
		})
	})
	wantValue(t, b.path, "x")
}

// brisk makes calls until a session stays for the next one.
func (b *groupBench) brisk() {
	b.t.Helper()
	b.until(func() bool {
		for range 2 {
			if err := b.Do(b.t.Context(), true, soon(), func(s *Session) error { return write(s, "old") }); err != nil {
				b.t.Fatal(err)
			}
		}
		return len(b.turn) == 1
	})
}

// TestGroupStaysNoLongerThanTheFile: while a session stays, another file gets the
// name, as by Compact or by a person, or its bytes change: nobody is served from
// what was.
func TestGroupStaysNoLongerThanTheFile(t *testing.T) {
	other := filepath.Join(t.TempDir(), "other")
	put(t, other, "new")
	text, err := os.ReadFile(other)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(path string) error{
		"another file": func(path string) error {
			return errors.Join(os.WriteFile(path+".new", text, 0o600), os.Rename(path+".new", path))
		},
		"other bytes": func(path string) error { return os.WriteFile(path, text, 0o600) },
	} {
		for range 20 {
			b := newGroup(t)
			b.brisk()
			if err := change(b.path); err != nil {
				t.Fatal(err)
			}
			var got string
			err := b.Do(t.Context(), false, soon(), func(s *Session) error { got = current(s); return nil })
			if err != nil || got != "new" {
				t.Fatalf("%s: expected the new value, found %q, %v", name, got, err)
			}
			b.end()
		}
	}
}

// TestGroupStaysShortly: others wait no longer for the file than a burst, however
// many calls come.
func TestGroupStaysShortly(t *testing.T) {
	b := newGroup(t)
	ended := make(chan struct{})
	var calls atomic.Int64
	for range 8 {
		b.all.Go(func() {
			for {
				select {
				case <-ended:
					return
				default:
				}
				if err := b.Do(t.Context(), true, soon(), func(s *Session) error { return write(s, "x") }); err != nil {
					t.Error(err)
				}
				calls.Add(1)
			}
		})
	}
	for range 3 {
		var another Memory
		before := calls.Load()
		b.until(func() bool { return calls.Load() > before+100 })
		s, err := another.Begin(t.Context(), b.path, true, soon())
		if err != nil {
			t.Error(err)
			break
		}
		s.Close()
	}
	close(ended)
	b.end()
}
