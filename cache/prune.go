package cache

import (
	"context"
	"fmt"
	"slices"
	"time"

	"go.etcd.io/bbolt"

	"assay/artifact"
)

// settled is how long a blob must have rested before Prune may remove it: whoever
// has just fetched it, or asked for it, may be about to open it.
const settled = 10 * time.Minute

// damagedAge is how long what was set aside is kept where nothing else is said.
const damagedAge = 30 * 24 * time.Hour

// PruneOptions say what is to go. One of the bounds must be there.
type PruneOptions struct {
	// Older has all go that was last used longer ago; nil: age is no reason.
	Older *time.Duration
	// MaxSize, in bytes, has the least recently used go until the rest fits; nil:
	// size is no reason.
	MaxSize *int64
	// DryRun has Prune tell what it would remove, and change nothing.
	DryRun bool
}

func (o PruneOptions) check() error {
	switch {
	case o.Older == nil && o.MaxSize == nil:
		return fmt.Errorf("%w: expected a bound by age or by size, found none", ErrInvalid)
	case o.Older != nil && *o.Older < 0:
		return fmt.Errorf("%w: expected an age of 0 or more, found %v", ErrInvalid, *o.Older)
	case o.MaxSize != nil && *o.MaxSize < 0:
		return fmt.Errorf("%w: expected a size of 0 or more, found %d", ErrInvalid, *o.MaxSize)
	}
	return nil
}

// PruneReport is what Prune did, or with DryRun would do.
type PruneReport struct {
	Removed []Entry // the least recently used first
	Kept    []Kept  // what was to go by age or size, and stays all the same
	Freed   int64   // bytes of Removed
	Held    int64   // bytes of the blobs that stay
	Stale   []Reference
	// Damaged counts what was cleared from damaged/ and of indexes set aside, and
	// DamagedBytes its bytes.
	Damaged      int
	DamagedBytes int64
	// Partial counts the partial files of transfers that were removed, and
	// PartialBytes their bytes.
	Partial      int
	PartialBytes int64
	// Compacted is how many bytes the indexes lost; a dry run does not tell.
	Compacted int64
}

// Kept is a blob that stays, and why.
type Kept struct {
	Entry
	References []Reference // that hold it
	// InUse: it came, or was asked for, within the last 10 minutes, or is being
	// fetched, or was used since Prune began.
	InUse bool
}

// Prune removes blobs by age and by size, the least recently used first. What a
// reference holds stays, and counts towards the size; so does what somebody uses
// just now, in any process. A reference that can't be read is an error that wraps
// ErrReference, and nothing is removed. It also clears up: stale references, what
// was set aside longer ago than Older or else 30 days, old leftovers of processes
// that died, entries and facts without a blob, and the free pages of the indexes.
//
// A crash leaves some of it undone, and at most entries without a blob, which count
// for nothing and go with the next Prune or Verify. An error is ErrInvalid, an
// ErrDisk, one of the index or of the references, or that of ctx; the report tells
// how far it came.
func (s *Store) Prune(ctx context.Context, opts PruneOptions) (PruneReport, error) {
	if err := s.errNoNotes(); err != nil {
		return PruneReport{}, err
	}
	if err := opts.check(); err != nil {
		return PruneReport{}, err
	}
	p := &pruner{store: s, opts: opts, now: s.now()}
	if err := p.begin(ctx); err != nil {
		return PruneReport{}, err
	}
	err := p.collect(ctx)
	if err == nil {
		err = p.clear(ctx)
	}
	return p.report, err
}

// pruner is one run of Prune.
type pruner struct {
	store  *Store
	opts   PruneOptions
	now    time.Time
	refs   referenceSet
	held   map[artifact.Digest][]Reference
	blobs  []*candidate // the least recently used first
	report PruneReport
}

// candidate is a held blob, until it is decided upon.
type candidate struct {
	Entry
	decided bool
	removed bool // the file is gone, by this run
	gone    bool // the file is gone, by somebody else
}

// begin reads the references, which all must be readable, and what is held.
func (p *pruner) begin(ctx context.Context) error {
	refs, err := p.store.readReferences(ctx, referenceSet{})
	if err != nil {
		return err
	}
	p.rely(refs)
	if p.blobs, err = p.store.inventory(ctx); err != nil {
		return err
	}
	for _, c := range p.blobs {
		p.report.Held += c.Length
	}
	return nil
}

// rely has the references count.
func (p *pruner) rely(refs referenceSet) {
	p.refs, p.held = refs, HeldBy(refs.list)
}

// HeldBy tells which references hold a blob. Stale ones hold none.
func HeldBy(refs []Reference) map[artifact.Digest][]Reference {
	held := map[artifact.Digest][]Reference{}
	for _, ref := range refs {
		for _, d := range ref.Digests {
			if !ref.Stale {
				held[d] = append(held[d], ref)
			}
		}
	}
	return held
}

// inventory gives the blobs that are there, whether the index knows them or not.
func (s *Store) inventory(ctx context.Context) ([]*candidate, error) {
	known := map[artifact.Digest]record{}
	err := s.view(ctx, func(tx *bbolt.Tx) error {
		clear(known)
		return forEach(tx, func(d artifact.Digest, r record) { known[d] = r })
	})
	if err != nil {
		return nil, err
	}
	var blobs []*candidate
	err = s.walk(ctx, func(f blobFile) error {
		if f.digest.IsZero() || !f.info.Mode().IsRegular() {
			return nil // for Verify to find
		}
		r, found := known[f.digest]
		if !found {
			r.Added = f.info.ModTime()
		}
		slices.Reverse(r.Names)
		blobs = append(blobs, &candidate{Entry: Entry{
			Digest: f.digest, Length: f.info.Size(), Added: r.Added, Noted: r.Noted, Names: r.Names, Path: f.path,
		}})
		return nil
	})
	slices.SortFunc(blobs, func(a, b *candidate) int {
		if order := a.Used().Compare(b.Used()); order != 0 {
			return order
		}
		return compareDigests(a.Digest, b.Digest)
	})
	return blobs, err
}

// The bounds of what is removed in one transaction: others wait for it.
const (
	batchBlobs = 64
	batchBytes = 4 << 30
)

// collect decides upon one blob after the other. What turns out to stay may make
// another one go: then it begins again with those that are left.
func (p *pruner) collect(ctx context.Context) error {
	for again := true; again; {
		again = false
		var batch []*candidate
		held, size := p.report.Held, int64(0)
		for _, c := range p.blobs {
			if c.decided || !p.wanted(c, held) {
				continue
			}
			again = true
			if refs := p.held[c.Digest]; len(refs) > 0 {
				p.keep(c, Kept{References: refs})
				continue
			}
			batch, held, size = append(batch, c), held-c.Length, size+c.Length
			if len(batch) == batchBlobs || size >= batchBytes {
				if err := p.remove(ctx, batch); err != nil {
					return err
				}
				batch, held, size = nil, p.report.Held, 0
			}
		}
		if err := p.remove(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// wanted reports whether a blob is to go, where so many bytes are held.
func (p *pruner) wanted(c *candidate, held int64) bool {
	return p.opts.Older != nil && p.now.Sub(c.Used()) > *p.opts.Older || p.opts.MaxSize != nil && held > *p.opts.MaxSize
}

func (p *pruner) keep(c *candidate, why Kept) {
	c.decided, why.Entry = true, c.Entry
	p.report.Kept = append(p.report.Kept, why)
}

// tell puts what became of a blob into the report.
func (p *pruner) tell(c *candidate) {
	if !c.removed && !c.gone {
		return
	}
	c.decided = true
	p.report.Held -= c.Length
	if c.removed {
		p.report.Removed = append(p.report.Removed, c.Entry)
		p.report.Freed += c.Length
	}
}

// isBusy reports whether somebody may be using what was used at that time. A time
// far in the future is one by a clock that was set back.
func (p *pruner) isBusy(used time.Time) bool { return p.store.now().Sub(used).Abs() < settled }

// clear does what is due beside blobs.
func (p *pruner) clear(ctx context.Context) error {
	err := p.dropStale(ctx)
	if err == nil {
		err = p.clearAside()
	}
	if err == nil {
		err = p.clearPartials()
	}
	if p.opts.DryRun || err != nil {
		return err
	}
	p.store.sweep(0)
	p.store.sweepTemporary()
	if err := p.store.forgetAbsent(ctx); err != nil {
		return err
	}
	for _, x := range []*indexFile{p.store.index, p.store.facts} {
		freed, err := x.compact(ctx)
		p.report.Compacted += freed
		if err != nil {
			return err
		}
	}
	return nil
}

// dropStale removes the references whose origin is gone.
func (p *pruner) dropStale(ctx context.Context) error {
	if !slices.ContainsFunc(p.refs.list, func(r Reference) bool { return r.Stale }) {
		return nil
	}
	drop := func() error {
		refs, err := p.store.readReferences(ctx, referenceSet{}) // an origin may be back
		for _, ref := range refs.list {
			if err != nil || !ref.Stale {
				continue
			}
			p.report.Stale = append(p.report.Stale, ref)
			if !p.opts.DryRun {
				err = removeIfThere(p.store.refPath(ref.Kind, ref.Name))
			}
		}
		return err
	}
	if p.opts.DryRun {
		return drop()
	}
	return p.store.withReferences(ctx, drop)
}
