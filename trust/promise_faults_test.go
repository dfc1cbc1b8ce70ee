package trust_test

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

// Without a promised length the limit is what stops endless data, and that is
// what the error says.
func TestEndlessFileWithoutAPromisedLength(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{NoMetaHashes: true})
	b.mustRefresh()
	must(t, b.repo.AddTarget("b.txt", []byte("beta")))
	must(t, b.repo.Forge("snapshot", testrepo.Forgery{Bytes: func(data []byte) []byte {
		return append(data, bytes.Repeat([]byte(" "), 64<<10)...)
	}}))
	b.publish()
	b.config.Limits.Snapshot = 32 << 10
	if err := b.refuses(trust.ErrTooLarge); errors.Is(err, trust.ErrMismatch) {
		t.Errorf("expected no promise to be broken, found %v", err)
	}
}

// livingProcess has refreshed once, and knows what it has parsed.
func livingProcess(t *testing.T, options testrepo.Options) (*bench, *trust.Repository) {
	t.Helper()
	b := newBench(t, options)
	process := b.open()
	_, err := process.Refresh(t.Context())
	must(t, err)
	return b, process
}

// refusesAgain expects the next refresh of the same process to fail with kind,
// and the complete set to stay the same.
func (b *bench) refusesAgain(process *trust.Repository, kind error) {
	b.t.Helper()
	before := b.store.Entries()[keyComplete]
	if _, err := process.Refresh(b.t.Context()); !errors.Is(err, kind) {
		b.t.Errorf("expected %v, found %v", kind, err)
	}
	if !bytes.Equal(before, b.store.Entries()[keyComplete]) {
		b.t.Error("a refused refresh moved the complete set")
	}
}

// A new snapshot that promises other bytes under the version that this process
// knows is not answered from memory.
func TestKnownRoleThatIsNoLongerPromised(t *testing.T) {
	t.Parallel()
	b, process := livingProcess(t, testrepo.Options{})
	must(t, b.repo.Forge("snapshot", testrepo.Forgery{Signed: func(s any) {
		s.(*metadata.SnapshotType).Meta["targets.json"] = testrepo.Describe(1, []byte("other"))
	}}))
	b.publish()
	b.remote.requests()
	b.refusesAgain(process, trust.ErrMismatch)
	if asked := b.remote.requests(); !slices.Contains(asked, "1.targets.json") {
		t.Errorf("expected the targets to be asked for, found %q", asked)
	}
}

// What a process knows was signed by keys that a new root has revoked since.
func TestKnownRoleOfARevokedKey(t *testing.T) {
	t.Parallel()
	for _, role := range []string{"snapshot", "targets"} {
		t.Run(role, func(t *testing.T) {
			t.Parallel()
			b, process := livingProcess(t, testrepo.Options{})
			must(t, b.repo.RotateKey(role))
			must(t, b.repo.PublishRoot())
			b.refusesAgain(process, trust.ErrSignature)
			if _, err := process.Offline(t.Context()); !errors.Is(err, trust.ErrNotHeld) || !errors.Is(err, trust.ErrSignature) {
				t.Errorf("offline: expected ErrNotHeld for want of signatures, found %v", err)
			}
		})
	}
}
