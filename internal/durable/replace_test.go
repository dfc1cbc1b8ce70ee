package durable

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestReplaceable: what is there and is not ours stays, and is named as such.
func TestReplaceable(t *testing.T) {
	dir := t.TempDir()
	strange := errors.New("strange")
	ours := func(file io.Reader) error {
		if text, err := io.ReadAll(file); err != nil || string(text) != "ours" {
			return errors.Join(strange, err)
		}
		return nil
	}
	for name, text := range map[string]string{"ours": "ours", "empty": "", "theirs": "theirs"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Mkdir(filepath.Join(dir, "folder"), 0o700), os.Symlink("ours", filepath.Join(dir, "link"))); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]error{"ours": nil, "empty": nil, "missing": nil, "theirs": strange, "folder": ErrForeign, "link": ErrForeign, "ours/below": nil} {
		err := Replaceable(filepath.Join(dir, name), "ours", ours)
		switch {
		case name == "ours/below": // ENOTDIR: the system's own error
			if err == nil || errors.Is(err, ErrForeign) {
				t.Errorf("%s: expected the system's error, found %v", name, err)
			}
		case !errors.Is(err, want), want != nil && !errors.Is(err, ErrForeign):
			t.Errorf("%s: expected %v, found %v", name, want, err)
		}
	}
	wantContent(t, filepath.Join(dir, "theirs"), "theirs")
}
