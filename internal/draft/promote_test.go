package draft

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/artifact/release"
)

func version(t *testing.T, text string) artifact.Version {
	t.Helper()
	v, err := artifact.ParseVersion(text)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// tree makes a folder of targets of documents by path.
func tree(t *testing.T, documents map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "targets [1]*") // no pattern
	for path, content := range documents {
		at := filepath.Join(dir, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(at), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(at, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const manifest150 = `{"schema":"assay.release/v1","product":"hello","version":"1.5.0","published":"2026-09-15T00:00:00Z","summary":"Prints a <greeting>",
 "artifacts":[{"target":"hello/1.5.0/a.zip","os":"linux","arch":"amd64","length":1,"digests":{"sha256":"6f1e0d2c3b4a59687786a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"}}]}`

const candidate = `{"schema":"assay.channel/v1","product":"hello","channel":"candidate","updated":"2026-09-01T00:00:00Z","releases":[
 {"version":"1.5.0","manifest":"hello/1.5.0/release.json","status":"current","since":"2026-09-01T00:00:00Z"},
 {"version":"1.4.9","manifest":"hello/1.4.9/release.json","status":"deprecated","since":"2026-09-01T00:00:00Z","reason":"too slow"},
 {"version":"1.4.8","manifest":"hello/1.4.8/release.json","status":"superseded","since":"2026-09-01T00:00:00Z"}]}`

const stable = `{
  "schema": "assay.channel/v1",
  "product": "hello",
  "note": {"by": "others <x>"},
  "channel": "stable",
  "updated": "2026-09-01T00:00:00Z",
  "max_age": "90d",
  "releases": [
    {"version": "1.4.2", "manifest": "hello/1.4.2/release.json", "status": "current", "since": "2026-09-01T00:00:00Z", "ticket": 7,
     "rollout": {"salt": "s", "steps": [{"at": "2026-09-01T00:00:00Z", "percent": 10}]}},
    {"version": "1.4.1", "manifest": "hello/1.4.1/release.json", "status": "current", "since": "2026-08-01T00:00:00Z"},
    {"version": "1.4.0", "manifest": "hello/1.4.0/release.json", "status": "revoked", "since": "2026-08-01T00:00:00Z", "reason": "bad"}
  ]
}
`

const catalog = `{"schema":"assay.catalog/v1","products":[{"product":"ferry","channels":["stable"]},{"owner":"x","product":"hello","channels":["candidate"]}]}`

func promotion(t *testing.T, dir, v, from, to string) Promotion {
	return Promotion{Dir: dir, Product: "hello", Version: version(t, v), From: from, To: to, Now: now()}
}

func promoted(t *testing.T, p Promotion) *Promoted {
	t.Helper()
	out, err := Promote(p)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Write(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, d := range out.Documents {
		for _, f := range release.Lint(d.Place, d.Data, p.Now).Findings {
			if f.Severity == release.SeverityError {
				t.Errorf("lint: %+v", f)
			}
		}
	}
	return out
}

func read(t *testing.T, dir, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(path)))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestPromote(t *testing.T) {
	dir := tree(t, map[string]string{
		"channel-candidate/hello.json": candidate, "channel-stable/hello.json": stable, "catalog.json": catalog, "hello/1.5.0/release.json": manifest150,
	})
	p := promotion(t, dir, "1.5.0", "candidate", "stable")
	out := promoted(t, p)
	if want := []artifact.Version{version(t, "1.4.2"), version(t, "1.4.1")}; !slices.Equal(out.Superseded, want) || out.Status != release.StatusCurrent || !out.Changed() {
		t.Errorf("got %+v", out)
	}
	// What it does not edit stays as it was, in its place.
	const want = `{
  "schema": "assay.channel/v1",
  "product": "hello",
  "note": {
    "by": "others <x>"
  },
  "channel": "stable",
  "updated": "2026-09-15T09:00:00Z",
  "max_age": "90d",
  "releases": [
    {
      "version": "1.5.0",
      "manifest": "hello/1.5.0/release.json",
      "status": "current",
      "since": "2026-09-15T09:00:00Z"
    },
    {
      "version": "1.4.2",
      "manifest": "hello/1.4.2/release.json",
      "status": "superseded",
      "since": "2026-09-15T09:00:00Z",
      "ticket": 7
    },
    {
      "version": "1.4.1",
      "manifest": "hello/1.4.1/release.json",
      "status": "superseded",
      "since": "2026-09-15T09:00:00Z"
    },
    {
      "version": "1.4.0",
      "manifest": "hello/1.4.0/release.json",
      "status": "revoked",
      "since": "2026-08-01T00:00:00Z",
      "reason": "bad"
    }
  ]
}
`
	if got := read(t, dir, "channel-stable/hello.json"); got != want {
		t.Errorf("got\n%s", got)
	}
	if got := read(t, dir, "catalog.json"); !strings.Contains(got, "\"owner\": \"x\"") || !strings.Contains(got, "\"candidate\",\n        \"stable\"") {
		t.Errorf("got\n%s", got)
	}
	if got := read(t, dir, "channel-candidate/hello.json"); got != candidate {
		t.Errorf("the channel it came from was edited:\n%s", got)
	}
	// Once more, and later: there is nothing to do.
	p.Now = p.Now.Add(time.Hour)
	if again := promoted(t, p); again.Changed() || read(t, dir, "channel-stable/hello.json") != want {
		t.Errorf("it was edited again: %+v", again)
	}
	p.MaxAge = release.Duration(24 * time.Hour)
	if promoted(t, p); !strings.Contains(read(t, dir, "channel-stable/hello.json"), "\"updated\": \"2026-09-15T10:00:00Z\",\n  \"max_age\": \"1d\"") {
		t.Errorf("got\n%s", read(t, dir, "channel-stable/hello.json"))
	}
}

func TestPromoteFirst(t *testing.T) {
	dir := tree(t, map[string]string{"hello/1.5.0/release.json": manifest150})
	p := promotion(t, dir, "1.5.0", NoChannel, "candidate")
	p.MaxAge = release.Duration(90 * 24 * time.Hour)
	if out := promoted(t, p); !out.NoCatalog || len(out.Documents) != 1 {
		t.Errorf("got %+v", out)
	}
	if got := read(t, dir, "channel-candidate/hello.json"); !strings.Contains(got, "\"max_age\": \"90d\",\n  \"releases\": [\n    {\n      \"version\": \"1.5.0\"") {
		t.Errorf("got\n%s", got)
	}
	// As after a crash between the two documents.
	p.Catalog = true
	if out := promoted(t, p); out.NoCatalog || out.Documents[0].Changed || !out.Documents[1].Changed {
		t.Errorf("got %+v", out)
	}
	if got := read(t, dir, "catalog.json"); !strings.Contains(got, `"summary": "Prints a <greeting>"`) {
		t.Errorf("got\n%s", got)
	}
	p.MaxAge = 0
	if out := promoted(t, p); out.Changed() {
		t.Errorf("got %+v", out)
	}
}

func TestPromoteInSteps(t *testing.T) {
	dir := tree(t, map[string]string{"channel-candidate/hello.json": candidate, "channel-stable/hello.json": stable})
	p := promotion(t, dir, "1.5.0", "candidate", "stable")
	p.Rollout = []Step{{5, 0}, {100, 48 * time.Hour}}
	// 1.4.2 has not reached every machine: both it and 1.4.1 are still in use.
	if out := promoted(t, p); out.Superseded != nil || !out.NoManifest || !out.NoCatalog {
		t.Errorf("got %+v", out)
	}
	if got := read(t, dir, "channel-stable/hello.json"); !strings.Contains(got, `"salt": "hello-1.5.0"`) || !strings.Contains(got, "\"at\": \"2026-09-17T09:00:00Z\",\n            \"percent\": 100") {
		t.Errorf("got\n%s", got)
	}
	whole := strings.Replace(stable, `"percent": 10}`, `"percent": 100}`, 1)
	p.Dir = tree(t, map[string]string{"channel-candidate/hello.json": candidate, "channel-stable/hello.json": whole})
	if out := promoted(t, p); !slices.Equal(out.Superseded, []artifact.Version{version(t, "1.4.1")}) {
		t.Errorf("got %+v", out)
	}
	for _, steps := range [][]Step{{{5, 0}, {4, time.Hour}}, {{5, time.Hour}, {6, time.Hour}}, {{101, 0}}, {{-1, 0}}, {{1, -time.Hour}}, make([]Step, 101)} {
		p.Rollout = steps
		if _, err := Promote(p); !errors.Is(err, ErrInput) {
			t.Errorf("%v: got %v", steps, err)
		}
	}
}

func TestBackport(t *testing.T) {
	dir := tree(t, map[string]string{"channel-candidate/hello.json": candidate, "channel-stable/hello.json": strings.ReplaceAll(stable, "1.4.2", "2.0.0")})
	p := promotion(t, dir, "1.5.0", "candidate", "stable")
	if _, err := Promote(p); !errors.Is(err, ErrPromotion) || !strings.Contains(err.Error(), "2.0.0 is current in the channel stable and newer") {
		t.Errorf("got %v", err)
	}
	p.Backport = true
	out := promoted(t, p)
	if got := read(t, dir, "channel-stable/hello.json"); out.Status != release.StatusSuperseded || strings.Count(got, `"superseded"`) != 1 {
		t.Errorf("got %+v\n%s", out, got)
	}
	if promoted(t, p).Changed() {
		t.Error("it was edited again")
	}
}

func TestPromotionRefused(t *testing.T) {
	revoked := strings.NewReplacer(`"candidate"`, `"nightly"`, `"current"`, `"revoked"`).Replace(candidate)
	base := map[string]string{"channel-candidate/hello.json": candidate, "channel-stable/hello.json": stable}
	for name, c := range map[string]struct {
		version, from, to string
		more              map[string]string
		edit              func(*Promotion)
		kind              error
		words             string
	}{
		"to itself":            {"1.5.0", "stable", "stable", nil, nil, ErrInput, "expected two channels"},
		"to no channel":        {"1.5.0", "candidate", "-", nil, nil, ErrInput, "not a"},
		"to a path":            {"1.5.0", "candidate", "../x", nil, nil, ErrInput, "not a"},
		"from a path":          {"1.5.0", "../x", "stable", nil, nil, ErrInput, "not a"},
		"to deprecated":        {"1.5.0", "candidate", "deprecated", nil, nil, ErrInput, "with a reason"},
		"of another product":   {"1.5.0", "candidate", "stable", nil, func(p *Promotion) { p.Product = "../x" }, ErrInput, "not a"},
		"in steps, a backport": {"1.5.0", "candidate", "stable", nil, func(p *Promotion) { p.Backport, p.Rollout = true, []Step{{1, 0}} }, ErrInput, "expected no rollout"},
		"in steps, where all have it": {"1.4.8", "candidate", "stable", map[string]string{"channel-stable/hello.json": strings.ReplaceAll(stable, "1.4.1", "1.4.8")},
			func(p *Promotion) { p.Rollout = []Step{{1, 0}} }, ErrPromotion, "for every machine already"},
		"no backport":        {"1.5.0", "candidate", "stable", nil, func(p *Promotion) { p.Backport = true }, ErrPromotion, "would be no backport"},
		"from nowhere":       {"1.5.0", "nightly", "stable", nil, nil, ErrNoRelease, "channel-nightly/hello.json"},
		"without a manifest": {"1.5.0", "-", "stable", nil, nil, ErrNoRelease, "expected a manifest at hello/1.5.0/release.json"},
		"not in the channel": {"1.6.0", "candidate", "stable", nil, nil, ErrNoRelease, "found 1.5.0, 1.4.9, 1.4.8"},
		"deprecated there":   {"1.4.9", "candidate", "stable", nil, nil, ErrPromotion, `"too slow"`},
		"deprecated, round the channel": {"1.5.0", "-", "stable", map[string]string{"hello/1.5.0/release.json": manifest150, "channel-nightly/hello.json": strings.ReplaceAll(revoked, `"revoked"`, `"deprecated"`)},
			nil, ErrPromotion, "is deprecated in the channel nightly"},
		"revoked elsewhere": {"1.5.0", "candidate", "stable", map[string]string{"channel-nightly/hello.json": revoked}, nil, ErrRevoked, "in the channel nightly"},
		"older":             {"1.4.8", "candidate", "stable", map[string]string{"channel-stable/hello.json": strings.ReplaceAll(stable, "1.4.2", "1.4.9")}, nil, ErrPromotion, "1.4.9 is current"},
		"differs in build metadata": {"1.5.0", "candidate", "stable", map[string]string{"channel-stable/hello.json": strings.ReplaceAll(stable, "1.4.2", "1.5.0+b")}, nil,
			ErrPromotion, "in build metadata alone"},
		"a clock behind":    {"1.5.0", "candidate", "stable", nil, func(p *Promotion) { p.Now = p.Now.AddDate(-1, 0, 0) }, ErrPromotion, "clock says"},
		"a broken index":    {"1.5.0", "candidate", "stable", map[string]string{"channel-stable/hello.json": "{"}, nil, release.ErrMalformed, "channel-stable/hello.json"},
		"an index of ferry": {"1.5.0", "candidate", "stable", map[string]string{"channel-stable/hello.json": strings.ReplaceAll(stable, "hello", "ferry")}, nil, release.ErrBinding, "hello"},
		"a broken catalog":  {"1.5.0", "candidate", "stable", map[string]string{"catalog.json": "{}"}, nil, release.ErrMalformed, "catalog.json"},
		"a broken manifest": {"1.5.0", "candidate", "stable", map[string]string{"hello/1.5.0/release.json": candidate}, nil, release.ErrSchema, "release.json"},
		"a long index": {"1.5.0", "candidate", "stable", map[string]string{"channel-stable/hello.json": stable + strings.Repeat(" ", release.MaxChannelBytes)}, nil,
			ErrInput, "expected at most 4194304 bytes, found 4194"},
	} {
		t.Run(name, func(t *testing.T) {
			files := map[string]string{}
			for _, set := range []map[string]string{base, c.more} {
				for path, content := range set {
					files[path] = content
				}
			}
			p := promotion(t, tree(t, files), c.version, c.from, c.to)
			if c.edit != nil {
				c.edit(&p)
			}
			if out, err := Promote(p); !errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.words) {
				t.Errorf("got %+v, %v, want %q with %q", out, err, c.kind, c.words)
			}
			for path, content := range files {
				if read(t, p.Dir, path) != content {
					t.Errorf("%s was edited", path)
				}
			}
		})
	}
}

// TestUnreadableChannel: one that can't be looked into may revoke the release.
func TestUnreadableChannel(t *testing.T) {
	dir := tree(t, map[string]string{"channel-candidate/hello.json": candidate, "channel-stable/hello.json": stable, "channel-Old/hello.json": "x", "channel-notes": "x"})
	p := promotion(t, dir, "1.5.0", "candidate", "stable")
	if _, err := Promote(p); err != nil {
		t.Errorf("a name that is no channel's: %v", err)
	}
	if err := os.Symlink("channel-nightly", filepath.Join(dir, "channel-nightly")); err != nil {
		t.Skip(err)
	}
	if _, err := Promote(p); !errors.Is(err, ErrDisk) || !strings.Contains(err.Error(), "channel-nightly") {
		t.Errorf("got %v", err)
	}
}

func TestPromotionMeanwhile(t *testing.T) {
	dir := tree(t, map[string]string{"channel-candidate/hello.json": candidate, "channel-stable/hello.json": stable})
	out, err := Promote(promotion(t, dir, "1.5.0", "candidate", "stable"))
	if err != nil {
		t.Fatal(err)
	}
	at := filepath.Join(dir, "channel-stable", "hello.json")
	if err := os.WriteFile(at, []byte(stable+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := out.Write(context.Background()); !errors.Is(err, ErrChanged) || read(t, dir, "channel-stable/hello.json") != stable+"\n" {
		t.Errorf("got %v", err)
	}
}
