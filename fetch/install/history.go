package install

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"assay/cache"
	"assay/internal/durable"
)

const gonePrefix = ".gone-" // of what is being removed

// Back is the generation to go back to: of a version, or, where that is empty, the
// one before the current. ErrMissing: there is none, and the error names those that
// are kept.
func (s *Store) Back(n Name, version string) (Generation, error) {
	list, current, err := s.Generations(n)
	if err != nil {
		return Generation{}, err
	}
	if current == 0 {
		return Generation{}, fmt.Errorf("%w: %s", ErrMissing, n)
	}
	turn := current // of one whose record can't be read
	for _, g := range list {
		if g.Number == current {
			turn = g.Turn
		}
	}
	var kept []string
	for _, g := range list {
		if g.Loose || g.Number == current {
			continue
		}
		if version == g.Version || version == "" && g.Turn < turn {
			return g, nil
		}
		if !slices.Contains(kept, g.Version) {
			kept = append(kept, g.Version)
		}
	}
	switch {
	case len(kept) == 0:
		return Generation{}, fmt.Errorf("%w: no other version of %s is kept", ErrMissing, n)
	case version == "":
		return Generation{}, fmt.Errorf("%w: no version of %s from before the current one is kept; those after it are %s", ErrMissing, n, strings.Join(kept, ", "))
	}
	return Generation{}, fmt.Errorf("%w: version %s of %s is not kept; those that are: %s", ErrMissing, quote(version), n, strings.Join(kept, ", "))
}

// clean removes the generations that are no longer kept, and those that are of no use:
// with a record that is damaged, or of the same artifact as the current one, which was
// unpacked anew. What can't be removed now is left for the next time.
func (p *product) clean(ctx context.Context, current int) {
	list, damaged, err := p.survey()
	if err != nil {
		p.Notice(fmt.Sprintf("%s: %v", p.name, err))
		return
	}
	var runs Release
	for _, g := range list {
		if g.Number == current {
			runs = g.Release
		}
	}
	var stay []Generation
	others := 0
	for _, g := range list {
		switch {
		case g.Number == current, g.Loose && p.Now().Sub(g.used) < looseAge:
			stay = append(stay, g)
		case !g.Loose && others < Kept-1 && !g.Digests.Agree(runs.Digests):
			stay = append(stay, g)
			others++
		default:
			if !p.discard(g.Number) {
				stay = append(stay, g)
			}
		}
	}
	for _, number := range damaged {
		if number != current {
			p.discard(number)
		}
	}
	// Crash here: the cache keeps too much until the next change.
	if err := p.keep(ctx, stay); err != nil {
		p.Notice(fmt.Sprintf("%s: %v", p.name, err))
	}
}

// Touch notes that a loose generation was run.
func (s *Store) Touch(g Generation) {
	if now := s.Now(); g.Loose {
		_ = os.Chtimes(filepath.Join(g.dir, recordName), now, now)
	}
}

// discard takes a generation away at once, and then its files, and reports whether it
// is gone. A crash leaves a hidden folder, which tidy removes.
func (p *product) discard(number int) bool {
	gone := filepath.Join(p.dir, gonePrefix+randomName())
	err := durable.Rename(p.folderOf(number), gone)
	if err == nil {
		err = os.RemoveAll(gone)
	}
	if err != nil {
		p.Notice(fmt.Sprintf("generation %d of %s could not be removed: %v", number, p.name, err))
	}
	_, err = os.Lstat(p.folderOf(number))
	return errors.Is(err, fs.ErrNotExist)
}

// Uninstall takes a product away, with all that is kept of it, and returns what ran.
// Its blobs are no longer kept from being pruned.
func (s *Store) Uninstall(ctx context.Context, n Name) (was Generation, err error) {
	err = s.change(ctx, n, func(p *product) error {
		was, err = p.current()
		if _, statErr := os.Lstat(p.dir); statErr != nil {
			p.tidy()
			return cmp.Or(err, disk(statErr)) // there is no current one without the folder
		}
		err := p.withLinks(ctx, func() error {
			if err := p.dropLinks(nil); err != nil {
				return err
			}
			p.dropFormer(p.formerBins())
			// Crash here: it is installed, and can't be called. It can be uninstalled
			// again, or installed.
			return removeCurrent(p.dir)
		})
		if err != nil {
			return err
		}
		// Crash here: generations without a current one. As above.
		gone := filepath.Join(filepath.Dir(p.dir), gonePrefix+n.Product+"@"+randomName())
		if err := durable.Rename(p.dir, gone); err != nil {
			return disk(err)
		}
		// Crash here: a hidden folder, and a reference whose origin is no more, which
		// does not count. Both go with the next change, or prune.
		if _, err := s.Cache.Release(ctx, cache.KindInstall, n.reference()); err != nil {
			s.Notice(fmt.Sprintf("%s: %v", n, err))
		}
		if err := os.RemoveAll(gone); err != nil {
			s.Notice(fmt.Sprintf("%s is uninstalled, and its files could not be removed: %v", n, err))
		}
		return nil
	})
	return was, err
}
