package install

import (
	"context"
	"errors"
	"fmt"
	"slices"
)

// use switches to a generation. Unless it keeps its place, it is the last one in the
// history: what runs now is the one to go back to from it.
func (p *product) use(ctx context.Context, g Generation, keepsPlace bool) (Generation, error) {
	before := g
	restore := func() {}
	if !keepsPlace {
		var err error
		if g.Turn, restore, err = p.lastTurn(g); err != nil {
			return g, err
		}
	}
	p.former = p.formerBins()
	g.Loose, g.Bins = false, append(slices.Clone(p.former), p.Bin)
	if before.Loose || g.Turn != before.Turn || !slices.Equal(g.Bins, before.Bins) {
		// Crash behind it: it counts as one that ran. It is whole, and was proven.
		if err := g.write(); err != nil {
			return g, err
		}
	}
	err := p.switchTo(ctx, g)
	if current, readErr := readCurrent(p.dir); err != nil && readErr == nil && current != g.Number {
		_ = before.write() // or it counts as one that ran, as above
		restore()
	}
	if err == nil && len(g.Bins) > 1+len(p.former) {
		// Crash here, or before: the next switch looks for links there again.
		g.Bins = append(p.former, p.Bin)
		err = g.write()
	}
	return g, err
}

// lastTurn is the turn of a generation that is to run after the current one, which
// comes right before it: where the current one was gone back to, it takes a later turn
// itself. restore takes that back, where nothing comes of it.
func (p *product) lastTurn(g Generation) (turn int, restore func(), err error) {
	restore = func() {}
	_, turn, err = p.next()
	if err != nil {
		return 0, restore, err
	}
	list, err := p.generations()
	if err != nil {
		return 0, restore, err
	}
	if g.Turn == turn-1 {
		turn = g.Turn // it is the last one already
	}
	current, _ := readCurrent(p.dir) // else what was damaged is passed over
	between := false                 // what ran after the current one, before that was gone back to
	for _, other := range list {
		switch {
		case other.Number == g.Number || other.Loose:
		case other.Number != current:
			between = true
		case between:
			was := other
			other.Turn = max(turn, g.Turn+1)
			// Crash behind it: the current one is the last one in the history. What it
			// was gone back from is before it, and did run before it.
			return other.Turn + 1, func() { _ = was.write() }, other.write()
		default:
			return turn, restore, nil
		}
	}
	return turn, restore, nil
}

// switchTo makes a generation current, with links in the folder of links, and none in
// those that were that before.
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
		p.former = p.dropFormer(p.former)
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
