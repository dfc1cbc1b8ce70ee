package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"assay/trust/sbom"
)

// pack writes an archive with this test's own program as its assay, or assay.exe in a zip.
func pack(t *testing.T, file, program string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	binary, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	var data bytes.Buffer
	if strings.HasSuffix(file, ".zip") {
		w := zip.NewWriter(&data)
		entry, err := w.CreateHeader(&zip.FileHeader{Name: "top/" + program})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := entry.Write(binary); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	} else {
		plain, _ := gzip.NewWriterLevel(&data, gzip.NoCompression)
		w := tar.NewWriter(plain)
		for name, body := range map[string][]byte{"top/" + program: binary} {
			if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o755, Size: int64(len(body))}); err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(body); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(w.Close(), plain.Close()); err != nil {
			t.Fatal(err)
		}
	}
	path := filepath.Join(t.TempDir(), file)
	if err := os.WriteFile(path, data.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// make runs the program, and gives the document.
func made(t *testing.T, archive, modules string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "bill.json")
	var stderr strings.Builder
	code := program([]string{
		"-version", "1.4.2+meta", "-created", "2026-11-01T02:00:00+02:00", "-license", "Apache-2.0", "-supplier", "The makers", "-modules", modules, "-o", out, archive,
	}, &stderr)
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr.String())
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestBill shows that the documents are those that assay itself reads, and that they
// say what the program says.
func TestBill(t *testing.T) {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		t.Skip("this test was built without build information")
	}
	for file, name := range map[string]string{"assay_1.4.2_linux_amd64.tar.gz": "assay", "assay_1.4.2_windows_amd64.zip": "assay.exe"} {
		archive := pack(t, file, name)
		data := made(t, archive, t.TempDir())
		doc, err := sbom.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		if doc.Format != sbom.SPDX || doc.SpecVersion != "2.3" || doc.Subject == nil || doc.Subject.Name != "assay" || doc.Subject.Version != "1.4.2+meta" {
			t.Errorf("expected an SPDX 2.3 document of assay 1.4.2+meta, found %s %s of %+v", doc.Format, doc.SpecVersion, doc.Subject)
		}
		for _, dep := range build.Deps {
			if !slices.ContainsFunc(doc.Components, func(c sbom.Component) bool { return c.Name == dep.Path && c.Version == dep.Version }) {
				t.Errorf("%s: expected %s %s among the components", file, dep.Path, dep.Version)
			}
		}
		bytes, err := os.ReadFile(archive)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(bytes)
		var raw struct {
			Namespace string                   `json:"documentNamespace"`
			Info      struct{ Created string } `json:"creationInfo"`
			Packages  []struct {
				SPDXID    string
				File      string `json:"packageFileName"`
				Checksums []struct{ ChecksumValue string }
			}
			Relationships []struct{ SpdxElementID, RelationshipType, RelatedSPDXElement string }
		}
		if err := json.Unmarshal(data, &raw); err != nil {
			t.Fatal(err)
		}
		digest := hex.EncodeToString(sum[:])
		if want := "https://spdx.org/spdxdocs/" + file + "-" + digest; raw.Namespace != want {
			t.Errorf("expected the namespace %s, found %s", want, raw.Namespace)
		}
		if raw.Info.Created != "2026-11-01T00:00:00Z" {
			t.Errorf("expected the time that was given, in UTC, found %s", raw.Info.Created)
		}
		first := raw.Packages[0]
		if first.File != file || len(first.Checksums) != 1 || first.Checksums[0].ChecksumValue != digest {
			t.Errorf("expected %s with sha256 %s, found %+v", file, digest, first)
		}
		if len(raw.Relationships) != len(raw.Packages) {
			t.Errorf("expected a relationship for each of %d packages, found %d", len(raw.Packages), len(raw.Relationships))
		}
	}
}

// TestBillIsReproducible shows that time, place and order of the machine are not in it.
func TestBillIsReproducible(t *testing.T) {
	archive := pack(t, "assay_1.4.2_linux_amd64.tar.gz", "assay")
	elsewhere := filepath.Join(t.TempDir(), filepath.Base(archive))
	data, err := os.ReadFile(archive)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(elsewhere, data, 0o600); err != nil {
		t.Fatal(err)
	}
	if one, other := made(t, archive, t.TempDir()), made(t, elsewhere, t.TempDir()); !bytes.Equal(one, other) {
		t.Error("expected the same bytes of the same archive in two folders")
	}
}

func TestLinked(t *testing.T) {
	cache := t.TempDir()
	module(t, cache, "a.example/fork@v1.2.0+incompatible", map[string]string{"LICENSE": mit})
	build := &buildinfo.BuildInfo{GoVersion: "go1.26.8", Deps: []*debug.Module{
		{Path: "z.example/z", Version: "v0.1.0", Sum: "h1:x"},
		{Path: "b.example/b", Version: "v1.0.0", Replace: &debug.Module{Path: "a.example/fork", Version: "v1.2.0+incompatible"}},
	}}
	var found []string
	for _, p := range linked(build, licenseReader{modules: cache}) {
		found = append(found, strings.Join([]string{string(p.PackageSPDXIdentifier), p.PackageExternalReferences[0].Locator, p.PackageLicenseDeclared, p.PackageSourceInfo}, " "))
	}
	want := []string{
		"Go pkg:golang/stdlib@1.26.8 BSD-3-Clause ",
		"Module-1 pkg:golang/a.example/fork@v1.2.0%2Bincompatible MIT ",
		"Module-2 pkg:golang/z.example/z@v0.1.0 NOASSERTION go.sum h1:x",
	}
	if !slices.Equal(found, want) {
		t.Errorf("expected %q, found %q", want, found)
	}
	build.GoVersion = "devel go1.27-abc Mon"
	if got := linked(build, licenseReader{modules: cache}); len(got) != 2 {
		t.Errorf("expected no library of a Go without a version, found %d packages", len(got))
	}
}

func TestRefused(t *testing.T) {
	archive := pack(t, "assay.tar.gz", "other")
	out := filepath.Join(t.TempDir(), "out")
	for _, c := range []struct {
		args string
		code int
		want string
	}{
		{"-version 1 -created 2026-11-01T00:00:00Z -modules m -o " + out + " " + archive, exitFailed, "no such program in the archive: expected assay"},
		{"-version 1 -created 2026-11-01T00:00:00Z -modules m -o " + out + " " + archive + ".gone", exitFailed, "no such file"},
		{"-version 1 -created yesterday -modules m -o " + out + " " + archive, exitUsage, `expected a time like 2026-11-01T00:00:00Z, found "yesterday"`},
		{"-version 1 -created 2026-11-01T00:00:00Z -modules m -o " + out, exitUsage, "expected -version and one archive"},
		{"-modules m " + archive, exitUsage, "expected -o and -modules"},
		{"-modules m -o " + out + " -notices list", exitUsage, "expected -go"},
		{"-nonsense", exitUsage, "not defined"},
	} {
		var stderr strings.Builder
		if code := program(strings.Fields(c.args), &stderr); code != c.code || !strings.Contains(stderr.String(), c.want) {
			t.Errorf("%s: expected exit %d and %q, found %d, %s", c.args, c.code, c.want, code, stderr.String())
		}
		if _, err := os.Stat(out); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: expected nothing to be left behind, found %v", c.args, err)
		}
	}
	if _, err := readAll(strings.NewReader("12345"), 4); !errors.Is(err, errTooLarge) {
		t.Errorf("expected errTooLarge, found %v", err)
	}
}
