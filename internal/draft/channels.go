package draft

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"assay/artifact"
	"assay/artifact/release"
)

// maxChannels bounds the channels that are looked through; a catalog can list 64 of
// a product.
const maxChannels = 1000

// index reads a channel's index; nil where there is none.
func (p Promotion) index(channel string) (release.Place, []byte, *release.Channel, error) {
	place := release.Place{Kind: release.KindChannel, Product: p.Product, Channel: channel}
	data, err := p.read(place)
	if err != nil || data == nil {
		return place, nil, nil, err
	}
	index, err := release.DecodeChannel(data, p.Product, channel)
	return place, data, index, err
}

// listed looks for the release in the channels: the one that it comes from must
// have it, and revoked in one is revoked in all.
func (p Promotion) listed() error {
	if p.From != NoChannel {
		place, _, from, err := p.index(p.From)
		if err != nil {
			return err
		}
		if from == nil {
			return fmt.Errorf("%w: expected the channel's index at %s, found none", ErrNoRelease, place.Path())
		}
		entry, ok := from.Lookup(p.Version)
		if !ok {
			return fmt.Errorf("%w: expected %s in the channel %s, found %s", ErrNoRelease, p.name(), p.From, versionsOf(from))
		}
		if entry.Status == release.StatusDeprecated {
			return fmt.Errorf("%w: %s is deprecated in the channel %s: %s", ErrPromotion, p.name(), p.From, quote(entry.Reason))
		}
	}
	channels, err := p.channels()
	if err != nil {
		return err
	}
	for _, channel := range channels {
		_, _, index, err := p.index(channel)
		if err != nil {
			return err
		}
		if index == nil {
			continue
		}
		entry, ok := index.Lookup(p.Version)
		switch {
		case ok && entry.Status == release.StatusRevoked:
			return fmt.Errorf("%s is %w in the channel %s: %s", p.name(), ErrRevoked, channel, quote(entry.Reason))
		case ok && entry.Status == release.StatusDeprecated && p.From == NoChannel:
			return fmt.Errorf("%w: expected a release that was in no channel, found that %s is deprecated in the channel %s: %s", ErrPromotion, p.name(), channel, quote(entry.Reason))
		}
	}
	return nil
}

// channels are those that the tree has folders of, whatever products they hold. One
// that can't be looked into may revoke the release, so it is not passed over.
func (p Promotion) channels() ([]string, error) {
	folder, err := os.ReadDir(p.Dir)
	if err != nil {
		return nil, disk(err)
	}
	var channels []string
	for _, item := range folder {
		channel, ok := strings.CutPrefix(item.Name(), "channel-")
		if !ok || artifact.ValidChannel(channel) != nil {
			continue // no client asks for it
		}
		info, err := os.Stat(filepath.Join(p.Dir, item.Name()))
		if err != nil {
			return nil, disk(err)
		}
		if info.IsDir() {
			channels = append(channels, channel)
		}
	}
	if len(channels) > maxChannels {
		return nil, fmt.Errorf("%w: expected at most %d channels, found %d", ErrInput, maxChannels, len(channels))
	}
	return channels, nil
}

// versionsOf tells the newest releases of a channel, which one may have been meant of.
func versionsOf(index *release.Channel) string {
	const most = 5
	var versions []artifact.Version
	for _, e := range index.Releases {
		versions = append(versions, e.Version)
	}
	slices.SortFunc(versions, func(a, b artifact.Version) int { return b.Compare(a) })
	var names []string
	for _, v := range versions[:min(most, len(versions))] {
		names = append(names, v.String())
	}
	switch {
	case len(names) == 0:
		return "no release"
	case len(versions) > most:
		names = append(names, fmt.Sprintf("%d older ones", len(versions)-most))
	}
	return strings.Join(names, ", ")
}
