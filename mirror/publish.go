package mirror

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"assay/artifact"
	"assay/mirror/storage"
	"assay/trust"
)

// readPointer reads the document that names the current generation; nil where
// there is none.
func readPointer(ctx context.Context, s documents, repository string) (*pointer, storage.Version, error) {
	data, version, err := s.Document(ctx, documentOf(repository))
	if err != nil || data == nil {
		return nil, version, err
	}
	p := &pointer{}
	if err := json.Unmarshal(data, p); err != nil || p.Schema != currentSchema || p.Generation.IsZero() {
		return nil, version, fmt.Errorf("%w: %s: expected %s, found something else", ErrDamaged, documentOf(repository), currentSchema)
	}
	return p, version, nil
}

// metadataOf has the storage keep the metadata files of a view. Where the versions
// are those that are served, so are the files: package trust refuses a version with
// other content than it had.
//
// Crash here: objects that nothing leads to. The next collection removes them.
func (r *repository) metadataOf(ctx context.Context, view *trust.View) (files []metadataFile, err error) {
	now := r.serving.Load()
	if now != nil && slices.EqualFunc(now.generation.Roles, rolesOf(view), RoleVersion.same) {
		return now.generation.Files, nil
	}
	for f, err := range view.Metadata(ctx) {
		if err != nil {
			return nil, err
		}
		files = append(files, metadataFile{f.Name, f.Role, f.SHA256, int64(len(f.Bytes))})
		if now != nil && now.metadata[f.Name].SHA256 == f.SHA256 {
			continue
		}
		if _, err := r.m.storage.Put(ctx, f.Bytes); err != nil {
			return nil, err
		}
	}
	return files, nil
}

// basisOf is the digest of what a listing follows from: the metadata, but for the two
// files that change without it, and the settings.
func (s Settings) basisOf(files []metadataFile) (artifact.Digest, error) {
	sum := sha256.New()
	for _, f := range files {
		if f.Role != "timestamp" && f.Role != "snapshot" {
			fmt.Fprintf(sum, "%s %s\n", f.Name, f.SHA256)
		}
	}
	settings, err := json.Marshal(struct {
		Mode      Mode
		Filter    Filter
		Platforms string
		Versions  string
	}{s.Mode, s.Filter, fmt.Sprint(s.Filter.Platforms), fmt.Sprint(s.Filter.Versions)})
	if err != nil {
		return artifact.Digest{}, err
	}
	sum.Write(settings)
	return artifact.SumOf(artifact.SHA256, sum), nil
}

// publish makes a generation the one that is served. All that it leads to is held
// by now, but for what is in quarantine or missing.
//
// Crash before Replace: the old generation is served, and the objects of the new one
// are there for the next run. Crash after it: the new one is served.
func (r *repository) publish(ctx context.Context, s Session, g *generation, l *listing) (err error) {
	ctx, span := r.m.tracer.Start(ctx, "publish")
	span.Number("generation", g.Number)
	defer func() { span.End(err) }()
	old := r.serving.Load()
	if old == nil {
		g.age(nil)
	} else {
		g.age(old.generation)
		if err := g.after(old.generation); err != nil {
			return err
		}
		g.retain(old.generation, old.listing, l, old.quarantined, r.m.now())
	}
	text, err := l.encode(g.Repository)
	if err != nil {
		return err
	}
	if g.Listing, err = r.m.storage.Put(ctx, text); err != nil {
		return err
	}
	data, err := g.encode()
	if err != nil {
		return err
	}
	digest, err := r.m.storage.Put(ctx, data)
	if err != nil {
		return err
	}
	next, err := json.Marshal(pointer{currentSchema, digest, g.Number})
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	now := newServing(digest, g, l, r.quarantine)
	if err := r.recount(ctx, now); err != nil {
		return err
	}
	// Whoever gave up until now gets the old generation; from here on it is the new one.
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	r.version, err = r.m.replace(context.WithoutCancel(ctx), documentOf(g.Repository), r.version, next)
	if err != nil {
		if errors.Is(err, storage.ErrChanged) {
			err = fmt.Errorf("%s: another mirror has published meanwhile: %w", g.Repository, err)
		}
		return err
	}
	r.session = s
	r.serving.Store(now)
	return nil
}

// replace writes a document, and tells the version that the next one follows: where
// the disk failed, the text may be there all the same.
func (m *Mirror) replace(ctx context.Context, name string, old storage.Version, data []byte) (storage.Version, error) {
	version, err := m.storage.Replace(ctx, name, old, data)
	if err == nil {
		return version, nil
	}
	if found, at, readErr := m.storage.Document(ctx, name); readErr == nil && bytes.Equal(found, data) {
		return at, err
	}
	return old, err
}

// nextNumber is that of the generation to come.
func (r *repository) nextNumber() int64 {
	if now := r.serving.Load(); now != nil {
		return now.generation.Number + 1
	}
	return 1
}

// rolesOf are the versions and expiries of the top-level roles.
func rolesOf(view *trust.View) []RoleVersion {
	var roles []RoleVersion
	for _, r := range view.Roles() {
		roles = append(roles, RoleVersion{Role: r.Role, Version: r.Version, Expires: r.Expires})
	}
	return roles
}
