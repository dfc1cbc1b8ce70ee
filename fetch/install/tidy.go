package install

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"assay/artifact"
	"assay/cache"
)

// keep has the cache keep what proving all generations again takes, and one more.
func (p *product) keep(ctx context.Context, list []Generation, more ...Release) error {
	var digests []artifact.Digest
	for _, g := range list {
		more = append(more, g.Release)
	}
	for _, r := range more {
		digests = append(digests, r.Digests.Primary())
		digests = append(digests, r.Blobs...)
	}
	return p.Cache.Keep(ctx, cache.KindInstall, p.name.reference(), p.dir, digests...)
}

// KeepBeside has the cache keep, beside what the generations of a product take,
// documents that change after a release was installed, until the product is changed:
// the catalog and the channels of today. Of a product that is not there nothing is
// kept.
func (s *Store) KeepBeside(ctx context.Context, n Name, digests []artifact.Digest) error {
	return s.change(ctx, n, func(p *product) error {
		list, err := p.generations()
		if err != nil || len(list) == 0 || len(digests) == 0 {
			return err
		}
		beside := list[0].Release
		beside.Blobs = digests
		return p.keep(ctx, list, beside)
	})
}

func randomName() string {
	var random [8]byte
	rand.Read(random[:]) // never fails
	return hex.EncodeToString(random[:])
}

// tidy removes what changes that were cut short have left. The caller has the lock,
// so nobody is at work on it.
func (p *product) tidy() {
	p.removeAll(p.dir, newPrefix, gonePrefix, ".link-", "."+heldName+".", "."+currentName+".")
	numbers, _ := p.numbers()
	for _, number := range numbers {
		p.removeAll(p.folderOf(number), "."+recordName+".")
	}
	p.removeAll(filepath.Dir(p.dir), gonePrefix+p.name.Product+"@")
}

func (p *product) removeAll(dir string, prefixes ...string) {
	names, _ := readDir(dir)
	for _, name := range names {
		if !slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) }) {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			p.Notice(fmt.Sprintf("%s: what an earlier run left could not be removed: %v", p.name, err))
		}
	}
}
