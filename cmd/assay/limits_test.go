package main

import (
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
