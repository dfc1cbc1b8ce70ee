package testrepo_test

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/internal/testrepo"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

func TestNestedDelegationsWithOddNames(t *testing.T) {
	r, s := serve(t, testrepo.Options{})
	names := []string{"a/b", "..", "sp ace", "per%cent", "ünïcode", "quo\"te", "q?x#y", "2.root"}
	parent := "targets"
	for _, name := range names {
		must(t, r.Delegate(parent, testrepo.DelegatedRole{Name: name, Paths: []string{"odd/*"}, Quorum: testrepo.Quorum{Keys: 3, Threshold: 2}}))
		parent = name
	}
	must(t, r.AddTarget("odd/f i%l?e", []byte("odd"), parent))
	must(t, r.Publish())
	tm, err := verify(overHTTP(t, s.URL), time.Now())
	must(t, err)
	for _, name := range names {
		if tm.Targets[name] == nil {
			t.Errorf("role %q was not reached", name)
		}
		if len(tm.Targets[name].Signatures) != 2 {
			t.Errorf("role %q: expected 2 signatures, found %d", name, len(tm.Targets[name].Signatures))
		}
		file := "1." + url.PathEscape(name) + ".json"
		if r.Files(0)[file] == nil {
			t.Errorf("no file %q", file)
		}
		// Some clients escape the name of the file once more.
		if a := get(t, s.URL+"/"+url.PathEscape(file)); a.status != 200 || a.err != nil {
			t.Errorf("%q escaped twice: status %d, %v", file, a.status, a.err)
		}
	}
	file := tm.Targets[parent].Signed.Targets["odd/f i%l?e"]
	if got := overHTTP(t, s.URL)(targetNames("odd/f i%l?e", file, true)[0]); string(got) != "odd" {
		t.Errorf("target with an odd name: %q", got)
	}
}

func TestDiamondAndEdgesOfTheirOwn(t *testing.T) {
	r := sample(t, testrepo.Options{})
	must(t, r.Delegate("hello", testrepo.DelegatedRole{Name: "shared", Paths: []string{"hello/*/*"}, Terminating: true}))
	must(t, r.Delegate("ferry", testrepo.DelegatedRole{Name: "shared", PathHashPrefixes: []string{"ab", "0"}}))
	must(t, r.Publish())
	tm, err := verify(held(r), time.Now())
	must(t, err)
	if e := tm.Targets["hello"].Signed.Delegations.Roles[0]; !e.Terminating || !slices.Equal(e.Paths, []string{"hello/*/*"}) {
		t.Errorf("hello's edge: %+v", e)
	}
	if e := tm.Targets["ferry"].Signed.Delegations.Roles[0]; e.Terminating || !slices.Equal(e.PathHashPrefixes, []string{"ab", "0"}) {
		t.Errorf("ferry's edge: %+v", e)
	}
	must(t, r.RotateKey("shared"))
	must(t, r.Publish())
	_, err = verify(held(r), time.Now())
	must(t, err)

	other, err := testrepo.NewKey(testrepo.Ed25519)
	must(t, err)
	must(t, r.Delegate("channel-stable", testrepo.DelegatedRole{Name: "shared", Paths: []string{"x"}, Keys: []*testrepo.Key{other}}))
	must(t, r.Publish())
	_, err = verify(held(r), time.Now())
	if want := new(metadata.ErrUnsignedMetadata); !errors.As(err, &want) || !strings.Contains(err.Error(), `"shared" by "channel-stable"`) {
		t.Fatalf("expected the edge with another key to refuse the role, found %v", err)
	}
}

func TestBins(t *testing.T) {
	r, err := testrepo.New(testrepo.Options{})
	must(t, err)
	bins := testrepo.Bins{Prefix: "bin", BitLength: 5, Quorum: testrepo.Quorum{Keys: 2, Threshold: 2}}
	must(t, r.DelegateBins("targets", bins))
	for i := range 50 {
		where := fmt.Sprintf("file-%d", i)
		must(t, r.AddTarget(where, []byte(where), testrepo.BinOf(bins, where)))
	}
	must(t, r.Publish())
	check := func() {
		t.Helper()
		tm, err := verify(held(r), time.Now())
		must(t, err)
		if len(tm.Targets) != 1+32 {
			t.Errorf("expected targets and 32 bins, found %d roles", len(tm.Targets))
		}
		for i := range 50 {
			where := fmt.Sprintf("file-%d", i)
			role := tm.Targets["targets"].Signed.Delegations.GetRolesForTarget(where)[0].Name
			if tm.Targets[role].Signed.Targets[where] == nil {
				t.Errorf("%s is not in %s", where, role)
			}
		}
	}
	check()
	before := r.Keys("bin-00")[0].ID()
	must(t, r.RotateKey("bin-03"))
	if r.Keys("bin-00")[0].ID() == before {
		t.Error("the keys that bins share were not rotated together")
	}
	must(t, r.Publish())
	check()
	if err := r.Delegate("targets", testrepo.DelegatedRole{Name: "x"}); !errors.Is(err, testrepo.ErrConflict) {
		t.Errorf("expected no role beside bins, found %v", err)
	}
}
