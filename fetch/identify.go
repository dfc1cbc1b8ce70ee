package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"assay/artifact"
	"assay/artifact/release"
	"assay/fetch/wire"
	"assay/trust"
	"assay/trust/proof"
)

// Identified is a file that a repository promises.
type Identified struct {
	Target   trust.Target
	Product  string // empty: not by the release layout
	Version  string
	Status   release.Status
	Channel  string
	Warnings []string
	Agreed   []string // the repositories that promise the target alike; empty: none need agree
	Evidence *trust.Evidence
	Receipt  *proof.Receipt // nil: the Client has no Prover

	item     proof.Item
	approver bool // the repository only approves of what another one publishes
}

// fingerprint is what is known of a file's bytes.
type fingerprint struct {
	name    string
	length  int64
	digests artifact.Digests
}

// Identify finds out which target of which repository a file of this machine
// is. All repositories are asked. The errors: ErrRevoked where one of them has
// revoked the release; that of the first one that could not be asked, where none
// of the others promises the file; trust.AgreementError where repositories that
// must agree on it do not; trust.MismatchError where one promises other
// bytes under the file's name; ErrUnknown where none knows it; ErrInput where it
// is no file.
func (c *Client) Identify(ctx context.Context, path string) (Identified, error) {
	file, err := c.fingerprint(ctx, path)
	if err != nil {
		return Identified{}, err
	}
	var found *Identified
	var all []*Identified
	var unasked, refused, namesake error
	var warnings []string
	for _, name := range c.Names() {
		here, err := c.identifyIn(ctx, name, file)
		var mismatch *trust.MismatchError
		var refusal *trust.AgreementError
		switch {
		case errors.Is(err, ErrRevoked) || context.Cause(ctx) != nil:
			return Identified{}, err
		case err == nil:
			all = append(all, here...)
			if found == nil || found.approver && !here[0].approver {
				found = here[0]
			}
		case errors.As(err, &refusal):
			refused = cmp.Or(refused, err)
		case errors.As(err, &mismatch):
			namesake = errors.Join(namesake, err)
		case err != nil && !errors.Is(err, trust.ErrNoTarget):
			err = fmt.Errorf("whether %s promises %s could not be found out: %w", name, path, err)
			warnings = append(warnings, err.Error())
			if unasked == nil {
				unasked = err
			}
		}
	}
	switch {
	case found != nil:
		found.Warnings = append(found.Warnings, warnings...)
		if err := c.proveFile(ctx, found, file); err != nil {
			return *found, err
		}
		return *found, c.otherPromises(ctx, found, all, file)
	case unasked != nil:
		return Identified{}, unasked
	case refused != nil:
		return Identified{}, refused
	case namesake != nil:
		return Identified{}, namesake
	}
	return Identified{}, fmt.Errorf("%w: %s (%s): no known repository promises these bytes; asked: %s", ErrUnknown, path, file.digests.Primary(), quoteAll(c.Names()))
}

// otherPromises judges the file by the other repositories that promise its bytes
// as their own. It was taken for one of them, for want of knowing where it came
// from; that another would not hand it out is told.
func (c *Client) otherPromises(ctx context.Context, found *Identified, all []*Identified, file fingerprint) error {
	for _, other := range all {
		if other == found || other.approver {
			continue
		}
		selection := Selection{Target: other.Target, Agreed: other.Agreed, Evidence: other.Evidence, item: other.item}
		_, err := c.prove(ctx, &selection, papers{known: file.digests})
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		if err != nil {
			found.Warnings = append(found.Warnings, fmt.Sprintf("%s promises these bytes, too, as %s, and would not hand them out: %v", other.Target.Repository(), other.Target.Path(), err))
		}
	}
	return nil
}

// identifyIn asks one repository; trust.ErrNoTarget says that it promises no
// such bytes.
//
// A repository may promise them under several paths. The first of the result is
// one that a channel lists, if there is one.
func (c *Client) identifyIn(ctx context.Context, name string, file fingerprint) ([]*Identified, error) {
	shelf, err := c.shelf(ctx, name, true)
	if err != nil {
		return nil, err
	}
	targets, err := shelf.promising(ctx, file)
	if err != nil {
		return nil, err
	}
	var list []*Identified
	var refused error
	for _, target := range targets {
		found, err := shelf.identified(ctx, target, file)
		switch {
		case errors.Is(err, ErrRevoked) || context.Cause(ctx) != nil:
			return nil, err
		case err != nil:
			refused = cmp.Or(refused, err)
		case found.Channel != "":
			list = slices.Insert(list, 0, &found)
		default:
			list = append(list, &found)
		}
	}
	if len(list) == 0 {
		return nil, refused
	}
	return list, nil
}

func (c *Client) fingerprint(ctx context.Context, path string) (fingerprint, error) {
	file, length, err := wire.OpenRegular(path)
	if errors.Is(err, fs.ErrPermission) {
		return fingerprint{}, err
	}
	if err != nil {
		return fingerprint{}, fmt.Errorf("%w: %w", ErrInput, err)
	}
	defer file.Close()
	meter := c.progress.Start(filepath.Base(path), length)
	both := newDigester()
	err = copyBytes(ctx, both, file, meter)
	meter.Done(err)
	if err != nil {
		return fingerprint{}, fmt.Errorf("%s: %w", path, err)
	}
	return fingerprint{name: filepath.Base(path), length: both.length, digests: both.digests()}, nil
}

func (f fingerprint) is(target trust.Target) bool {
	return target.Length() == f.length && target.Digests().Agree(f.digests)
}

// promising finds the targets that promise a file's bytes: those that the cache
// remembers the bytes for, else all. Where none does but one has the file's name,
// the error is a MismatchError.
func (s *shelf) promising(ctx context.Context, file fingerprint) ([]trust.Target, error) {
	targets, err := s.remembered(ctx, file)
	if err != nil || len(targets) > 0 {
		return targets, err
	}
	if err := s.view.Stale(); err != nil {
		return nil, err
	}
	var namesake trust.Target
	for target, err := range s.view.Targets(ctx) {
		if err != nil {
			return nil, err
		}
		if file.is(target) && len(targets) < maxPromises {
			targets = append(targets, target)
		}
		if target.Name() == file.name {
			namesake = target
		}
	}
	if len(targets) > 0 {
		return targets, nil
	}
	target, err := s.listedElsewhere(ctx, file)
	if err == nil || !errors.Is(err, trust.ErrNoTarget) || namesake.IsZero() {
		return []trust.Target{target}, err
	}
	return nil, &trust.MismatchError{
		What:     fmt.Sprintf("%s, that %s promises as %s", file.name, s.view.Repository(), namesake.Path()),
		Expected: fmt.Sprintf("%d bytes, %s", namesake.Length(), namesake.Digests().Primary()),
		Found:    fmt.Sprintf("%d bytes, %s", file.length, file.digests.Primary()),
	}
}

// maxPromises is how many paths of the same bytes are judged.
const maxPromises = 16

// remembered looks the file's digests up in the cache's index. What the index
// says is only a hint: the metadata must promise it today.
func (s *shelf) remembered(ctx context.Context, file fingerprint) ([]trust.Target, error) {
	entries, err := s.client.cache.List(ctx)
	if err != nil {
		return nil, err
	}
	var targets []trust.Target
	for _, entry := range entries {
		if !slices.Contains(file.digests, entry.Digest) {
			continue
		}
		for _, name := range entry.Names {
			if name.Repository != s.view.Repository() || len(targets) == maxPromises {
				continue
			}
			target, err := s.target(ctx, name.Target)
			if errors.Is(err, trust.ErrNoTarget) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if file.is(target) && !slices.ContainsFunc(targets, func(t trust.Target) bool { return t.Path() == target.Path() }) {
				targets = append(targets, target)
			}
		}
	}
	return targets, nil
}

// listedElsewhere looks through the manifests for an artifact that lies outside
// the repository and so is no target of its own.
func (s *shelf) listedElsewhere(ctx context.Context, file fingerprint) (trust.Target, error) {
	catalog, err := s.catalog(ctx)
	if err != nil {
		return trust.Target{}, err
	}
	if catalog == nil {
		return trust.Target{}, fmt.Errorf("%s: %w", file.name, trust.ErrNoTarget)
	}
	tried := map[string]bool{}
	for _, product := range catalog.Products {
		indexes, err := s.channels(ctx, product)
		if err != nil {
			return trust.Target{}, err
		}
		for _, index := range indexes {
			for _, entry := range index.Releases {
				if tried[entry.Manifest] {
					continue
				}
				tried[entry.Manifest] = true
				target, err := s.listedIn(ctx, entry.Manifest, file)
				if err == nil || !errors.Is(err, trust.ErrNoTarget) {
					return target, err
				}
			}
		}
	}
	return trust.Target{}, fmt.Errorf("%s: %w", file.name, trust.ErrNoTarget)
}

func (s *shelf) listedIn(ctx context.Context, path string, file fingerprint) (trust.Target, error) {
	m, err := s.manifest(ctx, path)
	if err != nil {
		return trust.Target{}, err
	}
	for i, a := range m.Artifacts {
		if a.Length == file.length && a.Digests.Agree(file.digests) {
			return s.listed(ctx, m, i)
		}
	}
	return trust.Target{}, fmt.Errorf("%s: %w", file.name, trust.ErrNoTarget)
}

// identified adds what the channels say of the release that a target is of.
func (s *shelf) identified(ctx context.Context, target trust.Target, file fingerprint) (Identified, error) {
	agreed, err := s.approve(ctx, target)
	if err != nil {
		return Identified{}, err
	}
	found := Identified{
		Target: agreed.Target, Agreed: agreed.Repositories, Warnings: contradicted(agreed), Evidence: s.view.Evidence(),
		approver: len(agreed.Repositories) > 0 && agreed.Mapping.Repositories[0] != s.view.Repository(),
	}
	found.Evidence.Add(promiseCheck(target))
	if err := agreed.AddTo(ctx, s.panel(), found.Evidence); err != nil {
		return Identified{}, err
	}
	entry, channel, err := s.standing(ctx, target.Path())
	if err == nil {
		err = s.notRevoked(ctx, target, channel, file.digests)
	}
	if err != nil {
		return found, err
	}
	if found.item, err = s.itemAt(ctx, target, entry, channel, found.Evidence); err != nil || channel == "" {
		return found, err
	}
	found.Product, _, _ = strings.Cut(target.Path(), "/")
	found.Version, found.Status, found.Channel = entry.Version.String(), entry.Status, channel
	found.Evidence.Add(trust.Check{ID: trust.CheckStatus, Result: trust.Pass, Expected: "not revoked in any channel", Found: fmt.Sprintf("%s in %s", entry.Status, channel)})
	if entry.Status == release.StatusDeprecated {
		found.Warnings = append(found.Warnings, deprecation(found.Product, entry))
	}
	outlived, err := s.aged(ctx, found.Product, channel, found.Evidence)
	if outlived != "" {
		found.Warnings = append(found.Warnings, outlived)
	}
	return found, err
}

// proveFile has the file's release proven as if it were fetched now.
func (c *Client) proveFile(ctx context.Context, found *Identified, file fingerprint) error {
	selection := Selection{Target: found.Target, Agreed: found.Agreed, Evidence: found.Evidence, item: found.item}
	proven, err := c.prove(ctx, &selection, papers{known: file.digests})
	found.Warnings = append(found.Warnings, selection.Warnings...)
	if err != nil {
		return c.refused(ctx, err)
	}
	addProof(found.Evidence, found.Target)
	found.Receipt, err = c.record(ctx, proven)
	return err
}
