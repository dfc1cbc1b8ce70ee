package mirror

import (
	"errors"

	"assay/artifact"
)

// Why a file is not served.
var (
	// ErrNoRepository: no upstream has that name.
	ErrNoRepository = errors.New("no such repository")
	// ErrNoFile: the repository has no file of that name.
	ErrNoFile = errors.New("no such file")
	// ErrNotCarried: it is promised upstream, but not carried by this mirror.
	ErrNotCarried = errors.New("promised upstream, not carried by this mirror")
	// ErrQuarantined: its proof failed, or a person has put it aside.
	ErrQuarantined = errors.New("in quarantine")
	// ErrNotReady: nothing was proven of the repository yet.
	ErrNotReady = errors.New("nothing was proven yet")
	// ErrExpired: the metadata has expired, and nobody may rely on it.
	ErrExpired = errors.New("the metadata has expired")
	// ErrAbsent: it is carried, but not here just now: it is fetched anew, or the
	// upstream does not give it.
	ErrAbsent = errors.New("not held at the moment")
)

// File is one file that a repository serves, as of the generation in which it was
// found.
type File struct {
	Repository string
	// Name is the file's below the repository's base: "3.root.json",
	// "targets/hello/1.5.0/hello.tar.gz", by whatever name it was asked for.
	Name    string
	Digests artifact.Digests // sha256 first
	Length  int64            // in bytes
	// Immutable: the name it was found by has a version or a digest in it, so that no
	// other bytes will ever be under it.
	Immutable bool
	Target    bool // and not metadata
	// Product and Channel are those of the release that it belongs to; of several
	// channels the first. Empty: it belongs to none, or no channel lists it.
	Product, Channel string
	// Sources are URLs that have the same bytes, without credentials.
	Sources []string
	// Attested: there are attestations about it, see Mirror.Attestations.
	Attested bool

	path string // of the target upstream; empty: metadata, or what is only retained
}
