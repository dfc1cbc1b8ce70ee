package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/trust"
)

func TestWhatAcceptsAnAnswer(t *testing.T) {
	t.Parallel()
	root, twin := `{"signed":{"_type":"root"}}`, `{"signed":{"_type":"targets"}}`
	record := func(raw string) string { return fmt.Sprintf(`crc {"sum":"sha256:%x"}`, sha256.Sum256([]byte(raw))) }
	for name, test := range map[string]struct {
		name, raw, put string
		want           bool
	}{
		"a root that is put":            {"2.root.json", root, root, true},
		"a root, put with something":    {"2.root.json", root, root + " ", false},
		"a root that is named":          {"2.root.json", root, record(root), false},
		"a role that is put":            {"timestamp.json", "{}", "{}", false},
		"a role that is named":          {"timestamp.json", "{}", record("{}"), true},
		"another that is named":         {"timestamp.json", "{}", record("[]"), false},
		"a role with the name of roots": {"2.root.json", twin, record(twin), true},
		"an empty one":                  {"timestamp.json", "", "{}", false},
	} {
		a := newAnswer(test.name, []byte(test.raw))
		if got := a.isAcceptedBy([]byte(test.put)); got != test.want {
			t.Errorf("%s: expected %v, found %v", name, test.want, got)
		}
	}
}

func TestRoleOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name       string
		consistent bool
		want       string
	}{
		{"3.root.json", false, "3.root"},
		{"1.3.root.json", true, "3.root"},
		{".x.json", true, ".x"},
		{"timestamp.json", true, "timestamp"},
		{"3.snapshot.json", true, "snapshot"},
		{"2.a%2Fb.json", true, "a/b"},
		{"2.x.json", false, "2.x"},
		{"1.2.x.json", true, "2.x"},
		{"1..json", true, ""},
		{"x.y.json", true, "x.y"},
		{"1.a.json.json", true, "a.json"},
	} {
		got, err := (&roleFiles{consistent: test.consistent}).roleOf(test.name)
		if err != nil || got != test.want {
			t.Errorf("%s: expected %q, found %q, %v", test.name, test.want, got, err)
		}
	}
}

func TestFileNames(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	long := strings.Repeat("x", 300)
	for _, name := range []string{"a/b", "a%2Fb", "a", "..", "../a", "/", "\x00", "ü", long, long + "y", long[:200], long[:201]} {
		file := fileName(name)
		if strings.ContainsAny(file, "/\x00\\") || len(file) > 200 || file == "" {
			t.Errorf("%q: no name for a file: %q", name, file)
		}
		if other, taken := seen[file]; taken {
			t.Errorf("%q and %q have one name, %q", name, other, file)
		}
		seen[file] = name
	}
}

// memoryRemote answers everything with the same bytes.
type memoryRemote []byte

func (m memoryRemote) ReadMetadata(context.Context, string, int64) ([]byte, error) { return m, nil }

// What trust gives up, or what can't be committed or written, leaves no file.
func TestNothingIsCopiedThatTrustDoesNotStore(t *testing.T) {
	t.Parallel()
	refused := errors.New("refused")
	put := func(tx trust.Tx) error {
		return tx.Put("any/key", fmt.Appendf(nil, "%x", sha256.Sum256([]byte("answer"))))
	}
	for name, test := range map[string]struct {
		fn   func(trust.Tx) error
		want error
		file bool
	}{
		"stored":         {put, nil, true},
		"stored another": {func(tx trust.Tx) error { return tx.Put("k", []byte("other")) }, nil, false},
		"given up":       {func(tx trust.Tx) error { return errors.Join(put(tx), refused) }, refused, false},
	} {
		dir := t.TempDir()
		files := &roleFiles{dir: dir, store: &trust.MemStore{}, remote: memoryRemote("answer")}
		_, err := files.ReadMetadata(t.Context(), "timestamp.json", 100)
		must(t, err)
		if err := files.Update(t.Context(), test.fn); !errors.Is(err, test.want) {
			t.Errorf("%s: expected %v, found %v", name, test.want, err)
		}
		entries, err := os.ReadDir(dir)
		must(t, err)
		if got := len(entries) == 1; got != test.file {
			t.Errorf("%s: expected a file: %v, found %v", name, test.file, entries)
		}
	}
}

// A copy that can't be written stops the commit, so that it is tried again.
func TestCopyThatFailsStopsTheCommit(t *testing.T) {
	t.Parallel()
	store := &trust.MemStore{}
	files := &roleFiles{dir: filepath.Join(t.TempDir(), "missing"), store: store, remote: memoryRemote("answer")}
	_, err := files.ReadMetadata(t.Context(), "timestamp.json", 100)
	must(t, err)
	err = files.Update(t.Context(), func(tx trust.Tx) error {
		return tx.Put("k", fmt.Appendf(nil, "%x", sha256.Sum256([]byte("answer"))))
	})
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("expected no such folder, found %v", err)
	}
	if held := store.Entries(); len(held) != 0 {
		t.Errorf("expected nothing committed, found %v", held)
	}
}
