package install

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// The folder of links may be another one than when a product was installed: its links
// in the former one would lead to its programs for ever, or to nothing. So the record
// of what runs names the folders in which it has links.

// formerBins are the folders, beside that of links, where what runs may have links.
func (p *product) formerBins() []string {
	g, err := p.current()
	if err != nil {
		return nil // it is not known: what is there stays
	}
	here, _ := os.Stat(p.Bin)
	return slices.DeleteFunc(slices.Clone(g.Bins), func(dir string) bool {
		there, _ := os.Stat(dir)
		return !filepath.IsAbs(dir) || dir == p.Bin || os.SameFile(here, there)
	})
}

// dropFormer takes the product's links in former folders away, and returns those
// folders where that failed. The caller has the lock of the links.
func (p *product) dropFormer(dirs []string) (left []string) {
	for _, dir := range dirs {
		other := *p.Store
		other.Bin = dir
		there := &product{Store: &other, name: p.name, dir: p.dir}
		links, err := there.ownLinks()
		if err == nil {
			err = there.dropLinks(nil)
		}
		if err != nil {
			p.Notice(fmt.Sprintf("%s: its links in %s, that bin_dir was before, could not be removed: %v", p.name, dir, err))
			left = append(left, dir)
			continue
		}
		p.unlinked = append(p.unlinked, links...)
	}
	return left
}

// ownLinks are the paths of the product's links in the folder of links.
func (p *product) ownLinks() ([]string, error) {
	names, err := readDir(p.Bin)
	var paths []string
	for _, name := range names {
		if own, _ := p.ownerOfFile(name); own.product == p.name {
			paths = append(paths, filepath.Join(p.Bin, name))
		}
	}
	return paths, err
}
