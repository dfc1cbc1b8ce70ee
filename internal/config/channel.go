package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"assay/artifact"
)

// Channel is what is meant by a product that is named without a selector.
type Channel struct {
	Name    string // [REPOSITORY:]PRODUCT; empty: any
	Channel string
	Origin  Origin
}

// ChannelOf is the channel of a product that is named without a selector: what is
// said of it in the repository, then of it anywhere, then of all. The repository may
// be empty, as it is not known.
func (c *Config) ChannelOf(repository, product string) Channel {
	for _, name := range []string{repository + ":" + product, product} {
		if i := slices.IndexFunc(c.Channels, func(ch Channel) bool { return ch.Name == name }); i >= 0 {
			return c.Channels[i]
		}
	}
	return c.Channel
}

// channel takes one line of the table of channels. The last file that names a
// product counts.
func (b *builder) channel(name, channel string, f *file) error {
	key := KeyChannels + "." + name
	origin := f.origin(key)
	if origin.Line == 0 {
		origin.Line = f.lines[KeyChannels]
	}
	if err := validProductName(name); err != nil {
		return &Error{Origin: origin, Key: key, Kind: ErrValue, Detail: fmt.Sprintf("expected [REPOSITORY:]PRODUCT, found %q", clip(name)), Err: err}
	}
	if err := artifact.ValidChannel(channel); err != nil {
		return &Error{Origin: origin, Key: key, Kind: ErrValue, Detail: fmt.Sprintf("expected a channel like \"stable\", found %q", clip(channel)), Err: err}
	}
	if err := b.checkLock(key, b.channels[name].Channel == channel, origin); err != nil {
		return err
	}
	b.channels[name] = Channel{name, channel, origin}
	return nil
}

// validProductName checks [REPOSITORY:]PRODUCT.
func validProductName(name string) error {
	product := name
	if repository, rest, found := strings.Cut(name, ":"); found {
		if err := artifact.ValidRepository(repository); err != nil {
			return err
		}
		product = rest
	}
	return artifact.ValidProduct(product)
}

// showChannels enters the table of channels.
func (c *Config) showChannels(b *builder) {
	for _, name := range slices.Sorted(maps.Keys(b.channels)) {
		channel := b.channels[name]
		c.Channels = append(c.Channels, channel)
		key := KeyChannels + "." + name
		c.values[key] = Value{Key: key, Value: channel.Channel, Origin: channel.Origin}
	}
}
