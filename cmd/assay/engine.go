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
		Retries:   min(retriesOf(c), 2),
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

// retriesOf are the retries of one source, as the engine and transfers know them:
// there 0 is their default, and less than 0 none.
func retriesOf(c *config.Config) int {
	if c.Transfer.Retries == 0 {
		return -1
	}
	return int(c.Transfer.Retries)
}

// transferOf are the bounds of transfers that the configuration asks for.
func transferOf(c *config.Config) transfer.Options {
	return transfer.Options{
		Retries: retriesOf(c), Connections: int(c.Transfer.Connections), MinRate: c.Transfer.MinRate, Window: c.Transfer.Stall,
	}
}
