package mirror

import (
	"context"
	"errors"
	"strings"

	"assay/artifact"
	"assay/cache"
	"assay/trust"
)

// Upstream is where a repository comes from. It is safe for several goroutines.
type Upstream interface {
	// Refresh asks for the newest metadata and verifies it.
	Refresh(ctx context.Context) (Session, error)
	// Held is what was verified last, without any request; trust.ErrNotHeld where
	// there is nothing.
	Held(ctx context.Context) (Session, error)
}

// Session is one state of an upstream, and the way to what it promises. It is
// safe for several goroutines, and may be kept for long.
type Session interface {
	View() *trust.View
	// Fetch brings a target's bytes into the cache of the storage, or finds them
	// there, and proves that they are those that were promised. moved is how many
	// bytes came.
	Fetch(ctx context.Context, target trust.Target) (blob cache.Blob, moved int64, err error)
	// Prove fetches an artifact of a release like Fetch, if the policy of this
	// upstream lets it be served: a *RefusedError says why not. A target that its
	// release does not list as an artifact is fetched as it is.
	Prove(ctx context.Context, target trust.Target) (blob cache.Blob, moved int64, err error)
	// Policy names the policy that Prove judges by. Where it changes, all is judged
	// again.
	Policy() string
	// Temporary reports whether the same may go well soon: nothing answered, or what
	// answered is too busy.
	Temporary(err error) bool
}

// ErrRefused: the policy, or a proof that it asks for, does not let a target be
// served.
var ErrRefused = errors.New("not served")

// RefusedError says why a target must not be served. It is ErrRefused, and its
// cause.
type RefusedError struct {
	Path string
	Err  error
}

// Error is the cause's text, with the path.
func (e *RefusedError) Error() string {
	text := e.Err.Error()
	if strings.HasPrefix(text, e.Path+": ") {
		return text
	}
	return e.Path + ": " + text
}

// Unwrap gives the sentinel and the cause.
func (e *RefusedError) Unwrap() []error { return []error{ErrRefused, e.Err} }

// promise is one target of a listing.
type promise struct {
	path    string
	digests artifact.Digests
	length  int64
	carried bool
	group   int32        // number of its product and channel in the listing
	target  trust.Target // zero where the listing was read from the storage
}

// key is what its object is stored under.
func (p promise) key() artifact.Digest { return p.digests.Primary() }
