//go:build unix

package serve_test

import "syscall"

// rlimit is how many files this process may have open.
type rlimit struct{ soft uint64 }

// ensure raises the limit where that is allowed.
func (r *rlimit) ensure(want uint64) {
	var l syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l) != nil {
		return
	}
	if l.Cur < want && want <= l.Max {
		l.Cur = want
		syscall.Setrlimit(syscall.RLIMIT_NOFILE, &l)
	}
	r.soft = uint64(l.Cur)
}
