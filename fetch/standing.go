package fetch

import (
	"context"
	"fmt"
	"strings"
	"time"

	"assay/artifact"
	"assay/artifact/release"
	"assay/trust"
)

// revocation says who has revoked a release, and why. It is ErrRevoked.
type revocation struct {
	product    string
	repository string // empty: the one that was asked
	channel    string
	entry      release.ChannelEntry
}

// where is the channel, with its repository where that is another one.
func (r *revocation) where() string {
	if r.repository == "" {
		return r.channel
	}
	return r.channel + " of " + r.repository
}

func (r *revocation) Error() string {
	text := fmt.Sprintf("%v: %s %s, in the channel %s since %s", ErrRevoked, r.product, r.entry.Version, r.where(), r.entry.Since.Format(time.DateOnly))
	if r.entry.Reason != "" {
		text += ": " + r.entry.Reason
	}
	if r.entry.Advisory != "" {
		text += " (" + r.entry.Advisory + ")"
	}
	return text
}

func (r *revocation) Unwrap() error { return ErrRevoked }

// releaseOf is the product and version that a target path belongs to; false
// where it is not of the release layout.
func releaseOf(path string) (product string, version artifact.Version, ok bool) {
	product, rest, _ := strings.Cut(path, "/")
	text, _, _ := strings.Cut(rest, "/")
	version, err := artifact.ParseVersion(text)
	return product, version, err == nil
}

// standing is what the channels say of the release that a target path belongs
// to. channel is empty where no channel lists it, or the path is not of the
// release layout. A revoked release is ErrRevoked.
func (s *shelf) standing(ctx context.Context, path string) (entry release.ChannelEntry, channel string, err error) {
	product, version, ok := releaseOf(path)
	if !ok {
		return entry, "", nil
	}
	says, err := s.says(ctx, product)
	if err != nil {
		return entry, "", err
	}
	if err := says.refuseRevoked(version); err != nil {
		return entry, "", err
	}
	for _, index := range says.indexes {
		if found, ok := index.Lookup(version); ok {
			return found, index.Channel, nil
		}
	}
	return entry, "", nil
}

// revokedElsewhere refuses bytes that were judged here as an artifact of another
// path in this repository, whose release is revoked by now: another name makes
// them no better. digests are all that are known of the bytes.
func (s *shelf) revokedElsewhere(ctx context.Context, target trust.Target, digests artifact.Digests) error {
	if s.client.prover == nil {
		return nil
	}
	for _, digest := range digests {
		names, err := s.client.prover.ReceiptsOf(ctx, digest)
		if err != nil {
			return err
		}
		for _, name := range names {
			if name.Repository != s.view.Repository() || name.Target == target.Path() {
				continue
			}
			if _, _, err := s.standing(ctx, name.Target); err != nil {
				return fmt.Errorf("%s has the bytes of %s: %w", target.Path(), name.Target, err)
			}
		}
	}
	return nil
}

// notRevoked refuses bytes that are revoked under any name that is known of them, or
// were found revoked under this one before and are in no channel any more.
func (s *shelf) notRevoked(ctx context.Context, target trust.Target, channel string, digests artifact.Digests) error {
	if err := s.revokedElsewhere(ctx, target, digests); err != nil || channel != "" {
		return err
	}
	if err := s.client.revokedOnce(ctx, s.view.Repository(), target.Path(), digests); err != nil {
		return err
	}
	return s.revokedBytes(ctx, target, digests)
}

// says is what all channels of a product say, read once per shelf; nothing where
// the repository has no such product.
func (s *shelf) says(ctx context.Context, name string) (*chooser, error) {
	if known := s.said[name]; known != nil {
		return known, nil
	}
	says := &chooser{product: name}
	catalog, err := s.catalog(ctx)
	if err != nil {
		return nil, err
	}
	if catalog != nil {
		if product, ok := catalog.Lookup(name); ok {
			if says.indexes, err = s.channels(ctx, product); err != nil {
				return nil, err
			}
		}
	}
	s.said[name] = says
	return says, nil
}

// standingAtFirst refuses what the first repository of a mapping has revoked. It
// says so in its channels, whichever of them was asked for the target.
func (s *shelf) standingAtFirst(ctx context.Context, mapping trust.Mapping, path string) error {
	product, version, ok := releaseOf(path)
	if !ok || len(mapping.Repositories) == 0 || mapping.Repositories[0] == s.view.Repository() {
		return nil
	}
	name := mapping.Repositories[0]
	first := s.firsts[name]
	if first == nil {
		var err error
		if first, err = s.client.shelf(ctx, name, s.exact); err != nil {
			return err
		}
		s.firsts[name] = first
	}
	says, err := first.says(ctx, product)
	if err != nil {
		return fmt.Errorf("whether %s has revoked %s could not be found out: %w", name, path, err)
	}
	if by := says.revoked(version); by != nil {
		by.repository = name
		return by
	}
	return nil
}
