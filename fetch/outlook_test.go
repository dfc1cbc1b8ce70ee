package fetch

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"assay/artifact"
	"assay/artifact/release"
	"assay/trust"
	"assay/trust/policy"
)

func versionOf(t *testing.T, text string) artifact.Version {
	t.Helper()
	v, err := artifact.ParseVersion(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// tooYoungFor is a policy's refusal of some versions, for nothing but their age.
func tooYoungFor(versions ...string) func(string, release.ChannelEntry) error {
	check := trust.Check{ID: policy.IDAge, Result: trust.Fail, Expected: "published at least 72h ago (policy.1)", Found: "2026-03-01, 1h ago"}
	return func(_ string, e release.ChannelEntry) error {
		if slices.Contains(versions, e.Version.String()) {
			return &policy.Refusal{Checks: []trust.Check{check}}
		}
		return nil
	}
}

// Not to wait for a rollout skips nothing else: no status, approval or policy.
func TestRolloutIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	rolling := entry(t, "2.0.0", release.StatusCurrent)
	rolling.Rollout = &release.Rollout{Salt: "s", Steps: []release.RolloutStep{{At: noon, Percent: 20}, {At: noon.Add(time.Hour), Percent: 100}}}
	revoked := rolling
	revoked.Status = release.StatusRevoked
	old := entry(t, "1.0.0", release.StatusCurrent)
	notApproved := func(e release.ChannelEntry) error {
		if e.Version == rolling.Version {
			return fmt.Errorf("%w: %w", trust.ErrNotApproved, &trust.AgreementError{})
		}
		return nil
	}
	for name, test := range map[string]struct {
		newest    release.ChannelEntry
		impatient bool
		approved  func(release.ChannelEntry) error
		young     func(string, release.ChannelEntry) error
		want      string
		passed    PassedKind
	}{
		"it is waited for":     {rolling, false, nil, nil, "1.0.0", PassedRollout},
		"it is not waited for": {rolling, true, nil, nil, "2.0.0", ""},
		"revoked":              {revoked, true, nil, nil, "1.0.0", PassedRevoked},
		"not approved":         {rolling, true, notApproved, nil, "1.0.0", PassedApproval},
		"too young":            {rolling, true, nil, tooYoungFor("2.0.0"), "1.0.0", PassedAge},
	} {
		c := chooserOf(index("stable", test.newest, old))
		c.impatient, c.approved, c.young = test.impatient, test.approved, test.young
		ch, err := c.choose(selector(t, "stable"))
		if err != nil || ch.entry.Version.String() != test.want {
			t.Errorf("%s: expected %s, found %v, %v", name, test.want, ch.entry.Version, err)
			continue
		}
		var kind PassedKind
		if len(ch.passed) > 0 {
			kind = ch.passed[0].Kind
		}
		if kind != test.passed {
			t.Errorf("%s: expected it to be passed over as %q, found %+v", name, test.passed, ch.passed)
		}
	}
	c := chooserOf(index("stable", rolling, old))
	ch, err := c.choose(selector(t, "stable"))
	if err != nil || ch.passed[0].Percent != 20 || !ch.passed[0].Reaches.Equal(noon.Add(time.Hour)) {
		t.Errorf("expected 20 %% and an hour, found %+v, %v", ch.passed, err)
	}
}

// What is too young makes room for what is old enough; by its version it is chosen
// here, and refused when it is proven.
func TestTooYoungIsPassedOver(t *testing.T) {
	t.Parallel()
	young, older := entry(t, "2.0.0", release.StatusCurrent), entry(t, "1.0.0", release.StatusCurrent)
	c := chooserOf(index("stable", young, older))
	c.young = tooYoungFor("2.0.0")
	for text, want := range map[string]string{"stable": "1.0.0", "^1": "1.0.0", ">=1": "1.0.0", "2.0.0": "2.0.0"} {
		ch, err := c.choose(selector(t, text))
		if err != nil || ch.entry.Version.String() != want {
			t.Errorf("%s: expected %s, found %v, %v", text, want, ch.entry.Version, err)
		}
		if warned := len(ch.warnings) == 1; warned != (text == "stable" || text == ">=1") {
			t.Errorf("%s: warnings %q", text, ch.warnings)
		}
	}
	c.young = tooYoungFor("2.0.0", "1.0.0")
	ch, err := c.choose(selector(t, "stable"))
	if !errors.Is(err, policy.ErrRefused) || len(ch.passed) != 2 {
		t.Errorf("expected all to be refused, found %v, %+v", err, ch.passed)
	}
}

// Only what time alone will mend counts as too young.
func TestOnlyYoung(t *testing.T) {
	t.Parallel()
	young := trust.Check{ID: policy.IDAge, Result: trust.Fail, Expected: "published at least 3d ago (policy.1)"}
	old := trust.Check{ID: policy.IDAge, Result: trust.Fail, Expected: "published at most 3d ago (policy.1)"}
	signers := trust.Check{ID: policy.IDSigners, Result: trust.Fail, Expected: "at least 2 signers"}
	for name, test := range map[string]struct {
		checks []trust.Check
		want   bool
	}{
		"young":              {[]trust.Check{young, young}, true},
		"old":                {[]trust.Check{old}, false},
		"young and unsigned": {[]trust.Check{young, signers}, false},
	} {
		if got := onlyYoung(&policy.Refusal{Checks: test.checks}); got != test.want {
			t.Errorf("%s: expected %v, found %v", name, test.want, got)
		}
	}
}

func TestStandAndBehind(t *testing.T) {
	t.Parallel()
	gone, hotfix := entry(t, "1.2.0", release.StatusRevoked), entry(t, "1.1.0", release.StatusDeprecated)
	gone.Reason, hotfix.Reason = "stolen key", "no fixes"
	stable := index("stable", entry(t, "1.0.0", release.StatusSuperseded), entry(t, "1.1.0", release.StatusCurrent), entry(t, "1.2.0", release.StatusCurrent),
		entry(t, "1.3.0", release.StatusSuperseded), entry(t, "1.4.0", release.StatusDeprecated), entry(t, "1.5.0", release.StatusCurrent))
	c := chooserOf(stable, index("other", gone, hotfix))
	for version, test := range map[string]struct {
		status release.Status
		reason string
		behind int
	}{
		"1.0.0": {release.StatusSuperseded, "", 3}, // 1.1.0, 1.3.0, 1.5.0
		"1.1.0": {release.StatusDeprecated, "no fixes", 2},
		"1.2.0": {release.StatusRevoked, "stolen key", 2},
		"1.5.0": {release.StatusCurrent, "", 0},
		"9.0.0": {"", "", 0},
	} {
		var o Outlook
		o.stand(c, versionOf(t, version))
		behind := c.between(stable, versionOf(t, version), versionOf(t, "1.5.0"))
		if o.Status != test.status || o.Reason != test.reason || behind != test.behind {
			t.Errorf("%s: expected %+v, found %s, %q, %d behind", version, test, o.Status, o.Reason, behind)
		}
	}
}
