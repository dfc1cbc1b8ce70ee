package boltfile

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// remembered runs one session of m, and says whether it knew the file.
func remembered(t *testing.T, m *Memory, path string, writable bool, value string) bool {
	t.Helper()
	s, err := m.Begin(t.Context(), path, writable, soon())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if writable {
		if err := errors.Join(write(s, value), s.Commit()); err != nil {
			t.Fatal(err)
		}
	}
	return s.Known()
}

func TestMemory(t *testing.T) {
	for _, test := range []struct {
		name  string
		known bool
		do    func(t *testing.T, m *Memory, path string)
	}{
		{"nothing", true, func(*testing.T, *Memory, string) {}},
		{"own update", true, func(t *testing.T, m *Memory, path string) { remembered(t, m, path, true, "two") }},
		{"own update that is dropped", true, func(t *testing.T, m *Memory, path string) {
			s, err := m.Begin(t.Context(), path, true, soon())
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if err := write(s, "lost"); err != nil {
				t.Fatal(err)
			}
		}},
		{"another reader", true, func(t *testing.T, _ *Memory, path string) { wantValue(t, path, "one") }},
		{"another writer", false, func(t *testing.T, _ *Memory, path string) { put(t, path, "two") }},
		{"another writer, hidden", false, func(t *testing.T, _ *Memory, path string) {
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			put(t, path, "two")
			if err := os.Chtimes(path, info.ModTime(), info.ModTime()); err != nil {
				t.Fatal(err)
			}
		}},
		{"a commit that failed", false, func(t *testing.T, m *Memory, path string) {
			s, err := m.Begin(t.Context(), path, true, soon())
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			s.file.Close() // so that it can't be written
			wantKind(t, errors.Join(write(s, "lost"), s.Commit()), ErrDisk, path)
		}},
		{"a copy in its place", false, func(t *testing.T, _ *Memory, path string) {
			data, err := os.ReadFile(path)
			if err := errors.Join(err, os.WriteFile(path+"-", data, 0o600), os.Rename(path+"-", path)); err != nil {
				t.Fatal(err)
			}
		}},
		{"another time of change", false, func(t *testing.T, _ *Memory, path string) {
			if err := os.Chtimes(path, time.Time{}, time.Unix(1, 0)); err != nil {
				t.Fatal(err)
			}
		}},
		{"another size", false, func(t *testing.T, _ *Memory, path string) {
			info, err := os.Stat(path)
			if err := errors.Join(err, os.Truncate(path, info.Size()+1), os.Chtimes(path, info.ModTime(), info.ModTime())); err != nil {
				t.Fatal(err)
			}
		}},
		{"a fault", false, func(t *testing.T, m *Memory, path string) {
			s, err := m.Begin(t.Context(), path, false, soon())
			if err != nil {
				t.Fatal(err)
			}
			wantKind(t, s.Guard(func() error { panic("boom") }), ErrDamaged, path)
		}},
	} {
		for _, writable := range []bool{false, true} {
			path := filepath.Join(t.TempDir(), "db")
			put(t, path, "one")
			var m Memory
			if remembered(t, &m, path, writable, "one") {
				t.Errorf("%s: a new Memory knew the file", test.name)
			}
			test.do(t, &m, path)
			if known := remembered(t, &m, path, writable, "three"); known != test.known {
				t.Errorf("%s: expected known to be %v for writable %v, found %v", test.name, test.known, writable, known)
			}
			if !remembered(t, &m, path, !writable, "four") {
				t.Errorf("%s: expected the file to be known after that", test.name)
			}
		}
	}
}

// TestMemoryLooksOnce shows what is not looked for in a known file, and that it
// is in one that is not.
func TestMemoryLooksOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "db")
	whole := database(t)
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	put(t, path, "one")
	var m Memory
	remembered(t, &m, path, false, "")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	// A page of the large bucket, which nobody asks for here.
	page := 2 * os.Getpagesize()
	for parsePage(data[page:]).flags != flagBranch || !inUse(t, data, uint64(page/os.Getpagesize())) {
		page += os.Getpagesize()
	}
	data[page+8] ^= 0x10
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = file.WriteAt(data[page:page+os.Getpagesize()], int64(page))
	if err := errors.Join(err, file.Close(), os.Chtimes(path, info.ModTime(), info.ModTime())); err != nil {
		t.Fatal(err)
	}
	if !remembered(t, &m, path, false, "") {
		t.Error("expected the file to be known")
	}
	_, err = Begin(t.Context(), path, false, soon())
	if wantKind(t, err, ErrDamaged, path); !errors.Is(err, ErrPages) {
		t.Errorf("expected %v, found %v", ErrPages, err)
	}
}
