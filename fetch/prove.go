package fetch

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"assay/artifact"
	"assay/artifact/release"
	"assay/cache"
	"assay/trust"
	"assay/trust/proof"
)

// papers are what lies beside an artifact, as package proof reads it.
type papers struct {
	shelf  *shelf
	target trust.Target
	// known are the artifact's digests where its bytes were hashed already.
	known artifact.Digests
	fetch bool            // its bytes may be fetched to be hashed
	alone map[string]bool // paths that not all who must agree promise
}

// Agreed implements proof.Documents.
func (p papers) Agreed(path string) bool { return !p.alone[path] }

// Promise also asks those that must agree on the path. They need not list what
// lies beside an artifact; but what they promise otherwise is refused.
func (p papers) Promise(ctx context.Context, path string) (trust.Target, error) {
	target, err := p.shelf.target(ctx, path)
	if err != nil {
		return target, err
	}
	_, err = p.shelf.approve(ctx, target)
	if errors.Is(err, trust.ErrNotApproved) {
		p.alone[path] = true
		return target, nil
	}
	return target, err
}

func (p papers) Read(ctx context.Context, target trust.Target, limit int64) ([]byte, error) {
	return p.shelf.read(ctx, target, limit)
}

func (p papers) Hash(ctx context.Context, algorithm artifact.Algorithm) (artifact.Digest, error) {
	if digest, ok := p.known.Of(algorithm); ok {
		return digest, nil
	}
	fetched, err := p.shelf.client.held(ctx, p.target, nil)
	if errors.Is(err, cache.ErrMissing) {
		if !p.fetch {
			return artifact.Digest{}, fmt.Errorf("%s: %w", p.target.Path(), trust.ErrNotHeld)
		}
		fetched, err = p.shelf.client.Fetch(ctx, p.target)
	}
	if err != nil {
		return artifact.Digest{}, err
	}
	reader, err := fetched.Blob.Open()
	if err != nil {
		return artifact.Digest{}, err
	}
	defer reader.Close()
	hash := algorithm.New()
	if err := copyBytes(ctx, hash, reader, nil); err != nil {
		return artifact.Digest{}, err
	}
	return artifact.SumOf(algorithm, hash), nil
}

// productOf is the product in whose folder a target lies, and the version if the
// path tells one; empty for what can be in no product's folder.
func productOf(path string) (product string, version artifact.Version) {
	product, version, _ = releaseOf(path)
	if !strings.Contains(path, "/") || artifact.ValidProduct(product) != nil {
		return "", artifact.Version{}
	}
	return product, version
}

// papersOf joins a target of a release with its manifest, for package proof. m
// is nil for a target that no manifest lists. What lies in a product's folder is
// the product's, whether or not any channel or manifest lists it: a policy for
// the product is for all of its files.
func (s *shelf) papersOf(target trust.Target, m *manifest, listed release.Artifact, entry release.ChannelEntry, channel string) proof.Item {
	item := proof.Item{Target: target, Channel: channel, Status: entry.Status, Documents: papers{shelf: s, target: target, alone: map[string]bool{}}}
	item.Product, item.Version = productOf(target.Path())
	if m != nil {
		item.Release, item.Artifact, item.Manifest = m.Release, listed, m.target.Digests()
		item.Product, item.Version, item.Platform = m.Product, m.Version, listed.Platform()
	}
	return item
}

// check tells which manifest lists an artifact, and by whose word.
func (m *manifest) check() trust.Check {
	return trust.Check{
		ID: trust.CheckManifest, Result: trust.Pass, Expected: "product, version, length and digests as in " + m.target.Path(),
		Found: "promised by the role " + m.target.Role(),
	}
}

// itemOf is papersOf for an artifact that was chosen.
func (s *shelf) itemOf(target trust.Target, m *manifest, listed release.Artifact, ch choice) proof.Item {
	item := s.papersOf(target, m, listed, ch.entry, ch.channel)
	item.Asked = ch.channel
	if ch.unasked {
		item.Asked, item.Status = "", ch.least
	}
	return item
}

// itemAt is papersOf for a target that was named by its path, or found by its
// bytes: its manifest is looked for. It was asked for by no channel; its status is
// the least that a channel gives it.
func (s *shelf) itemAt(ctx context.Context, target trust.Target, entry release.ChannelEntry, channel string, evidence *trust.Evidence) (proof.Item, error) {
	if channel == "" {
		return s.papersOf(target, nil, release.Artifact{}, entry, channel), nil
	}
	m, err := s.manifest(ctx, entry.Manifest)
	if err != nil {
		return proof.Item{}, err
	}
	says, err := s.says(ctx, m.Product)
	if err != nil {
		return proof.Item{}, err
	}
	item := s.papersOf(target, nil, release.Artifact{}, entry, channel)
	item.Paper = target.Path() == entry.Manifest
	for _, named := range m.Targets() {
		// By its name, too: a manifest may call a program its bill of materials.
		text := strings.HasSuffix(named.Path, ".json") || strings.HasSuffix(named.Path, ".txt")
		item.Paper = item.Paper || named.Path == target.Path() && text
	}
	for _, listed := range m.Artifacts {
		promised, err := s.artifact(ctx, m, listed)
		if err != nil {
			return proof.Item{}, err
		}
		if promised.Path() == target.Path() {
			item = s.papersOf(target, m, listed, entry, channel)
			evidence.Add(m.check())
			break
		}
	}
	item.Status = says.leastStatus(m.Version)
	return item, nil
}

// aged tells how the artifact's channel stands, and why it has outlived its time
// if it has. A channel that is too old chooses nothing; but what is named exactly
// is still found.
func (s *shelf) aged(ctx context.Context, product, channel string, evidence *trust.Evidence) (outlived string, err error) {
	says, err := s.says(ctx, product)
	if err != nil {
		return "", err
	}
	index, err := says.index(channel)
	if err != nil {
		return "", err
	}
	check, outlived := ageOf(index, s.client.now())
	evidence.Add(check)
	by := fmt.Sprintf("the channel %s of %s", channel, product)
	if index.MaxAge > 0 {
		evidence.Until(index.Updated.Add(time.Duration(index.MaxAge)), by)
	}
	if !index.EndOfLife.IsZero() {
		evidence.Until(index.EndOfLife, "the end of life of "+strings.TrimPrefix(by, "the "))
	}
	return outlived, nil
}

// ageOf compares a channel with the bounds that its publisher gave it. outlived
// is empty as long as it keeps to them.
func ageOf(index *release.Channel, now time.Time) (check trust.Check, outlived string) {
	check = trust.Check{
		ID: trust.CheckChannelAge, Of: release.ChannelPath(index.Product, index.Channel), Result: trust.Pass,
		Found: "updated " + index.Updated.UTC().Format(time.RFC3339),
	}
	if index.MaxAge == 0 && index.EndOfLife.IsZero() {
		check.Result, check.Why = trust.NotChecked, "the publisher gives neither a greatest age nor an end of life"
	}
	if index.MaxAge > 0 {
		until := index.Updated.Add(time.Duration(index.MaxAge))
		check.Expected = "younger than " + index.MaxAge.String() + ", until " + until.UTC().Format(time.RFC3339)
		if !now.Before(until) {
			outlived = fmt.Sprintf("the channel %s of %s was not updated since %s: it is too old to choose from", index.Channel, index.Product, index.Updated.UTC().Format(time.DateOnly))
		}
	}
	if !index.EndOfLife.IsZero() {
		check.Found += ", end of life " + index.EndOfLife.UTC().Format(time.RFC3339)
		if !now.Before(index.EndOfLife) {
			outlived = fmt.Sprintf("the channel %s of %s has reached its end of life at %s", index.Channel, index.Product, index.EndOfLife.UTC().Format(time.DateOnly))
		}
	}
	if outlived != "" {
		check.Result, check.Why = trust.NotChecked, outlived
	}
	return check, outlived
}

// Judge proves what was selected, as far as that goes without its bytes, and
// remembers nothing: for a look at what would be. The selection's evidence and
// warnings are added to. A proof.Refusal says why it would not be handed out.
func (c *Client) Judge(ctx context.Context, selection *Selection) error {
	_, err := c.prove(ctx, selection, papers{})
	return err
}

// prove has the selected artifact proven; nil where no prover was given.
func (c *Client) prove(ctx context.Context, selection *Selection, with papers) (*proof.Proof, error) {
	if c.prover == nil {
		selection.Evidence.Add(trust.Check{ID: trust.CheckSignature, Result: trust.NotChecked, Why: "nothing besides the repository's own signatures was looked at"})
		return nil, nil
	}
	item := selection.item
	beside, ok := item.Documents.(papers)
	if !ok {
		return nil, errors.New("fetch: a selection that Resolve, SelectTarget or Identify did not make")
	}
	beside.known, beside.fetch = with.known, with.fetch
	if with.fetch {
		// It is in the cache, or will be: the index there tells what it is made of.
		digest, known := selection.Target.Digests().Primary(), false
		if c.cache.Holds(digest) {
			var err error
			if known, err = c.cache.Described(ctx, digest); err != nil {
				return nil, err
			}
		}
		item.Parts = !known
	}
	item.Documents, item.Target, item.Agreed, item.Evidence = beside, selection.Target, selection.Agreed, selection.Evidence
	found, err := c.prover.Prove(ctx, item)
	if err != nil {
		return nil, err
	}
	selection.Warnings = append(selection.Warnings, found.Warnings...)
	return found, nil
}

// refused remembers a refusal, so that it can be explained afterwards. That it
// can't be remembered is no reason to hide it.
func (c *Client) refused(ctx context.Context, err error) error {
	var refusal *proof.Refusal
	if !errors.As(err, &refusal) {
		return err
	}
	if failed := c.prover.RecordRefusal(context.WithoutCancel(ctx), refusal); failed != nil {
		c.warn(fmt.Sprintf("the refusal can't be remembered: %v", failed))
	}
	return err
}

// record remembers a proof, and tells the cache's index what the artifact is
// made of.
func (c *Client) record(ctx context.Context, found *proof.Proof) (*proof.Receipt, error) {
	if found == nil {
		return nil, nil
	}
	receipt, err := c.prover.Record(ctx, found)
	if err != nil {
		return nil, err
	}
	return receipt, c.describe(ctx, found, receipt)
}

// maxDescribed is how many components of one artifact the cache's index takes.
// The bills of whole operating systems have some thousands; one of 100,000 costs
// minutes.
const maxDescribed = 20_000

// describe enters the facts of a proven artifact into the cache's index. Facts
// that are there already are of the same bytes, and stay, unless the proof has
// read the components anew. Where it has not read them all there are none, rather
// than some that hide the lack.
func (c *Client) describe(ctx context.Context, found *proof.Proof, receipt *proof.Receipt) error {
	digest := receipt.Digests.Primary()
	if found.Partial {
		return nil
	}
	if n := len(found.Subject.Components); n > maxDescribed {
		c.warn(fmt.Sprintf("%s has %d components: only the first %d are indexed, and found by a search", receipt.Target, n, maxDescribed))
	}
	facts := cache.Facts{
		Digest: digest, Repository: receipt.Repository, Target: receipt.Target, Product: receipt.Product,
		Version: receipt.Version, Platform: receipt.Platform.String(), License: found.Subject.License,
	}
	for _, build := range receipt.Evidence.Builds {
		// The first that a certificate bears out; others have only said so.
		if facts.Builder == "" && receipt.Evidence.Passed(trust.CheckProvenance, build.Of) {
			facts.Builder, facts.Source, facts.Revision = build.Builder, build.Source, build.Revision
		}
	}
	if release := found.Release(); release != nil && facts.Revision == "" {
		facts.Source, facts.Revision = release.Source.Repository, release.Source.Revision
	}
	for _, signature := range receipt.Evidence.Signatures {
		facts.Signers = append(facts.Signers, signature.Signer)
	}
	for _, part := range found.Subject.Components[:min(maxDescribed, len(found.Subject.Components))] {
		facts.Components = append(facts.Components, cache.Component{Name: part.Name, Version: part.Version, PURL: part.PURL, License: part.License})
	}
	describe := c.cache.Describe
	if found.Whole() { // as there were no facts
		describe = c.cache.DescribeAnew
	}
	err := describe(ctx, facts)
	if errors.Is(err, cache.ErrMissing) {
		return nil // a file that is held elsewhere: the index is of the cache
	}
	return err
}

// ReadDocument reads a target of a repository whole, at most limit bytes: a
// trusted root, or advisories, that the configuration names. A trusted_root.json
// counts only from the top-level targets role. Metadata must be fresh, but
// offline; note tells since when it was not checked then, and is empty else.
func (c *Client) ReadDocument(ctx context.Context, repository, path string, limit int64) (data []byte, note string, err error) {
	shelf, err := c.shelf(ctx, repository, c.offline)
	if err != nil {
		return nil, "", err
	}
	lookup := shelf.target
	if path == release.TrustedRootPath {
		lookup = func(_ context.Context, path string) (trust.Target, error) {
			if c.offline {
				return shelf.view.HeldTopLevelTarget(path)
			}
			return shelf.view.TopLevelTarget(path)
		}
	}
	target, err := lookup(ctx, path)
	if err != nil {
		return nil, "", err
	}
	if shelf.view.Freshness() != trust.Fresh {
		note = "freshness not checked since " + shelf.view.Checked().UTC().Format(time.RFC3339)
	}
	data, err = shelf.read(ctx, target, limit)
	return data, note, err
}
