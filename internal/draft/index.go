package draft

import (
	"fmt"
	"slices"
	"time"

	"assay/artifact"
	"assay/artifact/release"
)

// promoteIndex makes the channel's index as it is after the promotion.
func (p Promotion) promoteIndex(out *Promoted) error {
	place, old, index, err := p.index(p.To)
	if err != nil {
		return err
	}
	data := old
	if index == nil {
		index = &release.Channel{}
		data = fmt.Appendf(nil, `{"schema":"assay.channel/v1","product":%s,"channel":%s,"updated":"","releases":[]}`, text(p.Product), text(p.To))
	}
	now := p.Now.UTC().Truncate(time.Second)
	if index.Updated.After(now) {
		return fmt.Errorf("%w: %s was updated at %s, and this machine's clock says %s: one of the two is wrong",
			ErrPromotion, place.Path(), index.Updated.UTC().Format(time.RFC3339), now.Format(time.RFC3339))
	}
	if out.Status, err = p.status(index); err != nil {
		return err
	}
	if err := p.checkRollout(index, now); err != nil {
		return err
	}
	top := parse(data)
	entry, listed := index.Lookup(p.Version)
	done := listed && entry.Status == out.Status && p.asPlanned(entry.Rollout)
	if !done {
		out.Superseded = p.superseded(index, now, out.Status)
		top.set("releases", list(p.entries(top, index, out, now)))
	}
	if p.MaxAge != 0 && p.MaxAge != index.MaxAge {
		top.setBefore("max_age", text(p.MaxAge.String()), "releases")
		done = false
	}
	if done {
		out.Documents = append(out.Documents, Document{Place: place, Data: old, old: old})
		return nil
	}
	top.set("updated", stamp(now))
	out.Documents = append(out.Documents, Document{Place: place, Data: top.document(), Changed: true, old: old})
	return nil
}

// status is what the channel is to say of the release.
func (p Promotion) status(index *release.Channel) (release.Status, error) {
	if entry, listed := index.Lookup(p.Version); listed && entry.Status == release.StatusDeprecated {
		return "", fmt.Errorf("%w: %s is deprecated in the channel %s: %s", ErrPromotion, p.name(), p.To, quote(entry.Reason))
	}
	for _, e := range index.Releases {
		if e.Version != p.Version && e.Version.Compare(p.Version) == 0 {
			return "", fmt.Errorf("%w: the channel %s has %s, which differs from %s in build metadata alone", ErrPromotion, p.To, e.Version, p.Version)
		}
	}
	for _, e := range index.Releases {
		if e.Status != release.StatusCurrent || e.Version.Compare(p.Version) <= 0 {
			continue
		}
		if p.Backport {
			return release.StatusSuperseded, nil
		}
		return "", fmt.Errorf("%w: %s is current in the channel %s and newer, so nobody would be given %s; --backport adds it for exact versions and ranges",
			ErrPromotion, e.Version, p.To, p.Version)
	}
	if p.Backport {
		return "", fmt.Errorf("%w: nothing newer than %s is current in the channel %s, so it would be no backport", ErrPromotion, p.Version, p.To)
	}
	return release.StatusCurrent, nil
}

// superseded are the releases that are current no more once this one is.
func (p Promotion) superseded(index *release.Channel, now time.Time, status release.Status) []artifact.Version {
	if status != release.StatusCurrent {
		return nil
	}
	var older []release.ChannelEntry
	for _, e := range index.Releases {
		if e.Status == release.StatusCurrent && e.Version.Compare(p.Version) < 0 {
			older = append(older, e)
		}
	}
	slices.SortFunc(older, func(a, b release.ChannelEntry) int { return b.Version.Compare(a.Version) })
	if p.Rollout != nil {
		// Down to the newest that every machine has been given, they stay: a
		// machine that is not reached yet goes on with one of them.
		reached := slices.IndexFunc(older, func(e release.ChannelEntry) bool { return isComplete(e.Rollout, now) })
		if reached < 0 {
			return nil
		}
		older = older[reached+1:]
	}
	var versions []artifact.Version
	for _, e := range older {
		versions = append(versions, e.Version)
	}
	return versions
}

// entries are the releases of the index after the promotion, the new one first.
// What is not edited of an entry stays as it was written.
func (p Promotion) entries(top *object, index *release.Channel, out *Promoted, now time.Time) [][]byte {
	own := parse(nil)
	var others [][]byte
	for i, raw := range elements(top.get("releases")) {
		entry := index.Releases[i]
		edited := parse(raw)
		switch {
		case entry.Version == p.Version:
			own = edited
			continue
		case slices.Contains(out.Superseded, entry.Version):
			edited.set("status", text(string(release.StatusSuperseded)))
			edited.set("since", stamp(now))
			edited.remove("rollout") // it has no effect any more
		}
		others = append(others, edited.bytes())
	}
	own.set("version", text(p.Version.String()))
	own.set("manifest", text(release.ManifestPath(p.Product, p.Version)))
	own.set("status", text(string(out.Status)))
	own.set("since", stamp(now))
	own.remove("reason")
	own.remove("advisory")
	before := parse(own.get("rollout"))
	own.remove("rollout")
	if p.Rollout != nil {
		own.set("rollout", p.rollout(before, now))
	}
	return append([][]byte{own.bytes()}, others...)
}

// enterCatalog sees to it that the catalog names the product with the channel.
func (p Promotion) enterCatalog(out *Promoted, manifest *release.Release) error {
	place := release.Place{Kind: release.KindCatalog}
	old, err := p.read(place)
	if err != nil {
		return err
	}
	data := old
	if old == nil && !p.Catalog {
		out.NoCatalog = true
		return nil
	}
	catalog := &release.Catalog{}
	if old == nil {
		data = []byte(`{"schema":"assay.catalog/v1","products":[]}`)
	} else if catalog, err = release.DecodeCatalog(old); err != nil {
		return err
	}
	known, listed := catalog.Lookup(p.Product)
	if listed && slices.Contains(known.Channels, p.To) {
		out.Documents = append(out.Documents, Document{Place: place, Data: old, old: old})
		return nil
	}
	top := parse(data)
	products := elements(top.get("products"))
	if listed {
		at := slices.IndexFunc(catalog.Products, func(c release.Product) bool { return c.Name == p.Product })
		product := parse(products[at])
		product.set("channels", list(append(elements(product.get("channels")), text(p.To))))
		products[at] = product.bytes()
	} else {
		product := parse(nil)
		product.set("product", text(p.Product))
		if manifest != nil && manifest.Summary != "" {
			product.set("summary", text(manifest.Summary))
		}
		product.set("channels", list([][]byte{text(p.To)}))
		products = append(products, product.bytes())
	}
	top.set("products", list(products))
	out.Documents = append(out.Documents, Document{Place: place, Data: top.document(), Changed: true, old: old})
	return nil
}
