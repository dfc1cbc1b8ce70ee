package trust_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

// What the right keys have signed may still be nonsense, or an attack on the
// parser by one of their holders.
func TestMetadataThatNoRepositoryMayPublish(t *testing.T) {
	t.Parallel()
	timestamp := func(f func(*metadata.TimestampType)) func(any) {
		return func(s any) { f(s.(*metadata.TimestampType)) }
	}
	snapshot := func(f func(*metadata.SnapshotType)) func(any) {
		return func(s any) { f(s.(*metadata.SnapshotType)) }
	}
	targets := func(f func(*metadata.TargetsType)) func(any) {
		return func(s any) { f(s.(*metadata.TargetsType)) }
	}
	roles := func(f func(list []metadata.DelegatedRole)) func(any) {
		return targets(func(s *metadata.TargetsType) { f(s.Delegations.Roles) })
	}
	short := metadata.Hashes{"sha256": []byte{1, 2, 3}}
	unknown := metadata.Hashes{"md5": bytes.Repeat([]byte{1}, 16)}
	for name, test := range map[string]struct {
		role  string
		part  string // of the message
		forge func(any)
	}{
		"version 0":             {"timestamp", "signed.version", timestamp(func(s *metadata.TimestampType) { s.Version = 0 })},
		"version below 0":       {"timestamp", "signed.version", timestamp(func(s *metadata.TimestampType) { s.Version = -1 })},
		"no expiry":             {"timestamp", "signed.expires", timestamp(func(s *metadata.TimestampType) { s.Expires = time.Time{} })},
		"another specification": {"timestamp", "spec_version", timestamp(func(s *metadata.TimestampType) { s.SpecVersion = "2.0" })},
		"no snapshot": {"timestamp", "snapshot.json", timestamp(func(s *metadata.TimestampType) {
			s.Meta = map[string]*metadata.MetaFiles{"other.json": metadata.MetaFile(1)}
		})},
		"no targets":              {"snapshot", "targets.json", snapshot(func(s *metadata.SnapshotType) { delete(s.Meta, "targets.json") })},
		"a file of version 0":     {"snapshot", "version", snapshot(func(s *metadata.SnapshotType) { s.Meta["team.json"].Version = 0 })},
		"a file of length -1":     {"snapshot", "length", snapshot(func(s *metadata.SnapshotType) { s.Meta["team.json"].Length = -1 })},
		"a file with a short sum": {"snapshot", "hashes", snapshot(func(s *metadata.SnapshotType) { s.Meta["team.json"].Hashes = short })},
		"a file with md5 only":    {"snapshot", "hashes", snapshot(func(s *metadata.SnapshotType) { s.Meta["team.json"].Hashes = unknown })},
		"a file that clears the screen": {"snapshot", "control characters", snapshot(func(s *metadata.SnapshotType) {
			s.Meta["\x1b[2J.json"] = metadata.MetaFile(1)
		})},
		"a target of length -1":         {"targets", "length", targets(func(s *metadata.TargetsType) { s.Targets["a.txt"].Length = -1 })},
		"a target without hashes":       {"targets", "hashes", targets(func(s *metadata.TargetsType) { s.Targets["a.txt"].Hashes = metadata.Hashes{} })},
		"a target with a short sum":     {"targets", "hashes", targets(func(s *metadata.TargetsType) { s.Targets["a.txt"].Hashes = short })},
		"a role without a name":         {"targets", "top-level", roles(func(list []metadata.DelegatedRole) { list[0].Name = "" })},
		"a role named root":             {"targets", "top-level", roles(func(list []metadata.DelegatedRole) { list[0].Name = "root" })},
		"a role named targets":          {"targets", "top-level", roles(func(list []metadata.DelegatedRole) { list[0].Name = "targets" })},
		"a role named as a root's file": {"targets", "a root's file", roles(func(list []metadata.DelegatedRole) { list[0].Name = "2.root" })},
		"a role named timestamp":        {"targets", "top-level", roles(func(list []metadata.DelegatedRole) { list[0].Name = "timestamp" })},
		"a role twice":                  {"targets", "once", roles(func(list []metadata.DelegatedRole) { list[1].Name = list[0].Name })},
		"a role with a long name":       {"targets", "1024 bytes", roles(func(list []metadata.DelegatedRole) { list[0].Name = strings.Repeat("n", 1025) })},
		"a role with a line break":      {"targets", "control characters", roles(func(list []metadata.DelegatedRole) { list[0].Name = "a\nb" })},
		"bins with a line break": {"targets", "control characters", targets(func(s *metadata.TargetsType) {
			s.Delegations.SuccinctRoles = &metadata.SuccinctRoles{KeyIDs: s.Delegations.Roles[0].KeyIDs, Threshold: 1, BitLength: 2, NamePrefix: "a\nb"}
			s.Delegations.Roles = nil
		})},
		"bins of 33 bits": {"targets", "bit_length", targets(func(s *metadata.TargetsType) {
			s.Delegations.SuccinctRoles = &metadata.SuccinctRoles{KeyIDs: s.Delegations.Roles[0].KeyIDs, Threshold: 1, BitLength: 33, NamePrefix: "bin"}
			s.Delegations.Roles = nil
		})},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{NoMetaHashes: true})
			b.delegate("targets",
				testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}},
				testrepo.DelegatedRole{Name: "other", Paths: []string{"other/*"}},
			)
			b.publish()
			b.mustRefresh()
			must(t, b.repo.Forge(test.role, testrepo.Forgery{Signed: test.forge}))
			b.publish()
			if err := b.refuses(trust.ErrMalformed); !strings.Contains(err.Error(), test.part) {
				t.Errorf("expected the message to mention %q, found %v", test.part, err)
			} else if strings.ContainsAny(err.Error(), "\x1b\n") {
				t.Errorf("the message holds what a terminal obeys: %q", err)
			}
		})
	}
}

func TestHostileBytesBeforeAnySignature(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{NoMetaHashes: true})
	b.mustRefresh()
	honest := b.repo.Root()
	signatures := []byte(`"signatures": [`)
	many := func(n int) []byte {
		var list bytes.Buffer
		list.Write(signatures)
		for i := range n {
			fmt.Fprintf(&list, `{"keyid":"%064x","sig":"00"},`, i)
		}
		return bytes.Replace(honest, signatures, list.Bytes(), 1)
	}
	for name, test := range map[string]struct {
		data []byte
		kind error
	}{
		"one byte too many":   {append(bytes.Clone(honest), bytes.Repeat([]byte(" "), 512<<10)...), trust.ErrTooLarge},
		"too deep":            {replacing(`"signed": {`, `"signed": {"x":`+strings.Repeat("[", 31)+strings.Repeat("]", 31)+`,`)(honest), trust.ErrMalformed},
		"too many signatures": {many(257), trust.ErrMalformed},
		"null":                {replacing(`"roles": {`, `"roles": {"x":null,`)(honest), trust.ErrMalformed},
		"nothing":             {nil, trust.ErrMalformed},
		"two documents":       {append(bytes.Clone(honest), honest...), trust.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := trust.CheckRoot(test.data, trust.Limits{}); !errors.Is(err, test.kind) {
				t.Errorf("expected %v, found %v", test.kind, err)
			}
		})
	}
	if _, err := trust.CheckRoot(many(200), trust.Limits{}); err != nil {
		t.Errorf("many signatures, but not too many: %v", err)
	}
}

// The three roles below root, each signed by a stranger in place of its own
// key; with no hashes in the snapshot the signature is all there is.
func TestRoleSignedByAStranger(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"timestamp", "snapshot", "targets"} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{NoMetaHashes: true})
			b.mustRefresh()
			stranger, err := testrepo.NewKey(testrepo.Ed25519)
			must(t, err)
			must(t, b.repo.Forge(role, testrepo.Forgery{Keys: []*testrepo.Key{stranger}}))
			b.publish()
			if err := b.refuses(trust.ErrSignature); !strings.Contains(err.Error(), role) {
				t.Errorf("expected the role to be named, found %v", err)
			}
		})
	}
}

// One key under two ids is one key: the threshold counts keys.
func TestOneKeyUnderTwoIDsCountsOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{Quorum: map[string]testrepo.Quorum{"timestamp": {Keys: 2, Threshold: 2}}})
	thief := b.repo.Keys("timestamp")[0]
	label := strings.Repeat("ab", 32)
	must(t, b.repo.Forge("root", testrepo.Forgery{Signed: func(s any) {
		root := s.(*metadata.RootType)
		root.Keys[label] = root.Keys[thief.ID()]
		root.Roles["timestamp"].KeyIDs = append(root.Roles["timestamp"].KeyIDs, label)
	}}))
	must(t, b.repo.PublishRoot())
	b.mustRefresh()
	doc := timestampOf(t, b.repo.Files(0)["timestamp.json"])
	doc.Signed.Version++
	data := signed(t, doc, []*testrepo.Key{thief})
	one := fmt.Sprintf(`{"keyid":"%s"`, thief.ID())
	i := bytes.Index(data, []byte(one))
	if i < 0 {
		t.Fatalf("no signature in %s", data)
	}
	end := i + bytes.IndexByte(data[i:], '}') + 1
	twice := bytes.Replace(data[i:end], []byte(thief.ID()), []byte(label), 1)
	b.remote.replace("timestamp.json", append(append(append(bytes.Clone(data[:end]), ','), twice...), data[end:]...))
	b.refuses(trust.ErrSignature)
}

// A signed length lowers the limit that the remote is asked with, so that a
// mirror can't make the client read more.
func TestSignedLengthLowersTheLimit(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	honest := b.repo.Files(0)["2.snapshot.json"]
	b.remote.replace("2.snapshot.json", append(bytes.Clone(honest), ' '))
	b.refuses(trust.ErrMismatch)
	if got := b.remote.limits["2.snapshot.json"]; got != int64(len(honest)) {
		t.Errorf("expected the snapshot to be asked for with the limit %d, found %d", len(honest), got)
	}
	b.remote.replace("2.snapshot.json", honest[:len(honest)-1])
	if err := b.refuses(trust.ErrMismatch); !strings.Contains(err.Error(), fmt.Sprintf("%d bytes", len(honest))) {
		t.Errorf("expected the length to be what is wrong, found %v", err)
	}
}

// A timestamp that names snapshot 1 is answered with snapshot 2, rightly signed:
// a mirror must not choose which snapshot goes with which timestamp.
func TestNewerFileThanThePromisedOne(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{NoMetaHashes: true})
	old := b.repo.Files(0)["timestamp.json"]
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	b.remote.replace("timestamp.json", old)
	b.remote.replace("1.snapshot.json", b.repo.Files(0)["2.snapshot.json"])
	b.refuses(trust.ErrMismatch)
}
