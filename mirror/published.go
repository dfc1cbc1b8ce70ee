package mirror

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"assay/artifact"
	"assay/mirror/storage"
)

// Published is what a repository serves at one time, as whoever carries it elsewhere
// sees it. Nothing in it changes.
type Published struct {
	Repository string
	Number     int64 // of the generation
	Made       time.Time
	Mode       Mode
	Roles      []RoleVersion
	Files      []PublishedFile // in the order in which they may be published, the timestamp last
	Targets    []PublishedTarget
	Retained   []PublishedName
	// Quarantined is not served, whatever of it is held.
	Quarantined []Quarantined
}

// PublishedFile is a metadata file, by the name under which it is served.
type PublishedFile struct {
	Name   string
	Role   string
	Digest artifact.Digest
	Length int64 // in bytes
}

// PublishedTarget is a target that is carried.
type PublishedTarget struct {
	Path    string
	Digests artifact.Digests // its object is stored under the primary one
	Length  int64            // in bytes
}

// PublishedName is a name of a generation before, for those who still follow it.
type PublishedName struct {
	Name  string // below the repository's base
	Until time.Time
}

// Consistent reports whether the repository names its files by version and digest.
func (p *Published) Consistent() bool {
	for _, f := range p.Files {
		if f.Role == "targets" {
			return immutableMetadata(f.Name)
		}
	}
	return false
}

// ReadPublished reads the current generation of a repository from the storage of a
// mirror that may be at work on it: ErrNotReady where there is none. An object that
// is storage.ErrMissing was collected meanwhile, if a second call gives a higher
// Number.
func ReadPublished(ctx context.Context, s *storage.Reader, repository string) (*Published, error) {
	p, _, err := readPointer(ctx, s, repository)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return nil, fmt.Errorf("%s: %w", repository, ErrNotReady)
	}
	data, err := readObject(ctx, s, p.Generation, maxGeneration)
	if err != nil {
		return nil, err
	}
	g, err := decodeGeneration(data, repository)
	if err != nil {
		return nil, err
	}
	if data, err = readObject(ctx, s, g.Listing, maxListing); err != nil {
		return nil, err
	}
	l, err := decodeListing(data, repository)
	if err != nil {
		return nil, err
	}
	out := &Published{Repository: repository, Number: g.Number, Made: g.Made, Mode: g.Mode, Roles: g.Roles}
	for _, f := range g.Files {
		out.Files = append(out.Files, PublishedFile{f.Name, f.Role, f.SHA256, f.Length})
	}
	for _, t := range l.targets {
		if t.carried {
			out.Targets = append(out.Targets, PublishedTarget{t.path, t.digests, t.length})
		}
	}
	for _, old := range g.Retained {
		out.Retained = append(out.Retained, PublishedName{old.Name, old.Until})
	}
	out.Quarantined, err = readQuarantined(ctx, s, repository)
	return out, err
}

// readQuarantined reads the list of a repository beside the mirror.
func readQuarantined(ctx context.Context, s documents, repository string) ([]Quarantined, error) {
	data, _, err := s.Document(ctx, quarantineOf(repository))
	if err != nil || data == nil {
		return nil, err
	}
	var doc quarantineDoc
	if err := json.Unmarshal(data, &doc); err != nil || doc.Schema != quarantineSchema {
		return nil, fmt.Errorf("%w: %s: expected %s, found something else", ErrDamaged, quarantineOf(repository), quarantineSchema)
	}
	return doc.Held, nil
}

// IsQuarantined reports whether a target is in quarantine with the bytes of key.
func (p *Published) IsQuarantined(path string, key artifact.Digest) (Quarantined, bool) {
	return isolated(p.Quarantined, path, key)
}

// documents and objects are what is read of a storage.
type documents interface {
	Document(ctx context.Context, name string) ([]byte, storage.Version, error)
}

type objects interface {
	Open(ctx context.Context, digest artifact.Digest) (storage.Object, error)
}
