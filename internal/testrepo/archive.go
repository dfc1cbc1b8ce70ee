package testrepo

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"fmt"
	"io/fs"
	"time"
)

// packed is one file of an archive.
type packed struct {
	name string
	mode fs.FileMode
	data []byte
}

// program is what the archives hold: a script that prints the product and its
// version, and a licence. It returns the path of the script as well.
func program(product, version string, a Artifact) (files []packed, script string) {
	folder := fmt.Sprintf("%s_%s_%s_%s/", product, version, a.OS, a.Arch)
	line := fmt.Sprintf("echo %s %s for %s/%s", product, version, a.OS, a.Arch)
	script = folder + product
	text := "#!/bin/sh\n" + line + "\n"
	if a.OS == "windows" {
		script += ".cmd"
		text = "@" + line + "\r\n"
	}
	return []packed{
		{name: script, mode: 0o755, data: []byte(text)},
		{name: folder + "LICENSE", mode: 0o644, data: []byte("Apache License, Version 2.0\nhttps://www.apache.org/licenses/LICENSE-2.0\n")},
	}, script
}

// pack writes an archive; the same arguments give the same bytes.
func pack(format string, files []packed, at time.Time) ([]byte, error) {
	switch format {
	case "tar.gz":
		return packTar(files, at)
	case "zip":
		return packZip(files, at)
	default:
		return nil, fmt.Errorf("%w: format of an artifact without data: expected tar.gz or zip, found %q", ErrOptions, format)
	}
}

func packTar(files []packed, at time.Time) ([]byte, error) {
	var out bytes.Buffer
	z := gzip.NewWriter(&out)
	t := tar.NewWriter(z)
	for _, f := range files {
		header := &tar.Header{
			Name: f.name, Mode: int64(f.mode.Perm()), Size: int64(len(f.data)), ModTime: at, Format: tar.FormatPAX,
		}
		if err := t.WriteHeader(header); err != nil {
			return nil, fmt.Errorf("testrepo: pack %q: %w", f.name, err)
		}
		if _, err := t.Write(f.data); err != nil {
			return nil, fmt.Errorf("testrepo: pack %q: %w", f.name, err)
		}
	}
	if err := t.Close(); err != nil {
		return nil, fmt.Errorf("testrepo: finish a tar: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("testrepo: finish a gzip: %w", err)
	}
	return out.Bytes(), nil
}

func packZip(files []packed, at time.Time) ([]byte, error) {
	var out bytes.Buffer
	z := zip.NewWriter(&out)
	for _, f := range files {
		header := &zip.FileHeader{Name: f.name, Method: zip.Deflate, Modified: at}
		header.SetMode(f.mode)
		w, err := z.CreateHeader(header)
		if err != nil {
			return nil, fmt.Errorf("testrepo: pack %q: %w", f.name, err)
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, fmt.Errorf("testrepo: pack %q: %w", f.name, err)
		}
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("testrepo: finish a zip: %w", err)
	}
	return out.Bytes(), nil
}
