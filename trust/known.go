package trust

import (
	"sync"

	"assay/artifact"
)

// known is what the last view of a Repository has parsed and verified. The next
// one takes over what the snapshot says is unchanged, without reading or parsing
// it again; signatures are checked again where the keys are others.
type known struct {
	mu    sync.Mutex
	sums  map[artifact.Digest]*document
	roles map[string]*document
}

// by is the document with these bytes; nil: there is none.
func (k *known) by(sum artifact.Digest) *document {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.sums[sum]
}

// role is the delegated role's document; nil: there is none.
func (k *known) role(name string) *document {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.roles[name]
}

// keep remembers the top-level documents of a view in place of those before.
// Delegated ones stay until the role is replaced.
func (k *known) keep(docs ...*document) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.sums = map[artifact.Digest]*document{}
	for _, d := range docs {
		k.sums[d.sum] = d
	}
}

// keepRole remembers a delegated role's document.
func (k *known) keepRole(d *document) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.roles == nil {
		k.roles = map[string]*document{}
	}
	k.roles[d.role] = d
}
