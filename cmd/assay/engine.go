package main

import (
	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/internal/config"
)

// engineOf is the engine that the configuration asks for. It reads nothing yet:
// what hosts need is read when they are first asked.
func (a *app) engineOf(c *config.Config) *wire.Engine {
	options := wire.Options{
		UserAgent: "assay/" + buildVersion().Version,
		Idle:      c.Transfer.Stall, PerHost: int(c.Transfer.Connections), Bandwidth: c.Transfer.Bandwidth,
		Warn: func(text string) { a.out.warn("%s", text) },
	}
	for _, h := range c.Hosts {
		options.Hosts = append(options.Hosts, wire.Host{
			Name: h.Name, TokenFile: h.TokenFile, TokenCommand: h.TokenCommand, Netrc: h.Netrc,
			Certificate: h.Certificate, Key: h.Key, CA: h.CA, Connections: int(h.Connections),
		})
	}
	return wire.New(options)
}

// transferOf are the bounds of transfers that the configuration asks for.
func transferOf(c *config.Config) transfer.Options {
	retries := int(c.Transfer.Retries)
	if retries == 0 {
		retries = -1
	}
	return transfer.Options{
		Retries: retries, Connections: int(c.Transfer.Connections), MinRate: c.Transfer.MinRate, Window: c.Transfer.Stall,
	}
}
