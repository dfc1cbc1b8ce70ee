package fetch_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"assay/fetch"
	"assay/trust"
)

// plain adds a target that no channel lists, with the bytes of a release that is
// promised no longer but by its manifest.
func (b *signedBench) plain(path string) {
	b.t.Helper()
	data, ok := b.repo.Target(tarball("1.4.2"))
	if !ok {
		b.t.Fatal("no such artifact")
	}
	must(b.t, b.repo.RemoveTarget(tarball("1.4.2"), "hello"))
	must(b.t, b.repo.AddTarget(path, data))
	must(b.t, b.repo.Publish())
}

// A Client reads each document once, however much it is asked; another reads anew.
func TestDocumentsAreReadOnce(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.plain("misc/tool.tgz")
	b.revoke("1.4.1")
	client := b.client()
	_, err := client.SelectTarget(t.Context(), "acme", "misc/tool.tgz")
	must(t, err)
	b.server.ResetCounters()
	must(t, os.RemoveAll(filepath.Join(b.dir, "blobs")))
	inParallel(20, func(int) {
		if _, err := client.SelectTarget(t.Context(), "acme", "misc/tool.tgz"); err != nil {
			t.Error(err)
		}
	})
	if got := b.server.Requests(); len(got) > 0 {
		t.Errorf("asked again for %v", got)
	}
	b.offline = true
	if _, err := b.client().SelectTarget(t.Context(), "acme", "misc/tool.tgz"); !errors.Is(err, trust.ErrNotHeld) {
		t.Errorf("another one, with nothing held: expected ErrNotHeld, found %v", err)
	}
}

// What is published later is seen by whoever asks anew, and by nobody before.
func TestNewClientSeesWhatWasPublished(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.plain("misc/tool.tgz")
	before := b.client()
	ask := func(client *fetch.Client) error {
		_, err := client.SelectTarget(t.Context(), "acme", "misc/tool.tgz")
		return err
	}
	newest := func(client *fetch.Client) string {
		selection, err := client.Resolve(t.Context(), request(t, "hello"))
		must(t, err)
		return selection.Version.String()
	}
	must(t, ask(before))
	first := newest(before)
	b.release("hello", "2.1.0", nil)
	b.revoke("1.4.2")
	after := b.client()
	inParallel(20, func(int) {
		if err := ask(before); err != nil {
			t.Errorf("by the view before: %v", err)
		}
		if err := ask(after); !errors.Is(err, fetch.ErrRevoked) {
			t.Errorf("by the view after: expected ErrRevoked, found %v", err)
		}
	})
	if was, is := newest(before), newest(after); was != first || is != "2.1.0" {
		t.Errorf("found %s and then %s, behind %s", was, is, first)
	}
}

// Offline the manifest of a revoked release may not be held. Once it is, the same
// Client refuses the release's bytes.
func TestRevokedManifestIsHeldLater(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.plain("misc/tool.tgz")
	b.revoke("1.4.2")
	ask := func(client *fetch.Client) error {
		_, err := client.SelectTarget(t.Context(), "acme", "misc/tool.tgz")
		return err
	}
	if err := ask(b.client()); !errors.Is(err, fetch.ErrRevoked) { // brings catalog, channels, manifests
		t.Fatalf("online: expected ErrRevoked, found %v", err)
	}
	manifest := b.digest("hello/1.4.2/release.json").Hex()
	must(t, os.Remove(filepath.Join(b.dir, "blobs", "sha256", manifest[:2], manifest)))
	b.offline = true
	offline := b.client()
	for range 2 {
		must(t, ask(offline))
	}
	b.offline = false
	if err := ask(b.client()); !errors.Is(err, fetch.ErrRevoked) {
		t.Fatalf("online: expected ErrRevoked, found %v", err)
	}
	for range 2 {
		if err := ask(offline); !errors.Is(err, fetch.ErrRevoked) {
			t.Errorf("offline, with the manifest held: expected ErrRevoked, found %v", err)
		}
	}
}
