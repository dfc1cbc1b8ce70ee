package cache

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"assay/artifact"
	"assay/internal/strictjson"
)

// referenceSchema is that of a reference's file.
const referenceSchema = "assay.reference/v1"

// referenceDoc is a Reference as it is written down.
type referenceDoc struct {
	Schema  string            `json:"schema"`
	Kind    Kind              `json:"kind"`
	Name    string            `json:"name"`
	Origin  string            `json:"origin,omitempty"`
	Since   time.Time         `json:"since"`
	Digests []artifact.Digest `json:"digests"` // ascending, each once
}

// ReferenceError says which file of a reference can't be read as one. It is an
// ErrReference, and its cause.
type ReferenceError struct {
	Path string
	Err  error // what was expected and found
}

// Error names the file, what is wrong with it, and what a person can do.
func (e *ReferenceError) Error() string {
	return fmt.Sprintf("%v: %s: %v; while that is so nothing is removed: let what made it make it again, or remove the file if nothing needs its blobs", ErrReference, e.Path, e.Err)
}

// Unwrap gives the sentinel and the cause.
func (e *ReferenceError) Unwrap() []error { return []error{ErrReference, e.Err} }

// check tells what keeps r from being a reference.
func (r Reference) check() error {
	if err := r.checkName(); err != nil {
		return err
	}
	if r.Origin != "" && (!filepath.IsAbs(r.Origin) || filepath.Clean(r.Origin) != r.Origin || len(r.Origin) > maxNameLength) {
		return fmt.Errorf("expected a clean, absolute path of at most %d bytes as its origin, found %q", maxNameLength, clip(r.Origin))
	}
	if n := len(r.Digests); n == 0 || n > maxReferenceDigests {
		return fmt.Errorf("expected 1 to %d digests, found %d", maxReferenceDigests, n)
	}
	for i, d := range r.Digests {
		if d.IsZero() || i > 0 && compareDigests(r.Digests[i-1], d) >= 0 {
			return fmt.Errorf("expected digests in ascending order, each once, found %q at %d", d, i)
		}
	}
	return nil
}

// checkName keeps names to those that mean the same file on every file system.
func (r Reference) checkName() error {
	if !slices.Contains(Kinds(), r.Kind) {
		return fmt.Errorf("expected one of the kinds %v, found %q", Kinds(), clip(string(r.Kind)))
	}
	good := len(r.Name) <= maxReferenceName
	for i, c := range []byte(r.Name) {
		plain := 'a' <= c && c <= 'z' || '0' <= c && c <= '9'
		good = good && (plain || i > 0 && bytes.IndexByte([]byte("-._+@"), c) >= 0)
	}
	if !good || r.Name == "" {
		return fmt.Errorf("expected a name of lower-case letters, digits and -._+@, at most %d bytes, found %q", maxReferenceName, clip(r.Name))
	}
	return nil
}

func (r Reference) encode() ([]byte, error) {
	text, err := json.MarshalIndent(referenceDoc{referenceSchema, r.Kind, r.Name, r.Origin, r.Since, r.Digests}, "", "  ")
	return append(text, '\n'), err
}

// readReference reads the file of a reference, which info describes. The error is
// fs.ErrNotExist where it is gone.
func readReference(path string, info fs.FileInfo) (Reference, error) {
	text, err := readSmall(path, info, maxReferenceFile)
	if err != nil {
		return Reference{}, err
	}
	ref, err := decodeReference(text)
	if err != nil {
		return Reference{}, err
	}
	if kind, name := filepath.Base(filepath.Dir(path)), filepath.Base(path); string(ref.Kind) != kind || ref.Name != name {
		return Reference{}, fmt.Errorf("expected %s/%s, as the file is named, found %s/%s", kind, name, ref.Kind, ref.Name)
	}
	if ref.Origin != "" {
		// An origin that can't be seen, as a folder above it is closed, may be there.
		_, err := os.Lstat(ref.Origin)
		ref.Stale = errors.Is(err, fs.ErrNotExist)
	}
	return ref, nil
}

// decodeReference reads the text of a reference, which must have the form in which
// it is written: what is understood here only in part may keep more than it says.
func decodeReference(text []byte) (Reference, error) {
	const depth = 2
	if err := strictjson.Screen(text, strictjson.Limits{Bytes: maxReferenceFile, Depth: depth}); err != nil {
		return Reference{}, err
	}
	var doc referenceDoc
	if err := json.Unmarshal(text, &doc); err != nil {
		return Reference{}, err
	}
	if doc.Schema != referenceSchema {
		return Reference{}, fmt.Errorf("expected the schema %s, found %q; a newer assay may know it", referenceSchema, clip(doc.Schema))
	}
	ref := Reference{Kind: doc.Kind, Name: doc.Name, Origin: doc.Origin, Since: doc.Since, Digests: doc.Digests}
	if err := ref.check(); err != nil {
		return Reference{}, err
	}
	if again, err := ref.encode(); err != nil || !bytes.Equal(again, text) {
		return Reference{}, errors.New("expected it as assay wrote it, found something added or left out")
	}
	return ref, nil
}

// readSmall reads a regular file, the one that info describes, of at most limit
// bytes.
func readSmall(path string, info fs.FileInfo, limit int64) ([]byte, error) {
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("expected a regular file, found %v", info.Mode().Type())
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	// A file that was replaced meanwhile is fine, anything but a file is not: a
	// pipe would never end.
	if now, err := file.Stat(); err != nil || !now.Mode().IsRegular() {
		return nil, errors.Join(fmt.Errorf("expected a regular file"), err)
	}
	text, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("expected at most %d bytes, found more", limit)
	}
	return text, err
}
