package fetch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"assay/artifact/release"
	"assay/trust"
)

// Where Config.Map says that several repositories must agree, one counts for
// which releases there are: the first of a mapping, with its catalog and its
// channels. The others are asked about two paths of a release, the manifest and
// the artifact, and need neither catalog nor channels nor the bytes.

// panel is whom the map asks: the client's own views, each refreshed once.
func (s *shelf) panel() trust.Panel {
	return trust.Panel{View: s.client.View, Held: s.exact}
}

// approve asks whether enough repositories promise the same as the target. What
// the first of those that decide has revoked is ErrRevoked, whether or not they
// agree: every way to an artifact leads through here, so none leads past that.
// Where the map does not cover the target, the mapping of its manifest counts.
func (s *shelf) approve(ctx context.Context, target trust.Target) (trust.Agreement, error) {
	agreement, refusal := s.client.approvals.Approve(ctx, s.panel(), target)
	deciding, err := s.deciding(ctx, target, agreement, refusal)
	if err != nil {
		return trust.Agreement{}, err
	}
	for _, mapping := range deciding {
		if err := s.standingAtFirst(ctx, mapping, target.Path()); err != nil {
			return trust.Agreement{}, err
		}
	}
	return agreement, refusal
}

// deciding lists the mappings whose first repositories are heard on a target, as
// they agree on it or were the last to refuse it. An error that is no verdict of
// theirs is handed on.
func (s *shelf) deciding(ctx context.Context, target trust.Target, agreement trust.Agreement, err error) ([]trust.Mapping, error) {
	var refusal *trust.AgreementError
	if errors.As(err, &refusal) && !errors.Is(err, trust.ErrOutside) {
		return []trust.Mapping{refusal.Mapping}, nil
	}
	if err != nil {
		return nil, err
	}
	switch len(s.client.approvals.Lookup(target.Path())) {
	case 0:
		return []trust.Mapping{s.mappingOfRelease(target.Path())}, nil
	case 1:
		return []trust.Mapping{agreement.Mapping}, nil
	}
	// An earlier one, that leaves this repository out, may agree on the same.
	earliest, err := s.client.approvals.Agree(ctx, s.panel(), target.Path())
	if err != nil && !errors.As(err, &refusal) {
		return nil, err
	}
	return []trust.Mapping{earliest.Mapping, agreement.Mapping}, nil
}

// mappingOfRelease is the one that the manifest's agreement begins with, for an
// artifact that the map does not cover itself; zero: none.
func (s *shelf) mappingOfRelease(path string) trust.Mapping {
	product, version, ok := releaseOf(path)
	if !ok {
		return trust.Mapping{}
	}
	for _, mapping := range s.client.approvals.Lookup(release.ManifestPath(product, version)) {
		if slices.Contains(mapping.Repositories, s.view.Repository()) {
			return mapping
		}
	}
	return trust.Mapping{}
}

// approver tells whether repositories must be asked about a release before it
// may be chosen: the error is trust.ErrNotApproved or a revocation where it is
// to be passed over, and any other one ends the choice. With a request the artifact that it
// means is asked about, too. It is nil where the map has nothing on the product.
func (s *shelf) approver(ctx context.Context, product string, request *Request) func(release.ChannelEntry) error {
	if len(s.client.approvals.Folder(product)) == 0 {
		return nil
	}
	return func(entry release.ChannelEntry) error {
		target, err := s.target(ctx, entry.Manifest)
		if errors.Is(err, trust.ErrNoTarget) {
			return nil // told when it is read
		}
		if err != nil {
			return err
		}
		if _, err := s.approve(ctx, target); err != nil || request == nil {
			return err
		}
		m, err := s.manifest(ctx, entry.Manifest)
		if err != nil {
			return err
		}
		chosen, err := pick(m.Release, *request)
		if err != nil {
			return nil // told when it is chosen
		}
		if target, err = s.artifact(ctx, m, chosen); err != nil {
			return err
		}
		_, err = s.approve(ctx, target)
		return err
	}
}

// artifact is the target of an artifact that the manifest lists.
func (s *shelf) artifact(ctx context.Context, m *manifest, chosen release.Artifact) (trust.Target, error) {
	i := slices.IndexFunc(m.Artifacts, func(a release.Artifact) bool {
		// One file, or one URL, may be listed more than once.
		return a.Target == chosen.Target && slices.Equal(a.URLs, chosen.URLs) && a.Length == chosen.Length && slices.Equal(a.Digests, chosen.Digests)
	})
	return s.listed(ctx, m, i)
}

// contradicted warns of repositories that promise other bytes, although enough
// agree without them.
func contradicted(agreement trust.Agreement) []string {
	var warnings []string
	for _, answer := range agreement.Dissent() {
		warnings = append(warnings, fmt.Sprintf("%s promises something else as %s than %s, which agree: %s", answer.Repository,
			agreement.Target.Path(), strings.Join(agreement.Repositories, ", "), answer))
	}
	return warnings
}

// notYet is why a release is passed over, in few words.
func notYet(err error) string {
	var refusal *trust.AgreementError
	if !errors.As(err, &refusal) {
		return err.Error()
	}
	return fmt.Sprintf("not approved yet: %s must promise %s, not listed by %s", refusal.Mapping, refusal.Path, strings.Join(refusal.Lacking(), ", "))
}

// hit is a repository whose catalog has a product.
type hit struct {
	shelf   *shelf
	product release.Product
}

func (h hit) repository() string { return h.shelf.view.Repository() }

// rivals leaves out of the repositories that have a product those that only
// approve of it: another of them is first in a mapping that has to do with the
// product and lists both, and they themselves are first in none. Nobody guesses
// here, as it is the configuration that says whose catalog counts. A repository
// that no such mapping lists stays a rival, though the map may forbid it to
// promise anything: which one was meant is for the user to say.
func (c *Client) rivals(product string, hits []hit) []hit {
	mappings := c.approvals.Folder(product)
	isFirst := func(name string) bool {
		return slices.ContainsFunc(mappings, func(m trust.Mapping) bool { return m.Repositories[0] == name })
	}
	behind := func(name string) bool {
		return slices.ContainsFunc(mappings, func(m trust.Mapping) bool {
			return slices.Contains(m.Repositories, name) &&
				slices.ContainsFunc(hits, func(h hit) bool { return h.repository() == m.Repositories[0] })
		})
	}
	return slices.DeleteFunc(slices.Clone(hits), func(h hit) bool { return !isFirst(h.repository()) && behind(h.repository()) })
}
