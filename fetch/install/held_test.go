package install

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"assay/artifact"
	"assay/cache"
)

// plain are archives whose content can be changed without their noticing: a tar that
// is not compressed, and a zip whose second file is not what is installed.
func plain(t *testing.T, format, program string) []byte {
	t.Helper()
	var out bytes.Buffer
	if format == "tar" {
		w := tar.NewWriter(&out)
		err := errors.Join(w.WriteHeader(&tar.Header{Name: "hello", Mode: 0o755, Size: int64(len(program)), Typeflag: tar.TypeReg}))
		if _, more := w.Write([]byte(program)); errors.Join(err, more, w.Close()) != nil {
			t.Fatal(err, more)
		}
		return out.Bytes()
	}
	w := zip.NewWriter(&out)
	file, err := w.CreateHeader(&zip.FileHeader{Name: "hello", Method: zip.Store})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := file.Write([]byte(program)); errors.Join(err, w.SetComment("proven"), w.Close()) != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestHeldDamaged: bytes that were proven, and are others by the time they are
// unpacked, are refused before anything is switched; the copy is set aside.
func TestHeldDamaged(t *testing.T) {
	skipOnWindows(t)
	for name, damage := range map[string]struct {
		format, from, to string
		says             string
	}{
		"the program":     {"tar", "echo good", "echo evil", "expected sha256:"},
		"past the end":    {"tar", "", "x", "bytes, found"},
		"what zip passes": {"zip", "proven", "evil!!", "expected sha256:"},
		"no archive":      {"zip", "PK\x05\x06", "PK\x07\x08", "expected sha256:"},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.installs("1.0.0")
			r, _ := version("1.1.0")
			data := plain(t, damage.format, "#!/bin/sh\necho good\n")
			r.Name, r.Format, r.Length, r.Digests = "hello."+damage.format, damage.format, int64(len(data)), artifact.Digests{artifact.DigestOf(artifact.SHA256, data)}
			r.Executables[0].Path = "hello"
			blob := b.blob(data)
			spoilt := string(data) + damage.to
			if damage.from != "" {
				spoilt = strings.Replace(string(data), damage.from, damage.to, 1)
			}
			overwrite(t, blob.Path(), spoilt)
			_, err := b.Install(t.Context(), r, blob, Options{})
			wantError(t, err, cache.ErrDamaged, damage.says)
			b.runs("hello", "1.0.0")
			b.wantTidy("1")
			if _, err := os.Lstat(blob.Path()); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("expected the damaged copy set aside, found %v", err)
			}
			b.install(r, data) // fetched again
			b.runs("hello", "good")
		})
	}
}

// TestHeldNoFile: what is no file is not waited for.
func TestHeldNoFile(t *testing.T) {
	b := newBench(t)
	r, data := version("1.0.0")
	blob := b.blob(data)
	if err := errors.Join(os.Remove(blob.Path()), os.Mkdir(blob.Path(), 0o755)); err != nil {
		t.Fatal(err)
	}
	_, err := b.Install(t.Context(), r, blob, Options{})
	wantError(t, err, cache.ErrDamaged, "expected a regular file")
	b.wantNothing()
}

// overwrite puts other bytes into a file that is read-only.
func overwrite(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}
