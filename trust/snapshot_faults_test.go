package trust_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

// Another process that accepts the very same snapshot meanwhile has overtaken
// nobody.
func TestSameSnapshotAcceptedTwiceAtOnce(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	slow := &remote{repo: b.repo}
	slow.answer = map[string]func() ([]byte, error){"2.snapshot.json": func() ([]byte, error) {
		b.mustRefresh()
		return b.repo.Files(0)["2.snapshot.json"], nil
	}}
	config := b.config
	config.Remote = slow
	r, err := trust.Open(config)
	must(t, err)
	view, err := r.Refresh(t.Context())
	must(t, err)
	promisedBy(t, view, "b.txt", "targets")
	want := []string{"2.root.json", "timestamp.json", "2.snapshot.json", "2.targets.json"}
	if asked := slow.requests(); !slices.Equal(asked, want) {
		t.Errorf("expected one round of %q, found %q", want, asked)
	}
}

// The versions of another snapshot, whole as their record is, are no floor: they
// may be lower than those that were accepted.
func TestRolesOfAnotherSnapshotInTheirPlace(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	old := b.store.Entries()["floor/roles"]
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	b.mustRefresh()
	must(t, b.repo.AddTarget("c.txt", []byte("gamma")))
	b.publish()
	b.put("floor/roles", old)
	if err := b.refuses(trust.ErrState); !strings.Contains(err.Error(), "floor/roles") {
		t.Errorf("expected the record to be named, found %v", err)
	}
}

// A file in a snapshot that is no role's may go again.
func TestFileOfNoRoleLeavesTheSnapshot(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{})
	must(t, b.repo.Forge("snapshot", testrepo.Forgery{Signed: func(s any) {
		s.(*metadata.SnapshotType).Meta["notes.txt"] = testrepo.Describe(1, []byte("notes"))
	}}))
	b.publish()
	b.mustRefresh()
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	b.publish()
	promisedBy(t, b.mustRefresh(), "b.txt", "targets")
}

// Damaged bytes that came again as other ones of the same content are swept
// away, though the timestamp is the same.
func TestDamagedBytesAreSweptAway(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"snapshot", "targets"} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{NoMetaHashes: true})
			b.mustRefresh()
			honest := b.repo.Files(0)["1."+role+".json"]
			for key, value := range b.store.Entries() {
				if string(value) == string(honest) {
					b.put(key, []byte("{}"))
				}
			}
			b.remote.replace("1."+role+".json", append(slices.Clone(honest), ' '))
			b.mustRefresh()
			metas := 0
			for key := range b.store.Entries() {
				if strings.HasPrefix(key, prefixMeta) {
					metas++
				}
			}
			if metas != 3 {
				t.Errorf("expected timestamp, snapshot and targets, found %d values", metas)
			}
			promisedBy(t, mustOffline(t, b), "a.txt", "targets")
		})
	}
}
