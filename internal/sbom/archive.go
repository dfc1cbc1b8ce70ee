package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"
)

// maxProgram and maxArchive bound what is read into memory, in bytes; the program has
// some 40 MB, its archive a third of that.
const (
	maxProgram = 512 << 20
	maxArchive = 512 << 20
)

var (
	// errNoProgram is for an archive without the program that is looked for.
	errNoProgram = errors.New("no such program in the archive")
	// errTooLarge is for an archive or a program over the limit.
	errTooLarge = errors.New("too large")
)

// contents is what an archive says of itself.
type contents struct {
	digest string // SHA-256 of the archive, in hex
	build  *buildinfo.BuildInfo
}

// readArchive reads a .zip, or else a .tar.gz, and in it the program NAME or NAME.exe.
func readArchive(file, name string) (contents, error) {
	var c contents
	f, err := os.Open(file)
	if err != nil {
		return c, err
	}
	defer f.Close()
	data, err := readAll(f, maxArchive)
	if err != nil {
		return c, fmt.Errorf("%s: %w", file, err)
	}
	sum := sha256.Sum256(data)
	c.digest = hex.EncodeToString(sum[:])
	find := programInTar
	if strings.HasSuffix(file, ".zip") {
		find = programInZip
	}
	program, err := find(data, name)
	if err != nil {
		return c, fmt.Errorf("%s: %w", file, err)
	}
	if c.build, err = buildinfo.Read(bytes.NewReader(program)); err != nil {
		return c, fmt.Errorf("%s: %s: %w", file, name, err)
	}
	return c, nil
}

// isProgram reports whether an entry of an archive is the program.
func isProgram(entry, name string) bool {
	base := path.Base(entry)
	return base == name || base == name+".exe"
}

func programInTar(data []byte, name string) ([]byte, error) {
	plain, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	entries := tar.NewReader(plain)
	for {
		head, err := entries.Next()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: expected %s", errNoProgram, name)
		}
		if err != nil {
			return nil, err
		}
		if head.Typeflag == tar.TypeReg && isProgram(head.Name, name) {
			return readAll(entries, maxProgram)
		}
	}
}

func programInZip(data []byte, name string) ([]byte, error) {
	entries, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return nil, err
	}
	for _, entry := range entries.File {
		if !entry.Mode().IsRegular() || !isProgram(entry.Name, name) {
			continue
		}
		program, err := entry.Open()
		if err != nil {
			return nil, err
		}
		defer program.Close()
		return readAll(program, maxProgram)
	}
	return nil, fmt.Errorf("%w: expected %s.exe", errNoProgram, name)
}

// readAll reads to the end, which has to come within limit bytes.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = fmt.Errorf("%w: expected at most %d bytes", errTooLarge, limit)
	}
	return data, err
}
