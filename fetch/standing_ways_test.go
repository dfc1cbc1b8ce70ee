package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"assay/fetch"
	"assay/internal/testrepo"
	"assay/trust"
)

// pathOf selects a target of a repository by its path.
func (b *signedBench) pathOf(repository, path string) error {
	b.t.Helper()
	_, err := b.client().SelectTarget(b.t.Context(), repository, path)
	return err
}

// bytesOf are those of one of acme's targets.
func (b *bench) bytesOf(path string) []byte {
	b.t.Helper()
	data, ok := b.repo.Target(path)
	if !ok {
		b.t.Fatalf("no target %s", path)
	}
	return data
}

// alike publishes the bytes of acme's target under another path.
func (b *bench) alike(path, of string, role ...string) {
	b.t.Helper()
	must(b.t, b.repo.AddTarget(path, b.bytesOf(of), role...))
	must(b.t, b.repo.Publish())
}

// withdraw takes a version back in stable.
func (b *bench) withdraw(version string) {
	b.t.Helper()
	must(b.t, b.repo.SetStatus("hello", "stable", version, "revoked", "by a test", ""))
	must(b.t, b.repo.Publish())
}

// A path is a repository's own: what another one called by a path that is revoked
// here is not revoked by that.
func TestRevokedPathOfAnotherRepository(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	data := []byte("a tool")
	const path = "hello/1.4.2/tool.tgz"
	repo, err := testrepo.New(testrepo.Options{Now: b.repo.Now})
	must(t, err)
	must(t, repo.AddTarget(path, data))
	must(t, repo.Publish())
	b.join("beta", repo)
	client := b.client()
	selection, err := client.SelectTarget(t.Context(), "beta", path)
	must(t, err)
	_, err = client.GetSelected(t.Context(), selection)
	must(t, err)
	must(t, b.repo.AddTarget("misc/tool.tgz", data))
	b.withdraw("1.4.2")
	if err := b.pathOf("acme", "misc/tool.tgz"); err != nil {
		t.Errorf("expected it to be acme's own, found %v", err)
	}
	if err := b.pathOf("acme", tarball("1.4.2")); !errors.Is(err, fetch.ErrRevoked) {
		t.Errorf("expected ErrRevoked, found %v", err)
	}
}

// Bytes that were got as a file of a release, which its manifest does not list:
// only the receipt tells that they are revoked.
func TestRevokedByReceiptAlone(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	const path = "hello/1.4.2/extra.tgz"
	must(t, b.repo.AddTarget(path, []byte("extra"), "hello"))
	b.alike("misc/tool.tgz", path)
	_, err := b.byPath(path)
	must(t, err)
	must(t, b.pathOf("acme", "misc/tool.tgz"))
	b.withdraw("1.4.2")
	if err := b.pathOf("acme", "misc/tool.tgz"); !errors.Is(err, fetch.ErrRevoked) || !strings.Contains(err.Error(), path) {
		t.Errorf("expected ErrRevoked for %s, found %v", path, err)
	}
}

// What a channel lists stands by the channel's word: a later release may have a
// file in common with one that is revoked.
func TestListedReleaseSharesRevokedBytes(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.alike("hello/1.5.0/tool.tgz", tarball("1.4.2"), "hello")
	b.alike("misc/tool.tgz", tarball("1.4.2"))
	b.withdraw("1.4.2")
	if err := b.pathOf("acme", "hello/1.5.0/tool.tgz"); err != nil {
		t.Errorf("listed: expected no error, found %v", err)
	}
	if err := b.pathOf("acme", "misc/tool.tgz"); !errors.Is(err, fetch.ErrRevoked) {
		t.Errorf("not listed: expected ErrRevoked, found %v", err)
	}
}

// A digest is enough to know revoked bytes by, whatever length their manifest
// tells: its word counts against them here, never for them.
func TestRevokedManifestOfAnotherLength(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.alike("misc/tool.tgz", tarball("1.4.2"))
	const manifest = "hello/1.4.2/release.json"
	length := fmt.Sprintf(`"length": %d,`, len(b.bytesOf(tarball("1.4.2"))))
	edited := strings.ReplaceAll(string(b.bytesOf(manifest)), length, `"length": 7,`)
	if !strings.Contains(edited, `"length": 7,`) {
		t.Fatalf("no %s in %s", length, manifest)
	}
	must(t, b.repo.AddTarget(manifest, []byte(edited), "hello"))
	b.withdraw("1.4.2")
	if err := b.pathOf("acme", "misc/tool.tgz"); !errors.Is(err, fetch.ErrRevoked) {
		t.Errorf("expected ErrRevoked, found %v", err)
	}
}

// A revoked release's manifest may be gone, or may never have come here: that
// bars nothing else.
func TestRevokedManifestThatIsNotThere(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	must(t, b.repo.AddTarget("misc/tool.tgz", []byte("a tool")))
	must(t, b.repo.Publish())
	_, err := b.byPath("misc/tool.tgz") // the documents are held
	must(t, err)
	b.withdraw("1.4.2")
	_, err = b.get("hello@1.5.0") // the channel, but not the manifest of 1.4.2
	must(t, err)
	b.offline = true
	if err := b.pathOf("acme", "misc/tool.tgz"); err != nil {
		t.Errorf("not held: expected no error, found %v", err)
	}
	b.offline = false
	must(t, b.repo.RemoveTarget("hello/1.4.2/release.json", "hello"))
	must(t, b.repo.Publish())
	if err := b.pathOf("acme", "misc/tool.tgz"); err != nil {
		t.Errorf("not promised: expected no error, found %v", err)
	}
}

// A revoked release's manifest that can't be read is no manifest that is gone.
func TestRevokedManifestThatCannotBeRead(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	must(t, b.repo.AddTarget("misc/tool.tgz", []byte("a tool")))
	b.withdraw("1.4.2")
	b.server.Status("hello/1.4.2/", http.StatusInternalServerError)
	if err := b.pathOf("acme", "misc/tool.tgz"); !errors.Is(err, fetch.ErrSource) {
		t.Errorf("expected ErrSource, found %v", err)
	}
}

// Channels and catalogs that can't be read: whether something is revoked is not
// known then, whichever way it is named.
func TestStandingThatCannotBeFoundOut(t *testing.T) {
	t.Parallel()
	for _, document := range []string{"catalog.json", "channel-stable/"} {
		for _, path := range []string{tarball("1.5.0"), "hello/1.5.0/tool.tgz", "misc/tool.tgz"} {
			b := newSigned(t)
			must(t, b.repo.AddTarget("hello/1.5.0/tool.tgz", []byte("a tool"), "hello"))
			must(t, b.repo.AddTarget("misc/tool.tgz", []byte("another tool")))
			must(t, b.repo.Publish())
			b.server.Status(document, http.StatusInternalServerError)
			if err := b.pathOf("acme", path); !errors.Is(err, fetch.ErrSource) {
				t.Errorf("%s, %s: expected ErrSource, found %v", document, path, err)
			}
			if _, err := b.client().Identify(t.Context(), b.onDisk(path)); !errors.Is(err, fetch.ErrSource) {
				t.Errorf("%s, the bytes of %s: expected ErrSource, found %v", document, path, err)
			}
		}
	}
}

var errDeaf = errors.New("the memory does not answer")

// deaf is a memory that can't be read.
type deaf struct{ trust.Store }

func (deaf) View(context.Context, func(trust.Tx) error) error { return errDeaf }

// Under which names the bytes were judged has to be known.
func TestReceiptsThatCannotBeRead(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	must(t, b.pathOf("acme", signedTarball))
	b.judge.Memory = deaf{b.memory}
	if err := b.pathOf("acme", signedTarball); !errors.Is(err, errDeaf) {
		t.Errorf("by path: expected %v, found %v", errDeaf, err)
	}
	if _, err := b.client().Identify(t.Context(), b.onDisk(signedTarball)); !errors.Is(err, errDeaf) {
		t.Errorf("by its bytes: expected %v, found %v", errDeaf, err)
	}
}

// A path that belongs to no release is asked about in no channel of the first
// repository; one that does is, also if that can't be.
func TestFirstIsNotAskedAboutNoRelease(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.AddTarget("hello/notes.txt", []byte("notes")))
	must(t, b.repo.Publish())
	b.approves("approvals", "hello/notes.txt", tarball("1.5.0"))
	b.mustAgree(2, "acme", "approvals")
	for _, document := range []string{"catalog.json", "channel-stable"} {
		b.server.Clear()
		b.server.Status(document, http.StatusInternalServerError)
		if _, err := b.client().SelectTarget(t.Context(), "approvals", tarball("1.5.0")); !errors.Is(err, fetch.ErrSource) {
			t.Errorf("%s, of a release: expected ErrSource, found %v", document, err)
		}
	}
	if _, err := b.client().SelectTarget(t.Context(), "approvals", "hello/notes.txt"); err != nil {
		t.Errorf("expected no error, found %v", err)
	}
}

// The first repository of the manifest's mapping is asked what it has revoked,
// also where the artifact itself is nobody's to agree on.
func TestFirstOfTheManifestIsSilent(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.approves("approvals", tarball("1.5.0"))
	m, err := trust.NewMap([]trust.Mapping{{Paths: []string{"hello/*/release.json"}, Repositories: []string{"acme", "approvals"}, Threshold: 2}})
	must(t, err)
	b.agree = m
	if _, err := b.client().SelectTarget(t.Context(), "approvals", tarball("1.5.0")); err != nil {
		t.Errorf("expected approvals' own word to be enough, found %v", err)
	}
	b.server.Close()
	if _, err := b.client().SelectTarget(t.Context(), "approvals", tarball("1.5.0")); !errors.Is(err, fetch.ErrSource) {
		t.Errorf("expected ErrSource, found %v", err)
	}
}

// The first repository's own revocation is told as it is without a map.
func TestRevokedByTheFirstItself(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.approves("approvals", "hello/")
	b.mustAgree(1, "acme", "approvals")
	_, err := b.client().Identify(t.Context(), b.onDisk(tarball("1.4.1")))
	if !errors.Is(err, fetch.ErrRevoked) || !strings.Contains(err.Error(), "in the channel stable since") {
		t.Errorf("expected ErrRevoked in stable, found %v", err)
	}
}
