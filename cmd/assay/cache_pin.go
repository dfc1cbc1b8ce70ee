package main

import (
	"errors"
	"slices"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/cache"
)

func cachePinCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "pin",
		Usage:     "keep blobs, whatever is pruned",
		ArgsUsage: whatUsage + "…",
		Description: "`assay cache prune` leaves what is pinned alone, however old. A pin is a file in\n" +
			"refs/pin in the cache folder, and goes with `assay cache unpin`.\n" + whatHelp +
			examples("assay cache pin hello@1.4.2", "assay cache pin 39d329d6ac6e"),
		Action: a.cachePin,
	}
}

func cacheUnpinCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "unpin",
		Usage:     "end what `assay cache pin` began",
		ArgsUsage: whatUsage + "…",
		Description: "What installs, lock files or mirrors need is kept all the same.\n" + whatHelp +
			examples("assay cache unpin hello"),
		Action: a.cacheUnpin,
	}
}

// pinName is the name of the reference that pins a blob.
func pinName(d artifact.Digest) string { return string(d.Algorithm()) + "-" + d.Hex() }

type cachePinDoc struct {
	Changed bool              `json:"changed"`
	Blobs   []artifact.Digest `json:"blobs"` // that are pinned now, or no longer
}

func (a *app) cachePin(c *cli.Context) error {
	s, found, refs, err := a.heldOperands(c)
	if err != nil {
		return err
	}
	doc := cachePinDoc{Blobs: []artifact.Digest{}}
	for _, e := range found {
		if !isPinned(refs, e.Digest) {
			if err := s.cache.Keep(c.Context, cache.KindPin, pinName(e.Digest), "", e.Digest); err != nil {
				return err
			}
			// From here on it stays; it may have gone just before.
			if _, err := s.cache.Get(e.Digest); err != nil {
				_, releaseErr := s.cache.Release(c.Context, cache.KindPin, pinName(e.Digest))
				return errors.Join(err, releaseErr)
			}
			doc.Changed = true
		}
		doc.Blobs = append(doc.Blobs, e.Digest)
		a.out.line("pinned  %s", blobLine(e))
	}
	return a.out.result("cache.pin", doc)
}

func (a *app) cacheUnpin(c *cli.Context) error {
	s, found, _, err := a.heldOperands(c)
	if err != nil {
		return err
	}
	doc := cachePinDoc{Blobs: []artifact.Digest{}}
	for _, e := range found {
		released, err := s.cache.Release(c.Context, cache.KindPin, pinName(e.Digest))
		if err != nil {
			return err
		}
		if released {
			doc.Changed, doc.Blobs = true, append(doc.Blobs, e.Digest)
			a.out.line("unpinned  %s", blobLine(e))
		}
	}
	if len(doc.Blobs) == 0 {
		a.out.talk("none of it was pinned")
	}
	return a.out.result("cache.unpin", doc)
}

// isPinned reports whether there is the pin of a blob, in a file that can be read:
// to pin it again heals any other.
func isPinned(refs []cache.Reference, d artifact.Digest) bool {
	return slices.ContainsFunc(refs, func(r cache.Reference) bool { return r.Kind == cache.KindPin && r.Name == pinName(d) })
}

// heldOperands finds what the arguments mean among what is held, or pinned and no
// longer held.
func (a *app) heldOperands(c *cli.Context) (*session, []cache.Entry, []cache.Reference, error) {
	args, err := operands(c, 1, -1)
	if err != nil {
		return nil, nil, nil, err
	}
	s, err := a.bareStore(c)
	if err != nil {
		return nil, nil, nil, err
	}
	refs, err := a.references(c.Context, s.cache)
	if err != nil {
		return nil, nil, nil, err
	}
	entries, err := s.cache.List(c.Context)
	if err != nil {
		return nil, nil, nil, err
	}
	known := map[artifact.Digest]bool{}
	for _, e := range entries {
		known[e.Digest] = true
	}
	for _, r := range refs {
		for _, d := range r.Digests {
			if r.Kind == cache.KindPin && !known[d] {
				entries = append(entries, cache.Entry{Digest: d})
			}
		}
	}
	found, err := heldAs(entries, args)
	return s, found, refs, err
}
