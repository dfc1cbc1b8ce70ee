package boltfile

import (
	"errors"
	"io/fs"
	"strings"
	"testing"
)

func TestGuard(t *testing.T) {
	if err := Guard(func() error { panic("boom") }); !errors.Is(err, ErrPanic) || !strings.Contains(err.Error(), "boom") {
		t.Errorf("expected %v with its cause, found %v", ErrPanic, err)
	}
	var nothing *int
	if err := Guard(func() error { *nothing = 1; return nil }); !errors.Is(err, ErrPanic) {
		t.Errorf("expected %v, found %v", ErrPanic, err)
	}
	if err := Guard(func() error { return fs.ErrClosed }); !errors.Is(err, fs.ErrClosed) || errors.Is(err, ErrPanic) {
		t.Errorf("expected %v alone, found %v", fs.ErrClosed, err)
	}
}
