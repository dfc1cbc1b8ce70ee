package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"assay/artifact"
	"assay/cache"
	"assay/fetch"
	"assay/fetch/lockfile"
)

// write puts the file in its place, unless it is there as it is to be.
//
// Crash here: before the rename the old file is there; after it, what it names may
// not be kept in the cache yet, and is fetched again if it is pruned.
func (l *locking) write(ctx context.Context, next lockfile.File) error {
	text, err := lockfile.Encode(next)
	if err != nil {
		return err
	}
	have, err := os.ReadFile(l.file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	changed := err != nil || !bytes.Equal(have, text)
	if changed {
		if err := lockfile.Write(l.file, next); err != nil {
			return err
		}
	}
	if err := l.app.keepLocked(ctx, l.session, l.file, next); err != nil {
		return err
	}
	return l.told(changed)
}

// told prints what changes, and is errDrift where that is what was asked about.
func (l *locking) told(changed bool) error {
	out, shown := l.app.out, l.shown()
	l.doc.Changed = changed
	l.app.progress.close()
	for _, change := range shown {
		out.line("%s", change)
	}
	if err := out.result("locked", l.doc); err != nil {
		return err
	}
	where := l.app.homely(l.file)
	switch {
	case changed && l.doc.Check:
		return fmt.Errorf("%w: %s: %s", errDrift, l.file, countOf(len(shown), "change"))
	case !changed:
		out.talk("no change: %s is up to date", where)
	case len(l.doc.Changes) == 0:
		out.talk("%s was written anew: it says the same", where)
	default:
		text := countOf(l.doc.Products, "product") + " locked, each artifact proven"
		if l.doc.Moved > 0 {
			text += ", " + bytesText(l.doc.Moved) + " fetched"
		}
		out.talk("%s: %s", where, text)
	}
	return nil
}

// shown are the changes that a person has to look at: no floors, and of a product with
// another version not what follows from that.
func (l *locking) shown() []lockfile.Change {
	of := func(c lockfile.Change) [2]string { return [2]string{c.Repository, c.Name} }
	other := map[[2]string]bool{}
	for _, change := range l.doc.Changes {
		if change.Kind == lockfile.KindProduct && change.What == "version" {
			other[of(change)] = true
		}
	}
	themselves := []string{"", "version", "request", "channel"}
	return slices.DeleteFunc(slices.Clone(l.doc.Changes), func(c lockfile.Change) bool {
		return c.Floor || c.Kind == lockfile.KindProduct && other[of(c)] && !slices.Contains(themselves, c.What)
	})
}

// countOf is like "1 change" or "2 changes".
func countOf(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// lockReference is the name of the reference by which a lock file keeps blobs.
func lockReference(file string) string {
	return artifact.DigestOf(artifact.SHA256, []byte(file)).Hex()[:32]
}

// keepLocked has the cache keep what a lock names, held or not, and what says so: the
// lock can be installed from offline, whatever is pruned.
func (a *app) keepLocked(ctx context.Context, s *session, file string, f lockfile.File) error {
	var digests []artifact.Digest
	for _, p := range f.Products {
		digests = append(digests, p.Manifest.Digests.Primary())
		for _, locked := range p.Artifacts {
			digests = append(digests, locked.Digests.Primary())
			for _, bundle := range locked.Bundles {
				digests = append(digests, bundle.Digests.Primary())
			}
		}
		beside, err := s.client.Documents(ctx, fetch.Exact{Repository: p.Repository, Product: p.Name, Version: p.Version, Channel: p.Channel})
		if err != nil {
			return err
		}
		digests = append(digests, beside...)
	}
	for _, pin := range f.Pins {
		digests = append(digests, pin.Digests.Primary())
	}
	name := lockReference(file)
	if len(digests) == 0 {
		_, err := s.cache.Release(ctx, cache.KindLock, name)
		return err
	}
	slices.SortFunc(digests, func(x, y artifact.Digest) int { return strings.Compare(x.String(), y.String()) })
	return s.cache.Keep(ctx, cache.KindLock, name, file, slices.Compact(digests)...)
}
