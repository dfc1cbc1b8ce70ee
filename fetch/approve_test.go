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
	"assay/cache"
	"assay/fetch"
	"assay/fetch/wire"
	"assay/internal/testrepo"
	"assay/trust"
)

// approver is a repository that only says what it approves of.
type approver struct {
	repo   *testrepo.Repo
	server *testrepo.Server
	store  *trust.MemStore
}

// approves adds an approver that has approved of what begins with the prefixes.
func (b *bench) approves(name string, prefixes ...string) *approver {
	b.t.Helper()
	repo, err := testrepo.New(testrepo.Options{Now: func() time.Time { return b.now }})
	must(b.t, err)
	for _, prefix := range prefixes {
		must(b.t, repo.Approve(b.repo, prefix))
	}
	must(b.t, repo.Publish())
	return b.join(name, repo)
}

// join makes a repository known to the client.
func (b *bench) join(name string, repo *testrepo.Repo) *approver {
	b.t.Helper()
	server, err := testrepo.Serve(repo)
	must(b.t, err)
	b.t.Cleanup(func() { server.Close() })
	a := &approver{repo: repo, server: server, store: &trust.MemStore{}}
	source, err := fetch.NewSource(wire.New(b.engine), fetch.SourceConfig{URL: server.URL, Layout: fetch.LayoutBase})
	must(b.t, err)
	r, err := trust.Open(trust.Config{Name: name, Root: repo.Root(), Store: a.store, Remote: source, Now: func() time.Time { return b.now }})
	must(b.t, err)
	b.more = append(b.more, &fetch.Repository{Trust: r, Source: source})
	return a
}

// mustAgree sets the map: one mapping for all below hello and ferry.
func (b *bench) mustAgree(threshold int, repositories ...string) {
	b.t.Helper()
	m, err := trust.NewMap([]trust.Mapping{{Paths: []string{"hello/**", "ferry/**"}, Repositories: repositories, Threshold: threshold, Terminating: true}})
	must(b.t, err)
	b.agree = m
}

func TestApprovedReleaseIsGot(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	a := b.approves("approvals", "hello/1.5.0/")
	b.mustAgree(2, "acme", "approvals")
	held := b.mustGet("hello")
	if held.Version.String() != "1.5.0" || held.Repository != "acme" || !slices.Equal(held.Agreed, []string{"acme", "approvals"}) || len(held.Warnings) != 0 {
		t.Errorf("expected 1.5.0 of acme, agreed by both, found %s of %s, %v, %q", held.Version, held.Repository, held.Agreed, held.Warnings)
	}
	for _, request := range a.server.Requests() {
		if strings.Contains(request, "targets/") {
			t.Errorf("an approver needs no bytes, but was asked for %s", request)
		}
	}
	agreements := 0
	for _, check := range held.Evidence.Checks {
		if check.ID == trust.CheckAgreement && check.Result == trust.Pass {
			agreements++
		}
	}
	told := slices.ContainsFunc(held.Evidence.Checks, func(c trust.Check) bool {
		return c.ID == trust.CheckTimestamp && c.Repository == "approvals" && c.Result == trust.Pass
	})
	if agreements != 2 || !told {
		t.Errorf("expected two agreements and approvals' own checks, found %+v", held.Evidence.Checks)
	}
}

// A release that is not approved yet is passed over by channel and by range, and
// refused by name.
func TestReleaseNotYetApproved(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	a := b.approves("approvals", "hello/1.4.2/", "hello/1.4.0/")
	b.mustAgree(2, "acme", "approvals")
	var warned []string
	b.warn = func(text string) { warned = append(warned, text) }
	held := b.mustGet("hello")
	const line = "not approved yet: 2 of acme, approvals must promise hello/1.5.0/release.json, not listed by approvals"
	if held.Version.String() != "1.4.2" || len(held.Passed) != 1 || held.Passed[0].Reason != line {
		t.Errorf("expected 1.4.2 and 1.5.0 passed over, found %s and %v", held.Version, held.Passed)
	}
	if want := []string{"hello 1.5.0 is passed over: " + line}; !slices.Equal(warned, want) || !slices.Equal(held.Warnings, want) {
		t.Errorf("expected %q, found %q", want, warned)
	}
	if held = b.mustGet("hello@^1.4"); held.Version.String() != "1.4.2" {
		t.Errorf("by range: expected 1.4.2, found %s", held.Version)
	}
	raw, _ := b.repo.Target("hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz")
	digest := artifact.DigestOf(artifact.SHA256, raw)
	for _, ref := range []string{"hello@1.5.0", "hello@hotfix", "acme:hello@1.5.0", "hello@" + digest.String(), "hello@=1.5.0"} {
		err := b.refuses(ref, trust.ErrNotApproved)
		var refusal *trust.AgreementError
		if !errors.As(err, &refusal) || !slices.Equal(refusal.Lacking(), []string{"approvals"}) {
			t.Errorf("%s: expected it to say who has not approved, found %v", ref, err)
		}
	}
	_, err := b.client().SelectTarget(t.Context(), "acme", "hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz")
	if !errors.Is(err, trust.ErrNotApproved) {
		t.Errorf("by path: expected %v, found %v", trust.ErrNotApproved, err)
	}
	if b.blobs()[digest.Hex()] {
		t.Error("the unapproved artifact was fetched")
	}
	// Once it is approved, it is chosen.
	must(t, a.repo.Approve(b.repo, "hello/1.5.0/"))
	must(t, a.repo.Publish())
	if held = b.mustGet("hello"); held.Version.String() != "1.5.0" {
		t.Errorf("expected 1.5.0, found %s", held.Version)
	}
}

func TestManifestApprovedButNotTheArtifact(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.approves("approvals", "hello/1.5.0/release.json", "hello/1.5.0/hello_1.5.0_linux_arm64", "hello/1.4.2/")
	b.mustAgree(2, "acme", "approvals")
	b.refuses("hello@1.5.0", trust.ErrNotApproved)
	if held := b.mustGet("hello"); held.Version.String() != "1.4.2" || len(held.Passed) != 1 || !strings.Contains(held.Passed[0].Reason, "linux_amd64.tar.gz, not listed by approvals") {
		t.Errorf("expected 1.4.2, found %s and %v", held.Version, held.Passed)
	}
	other := request(t, "hello")
	other.Platform.Arch = "arm64"
	held, err := b.client().Get(t.Context(), other)
	if err != nil || held.Version.String() != "1.5.0" {
		t.Errorf("for the platform that is approved: expected 1.5.0, found %s, %v", held.Version, err)
	}
}

func TestApproverSaysAnotherDigest(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"hello/1.5.0/release.json", "hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz"} {
		b := newBench(t, testrepo.Options{})
		a := b.approves("approvals", "hello/1.5.0/", "hello/1.4.2/")
		must(t, a.repo.AddTarget(path, []byte("something else")))
		must(t, a.repo.Publish())
		b.mustAgree(2, "acme", "approvals")
		// Contradiction is no "not yet": nothing older is silently taken instead.
		for _, ref := range []string{"hello@1.5.0", "hello", "hello@^1.4"} {
			b.refuses(ref, trust.ErrDisagree)
		}
		if _, err := b.client().SelectTarget(t.Context(), "acme", path); !errors.Is(err, trust.ErrDisagree) {
			t.Errorf("%s: expected %v, found %v", path, trust.ErrDisagree, err)
		}
		b.mustGet("hello@1.4.2")
	}
}

// An approver that can't be asked is an error of its own, and nothing is got.
func TestApproverCannotBeAsked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		harm func(b *bench, a *approver)
		kind error
	}{
		"unreachable": {func(_ *bench, a *approver) { a.server.Close() }, trust.ErrNoAnswer},
		"expired": {func(b *bench, _ *approver) {
			b.now = b.now.Add(48 * time.Hour)
			must(b.t, b.repo.Publish())
		}, trust.ErrExpired},
		"a web page":    {func(_ *bench, a *approver) { a.server.HTML() }, fetch.ErrSource},
		"rolled back":   {func(b *bench, a *approver) { b.rollBack(a) }, trust.ErrRollback},
		"another's key": {func(b *bench, a *approver) { a.server.Replace("timestamp.json", b.repo.Files(0)["timestamp.json"]) }, trust.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			a := b.approves("approvals", "hello/1.5.0/")
			b.mustAgree(1, "acme", "approvals") // not even its word would be needed
			test.harm(b, a)
			for _, ref := range []string{"hello", "acme:hello", "acme:hello@1.5.0", "acme:hello@^1.4"} {
				if err := b.refuses(ref, test.kind); errors.Is(err, trust.ErrNotApproved) {
					t.Errorf("%s: expected no word on approval, found %v", ref, err)
				}
			}
			if _, err := b.client().Versions(t.Context(), request(t, "acme:hello").Ref, ""); !errors.Is(err, test.kind) {
				t.Errorf("versions: expected %v, found %v", test.kind, err)
			}
			if _, err := b.client().Channels(t.Context(), request(t, "acme:hello").Ref); !errors.Is(err, test.kind) {
				t.Errorf("channels: expected %v, found %v", test.kind, err)
			}
		})
	}
}

func (b *bench) rollBack(a *approver) {
	b.t.Helper()
	b.mustGet("acme:hello")
	must(b.t, a.repo.Renew())
	must(b.t, a.repo.Publish())
	b.mustGet("acme:hello")
	a.server.ServeGeneration(1)
}

func TestApprovalsOffline(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	a := b.approves("approvals", "hello/1.5.0/")
	b.mustAgree(2, "acme", "approvals")
	b.mustGet("hello")
	b.offline = true
	b.server.ResetCounters()
	a.server.ResetCounters()
	for _, ref := range []string{"hello", "hello@1.5.0"} {
		if held := b.mustGet(ref); len(held.Agreed) != 2 || held.Moved != 0 {
			t.Errorf("%s: expected it from what is held, agreed by both, found %v", ref, held.Agreed)
		}
	}
	// The approver alone has expired: by name what is held still goes, and says so.
	b.now = b.now.Add(36 * time.Hour)
	must(t, b.repo.Publish())
	held := b.mustGet("hello@1.5.0")
	if stale := held.Target.Stale(); !errors.Is(stale, trust.ErrExpired) {
		t.Errorf("expected a stale target, found %v", stale)
	}
	b.refuses("hello", trust.ErrExpired)
	if n := len(b.server.Requests()) + len(a.server.Requests()); n != 0 {
		t.Errorf("expected no request, found %d", n)
	}
}

func TestTwoOfThreeWithOneAgainst(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.approves("legal", "hello/1.5.0/")
	against := b.approves("vault", "hello/1.5.0/")
	must(t, against.repo.AddTarget("hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz", []byte("other bytes")))
	must(t, against.repo.Publish())
	b.mustAgree(2, "acme", "legal", "vault")
	held := b.mustGet("hello")
	if !slices.Equal(held.Agreed, []string{"acme", "legal"}) || len(held.Warnings) != 1 || !strings.HasPrefix(held.Warnings[0], "vault promises something else") {
		t.Errorf("expected acme and legal, and a warning of vault, found %v and %q", held.Agreed, held.Warnings)
	}
	b.mustAgree(3, "acme", "legal", "vault")
	b.refuses("hello", trust.ErrDisagree)
}

// A repository that only approves is no rival, even if it has a catalog; one
// that the map does not put behind another stays one.
func TestApproverIsNoRival(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	repo, err := testrepo.Sample(testrepo.Options{Now: func() time.Time { return b.now }})
	must(t, err)
	b.join("approvals", repo)
	b.refuses("hello", fetch.ErrAmbiguous)
	b.mustAgree(1, "acme", "approvals")
	must(t, repo.Approve(b.repo, "hello/1.5.0/"))
	must(t, repo.Publish())
	if held := b.mustGet("hello@1.5.0"); held.Repository != "acme" {
		t.Errorf("expected it of acme, found %s", held.Repository)
	}
	// A third, of which the map says nothing.
	third, err := testrepo.Sample(testrepo.Options{Now: func() time.Time { return b.now }})
	must(t, err)
	b.join("third", third)
	if err := b.refuses("hello@1.5.0", fetch.ErrAmbiguous); !strings.Contains(err.Error(), "acme:hello or third:hello") {
		t.Errorf("expected the two that are rivals, found %v", err)
	}
	b.refuses("third:hello@1.5.0", trust.ErrOutside)
	b.refuses("third:hello", trust.ErrOutside)
	b.mustGet("acme:hello@1.5.0")
}

// A product that the first repository does not have is not taken from one that
// the map leaves out (dependency confusion), nor from the approver alone.
func TestProductThatOnlyOthersOffer(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"approvals", "third"} {
		b := newBench(t, testrepo.Options{})
		if name == "third" {
			b.approves("approvals", "hello/1.5.0/")
		}
		repo, err := testrepo.New(testrepo.Options{Now: func() time.Time { return b.now }})
		must(t, err)
		must(t, repo.AddProduct("inner", "An inner tool", "stable"))
		must(t, repo.AddRelease(testrepo.Release{Product: "inner", Version: "1.0.0", Channel: "stable"}))
		must(t, repo.Publish())
		b.join(name, repo)
		b.mustGetInner()
		m, err := trust.NewMap([]trust.Mapping{{Paths: []string{"**"}, Repositories: []string{"acme", "approvals"}, Threshold: 2, Terminating: true}})
		must(t, err)
		b.agree = m
		kind := trust.ErrOutside
		if name == "approvals" {
			kind = trust.ErrNotApproved
		}
		b.refuses("inner", kind)
		b.refuses(name+":inner@1.0.0", kind)
	}
}

func (b *bench) mustGetInner() {
	b.t.Helper()
	if held := b.mustGet("inner"); len(held.Agreed) != 0 {
		b.t.Errorf("without a map: expected nobody to agree, found %v", held.Agreed)
	}
}

// What the first repository has revoked can't be had by the approver's name.
func TestRevokedByTheFirst(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.approves("approvals", "hello/1.4.1/", "hello/1.5.0/")
	b.mustAgree(2, "acme", "approvals")
	const dir, file = "hello/1.4.1/", "hello_1.4.1_linux_amd64.tar.gz"
	for _, name := range []string{"acme", "approvals"} {
		if _, err := b.client().SelectTarget(t.Context(), name, dir+file); !errors.Is(err, fetch.ErrRevoked) {
			t.Errorf("%s: expected %v, found %v", name, fetch.ErrRevoked, err)
		}
	}
	selection, err := b.client().SelectTarget(t.Context(), "approvals", "hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz")
	if err != nil || !slices.Equal(selection.Agreed, []string{"acme", "approvals"}) {
		t.Errorf("expected both to agree, found %v, %v", selection.Agreed, err)
	}
}

func TestVerifyAsksTheMap(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.approves("a-approvals", "hello/1.5.0/") // its name comes before acme's
	b.mustAgree(2, "acme", "a-approvals")
	write := func(path string) string {
		raw, ok := b.repo.Target(path)
		if !ok {
			t.Fatal(path)
		}
		file := filepath.Join(t.TempDir(), filepath.Base(path))
		must(t, os.WriteFile(file, raw, 0o600))
		return file
	}
	found, err := b.client().Identify(t.Context(), write("hello/1.5.0/hello_1.5.0_linux_amd64.tar.gz"))
	if err != nil || found.Target.Repository() != "acme" || found.Version != "1.5.0" || len(found.Agreed) != 2 {
		t.Errorf("expected hello 1.5.0 of acme, found %s of %s, %v, %v", found.Version, found.Target.Repository(), found.Agreed, err)
	}
	if _, err = b.client().Identify(t.Context(), write("hello/1.4.2/hello_1.4.2_linux_amd64.tar.gz")); !errors.Is(err, trust.ErrNotApproved) {
		t.Errorf("expected %v, found %v", trust.ErrNotApproved, err)
	}
}

func TestVersionsTellOfApproval(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.approves("approvals", "hello/1.4.2/")
	b.mustAgree(2, "acme", "approvals")
	list, err := b.client().Versions(t.Context(), request(t, "hello").Ref, "stable")
	must(t, err)
	for _, info := range list {
		version := info.Version.String()
		if info.Chosen != (version == "1.4.2") || (info.Unapproved == "") != (version == "1.4.2" || version == "1.4.1") {
			t.Errorf("%s: chosen %v, %q", version, info.Chosen, info.Unapproved)
		}
	}
	channels, err := b.client().Channels(t.Context(), request(t, "hello").Ref)
	must(t, err)
	if channels[0].Chosen != "1.4.2" || channels[1].Chosen != "" || !strings.Contains(channels[1].Why, "not approved") {
		t.Errorf("found %+v", channels)
	}
}

// An artifact outside the repository goes by the approval of its manifest.
func TestApprovedManifestOfAnArtifactElsewhere(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	a := b.approves("approvals")
	b.mustAgree(2, "acme", "approvals")
	outside := request(t, "ferry")
	outside.Platform.OS = "windows"
	if _, err := b.client().Get(t.Context(), outside); !errors.Is(err, trust.ErrNotApproved) {
		t.Fatalf("expected %v, found %v", trust.ErrNotApproved, err)
	}
	must(t, a.repo.Approve(b.repo, "ferry/0.9.0/release.json"))
	must(t, a.repo.Publish())
	held, err := b.client().Get(t.Context(), outside)
	if err != nil || len(held.Agreed) != 2 || len(held.Target.URLs()) == 0 {
		t.Errorf("expected both to agree on an artifact elsewhere, found %v, %v", held.Agreed, err)
	}
}

// What is wrong with the first repository is told as it is without a map.
func TestApprovalHidesNoOtherError(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		harm func(b *bench)
		ask  func(r *fetch.Request)
		kind error
	}{
		"the manifest is not promised": {func(b *bench) {
			must(b.t, b.repo.RemoveTarget("hello/1.5.0/release.json", "hello"))
			must(b.t, b.repo.Publish())
		}, nil, trust.ErrManifest},
		"its role can't be had":    {func(b *bench) { b.server.Status("/1.hello.json", 500) }, nil, fetch.ErrSource},
		"the manifest is another":  {func(b *bench) { b.server.FlipByte("hello/1.5.0") }, nil, cache.ErrMismatch},
		"nothing for the platform": {nil, func(r *fetch.Request) { r.Platform.OS = "plan9" }, fetch.ErrUnknown},
		"no such format":           {nil, func(r *fetch.Request) { r.Format = "msi" }, fetch.ErrUnknown},
		"the artifact is not as the manifest says": {func(b *bench) {
			must(b.t, b.repo.EditDocument("hello/1.5.0/release.json", func(doc map[string]any) {
				doc["artifacts"].([]any)[0].(map[string]any)["length"] = 1
			}))
			must(b.t, b.repo.Publish())
		}, nil, trust.ErrManifest},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			if test.harm != nil {
				test.harm(b)
			}
			b.approves("approvals", "hello/1.5.0/", "hello/1.4.2/")
			b.mustAgree(2, "acme", "approvals")
			ask := request(t, "hello")
			if test.ask != nil {
				test.ask(&ask)
			}
			if _, err := b.client().Get(t.Context(), ask); !errors.Is(err, test.kind) {
				t.Errorf("expected %v, found %v", test.kind, err)
			}
		})
	}
}
