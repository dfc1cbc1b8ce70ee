// Package drafttest makes folders as goreleaser v2.15 leaves them, for tests: the
// archives have real contents, and the lists have the form that goreleaser's
// internal/artifact and internal/pipe/metadata write.
package drafttest

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Bundle is what the signature over the checksums file holds unless Dist.Sign makes
// another one: it says that it is a bundle, and is none that could be verified.
const Bundle = `{"mediaType":"application/vnd.dev.sigstore.bundle.v0.3+json"}`

// Dist is a build. The zero value is one of hello 1.4.2.
type Dist struct {
	Project string    // hello
	Version string    // 1.4.2
	Commit  string    // 8d3f0c1b5a7e4d2f9c6b1a0e3d5f7c9b2a4e6d80
	Date    time.Time // 2026-09-14T10:58:11Z
	Program []byte    // what each program holds: a shell script
	// Sign makes the bundle over the checksums file.
	Sign func(checksums []byte) ([]byte, error)
	// Edit changes the list before it is written; nil: it stays.
	Edit func(list []map[string]any) []map[string]any
	// Without leaves files out of the folder and of the lists, by the ends of their names.
	Without []string
}

// build is a Dist in the making.
type build struct {
	Dist
	dir  string
	list []map[string]any
	sums []string
}

// Write makes the folder, which the list calls "dist".
func (d Dist) Write(dir string) error {
	if d.Project == "" {
		d.Project = "hello"
	}
	if d.Version == "" {
		d.Version = "1.4.2"
	}
	if d.Commit == "" {
		d.Commit = "8d3f0c1b5a7e4d2f9c6b1a0e3d5f7c9b2a4e6d80"
	}
	if d.Date.IsZero() {
		d.Date = time.Date(2026, 9, 14, 10, 58, 11, 123456789, time.UTC)
	}
	if d.Program == nil {
		d.Program = fmt.Appendf(nil, "#!/bin/sh\necho %s %s\n", d.Project, d.Version)
	}
	b := &build{Dist: d, dir: dir}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, step := range []func() error{b.metadata, b.archives, b.others, b.checksums, b.lists} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) metadata() error {
	data, err := json.Marshal(map[string]any{
		"project_name": b.Project, "tag": "v" + b.Version, "previous_tag": "v0.0.1", "version": b.Version, "commit": b.Commit,
		"date": b.Date, "runtime": map[string]string{"goos": "linux", "goarch": "amd64"},
	})
	if err != nil {
		return err
	}
	return b.put("metadata.json", data, 35, "Metadata", nil, nil)
}

// put writes a file and enters it into the list.
func (b *build) put(name string, data []byte, kind int, typ string, platform map[string]any, extra map[string]any) error {
	if slices.ContainsFunc(b.Without, func(end string) bool { return strings.HasSuffix(name, end) }) {
		return nil
	}
	e := map[string]any{"name": filepath.Base(name), "path": "dist/" + name, "internal_type": kind, "type": typ}
	for key, value := range platform {
		e[key] = value
	}
	if extra != nil {
		e["extra"] = extra
	}
	switch typ {
	case "Archive", "Linux Package", "SBOM", "Source":
		sum := sha256.Sum256(data)
		extra["Checksum"] = "sha256:" + hex.EncodeToString(sum[:])
		b.sums = append(b.sums, hex.EncodeToString(sum[:])+"  "+name)
	}
	b.list = append(b.list, e)
	path := filepath.Join(b.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path, data, 0o644); err != nil {
		return err
	}
	return os.Chtimes(path, time.Time{}, b.Date.Add(3*time.Minute))
}

// archives are those of the programs, with an SBOM each, and what a build leaves.
func (b *build) archives() error {
	for _, p := range []map[string]any{
		{"goos": "linux", "goarch": "amd64", "goamd64": "v1", "target": "linux_amd64_v1"},
		{"goos": "linux", "goarch": "arm64", "goarm64": "v8.0", "target": "linux_arm64_v8.0"},
		{"goos": "linux", "goarch": "arm", "goarm": "7", "target": "linux_arm_7"},
		{"goos": "darwin", "goarch": "arm64", "goarm64": "v8.0", "target": "darwin_arm64_v8.0"},
		{"goos": "windows", "goarch": "amd64", "goamd64": "v1", "target": "windows_amd64_v1"},
	} {
		program, format, pack := b.Project, "tar.gz", b.tarball
		if p["goos"] == "windows" {
			program, format, pack = b.Project+".exe", "zip", b.zipped
		}
		left := fmt.Sprintf("%s_%s/%s", b.Project, p["target"], program)
		if err := b.put(left, b.Program, 4, "Binary", p, map[string]any{"Binary": b.Project, "Builder": "go", "Ext": "", "ID": b.Project}); err != nil {
			return err
		}
		arch := p["goarch"]
		if p["goarm"] != nil {
			arch = "armv7"
		}
		stem := fmt.Sprintf("%s_%s_%s_%s", b.Project, b.Version, p["goos"], arch)
		data, err := pack(stem+"/", program)
		if err != nil {
			return err
		}
		extra := map[string]any{"Binaries": []string{program}, "Files": []string{"LICENSE"}, "Format": format, "ID": "default", "WrappedIn": stem}
		if err := b.put(stem+"."+format, data, 1, "Archive", p, extra); err != nil {
			return err
		}
		if err := b.put(stem+"."+format+".spdx.json", b.bill(stem), 28, "SBOM", nil, map[string]any{"ID": "default"}); err != nil {
			return err
		}
	}
	return nil
}

func (b *build) others() error {
	source, err := b.tarball(b.Project+"-"+b.Version+"/", "main.go")
	if err != nil {
		return err
	}
	if err := b.put(b.Project+"-"+b.Version+".tar.gz", source, 15, "Source", nil, map[string]any{"Format": "tar.gz"}); err != nil {
		return err
	}
	linux := map[string]any{"goos": "linux", "goarch": "amd64", "goamd64": "v1", "target": "linux_amd64_v1"}
	if err := b.put(b.Project+"_"+b.Version+"_linux_amd64.deb", []byte("!<arch>\ndebian-binary"), 6, "Linux Package", linux,
		map[string]any{"Binaries": []string{b.Project}, "Ext": "deb", "Files": []any{}, "Format": "deb", "ID": "default"}); err != nil {
		return err
	}
	return b.put("homebrew/Casks/"+b.Project+".rb", []byte("cask\n"), 17, "Homebrew Cask", nil, map[string]any{"BrewConfig": map[string]any{"name": b.Project}})
}

func (b *build) checksums() error {
	slices.Sort(b.sums)
	text := []byte(strings.Join(b.sums, "\n") + "\n")
	if err := b.put("checksums.txt", text, 12, "Checksum", nil, map[string]any{}); err != nil {
		return err
	}
	bundle := []byte(Bundle)
	if b.Sign != nil {
		var err error
		if bundle, err = b.Sign(text); err != nil {
			return err
		}
	}
	return b.put("checksums.txt.sigstore.json", bundle, 13, "Signature", nil, map[string]any{"ID": "default"})
}

func (b *build) lists() error {
	if b.Edit != nil {
		b.list = b.Edit(b.list)
	}
	data, err := json.Marshal(b.list)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(b.dir, "artifacts.json"), data, 0o644)
}

// contents are what each archive holds.
func (b *build) contents(program string) []struct {
	name string
	mode int64
	data []byte
} {
	return []struct {
		name string
		mode int64
		data []byte
	}{{"LICENSE", 0o644, []byte("Apache-2.0\n")}, {program, 0o755, b.Program}}
}

func (b *build) tarball(folder, program string) ([]byte, error) {
	var out bytes.Buffer
	packed, err := gzip.NewWriterLevel(&out, b.level())
	if err != nil {
		return nil, err
	}
	archive := tar.NewWriter(packed)
	for _, f := range b.contents(program) {
		header := &tar.Header{Name: folder + f.name, Mode: f.mode, Size: int64(len(f.data)), ModTime: b.Date}
		if err := archive.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := archive.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := archive.Close(); err != nil {
		return nil, err
	}
	err = packed.Close()
	return out.Bytes(), err
}

// level spares the time to compress a large program, which takes a minute under the
// race detector.
func (b *build) level() int {
	if len(b.Program) > 1<<20 {
		return gzip.NoCompression
	}
	return gzip.DefaultCompression
}

func (b *build) zipped(folder, program string) ([]byte, error) {
	var out bytes.Buffer
	archive := zip.NewWriter(&out)
	method := zip.Deflate
	if b.level() == gzip.NoCompression {
		method = zip.Store
	}
	for _, f := range b.contents(program) {
		header := &zip.FileHeader{Name: folder + f.name, Method: method, Modified: b.Date}
		header.SetMode(os.FileMode(f.mode))
		w, err := archive.CreateHeader(header)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	err := archive.Close()
	return out.Bytes(), err
}

// bill is an SPDX document of one component.
func (b *build) bill(stem string) []byte {
	return fmt.Appendf(nil, `{
  "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": %q,
  "documentNamespace": "https://%s.example/spdx/%s",
  "creationInfo": {"created": "2026-09-14T11:00:00Z", "creators": ["Tool: test"]},
  "packages": [
    {"SPDXID": "SPDXRef-main", "name": %q, "versionInfo": %q, "downloadLocation": "NOASSERTION"},
    {"SPDXID": "SPDXRef-text", "name": "golang.org/x/text", "versionInfo": "v0.30.0", "downloadLocation": "NOASSERTION", "licenseDeclared": "BSD-3-Clause",
     "externalRefs": [{"referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": "pkg:golang/golang.org/x/text@v0.30.0"}]}
  ],
  "relationships": [
    {"spdxElementId": "SPDXRef-DOCUMENT", "relatedSpdxElement": "SPDXRef-main", "relationshipType": "DESCRIBES"},
    {"spdxElementId": "SPDXRef-main", "relatedSpdxElement": "SPDXRef-text", "relationshipType": "DEPENDS_ON"}
  ]
}
`, stem, b.Project, stem, b.Project, b.Version)
}
