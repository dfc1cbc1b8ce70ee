package mirror

import (
	"context"
	"errors"
	"strings"
	"sync"

	"assay/artifact"
	"assay/mirror/storage"
)

// proofs remember since the start which artifacts were judged for a repository. That
// the storage has their bytes says nothing: they may have come for another repository,
// with a policy of its own, or under another path.
type proofs struct {
	mu     sync.Mutex // guards what follows
	passed map[string]artifact.Digest
	wanted map[string]artifact.Digest // released by a person, and not judged since
}

// pass notes that an artifact was judged, and may be served.
func (p *proofs) pass(path string, key artifact.Digest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.passed == nil {
		p.passed = map[string]artifact.Digest{}
	}
	p.passed[path] = key
	delete(p.wanted, path)
}

// withdraw has an artifact judged again before it is served.
func (p *proofs) withdraw(path string, key artifact.Digest) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.wanted == nil {
		p.wanted = map[string]artifact.Digest{}
	}
	p.wanted[path] = key
	delete(p.passed, path)
}

func (p *proofs) has(path string, key artifact.Digest) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.passed[path] == key
}

func (p *proofs) withdrawn(path string, key artifact.Digest) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	found, ok := p.wanted[path]
	return ok && found == key
}

// unproven reports whether a target must be judged before it is served, though its
// bytes may be held. A run judges all that it carries before it publishes; in the mode
// Lazy only what is held by then. Later its bytes come by a demand, which judges, or
// for somebody else.
func (r *repository) unproven(ctx context.Context, path string, key artifact.Digest) bool {
	switch {
	case !isJudged(path):
		return false
	case r.proofs.withdrawn(path, key):
		return true
	case r.settings.Mode != Lazy || r.proofs.has(path, key):
		return false
	case r.judgedByNow(ctx) && r.alone(path, key):
		r.proofs.pass(path, key) // whether or not it is held: a demand judges
		return false
	}
	return true
}

// judgedByNow reports whether what is served was judged by the policy of now.
func (r *repository) judgedByNow(ctx context.Context) bool {
	now := r.serving.Load()
	s, err := r.held(ctx)
	return err == nil && now != nil && now.generation.Mode == Lazy && now.generation.Policy == s.Policy()
}

// alone reports whether nothing else that is served leads to these bytes.
func (r *repository) alone(path string, key artifact.Digest) bool {
	for _, other := range r.m.list() {
		now := other.serving.Load()
		if now == nil {
			continue
		}
		if _, found := now.listing.byKey[key]; !found {
			continue
		}
		if other.settings.Name != r.settings.Name {
			return false
		}
		for _, t := range now.listing.targets {
			if t.carried && t.key() == key && t.path != path {
				return false
			}
		}
	}
	return true
}

// heldUnproven are the artifacts of a lazy repository that the storage has, and that
// were not judged since the start: by the policy of now, that is.
func (r *repository) heldUnproven(ctx context.Context, sel *selection) (list []promise, err error) {
	for _, t := range sel.targets {
		if !t.carried || !sel.judged[t.path] || r.proofs.has(t.path, t.key()) {
			continue
		}
		_, err := r.m.storage.Stat(ctx, t.key())
		switch {
		case err == nil:
			list = append(list, t)
		case !errors.Is(err, storage.ErrMissing):
			return nil, err
		}
	}
	return list, nil
}

// isJudged reports whether the policy may have something to say about a target: those
// in the folder of a release, but for its documents.
func isJudged(path string) bool {
	_, inRelease := folderOf(path)
	return inRelease && !isDocument(path)
}

// judgedBefore reports whether the run that made what is served has judged an artifact
// that is carried again: it was carried with the same bytes, beside the same manifest,
// which has the digest manifest.
func (s *serving) judgedBefore(t promise, manifest artifact.Digest) bool {
	same := func(path string, key artifact.Digest) bool {
		i, found := s.listing.index(path)
		return found && s.listing.targets[i].carried && s.listing.targets[i].key() == key
	}
	return s.generation.Mode != Lazy && same(t.path, t.key()) && same(manifestBeside(t.path), manifest)
}

// manifestBeside is the path of the manifest in the folder of a release's target.
func manifestBeside(path string) string {
	return path[:strings.LastIndexByte(path, '/')+1] + "release.json"
}
