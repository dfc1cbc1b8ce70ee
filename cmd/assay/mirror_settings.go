package main

import (
	"fmt"

	"assay/internal/config"
	"assay/mirror"
	"assay/mirror/serve"
)

// settingsOf are the settings of a mirror's upstreams, by name.
func settingsOf(cfg *config.Config) ([]mirror.Settings, error) {
	var list []mirror.Settings
	for _, u := range cfg.Daemon.Upstreams {
		s := mirror.Settings{
			Name: u.Name, Mode: mirror.Mode(u.Mode), Every: u.Every, ServeExpired: u.ServeExpired, Sources: u.Sources,
			Filter: mirror.Filter{Products: u.Products, Channels: u.Channels, Platforms: u.Platforms, Versions: u.Versions, Keep: int(u.Keep), MaxAge: u.MaxAge},
		}
		declared, _ := cfg.Repository(u.Name)
		s.Imported = declared.URL == urlImport
		// The configuration has the same bounds, so that this can't happen; but what it
		// lets through, the mirror must be able to do.
		if err := s.Check(); err != nil {
			return nil, mark(config.ErrConfig, fmt.Errorf("%s: %s: %w", u.Origin, u.Name, err))
		}
		list = append(list, s)
	}
	return list, nil
}

// servingOf is how the public side is served. Its files are read by serve.New.
func servingOf(d *config.Daemon) serve.Config {
	c := serve.Config{
		Tokens: d.Tokens, Grace: d.StopGrace,
		Limits: serve.Limits{
			Requests: float64(d.Rate), Burst: int(d.Burst), ConnectionsPerClient: int(d.Connections), Connections: int(d.MaxConnections), MinRate: d.MinRate,
		},
	}
	if d.Certificate != "" {
		c.TLS = &serve.TLSFiles{Certificate: d.Certificate, Key: d.Key, ClientCA: d.ClientCA}
	}
	return c
}
