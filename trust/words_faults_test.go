package trust_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/strictjson"
	"assay/internal/testrepo"
	"assay/trust"
)

// says has the next file of a role say text where it says old, once, signed by the
// role's own keys: what go-tuf can't be made to write.
func (b *bench) says(role, old, text string) {
	b.t.Helper()
	keys := b.repo.Keys(role)
	must(b.t, b.repo.Forge(role, testrepo.Forgery{Bytes: func(data []byte) []byte {
		var file struct{ Signed json.RawMessage }
		must(b.t, json.Unmarshal(data, &file))
		payload, err := strictjson.Canonical(file.Signed)
		must(b.t, err)
		if bytes.Count(payload, []byte(old)) != 1 {
			b.t.Fatalf("expected %s once in %s", old, payload)
		}
		said := bytes.Replace(payload, []byte(old), []byte(text), 1)
		if payload, err = strictjson.Canonical(said); err != nil {
			payload = said
		}
		var signatures []string
		for _, key := range keys {
			sig, err := key.Sign(payload)
			must(b.t, err)
			signatures = append(signatures, fmt.Sprintf(`{"keyid":%q,"sig":%q}`, key.ID(), hex.EncodeToString(sig)))
		}
		return fmt.Appendf(nil, `{"signatures":[%s],"signed":%s}`, strings.Join(signatures, ","), said)
	}}))
}

// alpha is what a targets role says of a.txt.
var alpha = fmt.Sprintf(`{"hashes":{"sha256":%q},"length":5}`, sha256Hex("alpha"))

// The right keys have signed something of the wrong type, or left it out. It is
// refused, by its place, and never read as if nothing were there.
func TestSignedMembersOfTheWrongType(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ role, old, text, part string }{
		"delegations in an array":      {"targets", `"delegations":{`, `"delegations":[],"d":{`, "signed.delegations: expected an object"},
		"delegations in a string":      {"targets", `"delegations":{`, `"delegations":"none","d":{`, "signed.delegations: expected an object"},
		"keys in an array":             {"targets", `"delegations":{"keys":{`, `"delegations":{"keys":[],"k":{`, "signed.delegations.keys"},
		"roles in an object":           {"targets", `"roles":[`, `"roles":{},"r":[`, "signed.delegations.roles: expected an array"},
		"a role in a string":           {"targets", `"roles":[`, `"roles":["team",`, "signed.delegations.roles[0]"},
		"a threshold in a string":      {"targets", `"threshold":1}]`, `"threshold":"1"}]`, "signed.delegations.roles[1]"},
		"paths and prefixes":           {"targets", `"paths":["team/*"]`, `"path_hash_prefixes":["00"],"paths":["team/*"]`, "found both"},
		"roles and bins":               {"targets", `"roles":[`, binsText("2") + `,"roles":[`, "expected roles or succinct_roles, found both"},
		"bins of 0 bits":               {"targets", `"roles":[`, binsText("0") + `,"r":[`, "bit_length: expected 1 to 32"},
		"bins in an array":             {"targets", `"roles":[`, `"succinct_roles":[],"r":[`, "signed.delegations.succinct_roles"},
		"bins of a worded threshold":   {"targets", `"roles":[`, strings.Replace(binsText("2"), `"threshold":1`, `"threshold":"1"`, 1) + `,"r":[`, "cannot unmarshal"},
		"targets in an array":          {"targets", `"targets":{"a.txt"`, `"t":{"a.txt"`, "signed.targets: expected an object"},
		"no targets":                   {"targets", `"targets":{"a.txt"`, `"targets":[],"t":{"a.txt"`, "signed.targets: expected an object"},
		"a target in an array":         {"targets", `"a.txt":{`, `"a.txt":[],"b.txt":{`, `signed.targets["a.txt"]: expected an object`},
		"a target without a length":    {"targets", `"length":5`, `"size":5`, ".length: expected a length, found none"},
		"hashes of a target in array":  {"targets", alpha[:11], `{"hashes":[],"h":{`, ".hashes: expected an object"},
		"a hash that is a number":      {"targets", alpha[11 : len(alpha)-13], `"sha256":1` + sha256Digits + `1`, "sha256: expected 64 hex digits"},
		"meta in an array":             {"snapshot", `"meta":{`, `"meta":[],"m":{`, "signed.meta: expected an object"},
		"a file in an array":           {"snapshot", `"team.json":{`, `"team.json":[],"t.json":{`, `signed.meta["team.json"]: expected an object`},
		"hashes of a file in array":    {"snapshot", `"team.json":{`, `"team.json":{"hashes":[],`, ".hashes: expected an object"},
		"a file without a version":     {"snapshot", `"team.json":{"version"`, `"team.json":{"v"`, ".version: expected a whole number from 1, found none"},
		"a snapshot without a version": {"timestamp", `"snapshot.json":{"version"`, `"snapshot.json":{"v"`, ".version: expected a whole number from 1, found none"},
		"a fraction, of whatever":      {"snapshot", `"meta":{`, `"load":0.5,"meta":{`, "whole numbers only"},
		"no meta":                      {"timestamp", `"meta":{`, `"m":{`, "signed.meta: expected an object"},
		"a type with an escape":        {"timestamp", `"_type":"timestamp"`, `"_type":"\u0074imestamp"`, "signed._type"},
		"a type that is no string":     {"timestamp", `"_type":"timestamp"`, `"_type":1`, "signed._type"},
		"no type":                      {"timestamp", `"_type":"timestamp"`, `"t":1`, "signed._type"},
		"the type of another role":     {"timestamp", `"_type":"timestamp"`, `"_type":"snapshot"`, "signed._type"},
		"a specification by number":    {"timestamp", `"spec_version":`, `"spec_version":1,"s":`, "signed.spec_version"},
		"no expiry":                    {"timestamp", `"expires":`, `"e":`, "signed.expires"},
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
			b.says(test.role, test.old, test.text)
			b.publish()
			if err := b.refuses(trust.ErrMalformed); !strings.Contains(err.Error(), test.part) {
				t.Errorf("expected the message to mention %q, found %v", test.part, err)
			}
			file := "timestamp.json"
			if test.role != "timestamp" {
				file = fmt.Sprintf("%d.%s.json", b.repo.Version(test.role), test.role)
			}
			if data := b.repo.Files(0)[file]; data == nil || b.store.Entries()[prefixMeta+sha256Hex(string(data))] != nil {
				t.Errorf("%s was stored, or is not there", file)
			}
		})
	}
}

// sha256Digits are hex digits that are decimal ones as well.
var sha256Digits = strings.Repeat("1", 64)

func binsText(bits string) string {
	return `"succinct_roles":{"bit_length":` + bits + `,"keyids":[],"name_prefix":"bin","threshold":1}`
}

// A root of the wrong types is not read as a root that says less.
func TestRootOfTheWrongTypes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(b *bench)
		part   string
	}{
		"consistent_snapshot in a string": {func(b *bench) { b.says("root", `"consistent_snapshot":true`, `"consistent_snapshot":"yes"`) }, "consistent_snapshot"},
		"no role snapshot":                {func(b *bench) { b.says("root", `"snapshot":{`, `"snapshots":{`) }, "expected the role snapshot, found none"},
		"a threshold of 0": {func(b *bench) {
			must(b.t, b.repo.Forge("root", testrepo.Forgery{Signed: func(s any) { s.(*metadata.RootType).Roles["targets"].Threshold = 0 }}))
		}, "signed.roles.targets.threshold: expected at least 1, found 0"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustRefresh()
			test.change(b)
			must(t, b.repo.PublishRoot())
			if err := b.refuses(trust.ErrMalformed); !strings.Contains(err.Error(), test.part) {
				t.Errorf("expected the message to mention %q, found %v", test.part, err)
			}
			if b.store.Entries()[rootKey(2)] != nil {
				t.Error("it was stored")
			}
		})
	}
}

// The frame of a file, that no signature covers.
func TestFrameThatIsNoMetadata(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("ab", 32)
	for frame, part := range map[string]string{
		`{"signatures":[]}`:                                                           "signed: expected an object",
		`{"signatures":[],"signed":[]}`:                                               "signed: expected an object",
		`{"signatures":[],"signed":"root"}`:                                           "signed: expected an object",
		`{"signed":{}}`:                                                               "signatures: expected an array",
		`{"signatures":{},"signed":{}}`:                                               "signatures: expected an array",
		`{"signatures":[5],"signed":{}}`:                                              "signatures[0]",
		`{"signatures":[{}],"signed":{}}`:                                             "signatures[0].keyid: expected the id of a key",
		`{"signatures":[{"keyid":5,"sig":""}],"signed":{}}`:                           "signatures[0]",
		`{"signatures":[{"keyid":"a","sig":5}],"signed":{}}`:                          "signatures[0]",
		fmt.Sprintf(`{"signatures":[{"keyid":%q},{"keyid":%q}],"signed":{}}`, id, id): "expected each key id once",
		`{"signatures":[],"signed":{}}`:                                               "signed._type",
	} {
		if _, err := trust.CheckRoot([]byte(frame), trust.Limits{}); !errors.Is(err, trust.ErrMalformed) || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: expected ErrMalformed and %q, found %v", frame, part, err)
		}
	}
}

// Members need not be sorted for what is asked for to be found.
func TestMembersInAnyOrder(t *testing.T) {
	t.Parallel()
	for _, order := range [][]string{{"b", "a.txt", "c"}, {"c", "b", "a.txt"}, {"a.txt", "c", "b"}} {
		b := newBench(t, testrepo.Options{})
		var list []string
		for _, path := range order {
			list = append(list, fmt.Sprintf("%q:%s", path, alpha))
		}
		b.says("targets", `"targets":{"a.txt":`+alpha, `"targets":{`+strings.Join(list, ","))
		b.publish()
		view := b.mustRefresh()
		for _, path := range order {
			promisedBy(t, view, path, "targets")
		}
		if _, err := view.Target(t.Context(), "aa"); !errors.Is(err, trust.ErrNoTarget) {
			t.Errorf("%v: expected ErrNoTarget, found %v", order, err)
		}
	}
}
