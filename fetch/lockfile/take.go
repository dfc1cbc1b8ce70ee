package lockfile

import (
	"slices"

	"assay/artifact"
)

// topLevel are the roles that every repository has beside root.
var topLevel = []string{"timestamp", "snapshot", "targets"}

// take checks a document, and makes the File of it.
func (d document) take(root place) (File, error) {
	f := File{Schema: d.Schema}
	for _, list := range []struct {
		key     string
		n, most int
	}{{"repository", len(d.Repository), maxRepositories}, {"product", len(d.Product), maxProducts}, {"pin", len(d.Pin), maxPins}} {
		if err := root.in(list.key).count(list.n, 0, list.most); err != nil {
			return File{}, err
		}
	}
	repositories, products, pins := map[string]int{}, map[string]int{}, map[string]int{}
	for i, doc := range d.Repository {
		r, err := doc.take(root.in("repository").nth(i), repositories)
		if err != nil {
			return File{}, err
		}
		f.Repositories = append(f.Repositories, r)
	}
	for i, doc := range d.Product {
		at := root.in("product").nth(i)
		p, err := doc.take(at, products)
		if err != nil {
			return File{}, err
		}
		if repositories[p.Repository] == 0 {
			return File{}, at.in("repository").refuse("expected the name of a [[repository]] of this file, found %s", quote(p.Repository))
		}
		f.Products = append(f.Products, p)
	}
	for i, doc := range d.Pin {
		p, err := doc.take(root.in("pin").nth(i), pins)
		if err != nil {
			return File{}, err
		}
		f.Pins = append(f.Pins, p)
	}
	return f, nil
}

func (d repositoryDocument) take(at place, seen map[string]int) (Repository, error) {
	r := Repository{Name: d.Name, Root: d.Root, Floors: d.Floors}
	if err := at.in("name").because(artifact.ValidRepository(d.Name)); err != nil {
		return r, err
	}
	if err := at.in("name").once(seen, d.Name, "the repository "+d.Name); err != nil {
		return r, err
	}
	if err := at.in("root").version(d.Root); err != nil {
		return r, err
	}
	var err error
	if r.RootSHA256, err = artifact.NewDigest(artifact.SHA256, d.RootSHA256); err != nil {
		return r, at.in("root_sha256").because(err)
	}
	return r, at.in("floors").floors(d.Floors)
}

// version refuses what no metadata can have as its version: package trust reads the
// same whole numbers from 1, and TOML's reader refuses more than 2^63-1.
func (p place) version(version int64) error {
	if !p.has() {
		return p.refuse("expected a version from 1, found none")
	}
	if version < 1 {
		return p.refuse("expected a version from 1, found %d", version)
	}
	return nil
}

// floors checks all floors of a repository. A missing one would be none, unseen.
func (p place) floors(floors map[string]int64) error {
	for _, role := range topLevel {
		if err := p.in(role).version(floors[role]); err != nil {
			return err
		}
	}
	if err := p.count(len(floors), 0, maxFloors); err != nil {
		return err
	}
	for _, role := range sortedRoles(floors) {
		at := p.in(role)
		if err := at.text(role, maxText); err != nil {
			return err
		}
		if role == "root" {
			return at.refuse("expected the version of the root beside its digest, found it among the floors, too")
		}
		if err := at.version(floors[role]); err != nil {
			return err
		}
	}
	return nil
}

// sortedRoles is the order of a repository's floors: the top-level roles in the order
// in which they are read, then the delegated ones by name.
func sortedRoles(floors map[string]int64) []string {
	var delegated []string
	var roles []string
	for role := range floors {
		if !slices.Contains(topLevel, role) {
			delegated = append(delegated, role)
		}
	}
	for _, role := range topLevel {
		if _, ok := floors[role]; ok {
			roles = append(roles, role)
		}
	}
	slices.Sort(delegated)
	return append(roles, delegated...)
}
