package install

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"assay/internal/durable"
)

const binName = "bin"

// owner is whose a name in the folder of links is.
type owner struct {
	taken   bool
	product Name   // of this store; empty: somebody else's
	what    string // what somebody else has there
}

// withLinks runs fn while no other product's links are made or taken away.
func (p *product) withLinks(ctx context.Context, fn func() error) error {
	if err := durable.MkdirAll(p.Bin, 0o755); err != nil {
		return disk(err)
	}
	end, err := p.lock(ctx, filepath.Join(p.Dir, "links.lock"), p.Bin)
	if err != nil {
		return err
	}
	defer end()
	return fn()
}

// checkLinks refuses a release whose programs would take somebody's name.
func (p *product) checkLinks(r Release) error {
	for _, link := range r.Programs() {
		if _, err := p.checkLink(link); err != nil {
			return err
		}
	}
	return nil
}

// checkLink refuses one program's name, or reports whether the link is there.
func (p *product) checkLink(link string) (there bool, err error) {
	switch own, err := p.ownerOf(link); {
	case err != nil:
		return false, err
	case !own.taken || own.product == p.name:
		return own.taken, nil
	case own.product != Name{}:
		return true, fmt.Errorf("%w: %s is of %s already: expected nothing there, or a link of %s", ErrTaken, p.linkPath(link), own.product, p.name)
	default:
		return true, fmt.Errorf("%w: %s: expected nothing there, or a link of %s, found %s", ErrTaken, p.linkPath(link), p.name, own.what)
	}
}

// addLinks makes those links that are missing. Before the switch they lead to no
// program, or to one of the old release that is called alike. What somebody else puts
// there meanwhile is not replaced.
func (p *product) addLinks(r Release) error {
	for _, link := range r.Programs() {
		there, err := p.checkLink(link)
		if err != nil {
			return err
		}
		if there {
			continue
		}
		if err := p.makeLink(link); err != nil {
			_, taken := p.checkLink(link)
			return cmp.Or(taken, disk(err))
		}
		p.linked = append(p.linked, p.linkPath(link))
	}
	return nil
}

// dropLinks takes away the product's links but those of keep.
func (p *product) dropLinks(keep []string) error {
	names, err := readDir(p.Bin)
	if err != nil {
		return err
	}
	for _, name := range names {
		// Of what can't be looked at nothing is known, so it stays.
		if own, _ := p.ownerOfFile(name); own.product != p.name || p.isOneOf(name, keep) {
			continue
		}
		if err := errors.Join(os.Remove(filepath.Join(p.Bin, name)), durable.SyncDir(p.Bin)); err != nil {
			return disk(err)
		}
	}
	return nil
}

// isOneOf reports whether a file in the folder of links is that of one of some links.
// Where the file system takes capital letters for small ones, several names are one.
func (s *Store) isOneOf(file string, links []string) bool {
	return slices.ContainsFunc(links, func(link string) bool { return s.sameFile(file, linkFile(link)) })
}

// sameFile reports whether two names are of one thing in the folder of links.
func (s *Store) sameFile(a, b string) bool {
	infoA, _ := os.Lstat(filepath.Join(s.Bin, a))
	infoB, _ := os.Lstat(filepath.Join(s.Bin, b))
	return strings.EqualFold(a, b) && os.SameFile(infoA, infoB) // nothing is the same as what can't be told
}

// linkPath is the file in the folder of links for a program of that name.
func (s *Store) linkPath(link string) string { return filepath.Join(s.Bin, linkFile(link)) }

// ownerOf tells whose a program's name in the folder of links is.
func (s *Store) ownerOf(link string) (owner, error) { return s.ownerOfFile(linkFile(link)) }

// Links are the paths by which a product's programs are called, those that are there.
func (s *Store) Links(g Generation) []string {
	var paths []string
	for _, link := range g.Programs() {
		if path, is := s.Link(g, link); is {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// Link is the path that a program of a release is called by, and whether a link of the
// product is there, rather than nothing, or what is somebody else's.
func (s *Store) Link(g Generation, program string) (path string, is bool) {
	own, err := s.ownerOf(program)
	return s.linkPath(program), err == nil && own.product == Name{g.Repository, g.Product}
}

// OwnerOf tells which product a link is of; empty: it is none of this store's.
func (s *Store) OwnerOf(link string) (Name, error) {
	own, err := s.ownerOf(link)
	return own.product, err
}
