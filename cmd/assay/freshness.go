package main

import (
	"strings"

	"assay/trust"
)

// staleness says since when, and why, freshness was not checked; it is empty
// where it was. Where several repositories agree it tells of each.
func staleness(e *trust.Evidence) string {
	var texts []string
	for _, check := range e.Checks {
		if check.ID == trust.CheckFreshness && check.Result != trust.Pass {
			whose := ""
			if check.Repository != "" {
				whose = "of " + check.Repository + " "
			}
			texts = append(texts, "freshness "+whose+check.Why)
		}
	}
	return strings.Join(texts, "; ")
}
