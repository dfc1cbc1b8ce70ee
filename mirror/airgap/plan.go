package airgap

import (
	"fmt"
	"slices"
	"strings"

	"assay/artifact"
	"assay/internal/plaintar"
	"assay/mirror"
)

// objectsOf lists what a generation consists of, and what of it is in quarantine.
func objectsOf(p *mirror.Published) (list []object, aside []LeftOut) {
	for _, f := range p.Files {
		list = append(list, object{metadataFolder + f.Name, f.Digest, f.Length})
	}
	seen := map[artifact.Digest]bool{}
	var blobs []object
	for _, t := range p.Targets {
		key := t.Digests.Primary()
		if q, found := p.IsQuarantined(t.Path, key); found {
			aside = append(aside, LeftOut{t.Path, key, q.Reason})
			continue
		}
		if !seen[key] { // one object under several paths is one
			seen[key] = true
			blobs = append(blobs, object{blobName(key), key, t.Length})
		}
	}
	slices.SortFunc(blobs, func(x, y object) int { return strings.Compare(x.name, y.name) })
	return append(list, blobs...), aside
}

// plan is a set of volumes, before it is written.
type plan struct {
	head      Head
	list      []object // all of the generation
	elsewhere []Elsewhere
	volumes   [][]object
}

// planOf decides what goes into a set, and into which volume.
func planOf(p *mirror.Published, opts ExportOptions) (*plan, error) {
	if p.Mode == mirror.Lazy {
		return nil, fmt.Errorf("%s: %w: expected a mirror in the mode %q or %q, found %q, which holds what was asked for alone", p.Repository, ErrUnfit, mirror.Full, mirror.Filtered, p.Mode)
	}
	if opts.Since != nil && opts.Since.Repository != p.Repository {
		return nil, fmt.Errorf("%w: expected an export of %s, found one of %.64q", ErrForeign, p.Repository, opts.Since.Repository)
	}
	if opts.Inventory != nil && !opts.Inventory.carries(p.Repository) {
		return nil, fmt.Errorf("%w: expected an inventory of %s, found none of it there", ErrForeign, p.Repository)
	}
	list, aside := objectsOf(p)
	if len(list) > maxObjects {
		return nil, fmt.Errorf("%s: %w: expected at most %d objects, found %d", p.Repository, ErrUnfit, maxObjects, len(list))
	}
	out := &plan{list: list, head: Head{
		Schema: HeadSchema, Repository: p.Repository, Generation: p.Number, Published: p.Made.UTC(), Mode: p.Mode, Roles: p.Roles,
		Export: artifact.DigestOf(artifact.SHA256, encodeList(list)), Objects: len(list), Bytes: sum(list), LeftOut: aside,
	}}
	var mine []object
	for _, o := range list {
		if e, there := opts.knows(o.digest); there {
			out.elsewhere = append(out.elsewhere, e)
			continue
		}
		mine = append(mine, o)
	}
	if opts.Since != nil {
		out.head.Since = opts.Since.Export
	}
	if opts.Inventory != nil {
		out.head.Inventory = opts.Inventory.id
	}
	if err := out.split(mine, opts.VolumeSize); err != nil {
		return nil, err
	}
	out.head.Elsewhere = artifact.DigestOf(artifact.SHA256, encodeElsewhere(out.elsewhere))
	for _, volume := range out.volumes {
		out.head.Volumes = append(out.head.Volumes, artifact.DigestOf(artifact.SHA256, encodeList(volume)))
	}
	id, err := out.head.setID()
	out.head.Set = id
	return out, err
}

// knows tells where an object is that need not be sent. What the receiver says itself
// counts before what was sent to it.
func (opts ExportOptions) knows(d artifact.Digest) (Elsewhere, bool) {
	if opts.Inventory != nil && opts.Inventory.held[d] {
		return Elsewhere{Digest: d, In: opts.Inventory.id, Inventory: true}, true
	}
	if opts.Since != nil && opts.Inventory == nil {
		e, there := opts.Since.has[d]
		return e, there
	}
	return Elsewhere{}, false
}

// split divides the objects into volumes of at most limit bytes; 0: one. Each object
// is whole in one of them.
func (p *plan) split(list []object, limit int64) error {
	p.volumes = [][]object{nil}
	if limit == 0 {
		p.volumes[0] = list
		return nil
	}
	// What every volume has beside objects is not known before they are divided: the
	// head with its digests, and, in the last one, the lists.
	const reserve = 64 << 10
	lists := plaintar.Size(int64(len(encodeList(p.list)))) + plaintar.Size(int64(len(encodeElsewhere(p.elsewhere))))
	head, err := p.head.encode()
	if err != nil {
		return err
	}
	most := (p.head.Bytes+lists)/max(limit, 1)*2 + 2 // volumes, as a guess for the digests in the head
	fixed := reserve + int64(len(head)) + 80*min(most, MaxVolumes)
	used := fixed
	for _, o := range list {
		need := plaintar.Size(o.length) + 2*int64(len(o.name)) + int64(len(o.line()))
		if fixed+need > limit {
			return fmt.Errorf("%s: %w: expected volumes of at least %d bytes, as %s has %d, found %d", p.head.Repository, ErrUnfit, fixed+need, o.name, o.length, limit)
		}
		if used+need > limit {
			p.volumes, used = append(p.volumes, nil), fixed
		}
		last := len(p.volumes) - 1
		p.volumes[last], used = append(p.volumes[last], o), used+need
	}
	if fixed+lists > limit {
		return fmt.Errorf("%s: %w: expected volumes of at least %d bytes, for the lists of what is exported, found %d", p.head.Repository, ErrUnfit, fixed+lists, limit)
	}
	if used+lists > limit {
		p.volumes = append(p.volumes, nil)
	}
	if len(p.volumes) > MaxVolumes {
		return fmt.Errorf("%s: %w: expected at most %d volumes, found %d: make them larger", p.head.Repository, ErrUnfit, MaxVolumes, len(p.volumes))
	}
	return nil
}
