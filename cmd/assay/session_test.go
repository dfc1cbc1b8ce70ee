package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/artifact"
	"assay/internal/config"
	"assay/trust"
)

func TestReadRoot(t *testing.T) {
	dir := t.TempDir()
	write := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const limit = 1000
	fits, large := write("fits", make([]byte, limit)), write("large", make([]byte, limit+1))
	right := artifact.DigestOf(artifact.SHA256, make([]byte, limit))
	wrong := artifact.DigestOf(artifact.SHA256, nil)
	for name, test := range map[string]struct {
		path string
		want artifact.Digest
		err  error
		code int
	}{
		"fits":           {fits, right, nil, 0},
		"without digest": {fits, artifact.Digest{}, nil, 0},
		"another digest": {fits, wrong, trust.ErrMismatch, 10},
		"too large":      {large, artifact.Digest{}, trust.ErrTooLarge, 10},
		"not there":      {filepath.Join(dir, "none"), right, os.ErrNotExist, 2},
		"a folder":       {dir, right, errUsage, 2},
	} {
		raw, err := readRoot(test.path, test.want, int64(limit))
		if !errors.Is(err, test.err) || codeOf(err) != test.code || (raw == nil) != (err != nil) {
			t.Errorf("%s: %d bytes, %v (exit %d), want %v (exit %d)", name, len(raw), err, codeOf(err), test.err, test.code)
		}
	}
}

// TestEndlessRoot reads a root from a device that never ends: only the limit
// does.
func TestEndlessRoot(t *testing.T) {
	if _, err := os.Stat("/dev/zero"); err != nil {
		t.Skip("no /dev/zero here")
	}
	var stdout, stderr bytes.Buffer
	state := filepath.Join(t.TempDir(), "state")
	env := []string{"ASSAY_STATE_DIR=" + state, "ASSAY_CACHE_DIR=" + t.TempDir()}
	args := []string{"trust", "add", "acme", "http://127.0.0.1:1", "--root", "/dev/zero"}
	if code := run(t.Context(), args, strings.NewReader(""), &stdout, &stderr, env); code != 10 {
		t.Errorf("exit code %d, want 10: %s", code, stderr.String())
	}
	if _, err := os.Stat(state); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("something was left in the state directory: %v", err)
	}
}

func TestMerge(t *testing.T) {
	d := config.Repository{Name: "acme"}
	held := repository{name: "acme", url: "https://a", targetsURL: "https://t", rootSHA256: "aa", rootVersion: 3, origin: "trust add"}
	for name, test := range map[string]struct {
		change func(*repository)
		says   string // empty: fits
	}{
		"the same":                {func(*repository) {}, ""},
		"a root by file":          {func(r *repository) { r.rootSHA256 = "" }, ""},
		"another root":            {func(r *repository) { r.rootSHA256 = "bb" }, "root sha256 bb there, aa here"},
		"another URL":             {func(r *repository) { r.url = "https://b" }, "URL https://b there"},
		"other targets":           {func(r *repository) { r.targetsURL = "" }, "URL"},
		"metadata of another URL": {func(r *repository) { r.metadataURL = "https://m" }, "URL"},
	} {
		registered, declared := held, held
		declared.declared, declared.origin = &d, "config.toml:1"
		test.change(&declared)
		err := registered.merge(&declared)
		switch {
		case test.says == "" && (err != nil || registered.declared != &d || registered.rootVersion != 3):
			t.Errorf("%s: %v, %+v", name, err, registered)
		case test.says != "" && (!errors.Is(err, errUsage) || !strings.Contains(err.Error(), test.says)):
			t.Errorf("%s: %v, want errUsage that says %q", name, err, test.says)
		}
	}
}
