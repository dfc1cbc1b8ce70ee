package install

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"assay/cache"
)

// Check reads all files of a generation and compares them with what was installed;
// other ones are ErrDamaged. Whoever can change the files can change the record
// beside them: Verify relies on neither.
func (s *Store) Check(ctx context.Context, g Generation) error {
	if err := g.there(); err != nil {
		return err
	}
	return g.whole(ctx)
}

// Gone reports whether a generation was removed since it was asked for, by another
// process, rather than damaged.
func (g Generation) Gone() bool { return errors.Is(g.there(), ErrMissing) }

// there refuses a generation that was removed since it was asked for.
func (g Generation) there() error {
	_, err := os.Lstat(g.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: version %s of %s:%s is not kept any more", ErrMissing, g.Version, g.Repository, g.Product)
	}
	return disk(err)
}

// whole compares the files, and the links to the programs, with the record.
func (g Generation) whole(ctx context.Context) error {
	found, err := sum(ctx, g.Tree())
	if err != nil {
		return err
	}
	if found.sum != g.Sum {
		return fmt.Errorf("%w: %s: expected the tree %s, found %s", ErrDamaged, g.Tree(), g.Sum, found.sum)
	}
	bin := filepath.Join(g.dir, binName)
	for _, p := range g.programs() {
		if !leadsTo(bin, p) {
			return fmt.Errorf("%w: %s: expected %s to lead to the program %s", ErrDamaged, bin, quote(p.Link), quote(p.Path))
		}
	}
	return nil
}

// Verify compares the files of a generation with those of its artifact, which the
// caller has proven again: it is unpacked once more, beside it, and removed. Any
// difference is ErrDamaged, and the error names the first.
func (s *Store) Verify(ctx context.Context, g Generation, blob cache.Blob) error {
	return s.change(ctx, Name{g.Repository, g.Product}, func(p *product) error {
		if err := g.there(); err != nil {
			return err
		}
		draft := filepath.Join(p.dir, newPrefix+randomName())
		if err := os.Mkdir(draft, 0o755); err != nil {
			return disk(err)
		}
		anew, err := fill(ctx, draft, g.Release, blob, silent{})
		var found summary
		if err == nil {
			found, err = sum(ctx, g.Tree())
		}
		if err == nil && found.sum != anew.Sum {
			err = fmt.Errorf("%w: %s: %s", ErrDamaged, g.Tree(), difference(anew.Tree(), g.Tree()))
		}
		if err == nil {
			err = sameLinks(anew, g)
		}
		return errors.Join(err, disk(os.RemoveAll(draft)))
	})
}

// sameLinks compares what the names of the programs lead to.
func sameLinks(want, have Generation) error {
	a, errA := sum(context.Background(), filepath.Join(want.dir, binName))
	b, errB := sum(context.Background(), filepath.Join(have.dir, binName))
	if err := errors.Join(errA, errB); err != nil {
		return err
	}
	if a.sum != b.sum {
		return fmt.Errorf("%w: %s: %s", ErrDamaged, have.dir, difference(filepath.Join(want.dir, binName), filepath.Join(have.dir, binName)))
	}
	return nil
}

// difference names the first thing in which two trees differ.
func difference(want, have string) string {
	type thing struct{ kind, detail string }
	expected, first := map[string]thing{}, ""
	_, _ = scan(context.Background(), want, func(kind, path, detail string) { expected[path] = thing{kind, detail} })
	_, _ = scan(context.Background(), have, func(kind, path, detail string) {
		was, known := expected[path]
		delete(expected, path)
		switch isFile := kind == kindFile || kind == kindProgram; {
		case first != "" || known && was == thing{kind, detail}:
		case !known:
			first = quote(path) + " is not of the artifact"
		case isFile && (was.kind == kindFile || was.kind == kindProgram):
			first = quote(path) + " was changed"
		case was.kind == kind:
			first = quote(path) + " leads elsewhere"
		default:
			first = quote(path) + " is of another kind"
		}
	})
	if missing := slices.Sorted(maps.Keys(expected)); first == "" && len(missing) > 0 {
		first = quote(missing[0]) + " is missing"
	}
	return cmp.Or(first, "something was changed meanwhile")
}
