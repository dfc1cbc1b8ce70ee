package mirror

import (
	"fmt"
	"slices"
	"strings"

	"assay/artifact"
)

// Find tells which file lies under a name below the base of a repository:
// "timestamp.json", "3.root.json", "2.a%2Fb.json", "targets/a/b",
// "targets/a/HASH.b". Metadata is named as the repository stores it, targets by
// their path, nothing percent-encoded.
func (m *Mirror) Find(repository, name string) (File, error) {
	r, now, err := m.served(repository)
	if err != nil {
		return File{}, err
	}
	if path, ok := strings.CutPrefix(name, "targets/"); ok {
		return r.target(now, name, path)
	}
	file, found := now.metadata[name]
	if !found && name == "root.json" && len(now.roots) > 0 {
		file, found = now.metadata[now.roots[len(now.roots)-1]], true
	}
	if found {
		return File{Repository: repository, Name: name, Digests: artifact.Digests{file.SHA256}, Length: file.Length, Immutable: immutableMetadata(name)}, nil
	}
	return r.before(now, name)
}

// target finds a target. Of what is in quarantine the File says what it belongs to.
func (r *repository) target(now *serving, name, path string) (File, error) {
	t, hashed, found := now.listing.find(path)
	if !found {
		return r.before(now, name)
	}
	if !t.carried {
		if _, kept := now.retained[name]; kept { // by a filter of before
			return r.before(now, name)
		}
		return File{}, fmt.Errorf("%.200q: %w", name, ErrNotCarried)
	}
	return r.file(now, t, name, hashed)
}

func (r *repository) file(now *serving, t promise, name string, hashed bool) (File, error) {
	group := now.listing.groups[t.group]
	if _, aside := isolated(now.quarantined, t.path, t.key()); aside {
		return File{Repository: r.settings.Name, Product: group.Product, Channel: group.Channel}, fmt.Errorf("%.200q: %w", name, ErrQuarantined)
	}
	_, attested := now.listing.bundles[t.key()]
	f := File{
		Repository: r.settings.Name, Name: name, Digests: t.digests, Length: t.length, Immutable: hashed, Target: true,
		Attested: attested, path: t.path, Product: group.Product, Channel: group.Channel,
	}
	for _, base := range r.settings.Sources {
		f.Sources = append(f.Sources, strings.TrimSuffix(base, "/")+"/"+name)
	}
	return f, nil
}

// before finds a name that the metadata does not lead to any more, for those who
// still follow an earlier timestamp.
func (r *repository) before(now *serving, name string) (File, error) {
	old, found := now.retained[name]
	if !found || !old.Until.After(r.m.now()) {
		return File{}, fmt.Errorf("%.200q: %w", name, ErrNoFile)
	}
	for _, q := range now.quarantined {
		if q.Digest == old.Digests.Primary() {
			return File{}, fmt.Errorf("%.200q: %w", name, ErrQuarantined)
		}
	}
	return File{
		Repository: r.settings.Name, Name: name, Digests: old.Digests, Length: old.Length, Immutable: true,
		Target: strings.HasPrefix(name, "targets/"),
	}, nil
}

// served is a repository that is served now.
func (m *Mirror) served(name string) (*repository, *serving, error) {
	r, err := m.repository(name)
	if err != nil {
		return nil, nil, err
	}
	now := r.serving.Load()
	if now == nil {
		return nil, nil, fmt.Errorf("%s: %w", name, ErrNotReady)
	}
	if expires, role := now.generation.expires(); !r.settings.ServeExpired && !expires.After(m.now()) {
		return nil, nil, fmt.Errorf("%s: %w: %s at %s", name, ErrExpired, role, expires.UTC().Format("2006-01-02T15:04:05Z"))
	}
	return r, now, nil
}

// Blob finds the bytes of a target by their digest, in whichever repository.
func (m *Mirror) Blob(digest artifact.Digest) (File, error) {
	refused := fmt.Errorf("%s: %w", digest, ErrNoFile)
	for _, r := range m.list() {
		_, now, err := m.served(r.settings.Name)
		if err != nil {
			continue
		}
		i, found := now.listing.byKey[digest]
		if !found {
			continue
		}
		f, err := r.file(now, now.listing.targets[i], "targets/"+now.listing.targets[i].path, false)
		if slices.ContainsFunc(now.quarantined, func(q Quarantined) bool { return q.Digest == digest }) {
			err = fmt.Errorf("%s: %w", digest, ErrQuarantined) // under whatever path
		}
		if err != nil {
			refused = err
			continue
		}
		f.Name, f.Immutable = "blobs/sha256/"+digest.Hex(), true
		return f, nil
	}
	return File{}, refused
}

// Attestations are the bundles about the bytes of a digest, those that are carried.
// None is ErrNoFile.
func (m *Mirror) Attestations(digest artifact.Digest) ([]File, error) {
	var all []File
	seen := map[artifact.Digest]bool{}
	for _, r := range m.list() {
		_, now, err := m.served(r.settings.Name)
		if err != nil {
			continue
		}
		for _, i := range now.listing.bundles[digest] {
			t := now.listing.targets[i]
			f, err := r.file(now, t, "targets/"+t.path, false)
			if err != nil || seen[t.key()] {
				continue
			}
			seen[t.key()] = true
			all = append(all, f)
		}
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: %w: no attestation", digest, ErrNoFile)
	}
	return all, nil
}
