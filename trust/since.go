package trust

import (
	"context"
	"fmt"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact"
)

// RootsSince is what the chain of roots of a view says of one of its roots, and of
// those that came after it.
type RootsSince struct {
	// Digest is the SHA-256 of the whole file of that root; zero: the chain that is
	// stored here does not have it, so that nothing is known of it.
	Digest artifact.Digest
	// NewTimestampKeys and NewSnapshotKeys: of the roots after it, up to the view's,
	// one replaced the keys of that role, and so lowered its floor here (specification
	// 5.3.11). Where the chain does not have the root, they are false.
	NewTimestampKeys, NewSnapshotKeys bool
}

// RootsSince looks a version of the root up in the stored chain, for whoever
// remembers, apart from the Store, what was seen under that root. It makes no
// request. A version before the root that trust began with, or after the view's, is
// no error: the result is zero then. A chain that is damaged is ErrNotHeld.
func (v *View) RootsSince(ctx context.Context, version int64) (RootsSince, error) {
	chain, err := v.rootChain(ctx)
	if err != nil {
		return RootsSince{}, err
	}
	if last := chain[len(chain)-1]; last.version != v.root.version {
		return RootsSince{}, v.rootDamaged(last.version + 1)
	}
	var since RootsSince
	for i, root := range chain {
		switch {
		case root.version == version:
			since.Digest = root.sum
		case root.version > version && !since.Digest.IsZero():
			since.NewTimestampKeys = since.NewTimestampKeys || keysChanged(chain[i-1], root, metadata.TIMESTAMP)
			since.NewSnapshotKeys = since.NewSnapshotKeys || keysChanged(chain[i-1], root, metadata.SNAPSHOT)
		}
	}
	return since, nil
}

// rootChain is the stored chain of roots, from the one that trust began with to this
// view's, or as far as it is whole; at least the first is there.
func (v *View) rootChain(ctx context.Context) ([]*document, error) {
	r := v.repository
	s, err := r.load(ctx, func(*state) []artifact.Digest { return nil })
	if err != nil {
		return nil, err
	}
	root, err := r.givenRoot(s)
	if err != nil {
		return nil, err
	}
	chain := []*document{root}
	for _, next := range r.replay(s, root) {
		if next.version > v.root.version {
			break // accepted since, by another process
		}
		chain = append(chain, next)
	}
	return chain, nil
}

func (v *View) rootDamaged(version int64) error {
	return fmt.Errorf("%s: %w: root %d of the chain is damaged; a refresh brings it back", v.repository.name, ErrNotHeld, version)
}
