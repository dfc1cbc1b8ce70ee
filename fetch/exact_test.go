package fetch_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"assay/artifact"
	"assay/fetch"
	"assay/internal/testrepo"
	"assay/trust"
)

func parseRef(t *testing.T, text string) artifact.Ref {
	t.Helper()
	ref, err := artifact.ParseRef(text)
	must(t, err)
	return ref
}

func version(t *testing.T, text string) artifact.Version {
	t.Helper()
	v, err := artifact.ParseVersion(text)
	must(t, err)
	return v
}

var linux = artifact.Platform{OS: "linux", Arch: "amd64"}

func TestChooseWhateverThePlatform(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	client := b.client()
	all := []string{"darwin/arm64", "linux/amd64", "linux/arm64", "windows/amd64"}
	for ref, want := range map[string]string{"hello": "1.5.0 stable", "hello@~1.4": "1.4.2 stable", "hello@hotfix": "1.5.1 hotfix", "acme:hello@1.4.0": "1.4.0 stable"} {
		chosen, err := client.Choose(t.Context(), parseRef(t, ref))
		must(t, err)
		if found := chosen.Version.String() + " " + chosen.Channel; found != want || chosen.Repository != "acme" || chosen.Product != "hello" || chosen.Why == "" {
			t.Errorf("%s: expected %s, found %+v", ref, want, chosen)
		}
		var platforms []string
		for _, p := range chosen.Platforms {
			platforms = append(platforms, p.String())
		}
		if !slices.Equal(platforms, all) || chosen.Target != "" {
			t.Errorf("%s: expected %v, found %v, %q", ref, all, platforms, chosen.Target)
		}
	}
	// A digest names one artifact, in whatever channel it is.
	held := b.mustGet("hello@1.4.2")
	chosen, err := client.Choose(t.Context(), parseRef(t, "hello@"+held.Blob.Digest().String()))
	must(t, err)
	if chosen.Version.String() != "1.4.2" || len(chosen.Platforms) != 1 || chosen.Platforms[0] != linux || chosen.Target != held.Target.Path() {
		t.Errorf("by a digest: found %+v", chosen)
	}
	for ref, kind := range map[string]error{"hello@1.4.1": fetch.ErrRevoked, "hello@9": fetch.ErrUnknown, "none": fetch.ErrUnknown, "hello@sha256:" + strings.Repeat("0", 64): fetch.ErrUnknown} {
		if _, err := client.Choose(t.Context(), parseRef(t, ref)); !errors.Is(err, kind) {
			t.Errorf("%s: expected %v, found %v", ref, kind, err)
		}
	}
}

func TestSelectExact(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	client := b.client()
	exact := fetch.Exact{Repository: "acme", Product: "hello", Version: version(t, "1.5.1"), Channel: "hotfix"}
	const path = "hello/1.5.1/hello_1.5.1_linux_amd64.tar.gz"
	for _, part := range []fetch.Part{{Platform: linux}, {Platform: linux, Target: path}, {Platform: linux, Format: "tar.gz", Held: true}} {
		selection, err := client.SelectExact(t.Context(), exact, part)
		must(t, err)
		if selection.Target.Path() != path || selection.Channel != "hotfix" || selection.Version != exact.Version || selection.Platform != linux || selection.Release == nil {
			t.Errorf("%+v: found %+v", part, selection)
		}
	}
	// Another channel's: it is found, and said where.
	elsewhere := exact
	elsewhere.Channel = "stable"
	for _, c := range []fetch.Exact{exact, elsewhere} {
		again, err := client.ChooseAgain(t.Context(), c)
		must(t, err)
		if again.Channel != "hotfix" || len(again.Platforms) != 4 {
			t.Errorf("expected it in hotfix, found %+v", again)
		}
	}
	deprecated := fetch.Exact{Repository: "acme", Product: "hello", Version: version(t, "1.3.0"), Channel: "stable"}
	selection, err := client.SelectExact(t.Context(), deprecated, fetch.Part{Platform: linux})
	must(t, err)
	if selection.Channel != "stable" || len(selection.Warnings) == 0 || !strings.Contains(selection.Warnings[0], "deprecated") {
		t.Errorf("expected a warning in stable, found %s, %q", selection.Channel, selection.Warnings)
	}
	other := func(change func(e *fetch.Exact, p *fetch.Part)) (fetch.Exact, fetch.Part) {
		e, p := exact, fetch.Part{Platform: linux}
		change(&e, &p)
		return e, p
	}
	for name, test := range map[string]struct {
		change func(e *fetch.Exact, p *fetch.Part)
		kind   error
	}{
		"repository": {func(e *fetch.Exact, _ *fetch.Part) { e.Repository = "none" }, fetch.ErrUnknown},
		"product":    {func(e *fetch.Exact, _ *fetch.Part) { e.Product = "none" }, fetch.ErrWithdrawn},
		"version":    {func(e *fetch.Exact, _ *fetch.Part) { e.Version = version(t, "1.5.9") }, fetch.ErrWithdrawn},
		"revoked":    {func(e *fetch.Exact, _ *fetch.Part) { e.Version = version(t, "1.4.1") }, fetch.ErrRevoked},
		"platform":   {func(_ *fetch.Exact, p *fetch.Part) { p.Platform.OS = "plan9" }, fetch.ErrUnknown},
		"format":     {func(_ *fetch.Exact, p *fetch.Part) { p.Format = "deb" }, fetch.ErrUnknown},
		"another's target": {func(_ *fetch.Exact, p *fetch.Part) {
			p.Target = strings.Replace(path, "linux_amd64", "darwin_arm64", 1)
		}, fetch.ErrUnknown},
		"no artifact": {func(_ *fetch.Exact, p *fetch.Part) { p.Target = "hello/1.5.1/release.json" }, fetch.ErrUnknown},
	} {
		e, p := other(test.change)
		if _, err := client.SelectExact(t.Context(), e, p); !errors.Is(err, test.kind) {
			t.Errorf("%s: expected %v, found %v", name, test.kind, err)
		}
	}
}

// What no channel lists any more is withdrawn, although its files are promised yet.
func TestSelectExactUnlisted(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.EditDocument("channel-hotfix/hello.json", func(document map[string]any) { document["releases"] = []any{} }))
	must(t, b.repo.Publish())
	client := b.client()
	exact := fetch.Exact{Repository: "acme", Product: "hello", Version: version(t, "1.5.1"), Channel: "hotfix"}
	if _, err := client.SelectExact(t.Context(), exact, fetch.Part{Platform: linux}); !errors.Is(err, fetch.ErrWithdrawn) || errors.Is(err, trust.ErrNoTarget) {
		t.Errorf("select: expected ErrWithdrawn alone, found %v", err)
	}
	if _, err := client.ChooseAgain(t.Context(), exact); !errors.Is(err, fetch.ErrWithdrawn) {
		t.Errorf("again: expected ErrWithdrawn, found %v", err)
	}
}

// What is listed, and whose file is gone, is withdrawn as well.
func TestSelectExactWithdrawnFile(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.RemoveTarget("hello/1.5.1/hello_1.5.1_linux_amd64.tar.gz", "hello"))
	must(t, b.repo.RemoveTarget("hello/1.4.2/release.json", "hello"))
	must(t, b.repo.Publish())
	client := b.client()
	for text, channel := range map[string]string{"1.5.1": "hotfix", "1.4.2": "stable"} {
		exact := fetch.Exact{Repository: "acme", Product: "hello", Version: version(t, text), Channel: channel}
		_, err := client.SelectExact(t.Context(), exact, fetch.Part{Platform: linux})
		if !errors.Is(err, fetch.ErrWithdrawn) || !errors.Is(err, trust.ErrNoTarget) {
			t.Errorf("%s: expected ErrWithdrawn, found %v", text, err)
		}
	}
}

// Expired metadata chooses nothing, and finds what is held by its exact name.
func TestExactInExpiredMetadata(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	held := b.mustGet("hello")
	exact := fetch.Exact{Repository: "acme", Product: "hello", Version: held.Version, Channel: "stable"}
	b.offline, b.now = true, b.now.AddDate(2, 0, 0)
	client := b.client()
	if _, err := client.Choose(t.Context(), parseRef(t, "hello@1.5.0")); !errors.Is(err, trust.ErrExpired) {
		t.Errorf("choose: expected ErrExpired, found %v", err)
	}
	if _, err := client.ChooseAgain(t.Context(), exact); !errors.Is(err, trust.ErrExpired) {
		t.Errorf("again: expected ErrExpired, found %v", err)
	}
	if _, err := client.SelectExact(t.Context(), exact, fetch.Part{Platform: linux}); !errors.Is(err, trust.ErrExpired) {
		t.Errorf("exact: expected ErrExpired, found %v", err)
	}
	selection, err := client.SelectExact(t.Context(), exact, fetch.Part{Platform: linux, Held: true})
	must(t, err)
	if got, err := client.GetSelected(t.Context(), selection); err != nil || got.Blob.Digest() != held.Blob.Digest() {
		t.Errorf("held: found %v, %v", got.Blob.Digest(), err)
	}
}

// Documents are what the cache has to keep to find and prove a release offline.
func TestDocumentsOfARelease(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustGet("hello")
	client := b.client()
	digests, err := client.Documents(t.Context(), fetch.Exact{Repository: "acme", Product: "hello", Version: version(t, "1.5.0"), Channel: "stable"})
	must(t, err)
	for _, path := range []string{"catalog.json", "channel-stable/hello.json", "channel-hotfix/hello.json", "hello/1.5.0/release.json"} {
		data, ok := b.repo.Target(path)
		if !ok || !slices.Contains(digests, artifact.DigestOf(artifact.SHA256, data)) {
			t.Errorf("%s is not among them", path)
		}
	}
	data, _ := b.repo.Target("hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz")
	if slices.Contains(digests, artifact.DigestOf(artifact.SHA256, data)) {
		t.Error("an artifact is among them")
	}
	// What it names, and nobody promises, can't be kept.
	must(t, b.repo.EditDocument("hello/1.5.0/release.json", func(document map[string]any) {
		document["checksums"] = map[string]any{"target": "hello/1.5.0/SHA256SUMS"}
	}))
	must(t, b.repo.Publish())
	client = b.client()
	without, err := client.Documents(t.Context(), fetch.Exact{Repository: "acme", Product: "hello", Version: version(t, "1.5.0"), Channel: "stable"})
	must(t, err)
	if len(without) != 9 { // the catalog, three channels, the manifest, four bills of materials
		t.Errorf("expected 9, found %v", without)
	}
	// Of one that is gone, what is left.
	gone, err := client.Documents(t.Context(), fetch.Exact{Repository: "acme", Product: "hello", Version: version(t, "1.9.0"), Channel: "stable"})
	must(t, err)
	if len(gone) != 4 { // the catalog, three channels
		t.Errorf("expected 4, found %v", gone)
	}
}
