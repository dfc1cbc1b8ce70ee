package testrepo_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/artifact"
	"assay/internal/testrepo"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

func TestSampleIsServedAndVerifies(t *testing.T) {
	both := []artifact.Algorithm{artifact.SHA256, artifact.SHA512}
	for name, opts := range map[string]testrepo.Options{
		"default":              {},
		"plain snapshots":      {PlainSnapshots: true},
		"two algorithms":       {Algorithms: both},
		"plain two algorithms": {PlainSnapshots: true, Algorithms: both},
		"no meta hashes":       {NoMetaHashes: true},
		"ecdsa":                {Scheme: testrepo.ECDSA},
		"ecdsa P-384":          {Scheme: testrepo.P384},
		"thresholds": {Quorum: map[string]testrepo.Quorum{
			"timestamp": {Keys: 2, Threshold: 2}, "hello": {Keys: 4, Threshold: 3}, testrepo.Delegated: {Keys: 2, Threshold: 1},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, s := serve(t, opts)
			tm, err := verify(overHTTP(t, s.URL), time.Now())
			must(t, err)
			if tm.Root.Signed.ConsistentSnapshot == opts.PlainSnapshots {
				t.Errorf("consistent_snapshot is %v", tm.Root.Signed.ConsistentSnapshot)
			}
			if described := tm.Timestamp.Signed.Meta["snapshot.json"].Length > 0; described == opts.NoMetaHashes {
				t.Errorf("timestamp describes the snapshot: %v", described)
			}
			if got, want := slices.Sorted(maps.Keys(tm.Targets)), slices.Sorted(slices.Values(r.Roles())); !slices.Equal(got, want) {
				t.Errorf("roles: expected %q, found %q", want, got)
			}
			count := 0
			for _, role := range tm.Targets {
				for where, file := range role.Signed.Targets {
					count++
					if want := max(1, len(opts.Algorithms)); len(file.Hashes) != want {
						t.Errorf("%s: expected %d hashes, found %d", where, want, len(file.Hashes))
					}
					for _, name := range targetNames(where, file, !opts.PlainSnapshots) {
						data := overHTTP(t, s.URL)(name)
						if err := file.VerifyLengthHashes(data); err != nil {
							t.Errorf("%s: %v", name, err)
						}
					}
				}
			}
			if count < 60 {
				t.Errorf("expected at least 60 targets, found %d", count)
			}
		})
	}
}

// TestRSA has few roles, as its keys take long to make.
func TestRSA(t *testing.T) {
	t.Parallel()
	r, err := testrepo.New(testrepo.Options{
		Scheme: testrepo.RSA, Quorum: map[string]testrepo.Quorum{"root": {Keys: 1, Threshold: 1}},
	})
	must(t, err)
	must(t, r.AddTarget("a", []byte("a")))
	must(t, r.Publish())
	tm, err := verify(held(r), time.Now())
	must(t, err)
	for _, key := range tm.Root.Signed.Keys {
		if key.Scheme != metadata.KeySchemeRSASSA_PSS_SHA256 {
			t.Errorf("expected an RSA-PSS key, found %s", key.Scheme)
		}
	}
}

func TestRootNeedsItsThreshold(t *testing.T) {
	r := small(t, testrepo.Options{})
	must(t, r.Forge("root", testrepo.Forgery{Keys: r.Keys("root")[:1]}))
	must(t, r.PublishRoot())
	_, err := verify(held(r), time.Now())
	if want := new(metadata.ErrUnsignedMetadata); !errors.As(err, &want) || !strings.HasPrefix(err.Error(), "root 2:") {
		t.Fatalf("expected root 2 without its threshold, found %v", err)
	}
}

func TestRotation(t *testing.T) {
	for _, role := range []string{"root", "timestamp", "snapshot", "targets", "channel-stable", "hello"} {
		t.Run(role, func(t *testing.T) {
			r := small(t, testrepo.Options{})
			retired := r.Keys(role)
			must(t, r.RotateKey(role))
			if slices.ContainsFunc(r.Keys(role), func(k *testrepo.Key) bool { return k.ID() == retired[0].ID() }) {
				t.Fatal("the old key is still there")
			}
			must(t, r.Publish())
			_, err := verify(held(r), time.Now())
			must(t, err)

			must(t, r.Forge(role, testrepo.Forgery{Keys: retired}))
			must(t, r.Publish())
			_, err = verify(held(r), time.Now())
			if want := new(metadata.ErrUnsignedMetadata); !errors.As(err, &want) || !strings.Contains(err.Error(), role) {
				t.Fatalf("expected %s to be refused with its retired keys, found %v", role, err)
			}
		})
	}
}

func TestRotateRootIsAnUnbrokenChain(t *testing.T) {
	r := small(t, testrepo.Options{})
	before := r.RootSHA256()
	for range 5 {
		must(t, r.RotateRoot())
	}
	tm, err := verify(held(r), time.Now())
	must(t, err)
	if tm.Root.Signed.Version != 6 || r.Version("root") != 6 || r.Version("timestamp") != 1 {
		t.Errorf("expected root 6 and timestamp 1, found %d, %d and %d", tm.Root.Signed.Version, r.Version("root"), r.Version("timestamp"))
	}
	if r.RootSHA256() != before || sum(r.Root()) != before {
		t.Error("1.root.json changed")
	}
	if r.RootBytes(6) == nil || r.RootBytes(7) != nil {
		t.Error("expected roots up to 6")
	}
}

func TestPublishChangesOnlyWhatChanged(t *testing.T) {
	r := small(t, testrepo.Options{})
	first := r.Files(1)
	must(t, r.AddTarget("hello/1.5.0/extra", []byte("extra"), "hello"))
	if !maps.EqualFunc(first, r.Files(0), func(a, b []byte) bool { return string(a) == string(b) }) {
		t.Error("a change is visible before Publish")
	}
	must(t, r.Publish())
	must(t, r.PublishTimestamp())
	want := map[string]int64{"root": 1, "targets": 1, "channel-stable": 1, "hello": 2, "snapshot": 2, "timestamp": 3}
	for role, version := range want {
		if got := r.Version(role); got != version {
			t.Errorf("%s: expected version %d, found %d", role, version, got)
		}
	}
	if r.Generation() != 3 {
		t.Errorf("expected generation 3, found %d", r.Generation())
	}
	if _, ok := r.Files(2)["1.hello.json"]; !ok {
		t.Error("the older file of a consistent repository is gone")
	}
	if !maps.EqualFunc(first, r.Files(1), func(a, b []byte) bool { return string(a) == string(b) }) {
		t.Error("the first generation changed")
	}
	_, err := verify(held(r), time.Now())
	must(t, err)
}

func TestExpiry(t *testing.T) {
	now := noon.Add(300 * time.Millisecond)
	r := sample(t, testrepo.Options{
		Now:    func() time.Time { return now },
		Expiry: map[string]time.Duration{"channel-hotfix": 2 * time.Hour, "snapshot": 48 * time.Hour},
	})
	must(t, r.SetExpiry("timestamp", 2*time.Second))
	must(t, r.Publish())
	tm, err := verify(held(r), now)
	must(t, err)
	for role, c := range map[string]struct{ found, want time.Time }{
		"timestamp, rounded up": {tm.Timestamp.Signed.Expires, noon.Add(3 * time.Second)},
		"snapshot":              {tm.Snapshot.Signed.Expires, noon.Add(48*time.Hour + time.Second)},
		"hotfix":                {tm.Targets["channel-hotfix"].Signed.Expires, noon.Add(2*time.Hour + time.Second)},
		"hello":                 {tm.Targets["hello"].Signed.Expires, noon.Add(90*24*time.Hour + time.Second)},
		"root":                  {tm.Root.Signed.Expires, noon.Add(365*24*time.Hour + time.Second)},
	} {
		if !c.found.Equal(c.want) {
			t.Errorf("%s: expected %v, found %v", role, c.want, c.found)
		}
	}
	expired := new(metadata.ErrExpiredMetadata)
	now = now.Add(4 * time.Second)
	if _, err := verify(held(r), now); !errors.As(err, &expired) || !strings.HasPrefix(err.Error(), "timestamp:") {
		t.Fatalf("expected an expired timestamp, found %v", err)
	}
	must(t, r.PublishTimestamp())
	if _, err := verify(held(r), now); err != nil {
		t.Fatal(err)
	}
	now = now.Add(3 * time.Hour)
	must(t, r.Publish())
	if _, err := verify(held(r), now); !errors.As(err, &expired) || !strings.Contains(err.Error(), `"channel-hotfix"`) {
		t.Fatalf("expected an expired channel-hotfix, found %v", err)
	}
	must(t, r.Renew())
	must(t, r.Publish())
	if _, err := verify(held(r), now); err != nil {
		t.Fatal(err)
	}
}

func TestRemoveTarget(t *testing.T) {
	for _, plain := range []bool{false, true} {
		t.Run(fmt.Sprint("plain ", plain), func(t *testing.T) {
			r := small(t, testrepo.Options{PlainSnapshots: plain})
			must(t, r.AddTarget("a/b", []byte("ab")))
			must(t, r.Publish())
			name := "targets/a/" + sum([]byte("ab")) + ".b"
			if plain {
				name = "targets/a/b"
			}
			if string(r.Files(0)[name]) != "ab" {
				t.Fatalf("%s is not there", name)
			}
			must(t, r.RemoveTarget("a/b"))
			must(t, r.Publish())
			tm, err := verify(held(r), time.Now())
			must(t, err)
			if tm.Targets["targets"].Signed.Targets["a/b"] != nil {
				t.Error("the target is still promised")
			}
			if _, ok := r.Files(0)[name]; ok == plain {
				t.Errorf("file is there: %v", ok)
			}
		})
	}
}

func TestErrorsNameTheirKind(t *testing.T) {
	r := sample(t, testrepo.Options{})
	files, generation := r.Files(0), r.Generation()
	fresh, err := testrepo.New(testrepo.Options{})
	must(t, err)
	try := func(opts testrepo.Options) error { _, err := testrepo.New(opts); return err }
	quorum := func(keys, threshold int) testrepo.Options {
		return testrepo.Options{Quorum: map[string]testrepo.Quorum{"root": {Keys: keys, Threshold: threshold}}}
	}
	for name, c := range map[string]struct{ found, want error }{
		"algorithm":               {try(testrepo.Options{Algorithms: []artifact.Algorithm{"md5"}}), testrepo.ErrOptions},
		"scheme":                  {try(testrepo.Options{Scheme: "dsa"}), testrepo.ErrOptions},
		"threshold 0":             {try(quorum(1, 0)), testrepo.ErrOptions},
		"threshold beyond keys":   {try(quorum(1, 2)), testrepo.ErrOptions},
		"negative size":           {r.AddLarge("x", -1, 0), testrepo.ErrOptions},
		"too many bins":           {r.DelegateBins("hello", testrepo.Bins{Prefix: "b", BitLength: 9}), testrepo.ErrOptions},
		"format":                  {r.AddRelease(testrepo.Release{Product: "hello", Version: "2.0.0", Channel: "stable", Artifacts: []testrepo.Artifact{{OS: "linux", Arch: "amd64", Format: "tar.gz"}, {OS: "linux", Arch: "s390x", Format: "rar"}}}), testrepo.ErrOptions},
		"target's role":           {r.AddTarget("x", nil, "nobody"), testrepo.ErrUnknown},
		"rotate":                  {r.RotateKey("nobody"), testrepo.ErrUnknown},
		"expiry":                  {r.SetExpiry("nobody", 0), testrepo.ErrUnknown},
		"renew":                   {r.Renew("nobody"), testrepo.ErrUnknown},
		"forge":                   {r.Forge("nobody", testrepo.Forgery{}), testrepo.ErrUnknown},
		"delegate":                {r.Delegate("nobody", testrepo.DelegatedRole{Name: "x"}), testrepo.ErrUnknown},
		"remove":                  {r.RemoveTarget("nothing"), testrepo.ErrUnknown},
		"document":                {r.EditDocument("nothing", nil), testrepo.ErrUnknown},
		"product":                 {r.AddRelease(testrepo.Release{Product: "x", Version: "1.0.0", Channel: "stable"}), testrepo.ErrUnknown},
		"channel":                 {r.AddRelease(testrepo.Release{Product: "ferry", Version: "1.0.0", Channel: "hotfix"}), testrepo.ErrUnknown},
		"version":                 {r.SetStatus("hello", "stable", "9.9.9", "revoked", "", ""), testrepo.ErrUnknown},
		"file before publishing":  {fresh.SetFile("x", nil), testrepo.ErrUnknown},
		"write before publishing": {fresh.WriteTo(t.TempDir()), testrepo.ErrUnknown},
		"timestamp before":        {fresh.PublishTimestamp(), testrepo.ErrUnknown},
		"target of timestamp":     {r.AddTarget("x", nil, "timestamp"), testrepo.ErrConflict},
		"top-level name":          {r.Delegate("hello", testrepo.DelegatedRole{Name: "snapshot"}), testrepo.ErrConflict},
		"delegation twice":        {r.Delegate("targets", testrepo.DelegatedRole{Name: "hello"}), testrepo.ErrConflict},
		"bins beside roles":       {r.DelegateBins("targets", testrepo.Bins{Prefix: "b", BitLength: 1}), testrepo.ErrConflict},
		"product twice":           {r.AddProduct("hello", "", "stable"), testrepo.ErrConflict},
		"release twice":           {r.AddRelease(testrepo.Release{Product: "hello", Version: "1.4.2", Channel: "stable"}), testrepo.ErrConflict},
		"artifacts twice":         {r.AddRelease(testrepo.Release{Product: "hello", Version: "1.4.2", Channel: "hotfix", Artifacts: testrepo.DefaultArtifacts()}), testrepo.ErrConflict},
	} {
		if !errors.Is(c.found, c.want) {
			t.Errorf("%s: expected %v, found %v", name, c.want, c.found)
		}
	}
	if _, ok := r.Target("hello/2.0.0/hello_2.0.0_linux_amd64.tar.gz"); ok {
		t.Error("half a release was added")
	}
	if r.Generation() != generation || len(r.Files(0)) != len(files) {
		t.Error("a refused call changed what is published")
	}
}

// TestManyAtOnce is for the race detector.
func TestManyAtOnce(t *testing.T) {
	r, s := serve(t, testrepo.Options{})
	var work sync.WaitGroup
	for i := range 4 {
		work.Go(func() {
			for n := range 3 {
				if err := r.AddTarget(fmt.Sprintf("extra/%d/%d", i, n), []byte("x")); err != nil {
					t.Error(err)
				}
				if err := r.Publish(); err != nil {
					t.Error(err)
				}
				s.Freeze()
				if a := get(t, s.URL+"/timestamp.json"); a.err != nil || a.status != 200 {
					t.Errorf("status %d, %v", a.status, a.err)
				}
				s.Thaw()
				s.FlipByte("extra")
				s.Clear()
			}
		})
	}
	work.Wait()
	if r.Generation() != 13 || len(s.Requests()) != 12 {
		t.Errorf("expected generation 13 after 12 requests, found %d and %d", r.Generation(), len(s.Requests()))
	}
}
