package mirror_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/internal/testrepo"
	"assay/mirror"
)

// TestFilters: which releases and artifacts of the sample each filter lets through.
func TestFilters(t *testing.T) {
	versions, err := artifact.ParseRange("~1.4.0")
	must(t, err)
	platforms := func(names ...string) (list []artifact.Platform) {
		for _, name := range names {
			p, err := artifact.ParsePlatform(name)
			must(t, err)
			list = append(list, p)
		}
		return list
	}
	all := []string{"ferry/0.9.0", "hello/1.3.0", "hello/1.4.0", "hello/1.4.1", "hello/1.4.2", "hello/1.5.0", "hello/1.5.1"}
	for _, c := range []struct {
		name   string
		filter mirror.Filter
		want   []string // releases
		files  []string // artifacts of hello 1.5.0, by their platform; nil: not looked at
	}{
		{"products", mirror.Filter{Products: []string{"ferry"}}, all[:1], nil},
		{"a channel", mirror.Filter{Channels: []string{"hotfix"}}, []string{"hello/1.5.1"}, nil},
		{"two channels", mirror.Filter{Channels: []string{"hotfix", "deprecated"}}, []string{"hello/1.3.0", "hello/1.5.1"}, nil},
		{"keep one of each channel", mirror.Filter{Keep: 1}, []string{"ferry/0.9.0", "hello/1.3.0", "hello/1.5.0", "hello/1.5.1"}, nil},
		{"keep two, none of them revoked", mirror.Filter{Keep: 4, Channels: []string{"stable"}}, []string{"ferry/0.9.0", "hello/1.3.0", "hello/1.4.0", "hello/1.4.2", "hello/1.5.0"}, nil},
		{"versions", mirror.Filter{Versions: &versions}, []string{"hello/1.4.0", "hello/1.4.1", "hello/1.4.2"}, nil},
		{"age", mirror.Filter{MaxAge: 10 * 24 * time.Hour}, []string{"hello/1.5.0", "hello/1.5.1"}, nil},
		{"one platform", mirror.Filter{Platforms: platforms("linux/amd64")}, all, []string{"linux_amd64"}},
		{"a variant that runs it", mirror.Filter{Platforms: platforms("linux/amd64/v3", "linux/arm64")}, all, []string{"linux_amd64", "linux_arm64"}},
		{"another platform", mirror.Filter{Platforms: platforms("freebsd/riscv64")}, all, []string{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRegion(t, testrepo.Options{})
			r.settings.Mode, r.settings.Filter = mirror.Filtered, c.filter
			run := r.sync(mirror.Done)
			var releases, files []string
			for name := range r.repo.Files(0) {
				path, hashed := strings.CutPrefix(name, "targets/")
				parts := strings.Split(path, "/")
				if !hashed || len(parts) != 3 {
					continue
				}
				if _, err := r.get(name); err != nil {
					continue
				}
				if strings.HasSuffix(name, ".release.json") {
					releases = append(releases, parts[0]+"/"+parts[1])
				}
				if _, rest, found := strings.Cut(parts[2], ".hello_1.5.0_"); found && !strings.Contains(rest, "json") {
					files = append(files, rest[:strings.IndexByte(rest, '.')])
				}
			}
			slices.Sort(releases)
			slices.Sort(files)
			if !slices.Equal(releases, c.want) {
				t.Errorf("releases: expected %q, found %q", c.want, releases)
			}
			if c.files != nil && !slices.Equal(files, c.files) {
				t.Errorf("artifacts: expected %q, found %q", c.files, files)
			}
			if run.Targets.Missing != 0 || run.Targets.Held != run.Targets.Carried {
				t.Errorf("expected all that is carried to be held, found %+v", run.Targets)
			}
			if again := r.sync(mirror.Done); again.Fetched != 0 || again.Changed {
				t.Errorf("again: expected nothing to happen, found %+v", again)
			}
		})
	}
}

// TestFilterWordThatMeansNothing: a misspelt product, or one that vanished, must not
// look like a complete mirror.
func TestFilterWordThatMeansNothing(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.settings.Mode, r.settings.Filter = mirror.Filtered, mirror.Filter{Products: []string{"helo"}, Channels: []string{"stabel"}}
	run := r.sync(mirror.Partial)
	if len(run.Faults) != 2 || !strings.Contains(run.Faults[0].Reason, `"helo"`) || !strings.Contains(run.Faults[1].Reason, `"stabel"`) || !errors.Is(run.Err, mirror.ErrIncomplete) {
		t.Errorf("expected both words to be told of, found %v, %+v", run.Err, run.Faults)
	}
	r.sync(mirror.Partial) // in each run
}

// TestOneDeadUpstreamTakesNothingFromTheOthers: a probe is green as long as something
// is served.
func TestOneDeadUpstreamTakesNothingFromTheOthers(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.open()
	if err := r.m.Ready(); !errors.Is(err, mirror.ErrNotReady) {
		t.Errorf("before the first run: expected %v, found %v", mirror.ErrNotReady, err)
	}
	r.sync(mirror.Done)
	both := r.config()
	dead := both.Repositories[0]
	dead.Settings.Name = "dead"
	both.Repositories = append(both.Repositories, dead)
	must(t, r.m.Configure(t.Context(), both))
	must(t, r.m.Ready())
	if st, err := r.m.Status("dead"); err != nil || st.State != mirror.Empty {
		t.Errorf("the dead one: expected it to be empty, found %+v, %v", st, err)
	}
	r.now = r.now.Add(48 * time.Hour)
	if err := r.m.Ready(); !errors.Is(err, mirror.ErrExpired) && !errors.Is(err, mirror.ErrNotReady) {
		t.Errorf("all expired: expected an error, found %v", err)
	}
}

// TestUpstreamTakenOutOfTheSettingsComesBack: its objects stay for some days.
func TestUpstreamTakenOutOfTheSettingsComesBack(t *testing.T) {
	r := newRegion(t, testrepo.Options{})
	r.sync(mirror.Done)
	none := r.config()
	none.Repositories = nil
	must(t, r.m.Configure(t.Context(), none))
	r.now = r.now.Add(time.Hour)
	if removed, _, err := r.m.Collect(t.Context()); removed != 0 || err != nil {
		t.Errorf("collect: expected nothing to go, found %d, %v", removed, err)
	}
	must(t, r.m.Configure(t.Context(), r.config()))
	r.sameAsUpstream(nil)
	st, err := r.m.Status("acme")
	if err != nil || st.Confirmed.IsZero() {
		t.Errorf("confirmed: expected what the memory of trust says, found %+v, %v", st, err)
	}
}
