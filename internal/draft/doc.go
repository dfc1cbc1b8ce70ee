// Package draft writes the documents of the release layout for publishers: the
// manifest of a release out of what goreleaser built, and the channel indexes and
// the catalog when a release is promoted. It works on files and holds no keys: to
// sign and publish what it wrote is for the publisher's TUF tool.
//
// Parties: goreleaser, whose folder (dist) says what was built; the publisher,
// whose defaults (team.toml) say what no build can know; and package
// artifact/release, which says what a document has to look like.
//
// # Guarantees
//
// Every digest and length is computed from the file itself, and compared with the
// checksums file and with what goreleaser noted. A program that the manifest
// names was found in the archive, unpacked by what consumers unpack it with.
// What a Go program says of its own making (toolchain, revision, platform) is
// compared with what goreleaser says. What is copied is hashed again on its way.
//
// What the folder holds counts as hostile: it is read through an os.Root, so that
// no path and no link leads out of it; lists and documents are bounded and
// screened; only regular files are read. Nothing is written before everything was
// read and compared, a file that exists is not replaced by other bytes, and the
// manifest comes last.
//
// The same input gives the same bytes: lists are sorted, and the clock is handed
// in.
//
// # Not guaranteed
//
// That the build is what the sources make. That what the publisher's defaults say
// is true, or complete: release.Lint finds out the latter, and Way says how to
// give what is missing. That nobody changes the folder meanwhile, beyond that the
// bytes that get a name are the ones that were described.
package draft

import (
	"errors"
	"fmt"

	"assay/internal/shown"
)

// The kinds of refusal.
var (
	// ErrInput is for options, and for defaults, that can't be meant.
	ErrInput = errors.New("can't be used")
	// ErrDist is for a folder that is not as goreleaser leaves it.
	ErrDist = errors.New("not what goreleaser writes")
	// ErrOutside is for a path that leaves the folder, or that leads to something else than a file.
	ErrOutside = errors.New("not a file in the folder that goreleaser wrote")
	// ErrMismatch is for bytes that are not what something else says of them.
	ErrMismatch = errors.New("two sources disagree")
	// ErrTaken is for a file that is there already, with other bytes.
	ErrTaken = errors.New("is there already, with other bytes")
	// ErrChanged is for a file that was changed while it was read.
	ErrChanged = errors.New("was changed meanwhile")
	// ErrNoRelease is for a release, or a channel, that is not there.
	ErrNoRelease = errors.New("no such release")
	// ErrPromotion is for a promotion that would have no effect, or the wrong one.
	ErrPromotion = errors.New("can't be promoted")
	// ErrRevoked is for a release that a channel says is revoked.
	ErrRevoked = errors.New("revoked")
	// ErrDisk is for files that can't be read or written.
	ErrDisk = errors.New("files can't be read or written")
)

// quote makes text from outside fit for a message.
func quote(text string) string { return shown.Quote(text, 120) }

// disk files the failure of the file system under ErrDisk.
func disk(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrDisk, err)
}
