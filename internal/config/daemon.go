package config

import (
	"path/filepath"
	"strings"
	"time"
)

// The bounds of the mirror daemon's lists.
const (
	maxListen    = 16
	maxSocket    = 100 // bytes of a socket's path: some systems take no more than 104
	maxUpstreams = 256
)

// keyOTLP is where traces go.
const keyOTLP = "otlp_endpoint"

// unixPrefix begins an address that is the path of a socket.
const unixPrefix = "unix:"

// Daemon is what a file says of the mirror daemon, in the table [mirror]. It is
// declared whole, in one file of the system or the user.
type Daemon struct {
	Dir    string   // absolute; all that the daemon keeps
	Listen []string // ADDRESS:PORT of the public side
	// AdminSocket is the absolute path of the administrator's socket. It is empty where
	// Admin is set: ADDRESS:PORT, for those who have a token of AdminTokens.
	AdminSocket string
	Admin       string
	AdminTokens string // absolute path of a file of hashed tokens
	Certificate string // absolute path, of the public side, with Key; empty: cleartext
	Key         string
	ClientCA    string // absolute path: clients must have a certificate of these authorities
	Tokens      string // absolute path of a file of hashed tokens: clients must have one
	OTLP        string // base URL of the collector of traces; empty: nobody is told

	Rate           int64         // requests a second of one client; 0: no limit
	Burst          int64         // as many at once, all the same; twice the rate if nothing is said
	Connections    int64         // of one client at once
	MaxConnections int64         // of all together
	MinRate        int64         // bytes a second, below which a client is given up
	StopGrace      time.Duration // that requests have to end in when the daemon stops
	Quota          int64         // bytes of the storage; 0: as many as the disk has
	ScrubRate      int64         // bytes a second that are hashed anew; 0: none are
	ScrubEvery     time.Duration // from the begin of one scrub to the next

	Upstreams []Upstream // by name
	Origin    Origin

	place place
}

// DefaultDaemon holds where the table is silent.
func DefaultDaemon() Daemon {
	return Daemon{
		Listen: []string{"127.0.0.1:8080"}, Connections: 512, MaxConnections: 10_000, MinRate: 16 << 10, StopGrace: 30 * time.Second,
		ScrubRate: 20e6, ScrubEvery: 24 * time.Hour,
	}
}

// daemonDocument is the table as files spell it; numbers are as in limitsDocument.
type daemonDocument struct {
	Dir            string                      `toml:"dir"`
	Listen         []string                    `toml:"listen"`
	Admin          string                      `toml:"admin"`
	AdminTokens    string                      `toml:"admin_token_file"`
	Certificate    string                      `toml:"tls_certificate"`
	Key            string                      `toml:"tls_key"`
	ClientCA       string                      `toml:"client_ca"`
	Tokens         string                      `toml:"tokens_file"`
	OTLP           string                      `toml:"otlp_endpoint"`
	Rate           any                         `toml:"rate"`
	Burst          any                         `toml:"burst"`
	Connections    any                         `toml:"connections"`
	MaxConnections any                         `toml:"max_connections"`
	MinRate        any                         `toml:"min_rate"`
	StopGrace      any                         `toml:"stop_grace"`
	Quota          any                         `toml:"quota"`
	ScrubRate      any                         `toml:"scrub_rate"`
	ScrubEvery     any                         `toml:"scrub_every"`
	Upstreams      map[string]upstreamDocument `toml:"upstreams"`
}

// daemonAmount is a number of the table, and where its value goes.
type daemonAmount struct {
	key string
	amount
	said  func(*daemonDocument) any
	field func(*Daemon) *int64
}

// year is the longest span of the table but for the age of releases.
const year = 365 * 24 * time.Hour

var daemonAmounts = []daemonAmount{
	{
		"rate", amount{unit: count, least: 1, highest: 1_000_000, none: true},
		func(d *daemonDocument) any { return d.Rate }, func(d *Daemon) *int64 { return &d.Rate },
	},
	{
		"burst", amount{unit: count, least: 1, highest: 1_000_000},
		func(d *daemonDocument) any { return d.Burst }, func(d *Daemon) *int64 { return &d.Burst },
	},
	{
		"connections", amount{unit: count, least: 1, highest: 1 << 20},
		func(d *daemonDocument) any { return d.Connections }, func(d *Daemon) *int64 { return &d.Connections },
	},
	{
		"max_connections", amount{unit: count, least: 1, highest: 1 << 20},
		func(d *daemonDocument) any { return d.MaxConnections }, func(d *Daemon) *int64 { return &d.MaxConnections },
	},
	{
		"min_rate", amount{unit: size, least: 1, highest: 1 << 30, pace: true},
		func(d *daemonDocument) any { return d.MinRate }, func(d *Daemon) *int64 { return &d.MinRate },
	},
	{
		"stop_grace", amount{unit: span, least: int64(time.Second), highest: int64(time.Hour)},
		func(d *daemonDocument) any { return d.StopGrace }, func(d *Daemon) *int64 { return (*int64)(&d.StopGrace) },
	},
	{
		"quota", amount{unit: size, least: 1 << 20, highest: 1 << 60, none: true},
		func(d *daemonDocument) any { return d.Quota }, func(d *Daemon) *int64 { return &d.Quota },
	},
	{
		"scrub_rate", amount{unit: size, least: 1 << 10, highest: 1 << 40, none: true, pace: true},
		func(d *daemonDocument) any { return d.ScrubRate }, func(d *Daemon) *int64 { return &d.ScrubRate },
	},
	{
		"scrub_every", amount{unit: span, least: int64(time.Minute), highest: int64(year)},
		func(d *daemonDocument) any { return d.ScrubEvery }, func(d *Daemon) *int64 { return (*int64)(&d.ScrubEvery) },
	},
}

// values are all that counts, with keys that begin below the table's name: what
// the file does not set is built in.
func (d *Daemon) values() []Value {
	admin := d.Admin
	if admin == "" {
		admin = unixPrefix + d.AdminSocket
	}
	var list []Value
	enter := func(p place, key, text string, shown bool) {
		if origin := (Origin{}); p.has(key) || shown {
			if p.has(key) {
				origin = p.origin(key)
			}
			list = append(list, Value{Key: key, Value: text, Origin: origin})
		}
	}
	enter(d.place, "dir", d.Dir, true)
	enter(d.place, "listen", strings.Join(d.Listen, ", "), true)
	enter(d.place, "admin", admin, true)
	for _, file := range []struct{ key, path string }{
		{"admin_token_file", d.AdminTokens}, {"tls_certificate", d.Certificate}, {"tls_key", d.Key}, {"client_ca", d.ClientCA}, {"tokens_file", d.Tokens},
	} {
		enter(d.place, file.key, file.path, false)
	}
	enter(d.place, keyOTLP, d.OTLP, false)
	for _, a := range daemonAmounts {
		if n := *a.field(d); a.key != "burst" || d.Rate > 0 {
			enter(d.place, a.key, a.text(n), true)
		}
	}
	for _, u := range d.Upstreams {
		for _, v := range u.values() {
			v.Key = keyUpstreams + "." + u.Name + "." + v.Key
			list = append(list, v)
		}
	}
	return list
}

// socketIn is where the administrator's socket lies if nothing else is said.
func socketIn(dir string) string { return filepath.Join(dir, "admin.sock") }
