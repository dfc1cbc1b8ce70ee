package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/internal/config"
	"assay/trust"
)

// TestLimitsAreThoseOfTrust holds together what package config says of the limits
// and what package trust does, which do not know each other.
func TestLimitsAreThoseOfTrust(t *testing.T) {
	for name, test := range map[string]struct {
		config config.Limits
		trust  trust.Limits
	}{
		"defaults": {config.DefaultLimits(), trust.DefaultLimits()},
		"highest":  {config.MaxLimits(), trust.MaxLimits()},
		"each": {
			config.Limits{Root: 1, Timestamp: 2, Snapshot: 3, Targets: 4, RootRotations: 5, Roles: 6, Listing: 7, Depth: 8},
			trust.Limits{Root: 1, Timestamp: 2, Snapshot: 3, Targets: 4, RootRotations: 5, Roles: 6, Listing: 7, Depth: 8},
		},
	} {
		if got := limitsOf(&config.Config{Limits: test.config}); got != test.trust {
			t.Errorf("%s: expected %+v, found %+v", name, test.trust, got)
		}
	}
}

// TestDocsHaveTheLimits shows that each limit stands in the table of configuration.md with its
// default and its highest value, as `config show` spells them.
func TestDocsHaveTheLimits(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "configuration.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if cells := strings.Split(line, "|"); len(cells) == 5 {
			rows["limits."+strings.Trim(cells[1], " `")] = strings.TrimSpace(cells[3])
		}
	}
	defaults, highest := shownLimits(t, ""), shownLimits(t, "[limits]\nroot = 16777216\ntimestamp = 1048576\nsnapshot = 268435456\ntargets = 1073741824\n"+
		"root_rotations = 65536\nroles = 65536\nlisting = 4194304\ndepth = 128\n")
	if len(defaults) != 8 {
		t.Fatalf("expected 8 limits, found %v", defaults)
	}
	for key, value := range defaults {
		if want := value + ", at most " + highest[key]; rows[key] != want {
			t.Errorf("%s: docs/configuration.md: expected %q, found %q", key, want, rows[key])
		}
	}
}

// shownLimits are the limits of a user's configuration.
func shownLimits(t *testing.T, text string) map[string]string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(config.LoadOptions{ConfigFlag: path})
	if err != nil {
		t.Fatal(err)
	}
	shown := map[string]string{}
	for _, v := range cfg.Values() {
		if strings.HasPrefix(v.Key, config.KeyLimits+".") {
			shown[v.Key] = v.Value
		}
	}
	return shown
}
