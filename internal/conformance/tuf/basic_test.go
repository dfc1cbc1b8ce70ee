package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

func TestInitMakesNoRequest(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.metadata = filepath.Join(t.TempDir(), "not", "there", "yet")
	b.works("--metadata-dir", b.metadata, "init", b.given)
	b.expectAsked()
	b.expectVersions("root 1")
	// The same again changes nothing, not even after a rotation.
	must(t, b.repo.RotateRoot())
	b.refresh()
	b.works("--metadata-dir", b.metadata, "init", b.given)
	b.expectVersions("root 2 timestamp 1 snapshot 1 targets 1")
	// Another root is refused, be it a good one.
	must(t, os.WriteFile(b.given, b.repo.RootBytes(2), 0o644))
	b.fails([]string{errInitialised.Error()}, "--metadata-dir", b.metadata, "init", b.given)
	b.expectVersions("root 2 timestamp 1 snapshot 1 targets 1")
}

func TestInitThatWasCutOffIsMended(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	must(t, os.Remove(filepath.Join(b.metadata, rootFile)))
	b.works("--metadata-dir", b.metadata, "init", b.given)
	b.expectVersions("root 1")
	must(t, os.Remove(filepath.Join(b.metadata, rootFile)))
	b.refresh()
	b.expectVersions("timestamp 1 snapshot 1 targets 1")
}

func TestInitRefusesWhatIsNoRoot(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	for name, test := range map[string]struct {
		raw  []byte
		want error
	}{
		"no version":         {bytes.Replace(b.repo.Root(), []byte(`"version"`), []byte(`"vision"`), 1), trust.ErrMalformed},
		"signed by nobody":   {bytes.Replace(b.repo.Root(), []byte(`"sig": "`), []byte(`"sig": "00`), -1), trust.ErrSignature},
		"altered afterwards": {bytes.Replace(b.repo.Root(), []byte(`"expires": "2027`), []byte(`"expires": "2029`), 1), trust.ErrSignature},
		"another role":       {b.repo.Files(0)["timestamp.json"], trust.ErrMalformed},
		"endless":            {make([]byte, trust.DefaultLimits().Root+1), trust.ErrTooLarge},
	} {
		t.Run(name, func(t *testing.T) {
			if bytes.Equal(test.raw, b.repo.Root()) {
				t.Fatal("nothing was replaced")
			}
			at := *b
			at.t, at.metadata, at.given = t, filepath.Join(t.TempDir(), "new"), filepath.Join(t.TempDir(), "root.json")
			must(t, os.WriteFile(at.given, test.raw, 0o644))
			at.fails([]string{test.want.Error()}, "--metadata-dir", at.metadata, "init", at.given)
			if _, err := os.Stat(at.metadata); !os.IsNotExist(err) {
				t.Errorf("expected nothing left behind, found %v", err)
			}
			at.refreshFails(errNotInitialised.Error())
			at.expectAsked()
		})
	}
}

func TestRefresh(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		options testrepo.Options
		want    []string
	}{
		"consistent": {testrepo.Options{}, []string{"2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"}},
		"plain":      {testrepo.Options{PlainSnapshots: true}, []string{"2.root.json", "timestamp.json", "snapshot.json", "targets.json"}},
		"no hashes":  {testrepo.Options{NoMetaHashes: true}, []string{"2.root.json", "timestamp.json", "1.snapshot.json", "1.targets.json"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, test.options)
			b.refresh()
			b.expectAsked(test.want...)
			b.expectVersions("root 1 timestamp 1 snapshot 1 targets 1")
			b.refresh()
			b.expectAsked("2.root.json", "timestamp.json")
		})
	}
}

// Whether files carry versions is what the newest root says of it.
func TestRootThatTurnsConsistent(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{PlainSnapshots: true, NoMetaHashes: true})
	b.refresh()
	must(t, b.repo.Forge("root", testrepo.Forgery{Signed: func(s any) { s.(*metadata.RootType).ConsistentSnapshot = true }}))
	must(t, b.repo.PublishRoot())
	must(t, b.repo.Renew("targets"))
	b.publish()
	for _, role := range []string{"snapshot", "targets"} {
		b.server.Replace("2."+role+".json", b.repo.Files(0)[role+".json"])
	}
	b.refresh()
	b.expectVersions("root 2 timestamp 2 snapshot 2 targets 2")
}

// The bytes are kept as they came, with all their white space.
func TestFilesAreByteExact(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	for _, role := range []string{"root", "timestamp", "snapshot", "targets"} {
		must(t, b.repo.Forge(role, testrepo.Forgery{Bytes: func(data []byte) []byte {
			return append([]byte("\n "), append(data, " \t\r\n"...)...)
		}}))
	}
	must(t, b.repo.PublishRoot())
	b.publish()
	b.refresh()
	for file, name := range map[string]string{
		"root.json": "2.root.json", "timestamp.json": "timestamp.json", "snapshot.json": "2.snapshot.json", "targets.json": "2.targets.json",
	} {
		raw, err := os.ReadFile(filepath.Join(b.metadata, file))
		must(t, err)
		if want := b.repo.Files(0)[name]; !bytes.Equal(raw, want) || !bytes.HasSuffix(raw, []byte(" \t\r\n")) {
			t.Errorf("%s: expected %q, found %q", file, want, raw)
		}
	}
}

// Metadata so large that trust stores it in pieces, also where the next role is
// refused.
func TestLargeRoles(t *testing.T) {
	t.Parallel()
	large := testrepo.Forgery{Bytes: func(data []byte) []byte { return append(data, bytes.Repeat([]byte(" "), 9<<20)...) }}
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.Delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}}))
	for _, role := range []string{"snapshot", "targets", "team"} {
		must(t, b.repo.Forge(role, large))
	}
	b.publish()
	b.server.FlipByte("2.targets.json")
	b.refreshFails("targets", "expected sha256:")
	b.expectVersions("root 1 timestamp 2 snapshot 2")
	b.server.Clear()
	b.fails([]string{trust.ErrNoTarget.Error()}, b.downloadArgs("team/x")...)
	b.expectVersions("root 1 timestamp 2 snapshot 2 targets 2 team 1")
}

// The timestamp's version with other content is not news: the one that is held
// goes on to count (5.4.3).
func TestTwinOfTheTimestampIsDiscarded(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{NoMetaHashes: true})
	b.refresh()
	held := b.repo.Files(0)["timestamp.json"]
	must(t, b.repo.Forge("timestamp", testrepo.Forgery{Signed: func(s any) {
		s.(*metadata.TimestampType).Version = 1
		s.(*metadata.TimestampType).Meta["snapshot.json"].Version = 100
	}}))
	must(t, b.repo.PublishTimestamp())
	b.asked()
	b.refresh()
	b.expectAsked("2.root.json", "timestamp.json")
	b.expectVersions("root 1 timestamp 1 snapshot 1 targets 1")
	if raw, err := os.ReadFile(filepath.Join(b.metadata, "timestamp.json")); err != nil || !bytes.Equal(raw, held) {
		t.Errorf("expected the held timestamp, found %q, %v", raw, err)
	}
}

// A role that is refused leaves those that were accepted before it in place.
func TestRefusedRoleLeavesThoseBefore(t *testing.T) {
	t.Parallel()
	nobody := testrepo.Forgery{Keys: []*testrepo.Key{}}
	served := func(file string) func(*bench) { return func(b *bench) { b.server.Status(file, 404) } }
	forged := func(role string, f testrepo.Forgery) func(*bench) {
		return func(b *bench) { must(b.t, b.repo.Forge(role, f)) }
	}
	const (
		asBefore     = "root 1 timestamp 1 snapshot 1 targets 1"
		toRoot       = "root 2 timestamp 1 snapshot 1 targets 1"
		toTimestamp  = "root 2 timestamp 2 snapshot 1 targets 1"
		toTheTargets = "root 2 timestamp 2 snapshot 2 targets 1"
	)
	for name, test := range map[string]struct {
		fault func(*bench)
		want  string
		after string
	}{
		"root unsigned":            {forged("root", nobody), trust.ErrRootChain.Error(), asBefore},
		"root of another version":  {forged("root", setVersion(3)), trust.ErrRootChain.Error(), asBefore},
		"timestamp unsigned":       {forged("timestamp", nobody), trust.ErrSignature.Error(), toRoot},
		"snapshot unsigned":        {forged("snapshot", nobody), trust.ErrSignature.Error(), toTimestamp},
		"snapshot of another":      {forged("snapshot", setVersion(3)), "expected version 2, found version 3", toTimestamp},
		"snapshot missing":         {served("2.snapshot.json"), trust.ErrNoMetadata.Error(), toTimestamp},
		"snapshot of other bytes":  {func(b *bench) { b.server.FlipByte("2.snapshot.json") }, "expected sha256:", toTimestamp},
		"snapshot without end":     {func(b *bench) { b.server.Endless("2.snapshot.json") }, "bytes, found more", toTimestamp},
		"targets unsigned":         {forged("targets", nobody), trust.ErrSignature.Error(), toTheTargets},
		"targets of another":       {forged("targets", setVersion(3)), "expected version 2, found version 3", toTheTargets},
		"targets missing":          {served("2.targets.json"), trust.ErrNoMetadata.Error(), toTheTargets},
		"targets of other bytes":   {func(b *bench) { b.server.FlipByte("2.targets.json") }, "expected sha256:", toTheTargets},
		"targets with a duplicate": {forged("targets", testrepo.Forgery{Bytes: duplicate}), trust.ErrMalformed.Error(), toTheTargets},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.refresh()
			test.fault(b)
			must(t, b.repo.PublishRoot())
			must(t, b.repo.Renew("targets"))
			b.publish()
			b.refreshFails(test.want)
			b.expectVersions(test.after)
		})
	}
}

func duplicate(data []byte) []byte {
	return bytes.Replace(data, []byte(`"signed": {`), []byte(`"signed": {"version":2,`), 1)
}
