package install

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

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
	first := ""
	look := func(from, other, absent string) {
		_ = filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
			relative, relErr := filepath.Rel(from, path)
			if err != nil || relErr != nil {
				return fs.SkipAll
			}
			info, err := os.Lstat(filepath.Join(other, relative))
			switch {
			case err != nil:
				first = fmt.Sprintf(absent, quote(relative))
			case info.Mode().Type() != entry.Type():
				first = fmt.Sprintf("%s is of another kind", quote(relative))
			case entry.Type().IsRegular() && !sameFile(path, filepath.Join(other, relative)):
				first = fmt.Sprintf("%s was changed", quote(relative))
			case entry.Type()&fs.ModeSymlink != 0 && !sameTarget(path, filepath.Join(other, relative)):
				first = fmt.Sprintf("%s leads elsewhere", quote(relative))
			default:
				return nil
			}
			return fs.SkipAll
		})
	}
	if look(want, have, "%s is missing"); first == "" {
		look(have, want, "%s is not of the artifact")
	}
	if first == "" {
		return "something was changed meanwhile"
	}
	return first
}

func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	if errA != nil || errB != nil || infoA.Size() != infoB.Size() || infoA.Mode()&0o111 == 0 != (infoB.Mode()&0o111 == 0) {
		return false
	}
	buffer := make([]byte, 64<<10)
	var count int64
	_, sumA, errA := sumFile(a, buffer, &count)
	_, sumB, errB := sumFile(b, buffer, &count)
	return errA == nil && errB == nil && sumA == sumB
}

func sameTarget(a, b string) bool {
	textA, errA := os.Readlink(a)
	textB, errB := os.Readlink(b)
	return errA == nil && errB == nil && bytes.Equal([]byte(textA), []byte(textB))
}
