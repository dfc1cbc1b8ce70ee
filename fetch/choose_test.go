package fetch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/artifact/release"
	"assay/trust"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func entry(t *testing.T, version string, status release.Status) release.ChannelEntry {
	t.Helper()
	v, err := artifact.ParseVersion(version)
	if err != nil {
		t.Fatal(err)
	}
	return release.ChannelEntry{Version: v, Status: status, Since: noon}
}

func index(name string, entries ...release.ChannelEntry) *release.Channel {
	return &release.Channel{Product: "hello", Channel: name, Updated: noon, Releases: entries}
}

func chooserOf(indexes ...*release.Channel) *chooser {
	return &chooser{product: "hello", indexes: indexes, now: noon, place: func(string) int { return cohorts / 2 }}
}

func selector(t *testing.T, text string) artifact.Selector {
	t.Helper()
	ref, err := artifact.ParseRef("hello@" + text)
	if err != nil {
		t.Fatal(err)
	}
	return ref.Selector
}

// Which status may be chosen by which selector.
func TestStatusRules(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		status        release.Status
		channel       string // the selector, and where the release lies
		selector      string
		kind          error // nil: chosen
		warningsCount int
	}{
		{release.StatusCurrent, "stable", "stable", nil, 0},
		{release.StatusCurrent, "stable", "^1", nil, 0},
		{release.StatusCurrent, "stable", "1.0.0", nil, 0},
		{release.StatusSuperseded, "stable", "stable", ErrUnknown, 0},
		{release.StatusSuperseded, "stable", "^1", nil, 0},
		{release.StatusSuperseded, "stable", "1.0.0", nil, 0},
		{release.StatusDeprecated, "stable", "stable", ErrUnknown, 0},
		{release.StatusDeprecated, "stable", "^1", ErrUnknown, 0},
		{release.StatusDeprecated, "stable", "1.0.0", nil, 1},
		{release.StatusDeprecated, "deprecated", "deprecated", nil, 1},
		{release.StatusRevoked, "stable", "stable", ErrRevoked, 0},
		{release.StatusRevoked, "stable", "^1", ErrRevoked, 0},
		{release.StatusRevoked, "stable", "1.0.0", ErrRevoked, 0},
		{release.StatusRevoked, "deprecated", "deprecated", ErrRevoked, 0},
	} {
		ch, err := chooserOf(index(test.channel, entry(t, "1.0.0", test.status))).choose(selector(t, test.selector))
		if !errors.Is(err, test.kind) || len(ch.warnings) != test.warningsCount {
			t.Errorf("%s in %s by %s: expected %v and %d warnings, found %v, %v", test.status, test.channel, test.selector, test.kind, test.warningsCount, err, ch.warnings)
		}
	}
}

func TestChannelEndsAndAges(t *testing.T) {
	t.Parallel()
	stable := index("stable", entry(t, "1.0.0", release.StatusCurrent))
	c := chooserOf(stable)
	stable.EndOfLife = noon.Add(time.Second)
	stable.MaxAge = release.Duration(time.Hour)
	for _, test := range []struct {
		now      time.Time
		kind     error
		outlived string // part of what is said
	}{
		{noon, nil, ""},
		{noon.Add(time.Second - 1), nil, ""},
		{noon.Add(time.Second), nil, "end of life"},
		{noon.Add(time.Hour - 1), nil, "end of life"},
		{noon.Add(time.Hour), ErrTooOld, "end of life"},
	} {
		c.now = test.now
		if _, err := c.choose(selector(t, "stable")); !errors.Is(err, test.kind) {
			t.Errorf("%s: expected %v, found %v", test.now, test.kind, err)
		}
		check, outlived := ageOf(stable, test.now)
		if (outlived == "") != (test.outlived == "") || !strings.Contains(outlived, test.outlived) || (check.Result == trust.Pass) != (outlived == "") {
			t.Errorf("%s: expected %q, found %q, %+v", test.now, test.outlived, outlived, check)
		}
	}
	stable.EndOfLife = time.Time{}
	if _, outlived := ageOf(stable, noon.Add(time.Hour)); !strings.Contains(outlived, "too old to choose from") {
		t.Errorf("expected it to be too old, found %q", outlived)
	}
	stable.MaxAge = 0
	if check, outlived := ageOf(stable, noon.Add(time.Hour)); check.Result != trust.NotChecked || outlived != "" {
		t.Errorf("expected nothing to be checked, found %+v, %q", check, outlived)
	}
}

func TestRolloutSteps(t *testing.T) {
	t.Parallel()
	rollout := &release.Rollout{Salt: "s", Steps: []release.RolloutStep{{At: noon, Percent: 50}, {At: noon.Add(time.Hour), Percent: 100}}}
	fresh := entry(t, "2.0.0", release.StatusCurrent)
	fresh.Rollout = rollout
	c := chooserOf(index("stable", fresh, entry(t, "1.0.0", release.StatusCurrent)))
	for _, test := range []struct {
		now   time.Time
		place int
		want  string
	}{
		{noon.Add(-1), 0, "1.0.0"},
		{noon, 0, "2.0.0"},
		{noon, cohorts/2 - 1, "2.0.0"},
		{noon, cohorts / 2, "1.0.0"},
		{noon.Add(time.Hour - 1), cohorts / 2, "1.0.0"},
		{noon.Add(time.Hour), cohorts - 1, "2.0.0"},
	} {
		c.now, c.place = test.now, func(string) int { return test.place }
		ch, err := c.choose(selector(t, "stable"))
		if err != nil || ch.entry.Version.String() != test.want {
			t.Errorf("%s, place %d: expected %s, found %s, %v", test.now, test.place, test.want, ch.entry.Version, err)
		}
	}
	// Alone in its channel there is nothing to wait with, and it is said when.
	c = chooserOf(index("stable", fresh))
	if _, err := c.choose(selector(t, "stable")); !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "2026-03-01T13:00:00Z") {
		t.Errorf("expected ErrUnknown with the time of its turn, found %v", err)
	}
}

// What is not approved is chosen by no exception: neither because its rollout is
// not waited for, nor because all else is revoked.
func TestUnapprovedIsNeverChosen(t *testing.T) {
	t.Parallel()
	rollout := &release.Rollout{Salt: "s", Steps: []release.RolloutStep{{At: noon.Add(time.Hour), Percent: 100}}}
	rolling := entry(t, "2.0.0", release.StatusCurrent)
	rolling.Rollout = rollout
	revoked, old := entry(t, "1.5.0", release.StatusRevoked), entry(t, "1.0.0", release.StatusCurrent)
	lacking := &trust.AgreementError{}
	unapproved := func(err error, versions ...string) func(release.ChannelEntry) error {
		return func(e release.ChannelEntry) error {
			if slices.Contains(versions, e.Version.String()) {
				return err
			}
			return nil
		}
	}
	notApproved := fmt.Errorf("%w: %w", trust.ErrNotApproved, lacking)
	for name, test := range map[string]struct {
		entries  []release.ChannelEntry
		approved func(release.ChannelEntry) error
		want     string
		kind     error
		warnings int
	}{
		"all approved: the rollout is not waited for": {[]release.ChannelEntry{rolling, revoked, old}, unapproved(nil), "2.0.0", nil, 0},
		"the one in rollout is not":                   {[]release.ChannelEntry{rolling, revoked, old}, unapproved(notApproved, "2.0.0"), "1.0.0", nil, 1},
		"none is, one is revoked":                     {[]release.ChannelEntry{rolling, revoked, old}, unapproved(notApproved, "2.0.0", "1.0.0"), "", trust.ErrNotApproved, 0},
		"the older is not":                            {[]release.ChannelEntry{rolling, old}, unapproved(notApproved, "1.0.0"), "", ErrUnknown, 0},
		"nobody knows":                                {[]release.ChannelEntry{rolling, old}, unapproved(trust.ErrNoAnswer, "2.0.0"), "", trust.ErrNoAnswer, 0},
		"contradicted":                                {[]release.ChannelEntry{rolling, old}, unapproved(trust.ErrDisagree, "2.0.0"), "", trust.ErrDisagree, 0},
		"a revoked one is not asked about":            {[]release.ChannelEntry{revoked, old}, unapproved(trust.ErrNoAnswer, "1.5.0"), "1.0.0", nil, 0},
	} {
		c := chooserOf(index("stable", test.entries...))
		c.approved = test.approved
		ch, err := c.choose(selector(t, "stable"))
		if !errors.Is(err, test.kind) || err == nil && ch.entry.Version.String() != test.want || len(ch.warnings) != test.warnings {
			t.Errorf("%s: expected %q, %v and %d warnings, found %v, %v, %q", name, test.want, test.kind, test.warnings, ch.entry.Version, err, ch.warnings)
		}
	}
}

func TestPickByPlatformAndFormat(t *testing.T) {
	t.Parallel()
	tool := []release.Executable{{Path: "hello"}}
	linux := func(format, target string, executables []release.Executable) release.Artifact {
		return release.Artifact{OS: "linux", Arch: "amd64", Format: format, Target: "hello/1.0.0/" + target, Executables: executables}
	}
	archive, packaged, bare, other := linux("tar.gz", "a.tar.gz", tool), linux("deb", "a.deb", nil), linux("raw", "a", nil), linux("zip", "a.zip", tool)
	for name, test := range map[string]struct {
		artifacts []release.Artifact
		format    string
		want      string
		kind      error
	}{
		"one":                         {[]release.Artifact{packaged}, "", packaged.Target, nil},
		"the one to install":          {[]release.Artifact{packaged, archive, bare}, "", archive.Target, nil},
		"two to install":              {[]release.Artifact{archive, other}, "", "", ErrAmbiguous},
		"none of several to install":  {[]release.Artifact{packaged, bare}, "", "", ErrAmbiguous},
		"by format":                   {[]release.Artifact{archive, packaged}, "deb", packaged.Target, nil},
		"by a format that is not":     {[]release.Artifact{archive, packaged}, "rpm", "", ErrUnknown},
		"by a format for one of them": {[]release.Artifact{packaged}, "zip", "", ErrUnknown},
		"none":                        {nil, "", "", ErrUnknown},
	} {
		doc := &release.Release{Product: "hello", Artifacts: test.artifacts}
		got, err := pick(doc, Request{Platform: artifact.Platform{OS: "linux", Arch: "amd64"}, Format: test.format})
		if !errors.Is(err, test.kind) || got.Target != test.want {
			t.Errorf("%s: expected %q, %v, found %q, %v", name, test.want, test.kind, got.Target, err)
		}
	}
}
