package main

import "assay/trust"

// staleness says since when, and why, freshness was not checked; it is empty
// where it was.
func staleness(e *trust.Evidence) string {
	for _, check := range e.Checks {
		if check.ID == trust.CheckFreshness && check.Result != trust.Pass {
			return "freshness " + check.Why
		}
	}
	return ""
}
