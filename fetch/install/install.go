package install

import (
	"context"
	"errors"
	"fmt"

	"assay/cache"
)

// Options say how to install. The zero value is good.
type Options struct {
	Progress Progress // nil: nobody is told
	// Back is for a release that ran before: it keeps its place among the
	// generations, so that the one before it is the next to go back to.
	Back bool
	// Since is what ran when the caller decided what to install; Number is 0: nothing
	// did. Where something else runs by now, which is not what is asked for either,
	// the error is ErrMeanwhile: what was decided may be undone, or a step back, by
	// now. nil: whatever runs.
	Since *Generation
}

// Outcome is what became of an Install.
type Outcome struct {
	Generation            // that runs now
	Before     Generation // that ran before; Number is 0: none did
	// Changed: another release runs, or it is asked for by another request, or links
	// were mended.
	Changed bool
	Links   []string // the paths that its programs are called by
	// Mended are the paths of links that were lost, though the release ran before.
	Mended []string
	// Unlinked are the paths of its links that were taken away in folders that are not
	// that of links any more.
	Unlinked []string
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
		} else if err := done.Before.stands(options.Since, r); err != nil {
			return err
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
		if g.Number == done.Before.Number {
			done.Mended = p.linked
		}
		done.Unlinked = p.unlinked
		done.Changed = done.Changed || len(done.Mended)+len(done.Unlinked) > 0
		p.clean(ctx, g.Number)
		return nil
	})
	if err != nil {
		return Outcome{}, err
	}
	done.Links = s.Links(done.Generation)
	return done, nil
}

// stands refuses what was decided when another generation ran than this one; of one
// that is by now what is wanted nothing more is to be decided.
func (g Generation) stands(since *Generation, wanted Release) error {
	if since == nil || g.Number == since.Number && g.Turn == since.Turn && g.Request == since.Request {
		return nil
	}
	if g.Number != 0 && g.same(wanted) && g.Request == wanted.Request {
		return nil
	}
	return fmt.Errorf("%w: %s:%s: expected %s, found %s", ErrMeanwhile, wanted.Repository, wanted.Product, since.told(), g.told())
}

// told says in few words what runs.
func (g Generation) told() string {
	if g.Number == 0 {
		return "it not installed"
	}
	return fmt.Sprintf("%s of the request %s", g.Version, quote(g.Request))
}

// Ready unpacks a release to be run without being installed, unless it is there. It
// removes those that were not run for long.
func (s *Store) Ready(ctx context.Context, r Release, blob cache.Blob, progress Progress) (g Generation, err error) {
	if r, err = ready(r); err != nil {
		return Generation{}, err
	}
	err = s.change(ctx, Name{r.Repository, r.Product}, func(p *product) error {
		made := false
		if g, made, err = p.obtain(ctx, r, blob, progress); err != nil {
			return err
		}
		p.Touch(g) // by our clock, not the disk's
		if made {
			if current, err := readCurrent(p.dir); err == nil {
				p.clean(ctx, current) // perhaps nothing of it will ever be installed
			}
		}
		return nil
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
