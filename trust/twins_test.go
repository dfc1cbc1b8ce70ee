package trust_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

// A root that says "roles" and "Roles" is two roots, each for another client.
func TestRootThatSaysTwoThings(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.Forge("root", testrepo.Forgery{Signed: func(s any) {
		root := s.(*metadata.RootType)
		root.UnrecognizedFields = map[string]any{"Roles": map[string]any{}, "Version": 3}
	}}))
	must(t, b.repo.PublishRoot())
	b.refuses(trust.ErrMalformed)
}

// A mirror adds a key in another case to what is signed: encoding/json would take
// it for the right one, so that the check of signatures and the parser could each
// see another document. Such a file is refused, or read as if it were not there.
func TestKeyInAnotherCaseBesideTheSignedOne(t *testing.T) {
	t.Parallel()
	evil := `{"_type":"%s","spec_version":"1.0.31","version":77,"expires":"2036-01-01T00:00:00Z","targets":{},` +
		`"meta":{"snapshot.json":{"version":77},"targets.json":{"version":77}}}`
	for _, role := range []string{"timestamp", "snapshot", "targets"} {
		for _, key := range []string{"Signed", "SIGNED", `\u0053igned`, `\u017figned`} {
			for _, first := range []bool{true, false} {
				b := newBench(t, testrepo.Options{NoMetaHashes: true})
				b.mustRefresh()
				must(t, b.repo.AddTarget("b.txt", []byte("beta")))
				must(t, b.repo.Forge(role, testrepo.Forgery{Bytes: func(data []byte) []byte {
					twin := `"` + key + `":` + fmt.Sprintf(evil, role)
					if data = bytes.TrimSpace(data); first {
						return append([]byte("{"+twin+","), data[1:]...)
					}
					return append(data[:len(data)-1:len(data)-1], ("," + twin + "}")...)
				}}))
				b.publish()
				b.refuses(trust.ErrMalformed)
			}
		}
	}
}

// Below the first level of the signed part, too: the order of members is no part
// of what is signed, so a mirror could choose which of the two a reader takes.
func TestTwinsWithinTheSignedPart(t *testing.T) {
	t.Parallel()
	root := func(f func(*metadata.RootType)) func(any) { return func(s any) { f(s.(*metadata.RootType)) } }
	targets := func(f func(*metadata.TargetsType)) func(any) { return func(s any) { f(s.(*metadata.TargetsType)) } }
	for name, test := range map[string]struct {
		role  string
		part  string
		forge func(any)
	}{
		"threshold of a role": {"root", `signed.roles["timestamp"]: expected the key "threshold", found "Threshold"`, root(func(s *metadata.RootType) {
			s.Roles["timestamp"].UnrecognizedFields = map[string]any{"Threshold": 1}
		})},
		"value of a key": {"root", `expected the key "keyval", found "keyVal"`, root(func(s *metadata.RootType) {
			for _, key := range s.Keys {
				key.UnrecognizedFields = map[string]any{"keyVal": map[string]any{"public": "00"}}
			}
		})},
		"public part of a key": {"root", `expected the key "public", found "Public"`, root(func(s *metadata.RootType) {
			for _, key := range s.Keys {
				key.Value.UnrecognizedFields = map[string]any{"Public": "00"}
			}
		})},
		"paths of a delegation": {"targets", `expected the key "paths", found "Paths"`, targets(func(s *metadata.TargetsType) {
			s.Delegations.Roles[0].UnrecognizedFields = map[string]any{"Paths": []string{"two/*"}}
		})},
		"keys of delegations": {"targets", `expected the key "keys", found "KEYS"`, targets(func(s *metadata.TargetsType) {
			s.Delegations.UnrecognizedFields = map[string]any{"KEYS": map[string]any{}}
		})},
		"scheme of a delegation's key": {"targets", `expected the key "scheme", found "Scheme"`, targets(func(s *metadata.TargetsType) {
			for _, key := range s.Delegations.Keys {
				key.UnrecognizedFields = map[string]any{"Scheme": "none"}
			}
		})},
		"length of bins": {"targets", `expected the key "bit_length", found "Bit_length"`, targets(func(s *metadata.TargetsType) {
			s.Delegations.SuccinctRoles = &metadata.SuccinctRoles{
				KeyIDs: s.Delegations.Roles[0].KeyIDs, Threshold: 1, BitLength: 2, NamePrefix: "bin",
				UnrecognizedFields: map[string]any{"Bit_length": 3},
			}
			s.Delegations.Roles = nil
		})},
		"length of a target": {"targets", `signed.targets["a.txt"].Length: expected the key "length"`, targets(func(s *metadata.TargetsType) {
			s.Targets["a.txt"].UnrecognizedFields = map[string]any{"Length": 1}
		})},
		"version of a file": {"snapshot", `signed.meta["targets.json"].Version: expected the key "version"`, func(s any) {
			s.(*metadata.SnapshotType).Meta["targets.json"].UnrecognizedFields = map[string]any{"Version": 1}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{NoMetaHashes: true})
			b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
			b.publish()
			b.mustRefresh()
			must(t, b.repo.Forge(test.role, testrepo.Forgery{Signed: test.forge}))
			if test.role == "root" {
				must(t, b.repo.PublishRoot())
			}
			b.publish()
			if err := b.refuses(trust.ErrMalformed); !strings.Contains(err.Error(), test.part) {
				t.Errorf("expected %q, found %v", test.part, err)
			}
		})
	}
}

// A signature's members, too: they are not even signed.
func TestTwinsInASignature(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	b.publish()
	timestamp := b.repo.Files(0)["timestamp.json"]
	for _, twin := range []string{`"KEYID": "aa", "keyid"`, `"Keyid": "aa", "keyid"`} {
		b.remote.replace("timestamp.json", bytes.Replace(timestamp, []byte(`"keyid"`), []byte(twin), 1))
		if err := b.refuses(trust.ErrMalformed); !strings.Contains(err.Error(), `signatures[0]: expected the key "keyid"`) {
			t.Errorf("expected it to say why, found %v", err)
		}
	}
}
