package main

import (
	"path/filepath"

	"assay/fetch"
	"assay/fetch/mirrors"
	"assay/fetch/wire"
	"assay/internal/config"
)

// memoryName is the file, in the cache directory, of what was learnt of mirrors.
const memoryName = "sources.json"

// remembered is the memory of mirrors of this run; see forgetNothing.
func (a *app) remembered(cfg *config.Config) *mirrors.Memory {
	if a.memory == nil {
		a.memory = mirrors.NewMemory(mirrors.Options{
			Store: fetch.MemoryFile(filepath.Join(cfg.CacheDir, memoryName)), Now: a.now,
			Notice: func(text string) { a.out.warn("%s", text) },
		})
	}
	return a.memory
}

// forgetNothing saves what this run has learnt of mirrors, at its end. That it
// can't be saved costs speed alone.
func (a *app) forgetNothing() {
	if err := a.memory.Flush(); err != nil {
		a.out.warn("%v", err)
	}
}

// sourceOf says where a repository lies, as far as the configuration does.
func (a *app) sourceOf(s *session, name string) fetch.SourceConfig {
	configured := s.config.MirrorsOf(name)
	c := fetch.SourceConfig{
		Limits: limitsOf(s.config), MirrorsOnly: configured.Only, Region: s.config.Region, Addresses: wire.Addresses,
		Memory: a.remembered(s.config), Now: a.now, Warn: func(text string) { a.out.warn("%s: %s", name, text) },
	}
	for _, m := range configured.List {
		c.Mirrors = append(c.Mirrors, mirrors.Mirror{URL: m.URL, Region: m.Region, Weight: m.Weight, CIDRs: m.CIDRs, Origin: m.Origin.String()})
	}
	return c
}
