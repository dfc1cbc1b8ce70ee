package fetch_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/artifact/release"
	"assay/fetch"
	"assay/internal/testrepo"
	"assay/trust"
)

// joinFork adds an approver with a catalog of its own. It has the sample's
// releases, promises the same bytes of hello as acme, and calls all its releases
// in stable current.
func (b *bench) joinFork() *approver {
	b.t.Helper()
	repo, err := testrepo.Sample(testrepo.Options{Now: func() time.Time { return b.now }})
	must(b.t, err)
	must(b.t, repo.Approve(b.repo, "hello/"))
	for _, version := range []string{"1.4.0", "1.4.1", "1.3.0"} {
		must(b.t, repo.SetStatus("hello", "stable", version, "current", "", ""))
	}
	must(b.t, repo.Publish())
	return b.join("approvals", repo)
}

// revoke has acme revoke what its approver keeps offering.
func (b *bench) revoke(versions ...string) {
	b.t.Helper()
	for _, version := range versions {
		must(b.t, b.repo.SetStatus("hello", "stable", version, "revoked", "a hole", "https://hello.example/1"))
	}
	must(b.t, b.repo.Publish())
}

// tarball is the artifact for this machine of a version of hello.
func tarball(version string) string {
	return "hello/" + version + "/hello_" + version + "_linux_amd64.tar.gz"
}

// onDisk is a file with the bytes of one of acme's targets.
func (b *bench) onDisk(path string) string {
	b.t.Helper()
	data, ok := b.repo.Target(path)
	if !ok {
		b.t.Fatalf("no target %s", path)
	}
	file := filepath.Join(b.t.TempDir(), filepath.Base(path))
	must(b.t, os.WriteFile(file, data, 0o600))
	return file
}

func (b *bench) digest(path string) artifact.Digest {
	b.t.Helper()
	data, ok := b.repo.Target(path)
	if !ok {
		b.t.Fatalf("no target %s", path)
	}
	return artifact.DigestOf(artifact.SHA256, data)
}

// refusesByName tries every way to name one version of hello, each by the
// approver's own catalog.
func (b *bench) refusesByName(version string) {
	b.t.Helper()
	path := tarball(version)
	digest := b.digest(path)
	held := b.blobs()[digest.Hex()]
	for _, ref := range []string{"@" + version, "@=" + version, "@" + digest.String()} {
		_, err := b.get("approvals:hello" + ref)
		b.isRevokedByAcme(ref, err)
	}
	_, err := b.client().SelectTarget(b.t.Context(), "approvals", path)
	b.isRevokedByAcme("by path", err)
	_, err = b.client().SelectTarget(b.t.Context(), "approvals", "hello/"+version+"/release.json")
	b.isRevokedByAcme("the manifest", err)
	if _, err = b.client().Identify(b.t.Context(), b.onDisk(path)); !errors.Is(err, fetch.ErrRevoked) {
		b.t.Errorf("verify: expected %v, found %v", fetch.ErrRevoked, err)
	}
	if b.blobs()[digest.Hex()] != held {
		b.t.Errorf("%s: the revoked artifact was fetched", version)
	}
	b.nothingStaged()
}

func (b *bench) isRevokedByAcme(road string, err error) {
	b.t.Helper()
	if !errors.Is(err, fetch.ErrRevoked) || !strings.Contains(err.Error(), "in the channel stable of acme since") {
		b.t.Errorf("%s: expected %v by acme, found %v", road, fetch.ErrRevoked, err)
	}
}

// What the first repository of an agreement has revoked is not got through the
// catalog of another one that calls it current: not by any name, not if the
// bytes are held, not offline.
func TestRevokedByTheFirstOnEveryRoad(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	fork := b.joinFork()
	b.mustAgree(2, "acme", "approvals")
	b.refusesByName("1.4.1") // never held
	b.mustGet("approvals:hello@1.4.2")
	b.revoke("1.4.2")
	b.refusesByName("1.4.2") // held
	b.offline = true
	b.server.ResetCounters()
	fork.server.ResetCounters()
	b.refusesByName("1.4.2")
	b.refuses("approvals:hello@1.4.1", fetch.ErrRevoked)
	// Expired, what is held answers to its exact name; but not this.
	b.now = b.now.Add(48 * time.Hour)
	_, err := b.get("approvals:hello@1.4.2")
	b.isRevokedByAcme("expired", err)
	if n := len(b.server.Requests()) + len(fork.server.Requests()); n != 0 {
		t.Errorf("expected no request, found %d", n)
	}
}

// By channel and by range it is passed over, and a line says so.
func TestRevokedByTheFirstIsPassedOver(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.joinFork()
	b.mustAgree(2, "acme", "approvals")
	b.revoke("1.5.0")
	const line = "revoked in stable of acme"
	for _, ref := range []string{"approvals:hello", "approvals:hello@^1.4", "approvals:hello@stable"} {
		held := b.mustGet(ref)
		if held.Version.String() != "1.4.2" || len(held.Passed) != 1 || held.Passed[0].Reason != line {
			t.Errorf("%s: expected 1.4.2 and 1.5.0 passed over, found %s and %v", ref, held.Version, held.Passed)
		}
		if want := []string{"hello 1.5.0 is passed over: " + line}; !slices.Equal(held.Warnings, want) {
			t.Errorf("%s: expected %q, found %q", ref, want, held.Warnings)
		}
	}
	if b.blobs()[b.digest(tarball("1.5.0")).Hex()] {
		t.Error("the revoked artifact was fetched")
	}
	_, err := b.get("approvals:hello@>=1.5.0")
	b.isRevokedByAcme("a range of nothing else", err)
}

// A rollout never holds a machine on what the first repository has revoked.
func TestRolloutAboveWhatTheFirstRevoked(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	fork := b.joinFork()
	b.mustAgree(2, "acme", "approvals")
	must(t, fork.repo.EditDocument("channel-stable/hello.json", func(doc map[string]any) {
		for _, entry := range doc["releases"].([]any) {
			if entry := entry.(map[string]any); entry["version"] == "1.5.0" {
				entry["rollout"] = map[string]any{"salt": "s", "steps": []any{map[string]any{"at": "2020-01-01T00:00:00Z", "percent": 0}}}
			}
		}
	}))
	must(t, fork.repo.Publish())
	if held := b.mustGet("approvals:hello"); held.Version.String() != "1.4.2" {
		t.Fatalf("expected 1.5.0 to be waited for, found %s", held.Version)
	}
	b.revoke("1.4.2")
	held := b.mustGet("approvals:hello")
	if held.Version.String() != "1.5.0" || !strings.Contains(held.Why, "its rollout is not waited for, as 1.4.2 is revoked") {
		t.Errorf("expected 1.5.0 at once, found %s, %s", held.Version, held.Why)
	}
}

func TestListingsTellWhatTheFirstRevoked(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.joinFork()
	b.mustAgree(2, "acme", "approvals")
	b.revoke("1.5.0")
	ref := request(t, "approvals:hello").Ref
	list, err := b.client().Versions(t.Context(), ref, "stable")
	must(t, err)
	for _, info := range list {
		version := info.Version.String()
		revoked := version == "1.5.0" || version == "1.4.1"
		if (info.Status == release.StatusRevoked) != revoked || info.Chosen != (version == "1.4.2") || info.Unapproved != "" {
			t.Errorf("found %+v", info)
		}
		if revoked && !strings.HasPrefix(info.Reason, "in stable of acme: ") || version == "1.5.0" && info.Advisory != "https://hello.example/1" {
			t.Errorf("expected acme's reason, found %q, %q", info.Reason, info.Advisory)
		}
	}
	channels, err := b.client().Channels(t.Context(), ref)
	must(t, err)
	if channels[0].Chosen != "1.4.2" {
		t.Errorf("found %+v", channels)
	}
}

// The map may be for the manifest alone, or for the artifact alone.
func TestRevokedByTheFirstOfEitherAgreement(t *testing.T) {
	t.Parallel()
	for _, pattern := range []string{"hello/*/release.json", "hello/*/*.gz"} {
		b := newBench(t, testrepo.Options{})
		b.joinFork()
		m, err := trust.NewMap([]trust.Mapping{{Paths: []string{pattern}, Repositories: []string{"acme", "approvals"}, Threshold: 2, Terminating: true}})
		must(t, err)
		b.agree = m
		for _, ref := range []string{"@1.4.1", "@=1.4.1", "@" + b.digest(tarball("1.4.1")).String()} {
			_, err := b.get("approvals:hello" + ref)
			b.isRevokedByAcme(pattern+" "+ref, err)
		}
		_, err = b.client().SelectTarget(t.Context(), "approvals", tarball("1.4.1"))
		b.isRevokedByAcme(pattern+" by path", err)
		if b.blobs()[b.digest(tarball("1.4.1")).Hex()] {
			t.Errorf("%s: the revoked artifact was fetched", pattern)
		}
		b.mustGet("approvals:hello@1.4.2")
	}
}

// A repository that the map leaves out is told so, whatever else is wrong.
func TestRevokedByTheFirstOfOthers(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.joinFork()
	b.approves("legal", "hello/")
	b.mustAgree(1, "acme", "legal")
	b.refuses("approvals:hello@1.4.1", trust.ErrOutside)
	if _, err := b.client().SelectTarget(t.Context(), "approvals", tarball("1.4.1")); !errors.Is(err, trust.ErrOutside) {
		t.Errorf("by path: expected %v, found %v", trust.ErrOutside, err)
	}
	// What the map gives to nobody, its manifest's mapping without it does not bar.
	m, err := trust.NewMap([]trust.Mapping{{Paths: []string{"hello/*/release.json"}, Repositories: []string{"acme", "legal"}, Threshold: 1}})
	must(t, err)
	b.agree = m
	if selection, err := b.client().SelectTarget(t.Context(), "approvals", tarball("1.4.1")); err != nil || len(selection.Agreed) != 0 {
		t.Errorf("expected approvals' own word to be enough, found %v, %v", selection.Agreed, err)
	}
}

// Where an earlier mapping agrees that leaves the asked one out, its first counts,
// too; where it does not agree, it has no say.
func TestRevokedByTheFirstOfAnEarlierMapping(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.joinFork()
	b.approves("legal", "hello/1.4.1/", "hello/1.5.0/")
	b.revoke("1.4.2")
	m, err := trust.NewMap([]trust.Mapping{
		{Paths: []string{"hello/**"}, Repositories: []string{"acme", "legal"}, Threshold: 2},
		{Paths: []string{"**"}, Repositories: []string{"approvals"}, Threshold: 1},
	})
	must(t, err)
	b.agree = m
	b.refusesByName("1.4.1")
	for _, version := range []string{"1.5.0", "1.4.2"} {
		if held := b.mustGet("approvals:hello@" + version); !slices.Equal(held.Agreed, []string{"approvals"}) {
			t.Errorf("%s: expected approvals' own word to be enough, found %v", version, held.Agreed)
		}
	}
}

// A first repository that revokes and withdraws is heard all the same.
func TestRevokedAndWithdrawnByTheFirst(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.joinFork()
	b.approves("legal", "hello/1.4.2/")
	path := tarball("1.4.2")
	digest := b.digest(path)
	file := b.onDisk(path)
	for _, threshold := range []int{2, 3} { // enough without acme, and not enough
		b.mustAgree(threshold, "acme", "approvals", "legal")
		if threshold == 2 {
			must(t, b.repo.RemoveTarget(path, "hello"))
			b.revoke("1.4.2")
		}
		for _, ref := range []string{"@1.4.2", "@=1.4.2", "@" + digest.String()} {
			_, err := b.get("approvals:hello" + ref)
			b.isRevokedByAcme(ref, err)
		}
		_, err := b.client().SelectTarget(t.Context(), "legal", path)
		b.isRevokedByAcme("by path", err)
		_, err = b.client().Identify(t.Context(), file)
		b.isRevokedByAcme("verify", err)
	}
	if b.blobs()[digest.Hex()] {
		t.Error("the revoked artifact was fetched")
	}
}

// A first repository that can't be asked what it has revoked is an error of its
// own: nothing is got, and nothing older is taken instead.
func TestFirstThatCannotTellWhatItRevoked(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.joinFork()
	b.mustAgree(2, "acme", "approvals")
	b.server.Status("channel-stable", 500)
	for _, ref := range []string{"", "@^1.4", "@1.4.2", "@" + b.digest(tarball("1.4.2")).String()} {
		if err := b.refuses("approvals:hello"+ref, fetch.ErrSource); !strings.Contains(err.Error(), b.server.URL) {
			t.Errorf("%s: expected the source to be named, found %v", ref, err)
		}
	}
	if b.blobs()[b.digest(tarball("1.4.2")).Hex()] {
		t.Error("an artifact was fetched")
	}
}
