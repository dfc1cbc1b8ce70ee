package main

import (
	"assay/internal/config"
	"assay/trust"
)

// limitsOf are the configured limits, as package trust takes them. The counts fit
// an int: config.MaxLimits has been checked.
func limitsOf(c *config.Config) trust.Limits {
	return trust.Limits{
		Root: c.Limits.Root, Timestamp: c.Limits.Timestamp, Snapshot: c.Limits.Snapshot, Targets: c.Limits.Targets,
		RootRotations: int(c.Limits.RootRotations), Roles: int(c.Limits.Roles),
		Listing: int(c.Limits.Listing), Depth: int(c.Limits.Depth),
	}
}
