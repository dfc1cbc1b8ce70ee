package trust_test

import (
	"strings"
	"testing"
	"time"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

// sameVersionAgain makes the repository publish a targets role in the version
// that it has, with whatever else was changed.
func (b *bench) sameVersionAgain(role string) {
	b.t.Helper()
	version := b.repo.Version(role)
	must(b.t, b.repo.Forge(role, testrepo.Forgery{Signed: func(s any) { s.(*metadata.TargetsType).Version = version }}))
	must(b.t, b.repo.Forge("snapshot", testrepo.Forgery{Signed: func(s any) {
		s.(*metadata.SnapshotType).Meta[role+".json"].Version = version
	}}))
	b.publish()
}

// A snapshot with hashes can promise other content under the version that was
// accepted. It is refused all the same: what was reviewed as version 2 stays.
func TestTargetsOfTheSameVersionWithOtherContent(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{PlainSnapshots: true})
	b.mustRefresh()
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.sameVersionAgain("targets")
	if err := b.refuses(trust.ErrRollback); !strings.Contains(err.Error(), "rollback of targets: version 1 was accepted with other content") {
		t.Errorf("expected it to say why, found %v", err)
	}
	must(t, b.repo.AddTarget("c.txt", []byte("gamma")))
	b.publish()
	b.mustRefresh() // under a version of its own it is fine
}

func TestDelegatedRoleOfTheSameVersionWithOtherContent(t *testing.T) {
	t.Parallel()
	for name, sameProcess := range map[string]bool{"another process": false, "the same process": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{PlainSnapshots: true})
			b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
			b.add("team/x", "team")
			b.publish()
			repository := b.open()
			look := func() error {
				t.Helper()
				if !sameProcess {
					repository = b.open()
				}
				view, err := repository.Refresh(t.Context())
				must(t, err)
				_, err = view.Target(t.Context(), "team/x")
				return err
			}
			must(t, look())
			held := b.store.Entries()["role/team"]
			b.now = b.now.Add(time.Minute)
			b.add("team/y", "team")
			b.sameVersionAgain("team")
			err := look()
			if want := "rollback of team: version 1 was accepted with other content"; err == nil || !strings.Contains(err.Error(), want) {
				t.Fatalf("expected %q, found %v", want, err)
			}
			if string(b.store.Entries()["role/team"]) != string(held) {
				t.Error("the record of the role has moved")
			}
		})
	}
}

// Signed again, or spaced in another way, it is the same content.
func TestSameContentSignedAgainIsNoRollback(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{PlainSnapshots: true})
	b.mustRefresh()
	must(t, b.repo.Forge("targets", testrepo.Forgery{Bytes: padded}))
	b.sameVersionAgain("targets")
	b.mustRefresh()
}
