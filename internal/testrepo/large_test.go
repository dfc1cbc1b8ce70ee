package testrepo_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"assay/internal/testrepo"

	"github.com/secure-systems-lab/go-securesystemslib/cjson"
	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// What Large writes as text must be what go-tuf reads and verifies, role by
// role, and hold each target once, in the role that go-tuf would look into.
func TestLargeIsWhatGoTUFAccepts(t *testing.T) {
	const targets = 300
	for _, l := range []testrepo.LargeOptions{
		{Targets: targets}, {Targets: targets, Loose: true},
		{Targets: targets, Bits: 4}, {Targets: targets, Bits: 4, Loose: true},
	} {
		for _, opts := range []testrepo.Options{
			{}, {PlainSnapshots: true, Scheme: testrepo.ECDSA, Quorum: map[string]testrepo.Quorum{"targets": {Keys: 3, Threshold: 2}}},
		} {
			t.Run(fmt.Sprintf("%+v,plain=%t", l, opts.PlainSnapshots), func(t *testing.T) {
				r, err := testrepo.Large(opts, l)
				must(t, err)
				tm, err := verify(held(r), r.Now())
				must(t, err)
				for i := range targets {
					path, role := testrepo.LargePath(i), "targets"
					if l.Bits > 0 {
						role = testrepo.BinOf(testrepo.Bins{Prefix: testrepo.LargePrefix, BitLength: l.Bits}, path)
					}
					sum := sha256.Sum256([]byte(path))
					file := tm.Targets[role].Signed.Targets[path]
					if file == nil || !bytes.Equal(file.Hashes["sha256"], sum[:]) || file.Length != int64(1_000_000+i) {
						t.Fatalf("%s: in role %q, found %v", path, role, file)
					}
				}
				listed := 0
				for _, role := range tm.Targets {
					listed += len(role.Signed.Targets)
				}
				if listed != targets {
					t.Errorf("expected %d targets in all, found %d", targets, listed)
				}
			})
		}
	}
}

// The signed part is written in the canonical form, unless it has to be loose.
func TestLargeIsCanonical(t *testing.T) {
	for _, loose := range []bool{false, true} {
		r, err := testrepo.Large(testrepo.Options{}, testrepo.LargeOptions{Targets: 100, Loose: loose})
		must(t, err)
		var file struct{ Signed json.RawMessage }
		must(t, json.Unmarshal(r.Files(0)["1.targets.json"], &file))
		canonical, err := cjson.EncodeCanonical(&file.Signed)
		must(t, err)
		if bytes.Equal(canonical, file.Signed) == loose {
			t.Errorf("loose %t: the signed part begins with %.300s", loose, file.Signed)
		}
	}
	if !slices.IsSorted([]string{testrepo.LargePath(9), testrepo.LargePath(10), testrepo.LargePath(99_999), testrepo.LargePath(100_000)}) {
		t.Error("paths are not sorted as their numbers are")
	}
}

func TestLargeSizes(t *testing.T) {
	r, err := testrepo.Large(testrepo.Options{}, testrepo.LargeOptions{Targets: 1000})
	must(t, err)
	if size := len(r.Files(0)["1.targets.json"]); size < 198_000 || size > 199_000 {
		t.Errorf("1000 targets: expected 198 bytes each, found %d in all", size)
	}
	r, err = testrepo.Large(testrepo.Options{}, testrepo.LargeOptions{Targets: 1, Bits: 8})
	must(t, err)
	var snapshot metadata.Metadata[metadata.SnapshotType]
	_, err = snapshot.FromBytes(r.Files(0)["1.snapshot.json"])
	must(t, err)
	if len(snapshot.Signed.Meta) != 257 || snapshot.Signed.Meta["bins-ff.json"].Length != 0 {
		t.Errorf("expected 257 roles without lengths, found %d: %v", len(snapshot.Signed.Meta), snapshot.Signed.Meta["bins-ff.json"])
	}
}

func TestLargeCannotBePublishedAnew(t *testing.T) {
	for _, l := range []testrepo.LargeOptions{{Targets: 0}, {Targets: 10_000_001}, {Targets: 1, Bits: 17}, {Targets: 1, Bits: -1}} {
		if _, err := testrepo.Large(testrepo.Options{}, l); !errors.Is(err, testrepo.ErrOptions) {
			t.Errorf("%+v: expected ErrOptions, found %v", l, err)
		}
	}
	r, err := testrepo.Large(testrepo.Options{}, testrepo.LargeOptions{Targets: 10, Bits: 2})
	must(t, err)
	must(t, r.Publish())
	if _, err := verify(held(r), r.Now()); err != nil {
		t.Errorf("published again: %v", err)
	}
	must(t, r.Renew("bins-0"))
	if err := r.Publish(); !errors.Is(err, testrepo.ErrConflict) {
		t.Errorf("a bin anew: expected ErrConflict, found %v", err)
	}
	if r.Version("bins-0") != 1 || r.Version("snapshot") != 2 {
		t.Errorf("a failed publication used up versions: %d, %d", r.Version("bins-0"), r.Version("snapshot"))
	}
}
