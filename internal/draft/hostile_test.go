package draft

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"assay/fetch/unpack"
	"assay/internal/draft/drafttest"
)

// edit changes the entry of the archive for linux/amd64.
func edit(key string, value any) func([]map[string]any) []map[string]any {
	return func(list []map[string]any) []map[string]any {
		for _, e := range list {
			if e["name"] != "hello_1.4.2_linux_amd64.tar.gz" {
				continue
			}
			if inner, ok := strings.CutPrefix(key, "extra."); ok {
				e["extra"].(map[string]any)[inner] = value
			} else {
				e[key] = value
			}
		}
		return list
	}
}

func TestHostileList(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret.tar.gz")
	if err := os.WriteFile(secret, []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		edit  func([]map[string]any) []map[string]any
		kind  error
		words string
	}{
		"above":                {edit("path", "dist/../../secret.tar.gz"), ErrOutside, `expected a path below "dist/"`},
		"absolute":             {edit("path", secret), ErrOutside, `expected a path below "dist/"`},
		"elsewhere":            {edit("path", "hello_1.4.2_linux_amd64.tar.gz"), ErrOutside, `expected a path below "dist/"`},
		"above, as on Windows": {edit("path", `dist\..\..\secret.tar.gz`), ErrOutside, `expected a path below "dist/"`},
		"the folder itself":    {edit("path", "dist/"), ErrOutside, `expected a path below "dist/"`},
		"a folder":             {edit("path", "dist/homebrew"), ErrOutside, "expected a regular file"},
		"missing":              {edit("path", "dist/nothing"), ErrDist, "is missing"},
		"a name above":         {edit("name", "../x.tar.gz"), ErrDist, "expected a file name"},
		"a hidden name":        {edit("name", ".x.tar.gz"), ErrDist, "expected a file name"},
		"the manifest's name":  {edit("name", "release.json"), ErrDist, "never release.json"},
		"a name twice":         {edit("name", "HELLO_1.4.2_linux_arm64.tar.gz"), ErrDist, "each name once"},
		"no name":              {edit("name", ""), ErrDist, "expected a file name"},
		"another program":      {edit("extra.Binaries", []string{"hello", "helper"}), ErrMismatch, "found 0 files of that name"},
		"a program above":      {edit("extra.Binaries", []string{"../../../LICENSE.txt"}), ErrMismatch, "found 0 files of that name"},
		"programs without end": {edit("extra.Binaries", slices.Repeat([]string{"hello"}, maxPrograms+1)), ErrDist, "expected at most 256 programs"},
		"another digest":       {edit("extra.Checksum", "sha256:"+strings.Repeat("0", 64)), ErrMismatch, "as artifacts.json says"},
		"no format":            {edit("extra.Format", ""), ErrDist, "expected the format"},
		"no archive":           {edit("extra.Format", "rar"), ErrInput, `found the format "rar"`},
		"another format":       {edit("extra.Format", "zip"), unpack.ErrMalformed, "hello_1.4.2_linux_amd64.tar.gz"},
		"a list for a format":  {edit("extra.Format", []string{"zip"}), ErrDist, "cannot unmarshal"},
		"no platform":          {edit("goos", ""), ErrDist, "expected parts like linux"},
		"a strange platform":   {edit("goarch", "AMD64"), ErrDist, "expected parts like linux"},
		"nothing":              {func([]map[string]any) []map[string]any { return nil }, ErrDist, "not what goreleaser writes"},
		"nothing to install":   {func(list []map[string]any) []map[string]any { return list[:1] }, ErrDist, "found none"},
		"too much": {func(list []map[string]any) []map[string]any {
			return slices.Concat(list, slices.Repeat([]map[string]any{{"name": "x", "type": "Binary"}}, maxEntries))
		}, ErrDist, "expected at most 20000 entries"},
		"two checksums files": {func(list []map[string]any) []map[string]any {
			return append(list, map[string]any{"name": "a.sha256", "path": "dist/checksums.txt", "type": "Checksum"})
		}, ErrInput, "checksum.split has to be off"},
	} {
		t.Run(name, func(t *testing.T) { refused(t, drafted(t, drafttest.Dist{Edit: c.edit}), c.kind, c.words) })
	}
}

func TestHostileFiles(t *testing.T) {
	const archive = "hello_1.4.2_linux_amd64.tar.gz"
	for name, c := range map[string]struct {
		spoil func(dir string) error
		kind  error
		words string
	}{
		"a link out": {func(dir string) error {
			out := filepath.Join(filepath.Dir(dir), "secret")
			return errors.Join(os.WriteFile(out, []byte("secret"), 0o644), os.Remove(filepath.Join(dir, archive)), os.Symlink("../secret", filepath.Join(dir, archive)))
		}, ErrOutside, "path escapes"},
		"an absolute link": {func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, archive)), os.Symlink("/etc/hostname", filepath.Join(dir, archive)))
		}, ErrOutside, "path escapes"},
		"other bytes": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "hello_1.4.2_linux_amd64.deb"), []byte("x"), 0o644)
		},
			ErrMismatch, "as the checksums file says"},
		"a bill of nothing": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, archive+".spdx.json"), []byte("{}"), 0o644)
		},
			ErrDist, "not a bill of materials"},
		"checksums of nothing": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "checksums.txt"), []byte("<html>"), 0o644)
		},
			ErrDist, "not a list of checksums"},
		"a list with a key twice": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, listName), []byte(`[{"name":"a","name":"b"}]`), 0o644)
		}, ErrDist, "artifacts.json"},
		"a list and more": {func(dir string) error { return os.WriteFile(filepath.Join(dir, listName), []byte(`[],"x":[]`), 0o644) }, ErrDist, "artifacts.json"},
		"a deep list": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, listName), []byte(strings.Repeat("[", 100)+strings.Repeat("]", 100)), 0o644)
		}, ErrDist, "artifacts.json"},
		"a long list": {func(dir string) error { return os.Truncate(filepath.Join(dir, listName), maxListBytes+1) }, ErrDist, "expected at most"},
		"no list":     {func(dir string) error { return os.Remove(filepath.Join(dir, listName)) }, ErrDist, "is missing"},
		"no version": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, metadataName), []byte(`{"project_name":"hello","version":"v1"}`), 0o644)
		}, ErrDist, "not a version"},
		"a product of no name": {func(dir string) error {
			return os.WriteFile(filepath.Join(dir, metadataName), []byte(`{"project_name":"../x","version":"1.0.0"}`), 0o644)
		}, ErrInput, "the product's name"},
	} {
		t.Run(name, func(t *testing.T) {
			o := drafted(t, drafttest.Dist{})
			if err := c.spoil(o.Dist); err != nil {
				t.Skip(err)
			}
			refused(t, o, c.kind, c.words)
		})
	}
}

// TestHostileArchive: what can't be unpacked safely is not published.
func TestHostileArchive(t *testing.T) {
	var out bytes.Buffer
	packed := gzip.NewWriter(&out)
	archive := tar.NewWriter(packed)
	header := &tar.Header{Name: "../hello", Mode: 0o755, Size: 1}
	_, err := archive.Write(nil)
	err = errors.Join(err, archive.WriteHeader(header))
	_, wrote := archive.Write([]byte("x"))
	if err := errors.Join(err, wrote, archive.Close(), packed.Close()); err != nil {
		t.Fatal(err)
	}
	o := drafted(t, drafttest.Dist{Without: []string{"checksums.txt", ".sigstore.json"}, Edit: edit("extra.Checksum", "")})
	if err := os.WriteFile(filepath.Join(o.Dist, "hello_1.4.2_linux_amd64.tar.gz"), out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	refused(t, o, unpack.ErrUnsafe, "hello_1.4.2_linux_amd64.tar.gz")
}

func TestCancelled(t *testing.T) {
	o := drafted(t, drafttest.Dist{})
	ctx, cancel := context.WithCancel(context.Background())
	r, _ := mustDraft(t, o)
	cancel()
	if _, err := New(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := r.Write(ctx, false); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if found, _ := filepath.Glob(filepath.Join(o.Output, "*", "*", "*")); len(found) > 0 {
		t.Errorf("left: %q", found)
	}
}
