package fetch_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact/release"
	"assay/fetch"
	"assay/internal/testrepo"
	"assay/trust"
	"assay/trust/policy"
)

// fileOf is a file of this machine.
func fileOf(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	must(t, os.WriteFile(path, data, 0o600))
	return path
}

// other adds a plain repository that promises what is given.
func (b *bench) other(name string, targets map[string][]byte) *approver {
	b.t.Helper()
	repo, err := testrepo.New(testrepo.Options{Now: b.repo.Now})
	must(b.t, err)
	for path, data := range targets {
		must(b.t, repo.AddTarget(path, data))
	}
	must(b.t, repo.Publish())
	return b.join(name, repo)
}

// interrupted is a context that ends when the server is in the middle of a file.
func interrupted(t *testing.T, server *testrepo.Server, part string) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	hold := server.Hold(part)
	go func() {
		<-hold.Reached
		cancel()
	}()
	t.Cleanup(func() { hold.Release(); cancel() })
	return ctx
}

// Whoever gives up while a repository is asked gets no answer, though another
// one promises the file.
func TestIdentifyIsGivenUp(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	data := []byte("a tool")
	must(t, b.repo.AddTarget("aaa/tool.tgz", data))
	must(t, b.repo.AddTarget("hello/1.5.0/tool.tgz", data, "hello"))
	must(t, b.repo.Publish())
	file := fileOf(t, "tool.tgz", data)
	// In the middle of its paths.
	if _, err := b.client().Identify(interrupted(t, b.server, "hello/1.5.0/"), file); !errors.Is(err, context.Canceled) {
		t.Errorf("by a manifest: expected context.Canceled, found %v", err)
	}
	b.server.Clear()
	beta := b.other("beta", nil)
	if _, err := b.client().Identify(interrupted(t, beta.server, "timestamp.json"), b.onDisk(tarball("1.5.0"))); !errors.Is(err, context.Canceled) {
		t.Errorf("by another repository: expected context.Canceled, found %v", err)
	}
}

// Of several that do not hand the file out, one that could not be asked tells
// most, then one that refuses it, then one that has another under its name.
func TestWhichRefusalIsTold(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.approves("approvals", tarball("1.5.0"))
	b.mustAgree(2, "acme", "approvals")
	file := b.onDisk(tarball("1.4.2"))
	const unasked = "could not be found out"
	if _, err := b.client().Identify(t.Context(), file); !errors.Is(err, trust.ErrNotApproved) || strings.Contains(err.Error(), unasked) {
		t.Errorf("expected ErrNotApproved, found %v", err)
	}
	zeta := b.other("zeta", map[string][]byte{filepath.Base(file): []byte("others")})
	if _, err := b.client().Identify(t.Context(), file); !errors.Is(err, trust.ErrNotApproved) || strings.Contains(err.Error(), unasked) {
		t.Errorf("with a namesake: expected ErrNotApproved, found %v", err)
	}
	zeta.server.Close()
	if _, err := b.client().Identify(t.Context(), file); !errors.Is(err, fetch.ErrSource) || !strings.Contains(err.Error(), "zeta") {
		t.Errorf("expected ErrSource of zeta, found %v", err)
	}
}

func TestNamesakeIsTold(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	file := fileOf(t, filepath.Base(tarball("1.4.2")), []byte("others"))
	_, err := b.client().Identify(t.Context(), file)
	if !errors.Is(err, trust.ErrMismatch) || strings.Contains(err.Error(), "could not be found out") {
		t.Errorf("expected ErrMismatch, found %v", err)
	}
	// It may be what a manifest lists, that can't be read or found.
	for _, document := range []string{"release.json", "channel-stable", "catalog.json"} {
		b.dir = t.TempDir()
		b.server.Clear()
		b.server.Status(document, http.StatusInternalServerError)
		for _, path := range []string{file, fileOf(t, "stranger", []byte("others"))} {
			if _, err := b.client().Identify(t.Context(), path); !errors.Is(err, fetch.ErrSource) {
				t.Errorf("%s, %s: expected ErrSource, found %v", document, filepath.Base(path), err)
			}
		}
	}
}

// A promise of the right digest and another length is none of the file.
func TestIdentifyByLength(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	data := []byte("exactly these")
	must(t, b.repo.AddTarget("x.bin", data))
	must(t, b.repo.Publish())
	file := fileOf(t, "x.bin", data)
	_, err := b.client().Identify(t.Context(), file)
	must(t, err)
	must(t, b.repo.Forge("targets", testrepo.Forgery{Signed: func(s any) { s.(*metadata.TargetsType).Targets["x.bin"].Length++ }}))
	must(t, b.repo.Publish())
	if _, err := b.client().Identify(t.Context(), file); !errors.Is(err, trust.ErrMismatch) {
		t.Errorf("expected ErrMismatch, found %v", err)
	}
}

// Nor is what a manifest lists with another length.
func TestIdentifyElsewhereByLength(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	ask := request(t, "ferry")
	ask.Platform.OS = "windows"
	held, err := b.client().Get(t.Context(), ask)
	must(t, err)
	data, err := os.ReadFile(held.Blob.Path())
	must(t, err)
	file := fileOf(t, "tool.zip", data)
	b.dir = t.TempDir()
	_, err = b.client().Identify(t.Context(), file)
	must(t, err)
	must(t, b.repo.EditDocument("ferry/0.9.0/release.json", func(doc map[string]any) {
		list := doc["artifacts"].([]any)
		list[len(list)-1].(map[string]any)["length"] = len(data) + 1
	}))
	must(t, b.repo.Publish())
	if _, err := b.client().Identify(t.Context(), file); !errors.Is(err, fetch.ErrUnknown) {
		t.Errorf("expected ErrUnknown, found %v", err)
	}
}

// Revoked under one path is revoked, whatever lists the bytes under another one.
func TestRevokedUnderOneOfItsPaths(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	data := b.bytesOf(tarball("1.4.1"))
	b.alike("hello/1.5.0/tool.tgz", tarball("1.4.1"), "hello")
	if _, err := b.client().SelectTarget(t.Context(), "acme", "hello/1.5.0/tool.tgz"); err != nil {
		t.Errorf("by its path: expected no error, found %v", err)
	}
	if _, err := b.client().Identify(t.Context(), fileOf(t, "tool.tgz", data)); !errors.Is(err, fetch.ErrRevoked) {
		t.Errorf("expected ErrRevoked, found %v", err)
	}
}

// The manifest of the release that a file is of must be there to be read.
func TestIdentifyNeedsTheManifest(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	file := b.onDisk(tarball("1.5.0"))
	b.server.Status("hello/1.5.0/", http.StatusInternalServerError)
	if _, err := b.client().Identify(t.Context(), file); !errors.Is(err, fetch.ErrSource) {
		t.Errorf("by its bytes: expected ErrSource, found %v", err)
	}
	if _, err := b.client().SelectTarget(t.Context(), "acme", tarball("1.5.0")); !errors.Is(err, fetch.ErrSource) {
		t.Errorf("by its path: expected ErrSource, found %v", err)
	}
}

// A path that the cache remembers the bytes for, and that is promised no more,
// does not hide one that is.
func TestRememberedPathIsGone(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	data := []byte("a tool")
	must(t, b.repo.AddTarget("misc/a.tgz", data))
	must(t, b.repo.Publish())
	_, err := b.byPath("misc/a.tgz")
	must(t, err)
	must(t, b.repo.RemoveTarget("misc/a.tgz"))
	must(t, b.repo.AddTarget("misc/b.tgz", data))
	must(t, b.repo.Publish())
	found, err := b.client().Identify(t.Context(), fileOf(t, "tool.tgz", data))
	if err != nil || found.Target.Path() != "misc/b.tgz" {
		t.Errorf("expected misc/b.tgz, found %v, %v", found.Target, err)
	}
}

// What the cache remembers of one repository is no hint for another.
func TestRememberedOfAnotherRepository(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	data := b.bytesOf(tarball("1.5.0"))
	b.alike("misc/tool.tgz", tarball("1.5.0"))
	b.other("beta", map[string][]byte{"misc/tool.tgz": data})
	client := b.client()
	selection, err := client.SelectTarget(t.Context(), "beta", "misc/tool.tgz")
	must(t, err)
	_, err = client.GetSelected(t.Context(), selection)
	must(t, err)
	found, err := b.client().Identify(t.Context(), fileOf(t, "tool.tgz", data))
	if err != nil || found.Target.Repository() != "acme" || found.Target.Path() != tarball("1.5.0") || found.Status != release.StatusCurrent {
		t.Errorf("expected hello 1.5.0 of acme, found %s of %s, %v", found.Target.Path(), found.Target.Repository(), err)
	}
}

// The paths of the same bytes that are judged are bounded, also where all are
// remembered.
func TestManyRememberedPaths(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	data := []byte("a tool")
	const paths = 18
	for i := range paths {
		must(t, b.repo.AddTarget(fmt.Sprintf("hello/9.0.0/%02d.tgz", i), data, "hello"))
	}
	must(t, b.repo.AddTarget("hello/2.0.0/tool.tgz", data, "hello"))
	must(t, b.repo.Publish())
	get := func(path string) {
		_, err := b.byPath(path)
		must(t, err)
	}
	for i := range paths {
		get(fmt.Sprintf("hello/9.0.0/%02d.tgz", i))
	}
	get("hello/2.0.0/tool.tgz") // the last one is asked about first
	file := fileOf(t, "tool.tgz", data)
	found, err := b.client().Identify(t.Context(), file)
	if err != nil || found.Channel != "stable" || len(found.Warnings) != 0 {
		t.Fatalf("expected it to be of stable, found %q, %q, %v", found.Channel, found.Warnings, err)
	}
	rule := policy.Rule{Statuses: []string{"current"}}
	b.rules = []policy.Rule{rule}
	found, err = b.client().Identify(t.Context(), file)
	if err != nil || len(found.Warnings) != 15 {
		t.Errorf("expected 15 of the others to be judged, found %d: %q, %v", len(found.Warnings), found.Warnings, err)
	}
}

// What is found is judged once, and who only approves of it, not at all.
func TestIdentifiedIsJudgedOnce(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	a := b.approves("approvals", "hello/2.0.0/release.json")
	must(t, a.repo.AddTarget(signedTarball, b.bytesOf(signedTarball)))
	must(t, a.repo.Publish())
	b.mustAgree(2, "acme", "approvals")
	b.rules = []policy.Rule{signedBy(t, "hello")}
	found, err := b.client().Identify(t.Context(), b.onDisk(signedTarball))
	must(t, err)
	if found.Target.Repository() != "acme" || len(found.Agreed) != 2 || len(found.Warnings) != 0 {
		t.Errorf("expected acme's, agreed by both, found %s, %v, %q", found.Target.Repository(), found.Agreed, found.Warnings)
	}
	seen := map[trust.Check]bool{}
	for _, check := range found.Evidence.Checks {
		if seen[check] {
			t.Errorf("expected every check once, found again %+v", check)
		}
		seen[check] = true
	}
}

// A cache that can't be looked into is told, and not taken for an empty one; so
// is a role that can't be asked, and a memory that can't be written.
func TestIdentifyTellsWhatFails(t *testing.T) {
	t.Parallel()
	b := newSigned(t)
	b.judge.Memory = forgetful{b.memory}
	if _, err := b.client().Identify(t.Context(), b.onDisk(signedTarball)); !errors.Is(err, errForgetful) {
		t.Errorf("expected %v, found %v", errForgetful, err)
	}
	b.judge.Memory = nil
	b.mustGet("hello@2.0.0")
	folder := filepath.Dir(b.blobOf(signedTarball))
	must(t, os.RemoveAll(folder))
	must(t, os.WriteFile(folder, nil, 0o600))
	if _, err := b.client().Identify(t.Context(), b.onDisk(tarball("1.5.0"))); err == nil || !strings.Contains(err.Error(), folder) {
		t.Errorf("expected the cache's error, found %v", err)
	}
}

func TestIdentifyNeedsAllRoles(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	beta := b.other("beta", map[string][]byte{"x": []byte("x")})
	must(t, beta.repo.Delegate("targets", testrepo.DelegatedRole{Name: "tools", Paths: []string{"tools/*"}}))
	must(t, beta.repo.AddTarget("tools/y", []byte("y"), "tools"))
	must(t, beta.repo.Publish())
	beta.server.Status("tools.json", http.StatusInternalServerError)
	if _, err := b.client().Identify(t.Context(), fileOf(t, "stranger", []byte("?"))); !errors.Is(err, fetch.ErrSource) {
		t.Errorf("expected ErrSource, found %v", err)
	}
}

// Expired metadata answers for what is remembered, and not for what is not.
func TestIdentifyByExpiredMetadata(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	unheld := b.onDisk("hello/1.4.2/hello_1.4.2_linux_arm64.tar.gz")
	b.mustGet("hello@1.5.0")
	_, err := b.client().Identify(t.Context(), unheld) // its documents are held
	must(t, err)
	b.offline = true
	b.now = b.now.Add(48 * time.Hour)
	_, err = b.client().Identify(t.Context(), b.onDisk(tarball("1.5.0")))
	must(t, err)
	if _, err = b.client().Identify(t.Context(), unheld); !errors.Is(err, trust.ErrExpired) {
		t.Errorf("expected ErrExpired, found %v", err)
	}
}
