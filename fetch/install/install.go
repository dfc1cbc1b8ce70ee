package install

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"assay/artifact"
	"assay/cache"
	"assay/internal/durable"
)

// Options say how to install. The zero value is good.
type Options struct {
	Progress Progress // nil: nobody is told
	// Back is for a release that ran before: it keeps its place among the
	// generations, so that the one before it is the next to go back to.
	Back bool
}

// Outcome is what became of an Install.
type Outcome struct {
	Generation            // that runs now
	Before     Generation // that ran before; Number is 0: none did
	// Changed: another release runs, or it is asked for by another request.
	Changed bool
	Links   []string // the paths that its programs are called by
}

// Install makes a release current whose proven artifact is blob: it is unpacked,
// unless it is there already and whole, and then switched to. A program whose name
// is taken is ErrTaken, and then nothing is unpacked; what is no archive and no
// program is ErrUnfit; unsafe archives fail as package unpack has it. After an error
// what ran before runs.
func (s *Store) Install(ctx context.Context, r Release, blob cache.Blob, options Options) (done Outcome, err error) {
	if r, err = ready(r); err != nil {
		return Outcome{}, err
	}
	name := Name{r.Repository, r.Product}
	err = s.change(ctx, name, func(p *product) error {
		if done.Before, err = p.current(); err != nil && !errors.Is(err, ErrMissing) {
			s.Notice(fmt.Sprintf("what was installed before is passed over: %v", err))
		}
		if err := p.checkLinks(r); err != nil {
			return err
		}
		g, _, err := p.obtain(ctx, r, blob, options.Progress)
		if err != nil {
			return err
		}
		done.Changed = g.Number != done.Before.Number || g.Request != done.Before.Request || g.Channel != done.Before.Channel
		if done.Generation, err = p.use(ctx, g, options.Back || g.Number == done.Before.Number); err != nil {
			return err
		}
		p.clean(ctx, g.Number)
		return nil
	})
	if err != nil {
		return Outcome{}, err
	}
	done.Links = s.Links(done.Generation)
	return done, nil
}

// Ready unpacks a release to be run without being installed, unless it is there.
func (s *Store) Ready(ctx context.Context, r Release, blob cache.Blob, progress Progress) (g Generation, err error) {
	if r, err = ready(r); err != nil {
		return Generation{}, err
	}
	err = s.change(ctx, Name{r.Repository, r.Product}, func(p *product) error {
		made := false
		if g, made, err = p.obtain(ctx, r, blob, progress); made {
			p.Touch(g) // by our clock, not the disk's
			if current, err := readCurrent(p.dir); err == nil {
				p.clean(ctx, current) // perhaps nothing of it will ever be installed
			}
		}
		return err
	})
	return g, err
}

// ready checks what a caller wants installed.
func ready(r Release) (Release, error) {
	r = r.completed()
	if err := r.Fit(); err != nil {
		return r, err
	}
	if err := r.check(); err != nil {
		return r, fmt.Errorf("%w: %s: %w", ErrUnfit, r.Target, err)
	}
	return r, nil
}

// obtain gives a whole generation of a release: one that is there, or a new one. It
// is loose as long as it was never switched to.
func (p *product) obtain(ctx context.Context, r Release, blob cache.Blob, progress Progress) (g Generation, made bool, err error) {
	if progress == nil {
		progress = silent{}
	}
	p.tidy()
	if err := durable.MkdirAll(p.dir, 0o755); err != nil {
		return Generation{}, false, disk(err)
	}
	list, err := p.generations()
	if err != nil {
		return Generation{}, false, err
	}
	if err = p.keep(ctx, list, r); err == nil {
		g, made, err = p.findOrMake(ctx, list, r, blob, progress)
	}
	if err != nil {
		p.undo(context.WithoutCancel(ctx), list)
	}
	return g, made, err
}

// undo has the cache keep no more than before, where nothing new came of it.
// Crash before: it keeps too much until the next change.
func (p *product) undo(ctx context.Context, list []Generation) {
	err := p.keep(ctx, list)
	if len(list) == 0 {
		_, err = p.Cache.Release(ctx, cache.KindInstall, p.name.reference())
		_ = os.Remove(p.dir) // if it is empty
	}
	if err != nil {
		p.Notice(fmt.Sprintf("%s: %v", p.name, err))
	}
}

func (p *product) findOrMake(ctx context.Context, list []Generation, r Release, blob cache.Blob, progress Progress) (g Generation, made bool, err error) {
	for _, g := range list {
		if !g.same(r) {
			continue
		}
		err := g.whole(ctx)
		if err == nil {
			g, err = p.renew(g, r)
			return g, false, err
		}
		if ctx.Err() != nil {
			return Generation{}, false, context.Cause(ctx)
		}
		p.Notice(fmt.Sprintf("%s %s is unpacked anew: %v", p.name, g.Version, err))
	}
	g, err = p.make(ctx, r, blob, progress)
	return g, err == nil, err
}

// renew writes down why a generation that is there is wanted now.
func (p *product) renew(g Generation, r Release) (Generation, error) {
	before := g
	g.Release = r
	if g.Request == before.Request && g.Channel == before.Channel && slices.Equal(g.Blobs, before.Blobs) {
		return before, nil
	}
	// Crash in here: the record is the old one or the new; both are of these files.
	return g, g.write()
}

// make unpacks a release into a new generation.
func (p *product) make(ctx context.Context, r Release, blob cache.Blob, progress Progress) (Generation, error) {
	number, turn, err := p.next()
	if err != nil {
		return Generation{}, err
	}
	// Crash from here to the rename: a hidden folder, which the next change of the
	// product removes.
	draft := filepath.Join(p.dir, newPrefix+randomName())
	if err := os.Mkdir(draft, 0o755); err != nil {
		return Generation{}, disk(err)
	}
	g, err := fill(ctx, draft, r, blob, progress)
	if err == nil {
		g.Installed, g.Turn = p.Now().UTC(), turn
		err = g.write()
	}
	if err == nil {
		err = disk(durable.Rename(draft, p.folderOf(number)))
	}
	if err != nil {
		return Generation{}, errors.Join(err, disk(os.RemoveAll(draft)))
	}
	// Crash here: a whole generation that nobody uses. The next install of the same
	// release takes it; the next one of another removes it in its time.
	g.dir, g.Number = p.folderOf(number), number
	return g, nil
}

// fill makes all of a generation but its record.
func fill(ctx context.Context, draft string, r Release, blob cache.Blob, progress Progress) (Generation, error) {
	g := Generation{Release: r, dir: draft, Loose: true}
	if err := makeTree(ctx, r, blob, g.Tree(), progress); err != nil {
		return g, err
	}
	if err := linkPrograms(draft, r); err != nil {
		return g, err
	}
	found, err := sum(ctx, g.Tree())
	g.Sum, g.Files, g.Bytes = found.sum, found.files, found.bytes
	return g, err
}

// next is the number and the turn of a generation that is to come.
func (p *product) next() (number, turn int, err error) {
	numbers, err := p.numbers()
	if err != nil {
		return 0, 0, err
	}
	list, err := p.generations()
	if err != nil {
		return 0, 0, err
	}
	number, turn = 1, 1
	if len(numbers) > 0 {
		number = numbers[0] + 1
	}
	if len(list) > 0 {
		turn = list[0].Turn + 1
	}
	if max(number, turn) > maxNumber {
		return 0, 0, fmt.Errorf("%w: %s: expected generations of numbers and turns below %d, found one of that", ErrRecord, p.dir, maxNumber)
	}
	return number, turn, nil
}

// use switches to a generation. Unless it keeps its place, it is the last one in the
// history: what runs now is the one to go back to from it.
func (p *product) use(ctx context.Context, g Generation, keepsPlace bool) (Generation, error) {
	before := g
	if !keepsPlace {
		_, turn, err := p.next()
		if err != nil {
			return g, err
		}
		if g.Turn != turn-1 {
			g.Turn = turn
		}
	}
	if g.Loose = false; before.Loose || g.Turn != before.Turn {
		// Crash behind it: it counts as one that ran. It is whole, and was proven.
		if err := g.write(); err != nil {
			return g, err
		}
	}
	err := p.switchTo(ctx, g)
	if current, readErr := readCurrent(p.dir); err != nil && readErr == nil && current != g.Number {
		_ = before.write() // or it counts as one that ran, as above
	}
	return g, err
}

// switchTo makes a generation current.
func (p *product) switchTo(ctx context.Context, g Generation) error {
	return p.withLinks(ctx, func() error {
		if err := p.checkLinks(g.Release); err != nil {
			return err
		}
		err := p.addLinks(g.Release)
		// Crash here: the old release runs. A link may lead to a program that only
		// the new one has; the next change of the product takes it away, or fills it.
		if err == nil {
			err = writeCurrent(p.dir, g.Number)
		}
		if err != nil {
			return errors.Join(err, p.dropIdle())
		}
		// Crash here: the new release runs. A link may lead to a program that only
		// the old one had; it goes as above.
		if err := p.dropLinks(g.Programs()); err != nil {
			p.Notice(fmt.Sprintf("%s: a link that is of no use could not be removed: %v", p.name, err))
		}
		return nil
	})
}

// dropIdle takes away the links to programs that the current release does not have.
// What is not known to be one stays.
func (p *product) dropIdle() error {
	g, err := p.current()
	if err != nil && !errors.Is(err, ErrMissing) {
		return nil
	}
	return p.dropLinks(g.Programs())
}

// keep has the cache keep what proving all generations again takes, and one more.
func (p *product) keep(ctx context.Context, list []Generation, more ...Release) error {
	var digests []artifact.Digest
	for _, g := range list {
		more = append(more, g.Release)
	}
	for _, r := range more {
		digests = append(digests, r.Digests.Primary())
		digests = append(digests, r.Blobs...)
	}
	return p.Cache.Keep(ctx, cache.KindInstall, p.name.reference(), p.dir, digests...)
}

func randomName() string {
	var random [8]byte
	rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}

// tidy removes what changes that were cut short have left. The caller has the lock,
// so nobody is at work on it.
func (p *product) tidy() {
	p.removeAll(p.dir, newPrefix, gonePrefix, ".link-", "."+heldName+".", "."+currentName+".")
	numbers, _ := p.numbers()
	for _, number := range numbers {
		p.removeAll(p.folderOf(number), "."+recordName+".")
	}
	p.removeAll(filepath.Dir(p.dir), gonePrefix+p.name.Product+"@")
}

func (p *product) removeAll(dir string, prefixes ...string) {
	names, _ := readDir(dir)
	for _, name := range names {
		if !slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			p.Notice(fmt.Sprintf("%s: what an earlier run left could not be removed: %v", p.name, err))
		}
	}
}
