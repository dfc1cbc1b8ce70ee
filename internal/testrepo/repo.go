package testrepo

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"assay/artifact"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// Repo is a repository and the keys to change it. Changes are invisible until
// Publish. The zero value is not usable: call New or Sample.
type Repo struct {
	opts Options

	mu          sync.RWMutex
	roles       map[string]*role
	order       []string             // the roles with targets, in the order made
	forgeries   map[string]Forgery   // for the next publication
	rootSigners []*Key               // keys of the last published root
	versions    map[string]int64     // last published version, by role
	signed      map[string][]byte    // last published bytes, by role
	elsewhere   map[string]content   // files outside the repository, by name
	generations []map[string]content // by file name; generation n is at n-1
}

// role is what is published next under a role's name.
type role struct {
	keys      []*Key
	threshold int
	expiry    time.Duration
	dirty     bool // wants a new version
	written   bool // by Large: there is nothing to make another version of
	targets   map[string]target
	edges     []DelegatedRole
	bins      *Bins
	binKeys   []*Key // all bins share them
}

// target is one file that a role promises.
type target struct {
	content content
	digests artifact.Digests
}

// New makes a repository that has the four top-level roles with their keys and
// nothing published. Errors wrap ErrOptions.
func New(opts Options) (*Repo, error) {
	opts, err := opts.withDefaults()
	if err != nil {
		return nil, err
	}
	r := &Repo{
		opts:      opts,
		roles:     map[string]*role{},
		forgeries: map[string]Forgery{},
		versions:  map[string]int64{},
		signed:    map[string][]byte{},
		elsewhere: map[string]content{},
	}
	for _, name := range metadata.TOP_LEVEL_ROLE_NAMES {
		if err := r.addRole(name, opts.quorumOf(name)); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// addRole makes a role with fresh keys. r.mu is held, or r is not shared yet.
func (r *Repo) addRole(name string, q Quorum) error {
	keys, err := newKeys(r.opts.Scheme, q.Keys)
	if err != nil {
		return err
	}
	r.roles[name] = &role{
		keys: keys, threshold: q.Threshold, expiry: r.opts.expiryOf(name), dirty: true,
		targets: map[string]target{},
	}
	if !isTopLevel(name) || name == metadata.TARGETS {
		r.order = append(r.order, name)
	}
	return nil
}

// role finds a role. r.mu is held.
func (r *Repo) role(name string) (*role, error) {
	found, ok := r.roles[name]
	if !ok {
		return nil, fmt.Errorf("%w role %q", ErrUnknown, name)
	}
	return found, nil
}

// targetsRole finds a role that may list targets. r.mu is held.
func (r *Repo) targetsRole(name string) (*role, error) {
	if isTopLevel(name) && name != metadata.TARGETS {
		return nil, fmt.Errorf("%w: role %q lists no targets", ErrConflict, name)
	}
	return r.role(name)
}

// Roles names the top-level targets role and every delegated role, in the
// order made.
func (r *Repo) Roles() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return slices.Clone(r.order)
}

// Keys are the present keys of a role, none for an unknown one. A test that
// keeps them can go on signing with them after RotateKey.
func (r *Repo) Keys(role string) []*Key {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if found, ok := r.roles[role]; ok {
		return slices.Clone(found.keys)
	}
	return nil
}

// RotateKey replaces all keys of a role by new ones. The next Publish lists
// them with whoever delegates to the role; for root itself, the next root is
// signed by the old keys and the new; for one of some bins, all of them change.
func (r *Repo) RotateKey(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.role(name)
	if err != nil {
		return err
	}
	keys, err := newKeys(r.opts.Scheme, len(found.keys))
	if err != nil {
		return err
	}
	found.keys, found.dirty = keys, true
	if isTopLevel(name) {
		r.roles[metadata.ROOT].dirty = true
		return nil
	}
	for _, parent := range r.roles {
		if slices.ContainsFunc(parent.edges, func(e DelegatedRole) bool { return e.Name == name }) {
			parent.dirty = true
		}
		if parent.bins != nil && slices.Contains(parent.bins.names(), name) {
			parent.binKeys, parent.dirty = keys, true
			for _, bin := range parent.bins.names() {
				r.roles[bin].keys, r.roles[bin].dirty = keys, true
			}
		}
	}
	return nil
}

// SetExpiry changes how long a role's metadata is valid from its next
// publication on, and has it published anew. d may be negative.
func (r *Repo) SetExpiry(name string, d time.Duration) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	found, err := r.role(name)
	if err != nil {
		return err
	}
	found.expiry, found.dirty = d, true
	return nil
}

// Renew has the named roles published anew although nothing in them changed;
// without names, all of them but root.
func (r *Repo) Renew(names ...string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(names) == 0 {
		names = r.order
	}
	for _, name := range names {
		found, err := r.role(name)
		if err != nil {
			return err
		}
		found.dirty = true
	}
	return nil
}

// Root is 1.root.json, nil before the first Publish.
func (r *Repo) Root() []byte { return r.RootBytes(1) }

// RootSHA256 is the digest of 1.root.json in hex, as a person would be told it.
func (r *Repo) RootSHA256() string {
	return artifact.DigestOf(artifact.SHA256, r.Root()).Hex()
}

// RootBytes is N.root.json as it lies in the newest generation, nil where there
// is none.
func (r *Repo) RootBytes(version int64) []byte {
	return r.Files(0)[fmt.Sprintf("%d.root.json", version)]
}

// Version is the last published version of a role, 0 for none.
func (r *Repo) Version(role string) int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.versions[role]
}

// Now is the repository's present, by Options.Now.
func (r *Repo) Now() time.Time { return r.opts.Now() }

// Generation is the number of the newest generation, 0 before the first
// Publish.
func (r *Repo) Generation() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.generations)
}

// Files are the files of a generation by name ("timestamp.json",
// "targets/DIR/HASH.BASE", "elsewhere/…"), without those of AddLarge; generation
// 0 is the newest. It is empty for a generation that does not exist.
func (r *Repo) Files(generation int) map[string][]byte {
	r.mu.RLock()
	defer r.mu.RUnlock()
	files := map[string][]byte{}
	for name, c := range r.generation(generation) {
		if held, ok := c.(memory); ok {
			files[name] = slices.Clone(held)
		}
	}
	return files
}

// generation finds a generation, 0 being the newest; nil where there is none.
// r.mu is held; the result must not be used without it.
func (r *Repo) generation(n int) map[string]content {
	if n == 0 {
		n = len(r.generations)
	}
	if n < 1 || n > len(r.generations) {
		return nil
	}
	return r.generations[n-1]
}

// lookup finds one file of a generation, 0 being the newest.
func (r *Repo) lookup(generation int, name string) (content, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	c, ok := r.generation(generation)[name]
	return c, ok
}

// SetFile puts a file into the newest generation, unsigned and as it is, over
// what is there. Later generations keep it until they publish that name.
func (r *Repo) SetFile(name string, data []byte) error {
	return r.changeFiles(func(files map[string]content) { files[name] = memory(slices.Clone(data)) })
}

// RemoveFile takes a file out of the newest generation.
func (r *Repo) RemoveFile(name string) error {
	return r.changeFiles(func(files map[string]content) { delete(files, name) })
}

func (r *Repo) changeFiles(change func(map[string]content)) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	last := len(r.generations) - 1
	if last < 0 {
		return fmt.Errorf("%w generation: nothing is published yet", ErrUnknown)
	}
	files := maps.Clone(r.generations[last])
	change(files)
	r.generations[last] = files
	return nil
}
