package lockfile

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"assay/artifact"
	"assay/internal/shown"
)

// The kinds of what a lock has.
const (
	KindRepository = "repository"
	KindProduct    = "product"
	KindPin        = "pin"
)

// Change is one difference between two locks.
type Change struct {
	Kind       string `json:"kind"`
	Name       string `json:"name"`
	Repository string `json:"repository,omitempty"` // of a product
	Platform   string `json:"platform,omitempty"`   // of an artifact
	// What names the value that differs; empty: the whole entry came or went.
	What string `json:"what,omitempty"`
	From string `json:"from,omitempty"` // empty: there was none
	To   string `json:"to,omitempty"`   // empty: there is none
	// Floor: only the age of a repository's metadata differs, which it does by the
	// day. What would be installed is the same: that is no drift.
	Floor bool `json:"floor,omitempty"`
}

// String is one line that is fit for a terminal.
func (c Change) String() string {
	text := c.Name
	if c.Kind != KindProduct {
		text = c.Kind + " " + text
	}
	if c.Repository != "" {
		text += " of " + c.Repository
	}
	text = fit(text)
	if c.Platform != "" {
		text += ", " + fit(c.Platform)
	}
	switch {
	case c.What == "" && c.From == "":
		return text + ": added " + fit(c.To)
	case c.What == "":
		return text + ": removed " + fit(c.From)
	}
	return text + ": " + fit(c.What) + " " + fit(cmp.Or(c.From, "none")) + " → " + fit(cmp.Or(c.To, "none"))
}

// fit is text as it is if a terminal does not act upon any of it; else in quotes.
func fit(text string) string {
	const most = 200
	if strings.ContainsFunc(text, isUnprintable) {
		return shown.Quote(text, most)
	}
	return shown.Clip(text, most)
}

// Compare lists what differs between two locks: repositories first, then products,
// then pins, each by name and, within one, in the order of the file. Both may be what
// Decode returned, or what is to be written.
func Compare(old, new File) []Change {
	old, new = old.sorted(), new.sorted()
	var c comparison
	pair(old.Repositories, new.Repositories, func(r *Repository) string { return r.Name }, c.repository)
	pair(old.Products, new.Products, func(p *Product) string { return key(p.Name, p.Repository) }, c.product)
	pair(old.Pins, new.Pins, func(p *Pin) string { return p.Name }, c.pin)
	return c.changes
}

// pair calls both for each name in either of two sorted lists, with nil for what is
// not there.
func pair[T any](old, new []T, name func(*T) string, both func(old, new *T)) {
	for len(old) > 0 || len(new) > 0 {
		order := 0
		switch {
		case len(new) == 0:
			order = -1
		case len(old) == 0:
			order = 1
		default:
			order = strings.Compare(name(&old[0]), name(&new[0]))
		}
		switch {
		case order < 0:
			both(&old[0], nil)
			old = old[1:]
		case order > 0:
			both(nil, &new[0])
			new = new[1:]
		default:
			both(&old[0], &new[0])
			old, new = old[1:], new[1:]
		}
	}
}

// comparison gathers changes.
type comparison struct{ changes []Change }

// value enters a change of one value, if it is one; of is what it is a value of.
func (c *comparison) value(of Change, what, from, to string) {
	if from != to {
		of.What, of.From, of.To = what, from, to
		c.changes = append(c.changes, of)
	}
}

// whole enters an entry that came or went; found is how it is called then.
func (c *comparison) whole(of Change, from, to string) {
	of.From, of.To = from, to
	c.changes = append(c.changes, of)
}

func (c *comparison) repository(old, new *Repository) {
	if old == nil || new == nil {
		some := cmp.Or(old, new)
		from, to := "", "root "+number(some.Root)
		if new == nil {
			from, to = to, from
		}
		c.whole(Change{Kind: KindRepository, Name: some.Name}, from, to)
		return
	}
	of := Change{Kind: KindRepository, Name: new.Name, Floor: true}
	c.value(of, "root", number(old.Root), number(new.Root))
	digest := of
	digest.Floor = old.Root != new.Root // other content under one version is another repository
	c.value(digest, "root sha256", old.RootSHA256.Hex(), new.RootSHA256.Hex())
	roles := map[string]int64{}
	for _, floors := range []map[string]int64{old.Floors, new.Floors} {
		for role := range floors {
			roles[role] = 0
		}
	}
	for _, role := range sortedRoles(roles) {
		c.value(of, "floor of "+role, numberOrNone(old.Floors[role]), numberOrNone(new.Floors[role]))
	}
}

func (c *comparison) product(old, new *Product) {
	if old == nil || new == nil {
		some := cmp.Or(old, new)
		from, to := "", some.Version.String()
		if new == nil {
			from, to = to, from
		}
		c.whole(Change{Kind: KindProduct, Name: some.Name, Repository: some.Repository}, from, to)
		return
	}
	of := Change{Kind: KindProduct, Name: new.Name, Repository: new.Repository}
	c.value(of, "version", old.Version.String(), new.Version.String())
	c.value(of, "request", old.Request.String(), new.Request.String())
	c.value(of, "channel", old.Channel, new.Channel)
	c.value(of, "manifest", old.Manifest.Target, new.Manifest.Target)
	c.digests(of, "manifest ", old.Manifest.Digests, new.Manifest.Digests)
	pair(old.Artifacts, new.Artifacts, func(a *Artifact) string { return a.Platform.String() }, func(old, new *Artifact) { c.artifact(of, old, new) })
}

func (c *comparison) artifact(of Change, old, new *Artifact) {
	some := cmp.Or(old, new)
	of.Platform = some.Platform.String()
	if old == nil || new == nil {
		from, to := "", some.Digests.Primary().String()
		if new == nil {
			from, to = to, from
		}
		c.whole(of, from, to)
		return
	}
	c.value(of, "target", old.Target, new.Target)
	c.value(of, "length", number(old.Length), number(new.Length))
	c.digests(of, "", old.Digests, new.Digests)
	c.value(of, "urls", strings.Join(old.URLs, " "), strings.Join(new.URLs, " "))
	pair(old.Bundles, new.Bundles, func(b *Bundle) string { return b.Target }, func(old, new *Bundle) {
		what := "bundle " + cmp.Or(old, new).Target
		switch {
		case old == nil:
			c.value(of, what, "", new.Digests.Primary().String())
		case new == nil:
			c.value(of, what, old.Digests.Primary().String(), "")
		default:
			c.digests(of, what+" ", old.Digests, new.Digests)
		}
	})
}

func (c *comparison) pin(old, new *Pin) {
	some := cmp.Or(old, new)
	of := Change{Kind: KindPin, Name: some.Name}
	if old == nil || new == nil {
		from, to := "", some.Digests.Primary().String()
		if new == nil {
			from, to = to, from
		}
		c.whole(of, from, to)
		return
	}
	c.value(of, "urls", strings.Join(old.URLs, " "), strings.Join(new.URLs, " "))
	c.value(of, "length", numberOrNone(old.Length), numberOrNone(new.Length))
	c.digests(of, "", old.Digests, new.Digests)
	c.value(of, "identity", old.Identity, new.Identity)
	c.value(of, "issuer", old.Issuer, new.Issuer)
	c.value(of, "format", old.Format, new.Format)
}

// digests enters what differs by each algorithm.
func (c *comparison) digests(of Change, prefix string, old, new artifact.Digests) {
	for _, algorithm := range slices.Compact(algorithms(old, new)) {
		from, _ := old.Of(algorithm)
		to, _ := new.Of(algorithm)
		c.value(of, prefix+string(algorithm), from.Hex(), to.Hex())
	}
}

// algorithms are those of either, sorted.
func algorithms(old, new artifact.Digests) []artifact.Algorithm {
	var list []artifact.Algorithm
	for _, d := range slices.Concat(old, new) {
		list = append(list, d.Algorithm())
	}
	slices.Sort(list)
	return list
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

func numberOrNone(n int64) string {
	if n == 0 {
		return ""
	}
	return number(n)
}
