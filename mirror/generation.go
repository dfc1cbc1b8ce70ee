package mirror

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"assay/artifact"
	"assay/trust"
)

// generationSchema and currentSchema name the forms of a generation and of the
// document that leads to it.
const (
	generationSchema = "assay.mirror.generation/v1"
	currentSchema    = "assay.mirror.current/v1"
)

// maxGeneration is the longest generation, in bytes: what it keeps of delegated
// roles and of names that were replaced.
const maxGeneration = 256 << 20

// generation is what a repository serves at one time. Readers follow it; nothing
// in it changes.
type generation struct {
	Schema     string    `json:"schema"`
	Repository string    `json:"repository"`
	Number     int64     `json:"number"`
	Made       time.Time `json:"made"`
	Mode       Mode      `json:"mode"`
	// Basis is the digest of what the listing follows from, Policy what its artifacts
	// were judged by.
	Basis  artifact.Digest `json:"basis"`
	Policy string          `json:"policy,omitempty"`
	Roles  []RoleVersion   `json:"roles"`
	// Since is since when each role has the version that it has.
	Since   map[string]time.Time `json:"since,omitempty"`
	Files   []metadataFile       `json:"files"` // in the order in which they may be published
	Listing artifact.Digest      `json:"listing"`
	// Followed is when the last timestamp of before expires; zero: there was none.
	Followed time.Time `json:"followed,omitzero"`
	// Retained are names of generations before that readers may still ask for.
	Retained []retained `json:"retained,omitempty"`
}

// metadataFile is a metadata file, by the name under which it is served.
type metadataFile struct {
	Name   string          `json:"name"`
	Role   string          `json:"role"`
	SHA256 artifact.Digest `json:"sha256"`
	Length int64           `json:"length"`
}

// retained is a name that the current metadata does not lead to any more.
type retained struct {
	Name    string           `json:"name"` // as below the repository's base, "targets/…" too
	Digests artifact.Digests `json:"digests"`
	Length  int64            `json:"length"`
	Until   time.Time        `json:"until"` // the expiry of the last timestamp that led to it
}

// pointer is the document that names the current generation.
type pointer struct {
	Schema     string          `json:"schema"`
	Generation artifact.Digest `json:"generation"`
	Number     int64           `json:"number"`
}

// documentOf is the name of the document of a repository's pointer.
func documentOf(repository string) string { return "current/" + repository }

func (g *generation) encode() ([]byte, error) {
	data, err := json.Marshal(g)
	if err == nil && len(data) > maxGeneration {
		err = fmt.Errorf("%s: expected a generation of at most %d bytes, made one of %d", g.Repository, maxGeneration, len(data))
	}
	return data, err
}

func decodeGeneration(data []byte, repository string) (*generation, error) {
	g := &generation{}
	if err := json.Unmarshal(data, g); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if g.Schema != generationSchema || g.Repository != repository || len(g.Files) == 0 || len(g.Roles) == 0 || g.Number < 1 {
		return nil, fmt.Errorf("%w: expected a generation %s of %s, found %.60q of %.60q", ErrDamaged, generationSchema, repository, g.Schema, g.Repository)
	}
	if g.Listing.IsZero() || slices.ContainsFunc(g.Files, func(f metadataFile) bool { return f.SHA256.IsZero() }) ||
		slices.ContainsFunc(g.Retained, func(r retained) bool { return len(r.Digests) == 0 }) {
		return nil, fmt.Errorf("%w: expected a digest of the listing and of each file, found one without", ErrDamaged)
	}
	return g, nil
}

// expires is the earliest expiry of the top-level roles, and whose it is.
func (g *generation) expires() (time.Time, string) {
	first := slices.MinFunc(g.Roles, func(x, y RoleVersion) int { return x.Expires.Compare(y.Expires) })
	return first.Expires, first.Role
}

func (g *generation) role(name string) RoleVersion {
	for _, r := range g.Roles {
		if r.Role == name {
			return r
		}
	}
	return RoleVersion{}
}

// after refuses to follow a generation whose metadata is newer: the memory of
// trust was lost, or was set back. It is trust.ErrRollback. Under a newer root the
// other roles may begin anew (specification 5.3.11), which package trust has judged.
func (g *generation) after(old *generation) error {
	for _, r := range old.Roles {
		now := g.role(r.Role)
		if now.Version < r.Version {
			return &trust.RollbackError{
				Repository: g.Repository, Role: r.Role, Held: r.Version, Offered: now.Version,
				Detail: "this mirror has published the newer one",
			}
		}
		if r.Role == "root" && now.Version > r.Version {
			return nil
		}
	}
	return nil
}

// sameMetadata reports whether two generations serve the same files.
func (g *generation) sameMetadata(files []metadataFile) bool {
	return slices.Equal(g.Files, files)
}

// maxRetained is how many names of before are kept, the last ones first. More come
// where much changes often and timestamps last long.
const maxRetained = 1 << 19

// retain carries over what the generation before served and this one does not, for
// as long as a reader may still follow the timestamp of then. What is in quarantine
// stays out, as its place there may end with the promise of it.
func (g *generation) retain(old *generation, was, is *listing, aside []Quarantined, now time.Time) {
	until := g.followed(old)
	names := map[string]bool{}
	for _, f := range g.Files {
		names[f.Name] = true
	}
	keep := func(r retained) {
		if r.Until.After(now) && !names[r.Name] {
			names[r.Name] = true
			g.Retained = append(g.Retained, r)
		}
	}
	for _, f := range old.Files {
		// Only names with a version stay what they are; the others lead to the new bytes.
		if immutableMetadata(f.Name) {
			keep(retained{f.Name, artifact.Digests{f.SHA256}, f.Length, until})
		}
	}
	for _, t := range was.targets {
		if _, refused := isolated(aside, t.path, t.key()); refused || !t.carried {
			continue
		}
		if i, found := is.index(t.path); found && is.targets[i].carried && is.targets[i].key() == t.key() {
			continue
		}
		for _, d := range t.digests {
			keep(retained{hashedName(t.path, d), t.digests, t.length, until})
		}
	}
	for _, r := range old.Retained {
		keep(r)
	}
	g.Retained = g.Retained[:min(len(g.Retained), maxRetained)]
}

// followed is until when a reader may follow some timestamp up to that of old: a later
// one may expire earlier.
func (g *generation) followed(old *generation) time.Time {
	g.Followed = old.role("timestamp").Expires
	if old.Followed.After(g.Followed) {
		g.Followed = old.Followed
	}
	return g.Followed
}

// hashedName is the name of a target with a digest, below the repository's base.
func hashedName(target string, d artifact.Digest) string {
	dir, base := "", target
	if i := strings.LastIndexByte(target, '/'); i >= 0 {
		dir, base = target[:i+1], target[i+1:]
	}
	return "targets/" + dir + d.Hex() + "." + base
}

// immutableMetadata reports whether a metadata file's name begins with a version.
func immutableMetadata(name string) bool {
	version, _, found := strings.Cut(name, ".")
	return found && version != "" && strings.Trim(version, "0123456789") == ""
}
