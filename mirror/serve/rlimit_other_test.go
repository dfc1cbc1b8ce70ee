//go:build !unix

package serve_test

type rlimit struct{ soft uint64 }

func (r *rlimit) ensure(want uint64) { r.soft = want }
