package testrepo_test

import (
	"path"
	"strings"
	"testing"
	"time"

	"assay/artifact/release"
	"assay/internal/testrepo"
)

// TestSampleLints holds the sample to what users' own releases are held to: a
// signed one has nothing to find, an unsigned one lacks signatures only.
func TestSampleLints(t *testing.T) {
	t.Parallel()
	now := func() time.Time { return noon }
	signed, _, err := testrepo.SampleSigned(testrepo.Options{Now: now})
	must(t, err)
	for name, c := range map[string]struct {
		repo    *testrepo.Repo
		allowed string
	}{"signed": {signed, ""}, "unsigned": {sample(t, testrepo.Options{Now: now}), "release.signed"}} {
		tm, err := verify(held(c.repo), noon)
		must(t, err)
		count := 0
		for _, role := range tm.Targets {
			for where := range role.Signed.Targets {
				base := path.Base(where)
				if base != "release.json" && base != "catalog.json" && !strings.HasPrefix(where, "channel-") {
					continue
				}
				count++
				for _, f := range release.LintFile(targetOf(t, c.repo, where), noon).Findings {
					// The sample has channels without a current release, and an
					// artifact that lies on loopback, on purpose.
					if f.Rule != c.allowed && f.Rule != "channel.current" && f.Rule != "artifact.url" {
						t.Errorf("%s: %s: %s: %s [%s]", name, where, f.Field, f.Message, f.Rule)
					}
				}
			}
		}
		if count != 1+4+7 {
			t.Errorf("%s: expected 12 documents, found %d", name, count)
		}
	}
}
