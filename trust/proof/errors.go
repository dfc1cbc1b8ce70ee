package proof

import (
	"errors"
	"fmt"

	"assay/trust"
)

// The kinds of refusal that are this package's own; those of packages provenance
// and policy come through wrapped.
var (
	// ErrDisagree: manifest, target, checksums file and signed statement do not
	// tell the same of the artifact.
	ErrDisagree = errors.New("manifest disagrees")
	// ErrIdentity: it is signed, but by nobody whom the policy accepts.
	ErrIdentity = errors.New("not signed by an accepted identity")
	// ErrClaims: a build's provenance says something else than the certificate
	// that signed it.
	ErrClaims = errors.New("claims that its certificate does not bear out")
	// ErrDocument: a bill of materials or a checksums file can't be read as one.
	ErrDocument = errors.New("unreadable document")
	// ErrReceipt: a stored receipt is damaged. It proves nothing; a new judgement
	// takes its place.
	ErrReceipt = errors.New("stored receipt is damaged")
	// ErrConfig: a Prover can't be made like this, or a profile is unknown.
	ErrConfig = errors.New("proof configuration")
)

// Refusal says why an artifact is not believed, with everything that was checked
// until then, and what failed among it. It unwraps to the reason.
type Refusal struct {
	Evidence *trust.Evidence
	Target   string // the target path
	Err      error

	receipt Receipt
	target  trust.Target
}

// Receipt is what is remembered of the refusal.
func (r *Refusal) Receipt() Receipt { return r.receipt }

// Error is the reason's, with the target.
func (r *Refusal) Error() string { return fmt.Sprintf("%s: %v", r.Target, r.Err) }

// Unwrap is the reason.
func (r *Refusal) Unwrap() error { return r.Err }

// DamagedError says which receipt is damaged. It unwraps to an ErrReceipt.
type DamagedError struct {
	Name ReceiptName
	Err  error
}

// Error is the reason's, which names the key.
func (e *DamagedError) Error() string { return e.Err.Error() }

// Unwrap is the reason.
func (e *DamagedError) Unwrap() error { return e.Err }

// failure is an error that a check has failed by: it refuses. Any other error
// of a step is of the means (the network, the disk) and says nothing of the
// artifact.
type failure struct{ err error }

func (f *failure) Error() string { return f.err.Error() }
func (f *failure) Unwrap() error { return f.err }
