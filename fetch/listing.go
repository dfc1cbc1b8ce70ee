package fetch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"assay/artifact"
	"assay/artifact/release"
	"assay/trust"
)

// ProductInfo is a product on offer.
type ProductInfo struct {
	Repository string   `json:"repository"`
	Product    string   `json:"product"`
	Summary    string   `json:"summary,omitempty"`
	Channels   []string `json:"channels"`
}

// Products lists what the repository offers, or, without a name, what all do,
// by repository and name. One that does not follow the release layout offers
// nothing.
func (c *Client) Products(ctx context.Context, repository string) ([]ProductInfo, error) {
	names := c.Names()
	if repository != "" {
		names = []string{repository}
	}
	list := []ProductInfo{}
	for _, name := range names {
		shelf, err := c.shelf(ctx, name, false)
		if err != nil {
			return nil, err
		}
		catalog, err := shelf.catalog(ctx)
		if err != nil {
			return nil, err
		}
		if catalog == nil {
			continue
		}
		for _, p := range catalog.Products {
			list = append(list, ProductInfo{Repository: name, Product: p.Name, Summary: p.Summary, Channels: p.Channels})
		}
	}
	slices.SortStableFunc(list, func(a, b ProductInfo) int {
		return strings.Compare(a.Repository+"\x00"+a.Product, b.Repository+"\x00"+b.Product)
	})
	return list, nil
}

// ChannelInfo is a channel of a product, and what it would choose here.
type ChannelInfo struct {
	Repository string    `json:"repository"`
	Product    string    `json:"product"`
	Channel    string    `json:"channel"`
	Updated    time.Time `json:"updated"`
	EndOfLife  time.Time `json:"end_of_life,omitzero"`
	Releases   int       `json:"releases"`
	Chosen     string    `json:"chosen,omitempty"` // empty: none, for the reason in Why
	Why        string    `json:"why"`
}

// Channels lists the channels of a product in the catalog's order.
func (c *Client) Channels(ctx context.Context, ref artifact.Ref) ([]ChannelInfo, error) {
	shelf, chooser, err := c.chooser(ctx, ref, false)
	if err != nil {
		return nil, err
	}
	var list []ChannelInfo
	for _, index := range chooser.indexes {
		info := ChannelInfo{
			Repository: shelf.view.Repository(), Product: index.Product, Channel: index.Channel,
			Updated: index.Updated, EndOfLife: index.EndOfLife, Releases: len(index.Releases),
		}
		ch, err := chooser.choose(artifact.Selector{Kind: artifact.ByChannel, Channel: index.Channel})
		switch {
		case err != nil && !isVerdict(err):
			return nil, err
		case err != nil:
			info.Why = err.Error()
		default:
			info.Chosen, info.Why = ch.entry.Version.String(), ch.why
		}
		list = append(list, info)
	}
	return list, nil
}

// VersionInfo is a release in a channel.
type VersionInfo struct {
	Repository string           `json:"repository"`
	Product    string           `json:"product"`
	Channel    string           `json:"channel"`
	Version    artifact.Version `json:"version"`
	Status     release.Status   `json:"status"`
	Since      time.Time        `json:"since"`
	Reason     string           `json:"reason,omitempty"`
	Advisory   string           `json:"advisory,omitempty"`
	Rollout    string           `json:"rollout,omitempty"`    // what keeps this machine waiting
	Unapproved string           `json:"unapproved,omitempty"` // why other repositories' approval is missing
	Young      string           `json:"young,omitempty"`      // why policy finds it too young; told of those that the channel would choose
	Chosen     bool             `json:"chosen"`               // what the channel chooses here
}

// isVerdict reports whether an error says that nothing may be chosen, rather
// than that it could not be found out.
func isVerdict(err error) bool {
	var refusal *trust.AgreementError
	return errors.Is(err, ErrUnknown) || errors.Is(err, ErrRevoked) || errors.Is(err, ErrTooOld) || errors.As(err, &refusal)
}

// unapproved says why a release lacks approval; empty: it has it, or needs none.
// What the first of the others has revoked is a revocation.
func (c *chooser) unapproved(entry release.ChannelEntry) (string, error) {
	if c.approved == nil || entry.Status == release.StatusRevoked {
		return "", nil
	}
	err := c.approved(entry)
	switch {
	case err == nil:
		return "", nil
	case errors.Is(err, ErrRevoked):
		return "", err
	case errors.Is(err, trust.ErrNotApproved):
		return notYet(err), nil
	case isVerdict(err):
		return err.Error(), nil
	}
	return "", err
}

// Versions lists the releases of a product in one channel, or in all without
// one, newest first. A release that another channel revokes is revoked here,
// too, and so is one that the first repository of an agreement revokes. Where other repositories must approve, it is their word on the manifest
// that is told of; they are asked about the artifact when it is got.
func (c *Client) Versions(ctx context.Context, ref artifact.Ref, channel string) ([]VersionInfo, error) {
	shelf, chooser, err := c.chooser(ctx, ref, false)
	if err != nil {
		return nil, err
	}
	indexes := chooser.indexes
	if channel != "" {
		index, err := chooser.index(channel)
		if err != nil {
			return nil, err
		}
		indexes = []*release.Channel{index}
	}
	list := []VersionInfo{}
	for _, index := range indexes {
		ch, err := chooser.choose(artifact.Selector{Kind: artifact.ByChannel, Channel: index.Channel})
		chosen := err == nil // why not, each entry tells below
		for _, entry := range newestFirst(index) {
			info := VersionInfo{
				Repository: shelf.view.Repository(), Product: index.Product, Channel: index.Channel,
				Version: entry.Version, Status: entry.Status, Since: entry.Since, Reason: entry.Reason,
				Advisory: entry.Advisory, Chosen: chosen && ch.entry.Version == entry.Version,
			}
			if entry.Status == release.StatusCurrent {
				info.Rollout = chooser.rolling(entry)
			}
			for _, passed := range ch.passed {
				if passed.Kind == PassedAge && passed.Version == entry.Version {
					info.Young = passed.Reason
				}
			}
			by := chooser.revoked(entry.Version)
			if info.Unapproved, err = chooser.unapproved(entry); err != nil && !errors.As(err, &by) {
				return nil, err
			}
			if by != nil && entry.Status != release.StatusRevoked {
				info.Status, info.Since, info.Advisory = release.StatusRevoked, by.entry.Since, by.entry.Advisory
				info.Reason = strings.TrimSuffix(fmt.Sprintf("in %s: %s", by.where(), by.entry.Reason), ": ")
			}
			list = append(list, info)
		}
	}
	return list, nil
}
