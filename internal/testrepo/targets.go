package testrepo

import (
	"fmt"
	"slices"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact"
)

// AddTarget has a file promised, and replaced if it is there, by the top-level
// targets role or by the one role named.
func (r *Repo) AddTarget(path string, data []byte, role ...string) error {
	return r.addContent(path, memory(slices.Clone(data)), role)
}

// AddLarge is like AddTarget for a file of size bytes that is computed from the
// seed whenever it is served. It is hashed here, at about a second per GiB, and
// never held.
func (r *Repo) AddLarge(path string, size int64, seed uint64, role ...string) error {
	if size < 0 {
		return fmt.Errorf("%w: size of %q: expected at least 0, found %d", ErrOptions, path, size)
	}
	return r.addContent(path, stream{seed: seed, length: size}, role)
}

func (r *Repo) addContent(path string, c content, names []string) error {
	digests, err := digestsOf(c, r.opts.Algorithms)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.place(path, target{content: c, digests: digests}, names)
}

// place puts a target into the role named, else into the top-level one. r.mu
// is held.
func (r *Repo) place(path string, t target, names []string) error {
	found, err := r.targetsRole(oneRole(names))
	if err != nil {
		return err
	}
	found.targets[path], found.dirty = t, true
	return nil
}

// RemoveTarget takes the promise of a file back. With consistent snapshots the
// file itself stays where it is, as it does in real repositories.
func (r *Repo) RemoveTarget(path string, role ...string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	name := oneRole(role)
	found, err := r.targetsRole(name)
	if err != nil {
		return err
	}
	if _, ok := found.targets[path]; !ok {
		return fmt.Errorf("%w target %q in role %q", ErrUnknown, path, name)
	}
	delete(found.targets, path)
	found.dirty = true
	return nil
}

// oneRole is the optional role of a variadic argument.
func oneRole(names []string) string {
	if len(names) == 0 {
		return metadata.TARGETS
	}
	return names[0]
}

// Target is the content of a target as it will be published, from the first
// role that has it; nil and false for none and for those of AddLarge.
func (r *Repo) Target(path string) ([]byte, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	for _, name := range r.order {
		if t, ok := r.roles[name].targets[path]; ok {
			held, ok := t.content.(memory)
			return slices.Clone(held), ok
		}
	}
	return nil, false
}

// holder names the first role that has a target. r.mu is held.
func (r *Repo) holder(path string) (string, bool) {
	for _, name := range r.order {
		if _, ok := r.roles[name].targets[path]; ok {
			return name, true
		}
	}
	return "", false
}

// SetAlgorithms changes the hashes that are listed for targets which are added
// from now on.
func (r *Repo) SetAlgorithms(algorithms ...artifact.Algorithm) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.opts.Algorithms = algorithms
}
