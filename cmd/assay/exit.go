package main

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"assay/artifact"
	"assay/artifact/release"
	"assay/cache"
	"assay/cache/state"
	"assay/fetch"
	"assay/internal/config"
	"assay/trust"
)

// exit is one way for a command to end.
type exit struct {
	code    int
	name    string // stable, for scripts that read --json
	meaning string
	causes  []cause
}

// cause is an error that leads to an exit, and the next command that is safe.
type cause struct {
	err  error
	hint string
}

// errUsage is wrapped by every error about the command line.
var errUsage = errors.New("usage")

// internal is what remains.
var internal = exit{code: 1, name: "internal", meaning: "internal error"}

const (
	hintRefresh = "the repository has to publish anew; `assay trust refresh` asks again, `assay trust show NAME` tells what is held"
	hintAgain   = "nothing was kept; run the command again, and tell the publisher if it stays so"
	hintRoot    = "compare the root's digest with what the publisher says, by another way than this network"
	hintNetwork = "check the URL, the network and the proxy, then run the command again; --offline uses what is held"
	hintBusy    = "another assay is at work; run the command again when it is done"
	hintState   = "restore the state directory from a backup, or move it aside and run `assay trust add` again; `assay config show` tells where it is"
	hintDisk    = "check the free space and the permissions of the folder; `assay config show` tells where the cache and the state are"
	hintFind    = "`assay products` and `assay versions PRODUCT` list what there is"
)

// exits is the table of DESIGN section 7. The first cause that an error wraps
// decides, so an order among the rows matters where an error has several
// causes: metadata that has expired while nothing answers is expired; what
// documents contain (10, 15) comes before what people type (2).
func exits() []exit {
	return []exit{
		{130, "interrupted", "interrupted", []cause{{errInterrupted, "nothing was kept that is not whole; run the command again"}}},
		{143, "terminated", "terminated", []cause{{errTerminated, ""}}},
		{2, "usage", "usage or configuration, or ambiguous", []cause{
			{errUsage, ""}, {config.ErrConfig, ""}, {trust.ErrRootConflict, ""}, {state.ErrConflict, ""},
			{fetch.ErrAmbiguous, "put the repository's name before the product's, as in REPO:PRODUCT"},
			{fetch.ErrExists, "move the file away, or name another with -o"},
		}},
		{16, "revoked", "revoked", []cause{{fetch.ErrRevoked, "`assay versions PRODUCT` lists the releases that may be chosen"}}},
		{41, "state-damaged", "stored state damaged", []cause{
			{state.ErrDamaged, ""}, {trust.ErrState, hintState},
			{state.ErrNewer, "use the newer assay that wrote it"}, {cache.ErrNewer, "use the newer assay that wrote it"},
		}},
		{31, "busy", "state is busy", []cause{{state.ErrBusy, hintBusy}, {cache.ErrBusy, hintBusy}}},
		{40, "disk", "disk or permission", []cause{{cache.ErrDisk, hintDisk}, {state.ErrDisk, ""}, {fetch.ErrOutput, ""}}},
		{21, "offline", "offline and not held", []cause{{trust.ErrNotHeld, "run the command once without --offline"}}},
		{12, "rollback", "rollback", []cause{{trust.ErrRollback, "an old state is being served: try another network or mirror, and tell the publisher"}}},
		{11, "expired", "metadata or channel expired or too old, clock behind", []cause{
			{trust.ErrExpired, hintRefresh}, {fetch.ErrTooOld, hintRefresh},
			{trust.ErrClock, "set this machine's clock; if it once ran ahead, `assay trust clock reset NAME`"},
		}},
		{10, "metadata", "metadata malformed, signature, threshold or root chain", []cause{
			{trust.ErrRootChain, hintRoot}, {trust.ErrMalformed, ""}, {trust.ErrTooLarge, ""},
			{trust.ErrSignature, "tell the publisher; until then use what is held, with --offline"}, {trust.ErrSearchLimit, ""},
		}},
		{13, "mismatch", "length or digest", []cause{
			{trust.ErrMismatch, hintAgain}, {cache.ErrMismatch, hintAgain},
			{cache.ErrDamaged, "what was damaged was set aside; it is fetched again when it is next asked for"},
		}},
		{15, "manifest", "manifest disagrees or is incomplete", []cause{
			{release.ErrMalformed, "tell the publisher"}, {release.ErrBinding, "tell the publisher"}, {release.ErrSchema, "tell the publisher"},
			{release.ErrSchemaVersion, "a newer assay may know this schema"}, {trust.ErrManifest, "tell the publisher"},
		}},
		{3, "not-found", "no such product, version, platform, target", []cause{{trust.ErrNoTarget, hintFind}, {fetch.ErrUnknown, hintFind}, {errNoRepository, "`assay trust list` lists the repositories"}}},
		{20, "network", "network, or an answer that is not metadata", []cause{
			{trust.ErrNoAnswer, hintNetwork}, {trust.ErrNoMetadata, "check the URL of the repository: `assay trust list`"}, {fetch.ErrSource, hintNetwork},
		}},
		{40, "disk", "disk or permission", []cause{{syscall.ENOSPC, hintDisk}, {syscall.EROFS, hintDisk}, {fs.ErrPermission, hintDisk}}},
		{2, "usage", "usage or configuration, or ambiguous", []cause{
			{artifact.ErrRef, ""}, {artifact.ErrName, ""}, {artifact.ErrVersion, ""}, {artifact.ErrRange, ""},
			{artifact.ErrDigest, ""}, {artifact.ErrPlatform, "a platform is like linux/amd64"}, {state.ErrInvalid, ""},
		}},
		{130, "interrupted", "interrupted", []cause{{context.Canceled, ""}}},
	}
}

// exitOf finds the row of an error, and the hint of its cause.
func exitOf(err error) (exit, string) {
	for _, row := range exits() {
		for _, cause := range row.causes {
			if !errors.Is(err, cause.err) {
				continue
			}
			var own interface{ Hint() string }
			if errors.As(err, &own) {
				return row, own.Hint()
			}
			return row, cause.hint
		}
	}
	return internal, ""
}

// codeOf is the exit code of an error; nil is 0.
func codeOf(err error) int {
	if err == nil {
		return 0
	}
	row, _ := exitOf(err)
	return row.code
}
