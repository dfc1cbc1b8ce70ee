package fetch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"assay/artifact"
	"assay/artifact/release"
	"assay/trust"
	"assay/trust/proof"
)

// Request is what a person asks for.
type Request struct {
	Ref      artifact.Ref
	Platform artifact.Platform // zero: this machine's
	Format   string            // needed where a platform has several that fit
	// Now does not wait for a staged rollout, which is a wish of the publisher and no
	// proof. Statuses, approvals and policy count as ever.
	Now bool
}

// Selection is what a Request comes down to: one artifact of one release.
type Selection struct {
	Repository string
	Product    string
	Version    artifact.Version
	Channel    string
	Status     release.Status
	Platform   artifact.Platform
	Why        string   // why this release
	Passed     []Passed // newer ones that were not chosen
	Warnings   []string
	Release    *release.Release
	Artifact   release.Artifact
	Manifest   trust.Target
	Target     trust.Target
	Agreed     []string // the repositories that promise the target alike; empty: none need agree
	Evidence   *trust.Evidence

	item       proof.Item // what package proof is asked about
	outlived   string     // why it has outlived its time; empty: it has not
	deprecated string     // what the publisher says against it, of one that was named by its path; empty: nothing
}

// Resolve finds out which artifact a request means: which repository has the
// product, which release the selector chooses, and which of its artifacts suits
// the platform. It fetches the documents it needs, not the artifact.
func (c *Client) Resolve(ctx context.Context, request Request) (Selection, error) {
	exact := request.Ref.Selector.Kind == artifact.ByVersion || request.Ref.Selector.Kind == artifact.ByDigest
	if request.Platform == (artifact.Platform{}) {
		request.Platform = artifact.Host()
	}
	shelf, chooser, err := c.chooser(ctx, request.Ref, exact)
	if err != nil {
		return Selection{}, err
	}
	if request.Ref.Selector.Kind == artifact.ByDigest {
		return shelf.selectDigest(ctx, chooser, request)
	}
	chooser.heed(ctx, shelf, request)
	ch, err := chooser.choose(request.Ref.Selector)
	if err != nil {
		return Selection{}, err
	}
	m, err := shelf.manifest(ctx, ch.entry.Manifest)
	if err != nil {
		return Selection{}, err
	}
	chosen, err := pick(m.Release, request)
	if err != nil {
		return Selection{}, err
	}
	return shelf.selection(ctx, m, ch, chosen, request.Platform)
}

// chooser knows all that the channels of a product say.
func (c *Client) chooser(ctx context.Context, ref artifact.Ref, exact bool) (*shelf, *chooser, error) {
	shelf, product, err := c.find(ctx, ref, exact)
	if err != nil {
		return nil, nil, err
	}
	place, err := c.place(ctx)
	if err != nil {
		return nil, nil, err
	}
	indexes, err := shelf.channels(ctx, product)
	if err != nil {
		return nil, nil, err
	}
	return shelf, &chooser{
		product: product.Name, indexes: indexes, now: c.now(), place: place,
		approved: shelf.approver(ctx, product.Name, nil), young: shelf.cooler(ctx, product.Name, nil),
	}, nil
}

// heed has a chooser ask about the artifact that a request means.
func (c *chooser) heed(ctx context.Context, s *shelf, request Request) {
	c.approved, c.young, c.impatient = s.approver(ctx, c.product, &request), s.cooler(ctx, c.product, &request), request.Now
}

// find looks a product up in the repository that the ref names, or in all of
// them. A product that two of them offer is never guessed, and one that can't
// be asked might offer it.
func (c *Client) find(ctx context.Context, ref artifact.Ref, exact bool) (*shelf, release.Product, error) {
	names := c.Names()
	if ref.Repo != "" {
		if _, ok := c.repositories[ref.Repo]; !ok {
			return nil, release.Product{}, fmt.Errorf("%w: no repository is named %q; known: %s", ErrUnknown, ref.Repo, quoteAll(names))
		}
		names = []string{ref.Repo}
	}
	if len(names) == 0 {
		return nil, release.Product{}, fmt.Errorf("%w: no repository is known yet, so none has %s", ErrUnknown, ref.Product)
	}
	var hits []hit
	var offered []string
	for _, name := range names {
		shelf, err := c.shelf(ctx, name, exact)
		if err != nil {
			return nil, release.Product{}, c.unasked(ref, name, names, err)
		}
		catalog, err := shelf.catalog(ctx)
		if err != nil {
			return nil, release.Product{}, c.unasked(ref, name, names, err)
		}
		if catalog == nil {
			continue
		}
		if product, ok := catalog.Lookup(ref.Product); ok {
			hits = append(hits, hit{shelf, product})
		}
		for _, product := range catalog.Products {
			offered = append(offered, product.Name)
		}
	}
	switch hits = c.rivals(ref.Product, hits); len(hits) {
	case 0:
		slices.Sort(offered)
		return nil, release.Product{}, fmt.Errorf("%w: %s has no product %q; on offer: %s", ErrUnknown, strings.Join(names, ", "), ref.Product, quoteAll(firstOf(slices.Compact(offered), 8)))
	case 1:
		return hits[0].shelf, hits[0].product, nil
	}
	var refs []string
	for _, h := range hits {
		refs = append(refs, h.repository()+":"+ref.Product)
	}
	return nil, release.Product{}, fmt.Errorf("%w: %d repositories have a product %s; say which: %s", ErrAmbiguous, len(hits), ref.Product, strings.Join(refs, " or "))
}

// unasked explains a repository that could not be asked. Where there are others
// and the ref does not say which one is meant, naming one is the way around it;
// but not where the map needs that repository's word.
func (c *Client) unasked(ref artifact.Ref, name string, names []string, err error) error {
	needed := slices.ContainsFunc(c.approvals.Folder(ref.Product), func(m trust.Mapping) bool { return slices.Contains(m.Repositories, name) })
	if len(names) == 1 || needed {
		return err
	}
	return fmt.Errorf("%w (it may have %s, too; to ask one repository alone, write REPOSITORY:%s)", err, ref.Product, ref.Product)
}

func firstOf(list []string, n int) []string {
	if len(list) <= n {
		return list
	}
	return append(slices.Clone(list[:n]), "…")
}

// pick takes the artifact for a platform. Where several formats fit, the one
// that is installable is meant, and of several such none is guessed.
func pick(doc *release.Release, request Request) (release.Artifact, error) {
	fitting := doc.Find(request.Platform)
	if len(fitting) == 0 {
		var offered []string
		for _, a := range doc.Artifacts {
			offered = append(offered, a.Platform().String())
		}
		slices.Sort(offered)
		return release.Artifact{}, fmt.Errorf("%w: %s %s has nothing for %s; it has %s", ErrUnknown, doc.Product, doc.Version, request.Platform, quoteAll(slices.Compact(offered)))
	}
	if request.Format != "" {
		var of []release.Artifact
		for _, a := range fitting {
			if a.Format == request.Format {
				of = append(of, a)
			}
		}
		if len(of) == 0 {
			return release.Artifact{}, fmt.Errorf("%w: %s %s has no format %q for %s; it has %s", ErrUnknown, doc.Product, doc.Version, request.Format, request.Platform, formats(fitting))
		}
		fitting = of
	} else if len(fitting) > 1 {
		if some := slices.DeleteFunc(slices.Clone(fitting), func(a release.Artifact) bool { return !installable(a) }); len(some) > 0 {
			fitting = some
		}
	}
	if len(fitting) > 1 {
		return release.Artifact{}, fmt.Errorf("%w: %s %s has several artifacts for %s; say which by --format, or by its target path: %s", ErrAmbiguous, doc.Product, doc.Version, request.Platform, formats(fitting))
	}
	return fitting[0], nil
}

func formats(artifacts []release.Artifact) string {
	var list []string
	for _, a := range artifacts {
		list = append(list, fmt.Sprintf("%s (%s)", a.Format, a.Name()))
	}
	return strings.Join(list, ", ")
}

// installable reports whether the artifact is itself the executable, or an
// archive of a kind that is commonly unpacked and names executables in it. Where
// a platform has such an artifact, installers made for one system are not meant.
func installable(a release.Artifact) bool {
	switch a.Format {
	case "zip", "tar", "tar.gz", "tgz", "tar.xz", "tar.zst", "tar.bz2", "gz", "xz", "zst", "bz2", "raw", "":
		return len(a.Executables) > 0
	}
	return false
}

// selection joins a chosen artifact with the target that promises its bytes.
// Every way to an artifact of a release leads through here, and so past the map.
func (s *shelf) selection(ctx context.Context, m *manifest, ch choice, chosen release.Artifact, platform artifact.Platform) (Selection, error) {
	manifest, err := s.approve(ctx, m.target)
	if err != nil {
		return Selection{}, err
	}
	target, err := s.artifact(ctx, m, chosen)
	if err != nil {
		return Selection{}, err
	}
	agreed, err := s.approve(ctx, target)
	if err != nil {
		return Selection{}, err
	}
	if err := s.notRevoked(ctx, target, ch.channel, target.Digests()); err != nil {
		return Selection{}, err
	}
	evidence := s.view.Evidence()
	evidence.Add(statusCheck(ch))
	evidence.Add(m.check())
	evidence.Add(promiseCheck(target))
	outlived := ""
	if ch.channel != "" {
		if outlived, err = s.aged(ctx, m.Product, ch.channel, evidence); err != nil {
			return Selection{}, err
		}
	}
	if outlived != "" {
		ch.warnings = append(ch.warnings, outlived)
	}
	for _, agreement := range []trust.Agreement{manifest, agreed} {
		if err := agreement.AddTo(ctx, s.panel(), evidence); err != nil {
			return Selection{}, err
		}
		ch.warnings = append(ch.warnings, contradicted(agreement)...)
	}
	return Selection{
		Repository: s.view.Repository(), Product: m.Product, Version: m.Version, Channel: ch.channel,
		Status: ch.entry.Status, Platform: platform, Why: ch.why, Passed: ch.passed, Warnings: ch.warnings,
		Release: m.Release, Artifact: chosen, Manifest: manifest.Target, Target: agreed.Target, Agreed: agreed.Repositories, Evidence: evidence,
		item: s.itemOf(agreed.Target, m, chosen, ch), outlived: outlived,
	}, nil
}

// statusCheck tells what the channels say of a release that none has revoked.
func statusCheck(ch choice) trust.Check {
	found := "in no channel"
	if ch.channel != "" {
		found = fmt.Sprintf("%s in %s", ch.entry.Status, ch.channel)
	}
	return trust.Check{ID: trust.CheckStatus, Result: trust.Pass, Expected: "not revoked in any channel", Found: found}
}

func promiseCheck(target trust.Target) trust.Check {
	found := "listed by the role " + target.Role()
	if by := target.Manifest(); by != "" {
		found = fmt.Sprintf("listed in %s, by the role %s", by, target.Role())
	}
	return trust.Check{ID: trust.CheckPromise, Result: trust.Pass, Expected: target.Path(), Found: found}
}

// selectDigest looks for the artifact that has the digest, newest release
// first, in every channel. Manifests that are not held are passed over offline.
func (s *shelf) selectDigest(ctx context.Context, chooser *chooser, request Request) (Selection, error) {
	want := request.Ref.Selector.Digest
	tried := map[string]bool{}
	var unread error
	for _, index := range chooser.indexes {
		for _, entry := range newestFirst(index) {
			if tried[entry.Manifest] {
				continue
			}
			tried[entry.Manifest] = true
			m, err := s.manifest(ctx, entry.Manifest)
			if errors.Is(err, ErrOffline) {
				unread = err
				continue
			}
			if err != nil {
				return Selection{}, err
			}
			i := slices.IndexFunc(m.Artifacts, func(a release.Artifact) bool {
				d, ok := a.Digests.Of(want.Algorithm())
				return ok && d == want
			})
			if i < 0 {
				continue
			}
			if err := chooser.refuseRevoked(m.Version); err != nil {
				return Selection{}, err
			}
			ch := choice{entry: entry, channel: index.Channel, why: "named by its digest", unasked: true, least: chooser.leastStatus(m.Version)}
			if entry.Status == release.StatusDeprecated {
				ch.warnings = []string{deprecation(chooser.product, entry)}
			}
			return s.selection(ctx, m, ch, m.Artifacts[i], m.Artifacts[i].Platform())
		}
	}
	if unread != nil {
		return Selection{}, fmt.Errorf("no held release of %s has an artifact %s, and not all are held: %w", chooser.product, want, unread)
	}
	return Selection{}, fmt.Errorf("%w: no release of %s has an artifact %s", ErrUnknown, chooser.product, want)
}
