package install

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"assay/cache"
	"assay/internal/durable"
)

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
	if max(number, turn+1) > maxNumber { // a switch may take two turns
		return 0, 0, fmt.Errorf("%w: %s: expected generations of numbers and turns below %d, found one of that", ErrRecord, p.dir, maxNumber)
	}
	return number, turn, nil
}
