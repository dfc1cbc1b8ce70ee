package main

import (
	"slices"
	"strings"

	"assay/artifact"
	"assay/internal/config"
)

// projectSelector applies what is said elsewhere of a product that was named without
// a selector, and tells so: nobody should wonder why. The project's assay.toml comes
// first, then the channel that the configuration has for the product, or for all.
func (a *app) projectSelector(s *session, text string, ref artifact.Ref) (artifact.Ref, error) {
	if strings.Contains(text, "@") {
		return ref, nil
	}
	for _, tool := range s.config.Tools {
		if tool.Name != text && tool.Name != ref.Product {
			continue
		}
		selector, err := artifact.ParseSelector(tool.Selector)
		if err != nil {
			return ref, err
		}
		a.out.talk("%s@%s, as %s says", text, tool.Selector, tool.Origin)
		ref.Selector = selector
		return ref, nil
	}
	channel := s.config.ChannelOf(ref.Repo, ref.Product)
	if ref.Repo == "" && channel.Name == "" {
		a.warnOfChannels(s.config, ref.Product)
	}
	ref.Selector = artifact.Selector{Kind: artifact.ByChannel, Channel: channel.Channel}
	if channel.Origin != (config.Origin{}) {
		a.out.talk("%s@%s, as %s says", text, channel.Channel, channel.Origin)
	}
	return ref, nil
}

// warnOfChannels tells of a channel that is for the product of one repository, where
// it is not known which repository is meant.
func (a *app) warnOfChannels(cfg *config.Config, product string) {
	i := slices.IndexFunc(cfg.Channels, func(c config.Channel) bool { return strings.HasSuffix(c.Name, ":"+product) })
	if i >= 0 {
		a.out.warn("%s: the channel that %s has for %s is for what is named so", product, cfg.Channels[i].Origin, cfg.Channels[i].Name)
	}
}
