package install

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

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
		switch own, err := p.ownerOf(link); {
		case err != nil:
			return err
		case !own.taken || own.product == p.name:
		case own.product != Name{}:
			return fmt.Errorf("%w: %s is of %s already: expected nothing there, or a link of %s", ErrTaken, p.linkPath(link), own.product, p.name)
		default:
			return fmt.Errorf("%w: %s: expected nothing there, or a link of %s, found %s", ErrTaken, p.linkPath(link), p.name, own.what)
		}
	}
	return nil
}

// addLinks makes those links that are missing. Before the switch they lead to no
// program, or to one of the old release that is called alike.
func (p *product) addLinks(r Release) error {
	for _, link := range r.Programs() {
		own, err := p.ownerOf(link)
		if err == nil && !own.taken {
			err = p.makeLink(link)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// dropLinks takes away the product's links but those of keep.
func (p *product) dropLinks(keep []string) error {
	names, err := readDir(p.Bin)
	if err != nil {
		return err
	}
	stay := map[string]bool{}
	for _, link := range keep {
		stay[p.linkPath(link)] = true
	}
	dropped := false
	for _, name := range names {
		own, err := p.ownerOf(name)
		path := filepath.Join(p.Bin, name)
		if err != nil || own.product != p.name || stay[path] || path != p.linkPath(name) {
			continue
		}
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return disk(err)
		}
		dropped = true
	}
	if !dropped {
		return nil
	}
	return disk(durable.SyncDir(p.Bin))
}

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
