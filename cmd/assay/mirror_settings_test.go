package main

import (
	"slices"
	"testing"
	"time"

	"assay/artifact"
	"assay/internal/config"
	"assay/mirror"
)

// TestSettingsAreThoseOfMirror holds together what package config says of upstreams
// and what package mirror does, which do not know each other.
func TestSettingsAreThoseOfMirror(t *testing.T) {
	if config.MinEvery != mirror.MinEvery {
		t.Errorf("expected %s, found %s", mirror.MinEvery, config.MinEvery)
	}
	if found := []mirror.Mode{config.ModeFull, config.ModeFiltered, config.ModeLazy}; !slices.Equal(found, mirror.Modes()) {
		t.Errorf("expected the modes %v, found %v", mirror.Modes(), found)
	}
	versions, err := artifact.ParseRange("^1.4")
	if err != nil {
		t.Fatal(err)
	}
	list, err := settingsOf(&config.Config{Daemon: &config.Daemon{Upstreams: []config.Upstream{{
		Name: "acme", Mode: config.ModeFiltered, Products: []string{"hello"}, Channels: []string{"stable"}, Platforms: []artifact.Platform{{OS: "linux", Arch: "amd64"}},
		Versions: &versions, Keep: 3, MaxAge: time.Hour, Every: time.Minute, ServeExpired: true, Sources: []string{"https://x"},
	}}}})
	if err != nil {
		t.Fatal(err)
	}
	s := list[0]
	if s.Name != "acme" || s.Mode != mirror.Filtered || s.Every != time.Minute || !s.ServeExpired || s.Sources[0] != "https://x" ||
		s.Filter.Products[0] != "hello" || s.Filter.Channels[0] != "stable" || s.Filter.Platforms[0].OS != "linux" || s.Filter.Versions.String() != "^1.4" ||
		s.Filter.Keep != 3 || s.Filter.MaxAge != time.Hour {
		t.Errorf("something was lost: %+v", s)
	}
}

// TestRunErrors shows how a run that is not done ends a command.
func TestRunErrors(t *testing.T) {
	for _, test := range []struct {
		run  mirror.Run
		code int
	}{
		{mirror.Run{Outcome: mirror.Done}, 0},
		{mirror.Run{Outcome: mirror.Partial}, 20},
		{mirror.Run{Outcome: mirror.Failed}, 20},
		{mirror.Run{Outcome: mirror.Partial, Err: &mirror.RefusedError{Path: "x", Err: errRefusedBefore}}, 18},
		{mirror.Run{Outcome: mirror.Failed, Err: mirror.ErrQuota}, 40},
	} {
		if code := codeOf(runError(test.run)); code != test.code {
			t.Errorf("%+v: expected %d, found %d", test.run, test.code, code)
		}
	}
}

// TestFixedKeys shows that what a daemon can't change at work is told.
func TestFixedKeys(t *testing.T) {
	before := config.DefaultDaemon()
	before.Dir, before.AdminSocket = "/m", "/m/admin.sock"
	for want, change := range map[string]func(*config.Daemon){
		"mirror.dir":    func(d *config.Daemon) { d.Dir = "/n" },
		"mirror.listen": func(d *config.Daemon) { d.Listen = []string{":1"} },
		"mirror.admin":  func(d *config.Daemon) { d.AdminSocket = "/n" },
		"mirror.tls_certificate, tls_key, client_ca": func(d *config.Daemon) { d.ClientCA = "x" },
		"mirror.tokens_file":                         func(d *config.Daemon) { d.Tokens = "x" },
		"mirror.otlp_endpoint":                       func(d *config.Daemon) { d.OTLP = "http://x" },
		"mirror.rate, burst, connections, max_connections, min_rate, stop_grace": func(d *config.Daemon) { d.Rate = 5 },
	} {
		after := before
		change(&after)
		if found := fixedKeys(&before, &after); !slices.Equal(found, []string{want}) {
			t.Errorf("expected %s, found %v", want, found)
		}
	}
	after := before
	after.Quota, after.ScrubRate, after.Upstreams = 5, 0, []config.Upstream{{Name: "acme"}}
	if found := fixedKeys(&before, &after); len(found) > 0 {
		t.Errorf("expected nothing, found %v", found)
	}
}
