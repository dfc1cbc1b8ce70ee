package testrepo_test

import (
	"slices"
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
	unsigned := small(t, testrepo.Options{Now: now})
	for _, c := range []struct {
		repo  *testrepo.Repo
		where string
		rules []string
	}{
		{signed, "catalog.json", nil},
		{signed, "channel-stable/hello.json", nil},
		{signed, "channel-deprecated/hello.json", nil},
		{signed, "hello/1.5.0/release.json", nil},
		{signed, "ferry/0.9.0/release.json", nil},
		{unsigned, "hello/1.4.2/release.json", []string{"release.signed"}},
	} {
		var found []string
		for _, f := range release.LintFile(targetOf(t, c.repo, c.where), noon).Findings {
			found = append(found, f.Rule)
			t.Logf("%s: %s: %s", c.where, f.Field, f.Message)
		}
		if !slices.Equal(found, c.rules) {
			t.Errorf("%s: expected %q, found %q", c.where, c.rules, found)
		}
	}
}
