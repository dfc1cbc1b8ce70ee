package trust_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"assay/internal/testrepo"
	"assay/trust"
)

const manifestPath = "hello/1.5.0/release.json"

// sampleBench is a bench on the repository that follows the release layout.
func sampleBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{t: t, now: start, store: &trust.MemStore{}}
	repo, err := testrepo.Sample(testrepo.Options{Now: func() time.Time { return b.now }})
	must(t, err)
	b.repo, b.remote = repo, &remote{repo: repo}
	b.config = trust.Config{Name: "acme", Root: repo.Root(), Store: newPolice(t, b.store), Remote: b.remote, Now: func() time.Time { return b.now }}
	return b
}

// document is a target with the bytes that the repository published for it.
func (b *bench) document(view *trust.View, path string) (trust.Target, []byte) {
	b.t.Helper()
	target, err := view.HeldTarget(b.t.Context(), path)
	must(b.t, err)
	data, _ := b.repo.Target(path)
	return target, data
}

func TestReleaseTakesProvenManifestsOnly(t *testing.T) {
	t.Parallel()
	b := sampleBench(t)
	view := b.mustRefresh()
	manifest, data := b.document(view, manifestPath)
	doc, err := view.Release(manifest, data)
	must(t, err)
	if doc.Product != "hello" || doc.Version.String() != "1.5.0" {
		t.Errorf("found %s %s", doc.Product, doc.Version)
	}
	if _, err := view.Release(trust.Target{}, data); !errors.Is(err, trust.ErrNoTarget) {
		t.Errorf("by the zero target: expected ErrNoTarget, found %v", err)
	}
	flipped := append([]byte{' '}, data[1:]...)
	for name, wrong := range map[string][]byte{"one byte less": data[1:], "one byte more": append(data[:len(data):len(data)], '\n'), "one byte changed": flipped} {
		if _, err := view.Release(manifest, wrong); !errors.Is(err, trust.ErrMismatch) {
			t.Errorf("%s: expected ErrMismatch, found %v", name, err)
		}
	}
	catalog, data := b.document(view, "catalog.json")
	if _, err := view.Release(catalog, data); !errors.Is(err, trust.ErrManifest) {
		t.Errorf("another document: expected ErrManifest, found %v", err)
	}
	// A manifest under a name of its own would escape what the channels say.
	hidden, _ := b.repo.Target(manifestPath)
	must(t, b.repo.AddTarget("hello/1.5.0/hidden.json", hidden))
	must(t, b.repo.Publish())
	view = b.mustRefresh()
	target, data := b.document(view, "hello/1.5.0/hidden.json")
	if _, err := view.Release(target, data); !errors.Is(err, trust.ErrManifest) {
		t.Errorf("a manifest under another name: expected ErrManifest, found %v", err)
	}
}

func TestArtifactMustAgreeWithItsRole(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(map[string]any){
		"length": func(a map[string]any) { a["length"] = a["length"].(float64) + 1 },
		"digest": func(a map[string]any) { a["digests"] = map[string]any{"sha256": strings.Repeat("0", 64)} },
		"no shared digest": func(a map[string]any) {
			a["digests"] = map[string]any{"sha512": strings.Repeat("0", 128)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := sampleBench(t)
			must(t, b.repo.EditDocument(manifestPath, func(doc map[string]any) {
				edit(doc["artifacts"].([]any)[0].(map[string]any))
			}))
			must(t, b.repo.Publish())
			view := b.mustRefresh()
			manifest, data := b.document(view, manifestPath)
			if _, err := view.Artifact(t.Context(), manifest, data, 0); !errors.Is(err, trust.ErrManifest) {
				t.Errorf("expected ErrManifest, found %v", err)
			}
			_, err := view.Artifact(t.Context(), manifest, data, 1)
			must(t, err)
			for _, i := range []int{-1, 4} {
				if _, err := view.Artifact(t.Context(), manifest, data, i); !errors.Is(err, trust.ErrNoTarget) {
					t.Errorf("artifact %d: expected ErrNoTarget, found %v", i, err)
				}
			}
		})
	}
}

// An artifact that lies at URLs is only as fresh as the manifest that names it.
func TestArtifactElsewhereInheritsStaleness(t *testing.T) {
	t.Parallel()
	b := sampleBench(t)
	const path = "ferry/0.9.0/release.json"
	elsewhere := func(view *trust.View) trust.Target {
		manifest, data := b.document(view, path)
		doc, err := view.Release(manifest, data)
		must(t, err)
		for i, a := range doc.Artifacts {
			if len(a.URLs) > 0 {
				target, err := view.Artifact(t.Context(), manifest, data, i)
				must(t, err)
				return target
			}
		}
		t.Fatal("no artifact lies elsewhere")
		return trust.Target{}
	}
	target := elsewhere(b.mustRefresh())
	if target.Stale() != nil || target.Manifest() != path || len(target.URLs()) == 0 {
		t.Errorf("fresh: found %v, %q, %v", target.Stale(), target.Manifest(), target.URLs())
	}
	b.now = start.Add(10_000 * time.Hour)
	if target := elsewhere(mustOffline(t, b)); !errors.Is(target.Stale(), trust.ErrExpired) {
		t.Errorf("expired: expected a stale target, found %v", target.Stale())
	}
}
