package install

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"assay/artifact"
	"assay/artifact/release"
	"assay/internal/durable"
	"assay/internal/strictjson"
)

const (
	recordName   = "record.json"
	recordSchema = "assay.installed/v1"
	schemaPrefix = "assay.installed/v"
	// maxRecord bounds a record, in bytes; one of a product with a hundred programs
	// has some ten thousand.
	maxRecord = 1 << 20
)

// Release is what is installed.
type Release struct {
	Repository string            `json:"repository"`
	Product    string            `json:"product"`
	Version    string            `json:"version"`
	Channel    string            `json:"channel,omitempty"`
	Request    string            `json:"request"` // the selector that was asked for, and that an upgrade goes by
	Platform   artifact.Platform `json:"platform"`
	Target     string            `json:"target"`
	Name       string            `json:"name"`             // the artifact's file name
	Format     string            `json:"format,omitempty"` // as the manifest has it
	Length     int64             `json:"length"`           // of the artifact, in bytes
	Digests    artifact.Digests  `json:"digests"`
	// Manifest is the digest of the release manifest, for information.
	Manifest    artifact.Digest      `json:"manifest,omitzero"`
	Executables []release.Executable `json:"executables"`
	Published   time.Time            `json:"published,omitzero"`
	// Blobs are what proving it again takes, beside the artifact.
	Blobs []artifact.Digest `json:"blobs,omitempty"`
}

// same reports whether two releases have the same files and programs.
func (r Release) same(other Release) bool {
	return r.Digests.Agree(other.Digests) && r.Platform == other.Platform && r.Version == other.Version && r.Format == other.Format && r.Name == other.Name && slices.Equal(r.programs(), other.programs())
}

// Generation is a release on this machine.
type Generation struct {
	Release
	Number int `json:"-"`
	// Turn is its place in the history: the one of the next lower turn, that is not
	// loose, is what ran just before it, and what to go back to from it. Whoever goes
	// back leaves the turns as they are, and goes one further back the next time; what
	// is installed then comes right after what ran. It is not the number, which stays:
	// a program may run from that folder.
	Turn      int       `json:"turn,omitempty"`
	Installed time.Time `json:"installed"`
	// Loose ones were only run: they never were what the links lead to.
	Loose bool `json:"loose,omitempty"`
	// Bins are the folders in which there may be links that were made for it.
	Bins  []string `json:"bins,omitempty"`
	Files int      `json:"files"`
	Bytes int64    `json:"bytes"` // of the files
	Sum   string   `json:"sum"`   // of the tree, see Sum
	dir   string
	used  time.Time // of a loose one: when it was run last, see Touch
}

// Tree is the folder of the release's files.
func (g Generation) Tree() string { return filepath.Join(g.dir, treeName) }

// Program is the path of the program that is called so; empty: the release has none.
func (g Generation) Program(link string) string {
	for _, p := range g.programs() {
		if p.Link == link {
			return filepath.Join(g.Tree(), filepath.FromSlash(p.Path))
		}
	}
	return ""
}

// programs are the executables, each with the name it is called by.
func (r Release) programs() []release.Executable {
	list := slices.Clone(r.Executables)
	for i := range list {
		if list[i].Link == "" {
			list[i].Link = list[i].Path[strings.LastIndexByte(list[i].Path, '/')+1:]
		}
	}
	return list
}

// Programs are the names of the release's programs.
func (r Release) Programs() []string {
	var names []string
	for _, p := range r.programs() {
		names = append(names, p.Link)
	}
	return names
}

// recordLimits bound what is read of a record.
var recordLimits = strictjson.Limits{Bytes: maxRecord, Depth: 8}

type recordFile struct {
	Schema string `json:"schema"`
	Generation
}

// write puts the record beside the tree. A crash leaves the one of before, or the
// new one.
func (g Generation) write() error {
	text, err := json.MarshalIndent(recordFile{recordSchema, g}, "", "  ")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrRecord, err)
	}
	return disk(durable.WriteFile(filepath.Join(g.dir, recordName), append(text, '\n'), 0o644))
}

// readGeneration reads the record of a generation's folder.
func readGeneration(dir string, number int) (Generation, error) {
	path := filepath.Join(dir, recordName)
	info, err := os.Lstat(path)
	if err != nil {
		return Generation{}, disk(err)
	}
	if !info.Mode().IsRegular() {
		return Generation{}, fmt.Errorf("%w: %s: expected a regular file, found %v", ErrRecord, path, info.Mode().Type())
	}
	file, err := os.Open(path)
	if err != nil {
		return Generation{}, disk(err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxRecord+1)) // the limits know that it is too long
	if err != nil {
		return Generation{}, disk(err)
	}
	var r recordFile
	if err := decodeRecord(text, &r); err != nil {
		return Generation{}, fmt.Errorf("%w: %s", err, path)
	}
	r.used = info.ModTime()
	r.dir, r.Number, r.Turn = dir, number, cmp.Or(r.Turn, number)
	return r.Generation, nil
}

func decodeRecord(text []byte, r *recordFile) error {
	var head struct { // of whatever schema
		Schema string `json:"schema"`
	}
	if err := errors.Join(strictjson.Screen(text, recordLimits), json.Unmarshal(text, &head)); err != nil {
		return fmt.Errorf("%w: %w", ErrRecord, err)
	}
	if head.Schema != recordSchema {
		if strings.HasPrefix(head.Schema, schemaPrefix) {
			return fmt.Errorf("%w: expected %s, found %s", ErrNewer, recordSchema, quote(head.Schema))
		}
		return fmt.Errorf("%w: expected the schema %s, found %s", ErrRecord, recordSchema, quote(head.Schema))
	}
	if err := json.Unmarshal(text, r); err != nil {
		return fmt.Errorf("%w: %w", ErrRecord, err)
	}
	if err := r.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrRecord, err)
	}
	if r.Turn < 0 || r.Turn > maxNumber {
		return fmt.Errorf("%w: expected a turn of at most %d, found %d", ErrRecord, maxNumber, r.Turn)
	}
	return nil
}

// check refuses what would lead out of the tree, or can't be used.
func (r Release) check() error {
	if err := errors.Join(artifact.ValidProduct(r.Product), artifact.ValidFileName(r.Name)); err != nil {
		return err
	}
	if len(r.Digests) == 0 {
		return errors.New("expected a digest, found none")
	}
	if _, err := artifact.ParseSelector(r.Request); err != nil {
		return err
	}
	names := map[string]bool{}
	for _, p := range r.programs() {
		if p.Path == "." || !fs.ValidPath(p.Path) || strings.ContainsAny(p.Path, "\\:") {
			return fmt.Errorf("expected a program inside of the release, found %s", quote(p.Path))
		}
		if err := artifact.ValidFileName(p.Link); err != nil {
			return err
		}
		if folded := strings.ToLower(linkFile(p.Link)); names[folded] {
			return fmt.Errorf("expected a name of its own for each program, found %s twice", quote(p.Link))
		} else {
			names[folded] = true
		}
	}
	return nil
}
