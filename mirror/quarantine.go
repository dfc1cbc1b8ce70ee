package mirror

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"assay/artifact"
	"assay/mirror/storage"
)

// The bounds of a quarantine. More targets than MaxQuarantined that fail are no
// single bad ones, and end the run.
const (
	MaxQuarantined = 1000
	maxReason      = 600 // bytes
)

// ErrTooMany: more targets fail than a quarantine is for.
var ErrTooMany = errors.New("too many targets fail")

// quarantineSchema names the form of the document.
const quarantineSchema = "assay.mirror.quarantine/v1"

type quarantineDoc struct {
	Schema string        `json:"schema"`
	Held   []Quarantined `json:"held"`
}

func quarantineOf(repository string) string { return "quarantine/" + repository }

// readQuarantine loads what is in quarantine. A document that does not read is an
// error: what a person has put aside must not come back.
func (r *repository) readQuarantine(ctx context.Context) error {
	data, version, err := r.m.storage.Document(ctx, quarantineOf(r.settings.Name))
	if err != nil {
		return err
	}
	var doc quarantineDoc
	if data != nil {
		if err := json.Unmarshal(data, &doc); err != nil || doc.Schema != quarantineSchema {
			return fmt.Errorf("%w: %s: expected %s, found something else", ErrDamaged, quarantineOf(r.settings.Name), quarantineSchema)
		}
	}
	r.quarantine, r.quarantineVersion = doc.Held, version
	return nil
}

// setQuarantine keeps a new list, and has it count at once. The caller holds r.mu.
//
// Crash here: the old list or the new one. A target that is in neither and whose
// bytes are bad was never named by a published listing without being fetched whole.
func (r *repository) setQuarantine(ctx context.Context, held []Quarantined) error {
	slices.SortFunc(held, func(x, y Quarantined) int {
		return cmp.Or(strings.Compare(x.Path, y.Path), strings.Compare(x.Digest.String(), y.Digest.String()))
	})
	if len(held) > MaxQuarantined {
		return fmt.Errorf("%s: %w: expected at most %d in quarantine, found %d; the first: %s: %s",
			r.settings.Name, ErrTooMany, MaxQuarantined, len(held), held[0].Path, held[0].Reason)
	}
	if slices.Equal(held, r.quarantine) {
		return nil
	}
	if r.retired { // its successor has read the list already
		return fmt.Errorf("%s: %w: its settings change just now", r.settings.Name, ErrStopped)
	}
	var data []byte
	if len(held) > 0 {
		var err error
		if data, err = json.Marshal(quarantineDoc{quarantineSchema, held}); err != nil {
			return err
		}
	}
	if len(data) > storage.MaxDocument {
		return fmt.Errorf("%s: %w: the list is longer than %d bytes", r.settings.Name, ErrTooMany, storage.MaxDocument)
	}
	version, err := r.m.replace(ctx, quarantineOf(r.settings.Name), r.quarantineVersion, data)
	r.quarantineVersion = version
	if errors.Is(err, storage.ErrChanged) {
		// A demand of before the settings changed was the last to write: that counts, and
		// whoever comes next begins there.
		if again := r.readQuarantine(ctx); again != nil {
			return errors.Join(err, again)
		}
		if now := r.serving.Load(); now != nil {
			r.serving.Store(now.with(r.quarantine))
		}
	}
	if err != nil {
		return err
	}
	r.quarantine = held
	if now := r.serving.Load(); now != nil {
		r.serving.Store(now.with(held))
	}
	return nil
}

// isolated reports whether a target is in quarantine with these bytes. A path may be
// there with others, too: with those of the generation that is served, and of the next.
func isolated(held []Quarantined, path string, key artifact.Digest) (Quarantined, bool) {
	i, _ := slices.BinarySearchFunc(held, path, func(q Quarantined, path string) int { return strings.Compare(q.Path, path) })
	for ; i < len(held) && held[i].Path == path; i++ {
		if held[i].Digest == key {
			return held[i], true
		}
	}
	return Quarantined{}, false
}

// leadsTo reports whether readers of a generation may ask for what is in quarantine:
// it promises it, or keeps it for those who follow an earlier timestamp.
func (s *serving) leadsTo(q Quarantined, now time.Time) bool {
	if s == nil {
		return false
	}
	if s.promises(q) {
		return true
	}
	for _, old := range s.retained {
		if old.Digests.Primary() == q.Digest && old.Until.After(now) {
			return true
		}
	}
	return false
}

// promises reports whether what is in quarantine is carried.
func (s *serving) promises(q Quarantined) bool {
	i, found := s.listing.index(q.Path)
	return found && s.listing.targets[i].carried && s.listing.targets[i].key() == q.Digest
}

// clipReason keeps a reason within its bound.
func clipReason(text string) string {
	if len(text) <= maxReason {
		return text
	}
	cut := maxReason
	for cut > 0 && !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + "…"
}

// Quarantine lists what is in quarantine: of one repository, or of all.
func (m *Mirror) Quarantine(name string) ([]Quarantined, error) {
	var all []Quarantined
	found := name == ""
	for _, r := range m.list() {
		if name != "" && r.settings.Name != name {
			continue
		}
		found = true
		r.mu.Lock()
		all = append(all, r.quarantine...)
		r.mu.Unlock()
	}
	if !found {
		return nil, fmt.Errorf("%w: %q", ErrNoRepository, name)
	}
	return all, nil
}

// Release takes a target out of quarantine: it is proven anew in the next run, and
// served if the proof holds then.
func (m *Mirror) Release(ctx context.Context, name, path string) error {
	r, err := m.repository(name)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	rest := slices.DeleteFunc(slices.Clone(r.quarantine), func(q Quarantined) bool { return q.Path == path })
	if len(rest) == len(r.quarantine) {
		return fmt.Errorf("%w: %s: %q is not in quarantine", ErrNoFile, name, path)
	}
	// The object goes, so that it is not served before its proof.
	for _, q := range r.quarantine {
		if q.Path != path {
			continue
		}
		length, absent := m.storage.Stat(ctx, q.Digest)
		if err := m.storage.Delete(ctx, q.Digest); err != nil {
			return err
		}
		if now := r.serving.Load(); absent == nil && now != nil && now.promises(q) {
			// Missing by now, so that the next run does not find all as it was.
			now.held.Add(-1)
			now.bytes.Add(-length)
		}
		r.proofs.withdraw(path, q.Digest) // another repository may bring its bytes back
	}
	return r.setQuarantine(ctx, rest)
}

// Hold puts a target aside by hand. It is not served from this moment on.
func (m *Mirror) Hold(ctx context.Context, name, path, reason string) error {
	r, err := m.repository(name)
	if err != nil {
		return err
	}
	now := r.serving.Load()
	if now == nil {
		return fmt.Errorf("%s: %w", name, ErrNotReady)
	}
	i, found := now.listing.index(path)
	if !found {
		return fmt.Errorf("%w: %s: no target %q", ErrNoFile, name, path)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	key := now.listing.targets[i].key()
	held := slices.DeleteFunc(slices.Clone(r.quarantine), func(q Quarantined) bool { return q.Path == path && q.Digest == key })
	return r.setQuarantine(ctx, append(held, Quarantined{
		Repository: name, Path: path, Digest: key, Reason: clipReason(reason), Since: m.now().UTC(), ByHand: true,
	}))
}
