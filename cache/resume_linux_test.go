package cache

import "testing"

// TestNoStateWithoutBoot: where nobody can tell one boot from another, the state
// of a record is not believed. Not beside others, as it is the machine that changes.
func TestNoStateWithoutBoot(t *testing.T) {
	before := bootID
	defer func() { bootID = before }()
	bootID = func() string { return "" }
	data := random(63, 1<<20)
	g := half(t, data)
	g = stageOf(t, g.store, data)
	if g.Written() != 512<<10 || g.hashing.taken {
		t.Errorf("expected the bytes and no state, found %v, and the state after %d bytes", g.Spans(), g.hashing.hashed)
	}
	put(t, g, data, 512<<10, 1<<20, 0)
	commit(t, g)
}
