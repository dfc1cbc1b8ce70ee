package backup

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/artifact"
	"assay/cache/audit"
	"assay/cache/state"
	"assay/internal/plaintar"
	"assay/mirror/storage"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// made is a backup of a mirror with a bit of everything.
func made(t *testing.T) (path string, src Source) {
	t.Helper()
	dir := t.TempDir()
	src = Source{Dir: filepath.Join(dir, "m"), State: filepath.Join(dir, "m", "state")}
	db, err := state.Open(src.State, state.Options{})
	must(t, err)
	must(t, db.SetLayout(t.Context(), "acme", "base"))
	log, err := audit.Open(src.State, audit.Options{})
	must(t, err)
	for range 3 {
		_, err = log.Append(t.Context(), audit.Entry{Action: "mirror.sync", Detail: "acme", User: "u"})
		must(t, err)
	}
	folder, err := storage.Open(filepath.Join(src.Dir, "storage"), storage.Options{})
	must(t, err)
	_, err = folder.Replace(t.Context(), "quarantine/acme", "", []byte(`{"schema":"x"}`))
	must(t, err)
	_, err = folder.Replace(t.Context(), "current/acme", "", []byte(`{}`))
	must(t, err)
	must(t, folder.Close())
	src.Storage, err = storage.OpenReader(filepath.Join(src.Dir, "storage"))
	must(t, err)
	for name, text := range map[string]string{"mirror.toml": "[mirror]\n", "cert.pem": "-----BEGIN CERTIFICATE-----\n", "both.pem": "-----BEGIN RSA PRIVATE KEY-----\nsecret\n"} {
		must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600))
		src.Config = append(src.Config, filepath.Join(dir, name))
	}
	src.Config = append(src.Config, filepath.Join(dir, "gone.pem"))
	src.Secret = []string{filepath.Join(dir, "key.pem")}
	path = filepath.Join(dir, "b.tar")
	_, err = Write(t.Context(), path, src)
	must(t, err)
	return path, src
}

func TestBackup(t *testing.T) {
	path, src := made(t)
	first, err := os.ReadFile(path)
	must(t, err)
	if bytes.Contains(first, []byte("secret\n")) {
		t.Error("expected no secret in it, found one")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("expected mode 0600, found %v, %v", info.Mode(), err)
	}
	head, err := Write(t.Context(), path, src)
	must(t, err)
	if again, err := os.ReadFile(path); err != nil || !bytes.Equal(first, again) {
		t.Errorf("expected the same bytes, found others, %v", err)
	}
	if len(head.LeftOut) != 3 {
		t.Errorf("expected the key, what holds one, and what is gone to be left out, found %+v", head.LeftOut)
	}
	left, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*"))
	if err != nil || len(left) > 0 {
		t.Errorf("expected no temporary file, found %q", left)
	}
	dir := filepath.Join(t.TempDir(), "a", "new")
	must(t, os.MkdirAll(dir, 0o700))
	_, err = Restore(t.Context(), path, dir)
	must(t, err)
	log, err := audit.Open(filepath.Join(dir, "state"), audit.Options{})
	must(t, err)
	if report, err := log.Verify(t.Context(), audit.Head{}); err != nil {
		t.Errorf("expected a whole chain, found %+v, %v", report, err)
	}
	db, err := state.Open(filepath.Join(dir, "state"), state.Options{})
	must(t, err)
	if layout, err := db.Layout(t.Context(), "acme"); err != nil || layout != "base" {
		t.Errorf("expected what was known, found %q, %v", layout, err)
	}
	store, err := storage.OpenReader(filepath.Join(dir, "storage"))
	must(t, err)
	names, err := store.Documents(t.Context(), "")
	if err != nil || len(names) != 1 || names[0] != "quarantine/acme" {
		t.Errorf("expected the quarantine alone, found %q, %v", names, err)
	}
	if _, err := Restore(t.Context(), path, dir); !errors.Is(err, ErrNotEmpty) {
		t.Errorf("expected %v, found %v", ErrNotEmpty, err)
	}
}

// TestTricks: whatever is not what a backup writes is refused, and leaves nothing.
func TestTricks(t *testing.T) {
	path, _ := made(t)
	good, err := os.ReadFile(path)
	must(t, err)
	type entry struct {
		head tar.Header
		data []byte
	}
	var list []entry
	for in := tar.NewReader(bytes.NewReader(good)); ; {
		h, err := in.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		must(t, err)
		data, err := io.ReadAll(in)
		must(t, err)
		list = append(list, entry{*h, data})
	}
	pack := func(change func(h *Head, list []entry) []entry) []byte {
		changed := append([]entry(nil), list...)
		h, err := decodeHead(list[0].data)
		must(t, err)
		changed = change(&h, changed)
		changed[0].data, err = h.encode()
		must(t, err)
		var out bytes.Buffer
		w := tar.NewWriter(&out)
		for _, e := range changed {
			e.head.Size = int64(len(e.data))
			if e.head.Typeflag != tar.TypeReg {
				e.head.Size = 0
			}
			must(t, w.WriteHeader(&e.head))
			if e.head.Typeflag == tar.TypeReg {
				_, err := w.Write(e.data)
				must(t, err)
			}
		}
		must(t, w.Close())
		return out.Bytes()
	}
	named := func(name string) []byte {
		return pack(func(h *Head, list []entry) []entry {
			h.Files[0].Name, list[1].head.Name = name, name
			return list
		})
	}
	for what, data := range map[string][]byte{
		"empty": {}, "cut off": good[:len(good)/2], "trailing bytes": append(bytes.Clone(good), 'x'),
		"a path that climbs": named("config/../../x"), "a database that is none": named("state/other.db"), "a hidden file": named("config/0-.x"),
		"another document": named("quarantine/../current/acme"), "an absolute path": named("/etc/passwd"),
		"twice": pack(func(h *Head, list []entry) []entry { h.Files[1] = h.Files[0]; list[2] = list[1]; return list }),
		"a link": pack(func(_ *Head, list []entry) []entry {
			list[1].head.Typeflag, list[1].head.Linkname = tar.TypeSymlink, "/etc/passwd"
			return list
		}),
		"other bytes": pack(func(_ *Head, list []entry) []entry {
			list[1].data = bytes.Clone(list[1].data)
			list[1].data[100] ^= 1
			return list
		}),
		"another digest": pack(func(h *Head, list []entry) []entry {
			h.Files[len(h.Files)-1].SHA256 = artifact.DigestOf(artifact.SHA256, nil)
			return list
		}),
		"a newer form": pack(func(h *Head, list []entry) []entry { h.Schema = strings.Replace(Schema, "v1", "v2", 1); return list }),
	} {
		trick := filepath.Join(t.TempDir(), "trick.tar")
		must(t, os.WriteFile(trick, data, 0o600))
		parent := t.TempDir()
		_, err := Restore(t.Context(), trick, filepath.Join(parent, "new"))
		if !errors.Is(err, ErrBackup) && !errors.Is(err, plaintar.ErrForm) && !(errors.Is(err, ErrNewer) && what == "a newer form") {
			t.Errorf("%s: expected %v, found %v", what, ErrBackup, err)
		}
		if left, err := os.ReadDir(parent); err != nil || len(left) > 0 {
			t.Errorf("%s: expected nothing left, found %v, %v", what, left, err)
		}
	}
	// What a crash has left is no obstacle.
	parent := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(parent, ".new.restoring", "state"), 0o700))
	_, err = Restore(t.Context(), path, filepath.Join(parent, "new"))
	must(t, err)
}
