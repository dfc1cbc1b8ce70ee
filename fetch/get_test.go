package fetch_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/cache"
	"assay/fetch"
	"assay/fetch/transfer"
	"assay/fetch/wire"
	"assay/internal/testrepo"
	"assay/trust"
)

func TestGetBySelector(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	for _, test := range []struct{ ref, version, channel string }{
		{"hello", "1.5.0", "stable"},
		{"acme:hello", "1.5.0", "stable"},
		{"hello@hotfix", "1.5.1", "hotfix"},
		{"hello@deprecated", "1.3.0", "deprecated"},
		{"hello@1.4.2", "1.4.2", "stable"},
		{"hello@1.4.0", "1.4.0", "stable"},
		{"hello@1.3.0", "1.3.0", "stable"},
		{"hello@~1.4", "1.4.2", "stable"},
		{"hello@<1.4.2", "1.4.0", "stable"},
		{"ferry", "0.9.0", "stable"},
	} {
		held := b.mustGet(test.ref)
		if held.Version.String() != test.version || held.Channel != test.channel {
			t.Errorf("%s: expected %s in %s, found %s in %s", test.ref, test.version, test.channel, held.Version, held.Channel)
		}
		want, ok := b.repo.Target(held.Target.Path())
		if !ok {
			t.Fatalf("%s: the test repository has no %s", test.ref, held.Target.Path())
		}
		got, err := os.ReadFile(held.Blob.Path())
		must(t, err)
		if !bytes.Equal(got, want) {
			t.Errorf("%s: other bytes than published", test.ref)
		}
	}
}

func TestGetByDigest(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	first := b.mustGet("hello@1.4.2")
	digest := first.Target.Digests().Primary()
	held := b.mustGet("hello@" + digest.String())
	if held.Version.String() != "1.4.2" || held.Moved != 0 {
		t.Errorf("expected the held 1.4.2, found %s, %d bytes moved", held.Version, held.Moved)
	}
	other := artifact.DigestOf(artifact.SHA256, []byte("nobody's"))
	b.refuses("hello@"+other.String(), fetch.ErrUnknown)
	revoked, _ := b.repo.Target("hello/1.4.1/hello_1.4.1_linux_amd64.tar.gz")
	b.refuses("hello@"+artifact.DigestOf(artifact.SHA256, revoked).String(), fetch.ErrRevoked)
}

// Offline, releases whose manifests are not held are passed over, but then
// nobody can say that no release has a digest.
func TestGetByDigestOffline(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	digest := b.mustGet("hello@1.4.0").Target.Digests().Primary()
	b.offline = true
	if held := b.mustGet("hello@" + digest.String()); held.Version.String() != "1.4.0" {
		t.Errorf("expected the held 1.4.0, found %s", held.Version)
	}
	b.refuses("hello@"+artifact.DigestOf(artifact.SHA256, []byte("nobody's")).String(), fetch.ErrOffline)
}

func TestUnknownThings(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	for ref, part := range map[string]string{
		"nosuch":       "hello",          // what there is
		"hello@beta":   "stable, hotfix", // the channels
		"hello@9.9.9":  "1.5.0",          // the versions
		"hello@1.5.1":  "hotfix",         // where it is
		"hello@^3":     "stable",
		"other:hello":  "acme",
		"hello@>1.5.0": "stable",
	} {
		if err := b.refuses(ref, fetch.ErrUnknown); !strings.Contains(err.Error(), part) {
			t.Errorf("%s: expected the message to mention %q, found %v", ref, part, err)
		}
	}
	r := request(t, "hello")
	r.Platform = artifact.Platform{OS: "plan9", Arch: "mips"}
	if _, err := b.client().Get(t.Context(), r); !errors.Is(err, fetch.ErrUnknown) || !strings.Contains(err.Error(), "darwin/arm64") {
		t.Errorf("unknown platform: found %v", err)
	}
	if _, err := b.client().SelectTarget(t.Context(), "acme", "no/such/file"); !errors.Is(err, trust.ErrNoTarget) {
		t.Errorf("unknown target: found %v", err)
	}
}

func TestRevokedIsRefusedByEverySelector(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	err := b.refuses("hello@1.4.1", fetch.ErrRevoked)
	if !strings.Contains(err.Error(), "stable") {
		t.Errorf("expected the channel and the reason, found %v", err)
	}
	if _, err := b.client().SelectTarget(t.Context(), "acme", "hello/1.4.1/hello_1.4.1_linux_amd64.tar.gz"); !errors.Is(err, fetch.ErrRevoked) {
		t.Errorf("by target path: expected ErrRevoked, found %v", err)
	}
	// Revoked in one channel is revoked in all.
	must(t, b.repo.AddRelease(testrepo.Release{Product: "hello", Version: "1.5.0", Channel: "hotfix", Status: "revoked", Reason: "broken"}))
	must(t, b.repo.Publish())
	if got := b.mustGet("hello").Version.String(); got != "1.4.2" {
		t.Errorf("expected 1.4.2, found %s", got)
	}
	b.refuses("hello@1.5.0", fetch.ErrRevoked)
}

func TestSecondGetMovesNothingAndOfflineAsksNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	if held := b.mustGet("hello"); held.Moved != held.Target.Length() || held.From == "" {
		t.Errorf("first get: %d bytes moved from %q", held.Moved, held.From)
	}
	b.server.ResetCounters()
	if held := b.mustGet("hello"); held.Moved != 0 {
		t.Errorf("second get: expected no bytes moved, found %d", held.Moved)
	}
	if got := b.server.Requests(); len(got) != 2 {
		t.Errorf("second get: expected the next root and the timestamp to be asked for, found %v", got)
	}
	b.server.ResetCounters()
	b.offline = true
	if held := b.mustGet("hello"); held.Moved != 0 {
		t.Errorf("offline: expected no bytes moved, found %d", held.Moved)
	}
	b.refuses("ferry", fetch.ErrOffline)
	if got := b.server.Requests(); len(got) != 0 {
		t.Errorf("offline asked for %v", got)
	}
}

func TestOfflineAfterExpiryKnowsExactNamesOnly(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustGet("hello@1.4.2")
	b.offline = true
	b.now = b.now.Add(400 * 24 * time.Hour)
	b.refuses("hello", trust.ErrExpired)
	b.refuses("hello@^1.4", trust.ErrExpired)
	held := b.mustGet("hello@1.4.2")
	fresh := false
	for _, check := range held.Evidence.Checks {
		fresh = fresh || check.ID == trust.CheckFreshness && check.Result == trust.NotChecked && strings.Contains(check.Why, "not checked since")
	}
	if !fresh {
		t.Errorf("expected the evidence to say since when it was not checked, found %+v", held.Evidence.Checks)
	}
	// Named exactly, but not held.
	if err := b.refuses("hello@1.4.0", fetch.ErrOffline); !strings.Contains(err.Error(), "expired") {
		t.Errorf("expected it to say that the metadata has expired, found %v", err)
	}
}

func TestAttacksOnABlob(t *testing.T) {
	t.Parallel()
	const part = "hello_1.5.0_linux_amd64"
	for name, test := range map[string]struct {
		fault func(*testrepo.Server)
		kind  error
	}{
		"wrong bytes":        {func(s *testrepo.Server) { s.FlipByte(part) }, cache.ErrMismatch},
		"too many bytes":     {func(s *testrepo.Server) { s.Extend(part) }, cache.ErrMismatch},
		"too few bytes":      {func(s *testrepo.Server) { s.Truncate(part) }, cache.ErrMismatch},
		"endless":            {func(s *testrepo.Server) { s.Endless(part) }, cache.ErrMismatch},
		"packed":             {func(s *testrepo.Server) { s.Gzip(part) }, fetch.ErrSource},
		"cut off at once":    {func(s *testrepo.Server) { s.Cut(part, 0) }, fetch.ErrSource},
		"wrong length":       {func(s *testrepo.Server) { s.WrongLength(part) }, cache.ErrMismatch},
		"missing":            {func(s *testrepo.Server) { s.Status(part, 404) }, fetch.ErrSource},
		"server error":       {func(s *testrepo.Server) { s.Status(part, 500) }, fetch.ErrSource},
		"redirect loop":      {func(s *testrepo.Server) { s.RedirectLoop(part) }, fetch.ErrSource},
		"redirect to a file": {func(s *testrepo.Server) { s.Redirect(part, "file:///etc/passwd") }, fetch.ErrSource},
		"stalled":            {func(s *testrepo.Server) { s.Silent() }, fetch.ErrSource},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustGet("hello@1.4.2") // something held, that must not be lost
			test.fault(b.server)
			undo := func() {}
			if name == "stalled" {
				undo = b.impatient()
			}
			err := b.refuses("hello", test.kind)
			undo()
			if !strings.Contains(err.Error(), b.server.URL) {
				t.Errorf("expected the error to name the source, found %v", err)
			}
			b.server.Clear()
			b.mustGet("hello")
		})
	}
}

func TestRepositoryThatDoesNotAnswerAsOne(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fault func(*testrepo.Server)
		part  string
	}{
		"a web page":    {func(s *testrepo.Server) { s.HTML() }, "web page"},
		"500":           {func(s *testrepo.Server) { s.Status("", 500) }, "500"},
		"redirect loop": {func(s *testrepo.Server) { s.RedirectLoop("") }, "redirects"},
		"nothing":       {func(s *testrepo.Server) { s.Silent() }, "no source answers"},
		"not there":     {func(s *testrepo.Server) { s.Close() }, "no source answers"},
		"packed":        {func(s *testrepo.Server) { s.Gzip("json") }, "Content-Encoding"},
		"drip":          {func(s *testrepo.Server) { s.Drip("timestamp", 10) }, "given up: too slow: expected at least "},
		"no timestamp":  {func(s *testrepo.Server) { s.Status("timestamp", 404) }, "404"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustGet("hello@1.4.2")
			test.fault(b.server)
			switch name {
			case "nothing":
				b.impatient()
			case "drip": // patient but for the pace, or a loaded machine ends it otherwise
				b.engine.Document = 600 * time.Millisecond
			}
			_, err := b.get("hello")
			if !errors.Is(err, fetch.ErrSource) {
				t.Fatalf("expected ErrSource, found %v", err)
			}
			if !strings.Contains(err.Error(), test.part) || !strings.Contains(err.Error(), b.server.URL) {
				t.Errorf("expected the message to mention %q and the URL, found %v", test.part, err)
			}
		})
	}
}

func TestMetadataAttacksOverTheWire(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustGet("hello@1.4.2")
	b.server.Endless("timestamp")
	b.refuses("hello", trust.ErrTooLarge)
	b.server.Clear()
	must(t, b.repo.Publish())
	must(t, b.repo.AddTarget("x", []byte("x")))
	must(t, b.repo.Publish())
	b.mustGet("hello@1.4.2")
	b.server.ServeGeneration(1)
	b.refuses("hello", trust.ErrRollback)
}

func TestManifestThatDisagreesWithItsRole(t *testing.T) {
	t.Parallel()
	for name, edit := range map[string]func(map[string]any){
		"length": func(a map[string]any) { a["length"] = 1 },
		"digest": func(a map[string]any) {
			a["digests"] = map[string]any{"sha256": strings.Repeat("0", 64)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			must(t, b.repo.EditDocument("hello/1.5.0/release.json", func(doc map[string]any) {
				for _, a := range doc["artifacts"].([]any) {
					edit(a.(map[string]any))
				}
			}))
			must(t, b.repo.Publish())
			b.refuses("hello", trust.ErrManifest)
		})
	}
}

func TestArtifactOutsideTheRepository(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	r := request(t, "ferry")
	r.Platform = artifact.Platform{OS: "windows", Arch: "amd64"}
	held, err := b.client().Get(t.Context(), r)
	must(t, err)
	if len(held.Target.URLs()) == 0 || !strings.Contains(held.From, "/elsewhere/") {
		t.Errorf("expected it to come from elsewhere, found %q", held.From)
	}
	b.dir = t.TempDir()
	b.server.FlipByte("elsewhere")
	if _, err := b.client().Get(t.Context(), r); !errors.Is(err, cache.ErrMismatch) {
		t.Errorf("expected ErrMismatch, found %v", err)
	}
}

func TestTwoRepositoriesWithOneProduct(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	other := newBench(t, testrepo.Options{})
	b.more = []*fetch.Repository{other.repository("beta")}
	err := b.refuses("hello", fetch.ErrAmbiguous)
	if !strings.Contains(err.Error(), "acme:hello") || !strings.Contains(err.Error(), "beta:hello") {
		t.Errorf("expected both to be named, found %v", err)
	}
	b.mustGet("acme:hello")
	b.mustGet("beta:hello")
	store, err := cache.Open(t.TempDir(), cache.Options{})
	must(t, err)
	if _, err := fetch.NewClient(fetch.Config{
		Repositories: []*fetch.Repository{b.repository("acme"), other.repository("acme")}, Cache: store, Engine: wire.New(b.engine), Transfer: transfer.Options{Pause: time.Millisecond},
	}); err == nil || !strings.Contains(err.Error(), `two repositories are named "acme"`) {
		t.Errorf("two repositories under one name: found %v", err)
	}
	// One that can't be asked might have it, too.
	other.server.Close()
	b.more = []*fetch.Repository{other.repository("beta")}
	b.refuses("ferry", fetch.ErrSource)
	b.mustGet("acme:ferry")
}

func TestRollout(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	at := func(hours int, percent int) testrepo.Step {
		return testrepo.Step{At: b.now.Add(time.Duration(hours) * time.Hour), Percent: percent}
	}
	must(t, b.repo.SetRollout("hello", "stable", "1.5.0", &testrepo.Rollout{Salt: "s", Steps: []testrepo.Step{at(-1, 30), at(1, 100)}}))
	must(t, b.repo.Publish())
	reached := 0
	for i := range 24 {
		b.machine = [16]byte{byte(i)}
		first := b.mustGet("hello").Version.String()
		if i < 4 { // a machine stays where it is
			if second := b.mustGet("hello").Version.String(); first != second {
				t.Fatalf("machine %d: %s, then %s", i, first, second)
			}
		}
		if first == "1.5.0" {
			reached++
		} else if first != "1.4.2" {
			t.Fatalf("machine %d: expected 1.5.0 or the one it replaces, found %s", i, first)
		}
	}
	if reached < 3 || reached > 13 {
		t.Errorf("a rollout to 30 %% reached %d of 24 machines", reached)
	}
	b.mustGet("hello@1.5.0") // named exactly: at once
	// Nobody is held on a revoked release.
	must(t, b.repo.SetStatus("hello", "stable", "1.4.2", "revoked", "hole", ""))
	must(t, b.repo.Publish())
	for i := range 10 {
		b.machine = [16]byte{byte(i)}
		if got := b.mustGet("hello").Version.String(); got != "1.5.0" {
			t.Fatalf("machine %d is held on %s though 1.4.2 is revoked", i, got)
		}
	}
}

func TestChannelThatIsTooOld(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.EditDocument("channel-stable/hello.json", func(doc map[string]any) { doc["max_age"] = "1h" }))
	must(t, b.repo.Publish())
	b.mustGet("hello")
	b.now = b.now.Add(2 * time.Hour)
	b.refuses("hello", fetch.ErrTooOld)
	b.refuses("hello@^1.4", fetch.ErrTooOld)
	b.mustGet("hello@1.5.0")
}

func TestDamagedBlobIsFetchedAgain(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	held := b.mustGet("hello")
	for _, damage := range []func(path string){
		func(path string) { must(t, os.Truncate(path, 10)) },
		func(path string) {
			data, err := os.ReadFile(path)
			must(t, err)
			data[len(data)/2] ^= 1
			must(t, os.WriteFile(path, data, 0o444))
		},
		func(path string) { must(t, os.Remove(path)) },
	} {
		must(t, os.Chmod(held.Blob.Path(), 0o644))
		damage(held.Blob.Path())
		held = b.mustGet("hello")
		if held.Moved == 0 {
			t.Error("damaged bytes were taken for held ones")
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	inParallel(20, func(int) {
		if _, err := b.get("hello"); err != nil {
			t.Error(err)
		}
	})
	moved := 0
	for _, path := range b.server.Requests() {
		if strings.Contains(path, "hello_1.5.0_linux_amd64") {
			moved++
		}
	}
	if moved != 1 {
		t.Errorf("expected the artifact to be transferred once, found %d times", moved)
	}
	b.nothingStaged()
}

func TestInterruptedTransferLeavesNothing(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	hold := b.server.Hold("hello_1.5.0_linux_amd64")
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-hold.Reached
		cancel()
	}()
	if _, err := b.client().Get(ctx, request(t, "hello")); !errors.Is(err, context.Canceled) {
		t.Fatalf("expected context.Canceled, found %v", err)
	}
	b.nothingStaged()
	b.server.Clear()
	b.mustGet("hello")
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	dir := t.TempDir()
	file := func(name string, data []byte) string {
		path := filepath.Join(dir, name)
		must(t, os.WriteFile(path, data, 0o644))
		return path
	}
	data, _ := b.repo.Target("hello/1.4.2/hello_1.4.2_linux_arm64.tar.gz")
	found, err := b.client().Identify(t.Context(), file("renamed", data))
	must(t, err)
	if found.Product != "hello" || found.Version != "1.4.2" || found.Status != "current" {
		t.Errorf("found %+v", found)
	}
	if _, err := b.client().Identify(t.Context(), file("hello_1.4.2_linux_arm64.tar.gz", append(data, 0))); !errors.Is(err, trust.ErrMismatch) {
		t.Errorf("one byte more: expected ErrMismatch, found %v", err)
	}
	if _, err := b.client().Identify(t.Context(), file("stranger", []byte("?"))); !errors.Is(err, fetch.ErrUnknown) {
		t.Errorf("a stranger: expected ErrUnknown, found %v", err)
	}
	revoked, _ := b.repo.Target("hello/1.4.1/hello_1.4.1_linux_amd64.tar.gz")
	if _, err := b.client().Identify(t.Context(), file("revoked", revoked)); !errors.Is(err, fetch.ErrRevoked) {
		t.Errorf("a revoked one: expected ErrRevoked, found %v", err)
	}
	r := request(t, "ferry")
	r.Platform = artifact.Platform{OS: "windows", Arch: "amd64"}
	held, err := b.client().Get(t.Context(), r)
	must(t, err)
	outside, err := os.ReadFile(held.Blob.Path())
	must(t, err)
	b.dir = t.TempDir() // the cache remembers nothing
	found, err = b.client().Identify(t.Context(), file("outside", outside))
	must(t, err)
	if found.Product != "ferry" {
		t.Errorf("an artifact outside the repository: found %+v", found)
	}
}

func TestPlainSnapshotsAndBothHashes(t *testing.T) {
	t.Parallel()
	for _, options := range []testrepo.Options{
		{PlainSnapshots: true},
		{Algorithms: []artifact.Algorithm{artifact.SHA256, artifact.SHA512}},
		{Algorithms: []artifact.Algorithm{artifact.SHA512}},
	} {
		t.Run(fmt.Sprintf("%v %v", options.PlainSnapshots, options.Algorithms), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, options)
			b.mustGet("hello")
			if held := b.mustGet("hello"); held.Moved != 0 {
				t.Errorf("second get: %d bytes moved", held.Moved)
			}
		})
	}
}

// Which repository is asked first must not decide what a file is.
func TestIdentifyAsksAll(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	other := newBench(t, testrepo.Options{})
	data := []byte("only beta has this")
	must(t, other.repo.AddTarget("hello/1.4.2/only-here", data, "hello"))
	must(t, other.repo.Publish())
	path := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(path, data, 0o644))
	b.more = []*fetch.Repository{other.repository("beta")}
	found, err := b.client().Identify(t.Context(), path)
	if err != nil || found.Target.Repository() != "beta" {
		t.Fatalf("expected beta to promise it, found %v, %v", found.Target.Repository(), err)
	}
	// The first one can't be asked: the second one's word counts, and says so.
	b.server.Close()
	found, err = b.client().Identify(t.Context(), path)
	if err != nil || len(found.Warnings) != 1 || !strings.Contains(found.Warnings[0], "acme") {
		t.Errorf("expected a warning that acme was not asked, found %v, %v", found.Warnings, err)
	}
	must(t, os.WriteFile(path, []byte("nobody's"), 0o644))
	if _, err := b.client().Identify(t.Context(), path); !errors.Is(err, fetch.ErrSource) {
		t.Errorf("nobody knows it, and one could not be asked: expected ErrSource, found %v", err)
	}
	// Revoked by one of them is revoked.
	must(t, os.WriteFile(path, data, 0o644))
	must(t, other.repo.SetStatus("hello", "stable", "1.4.2", "revoked", "hole", ""))
	must(t, other.repo.Publish())
	if _, err := b.client().Identify(t.Context(), path); !errors.Is(err, fetch.ErrRevoked) {
		t.Errorf("expected ErrRevoked, found %v", err)
	}
}
