package fetch

import (
	"errors"

	"assay/fetch/wire"
	"assay/trust"
)

// The kinds of refusal that are this package's own; those of trust and cache
// come through wrapped.
var (
	// ErrSource: a source can't be reached, or answers with something else
	// than what was asked for; see wire.SourceError.
	ErrSource = wire.ErrSource
	// ErrUnknown: no such product, channel, version, platform or target.
	ErrUnknown = errors.New("not found")
	// ErrAmbiguous: more than one answer fits, and none is guessed.
	ErrAmbiguous = errors.New("ambiguous")
	// ErrRevoked: the publisher has revoked the release.
	ErrRevoked = errors.New("revoked")
	// ErrWithdrawn: a release that was chosen before is no longer promised.
	ErrWithdrawn = errors.New("no longer promised")
	// ErrTooOld: a channel's index is older than its max_age.
	ErrTooOld = errors.New("channel is too old")
	// ErrOffline: it would take the network, which --offline forbids.
	ErrOffline = trust.ErrNotHeld
	// ErrExists: a file is in the way that holds other bytes.
	ErrExists = errors.New("file exists")
	// ErrInput: the file to look at is none that can be read.
	ErrInput = errors.New("not a file to read")
	// ErrOutput: the output can't be written.
	ErrOutput = errors.New("cannot write the output")
)
