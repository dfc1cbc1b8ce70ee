package main

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
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
}

// exits is the table of exit codes. README has the same one.
func exits() []exit {
	return []exit{
		{0, "done", "done"},
		{1, "internal", "internal error"},
		{2, "usage", "usage or configuration, or ambiguous"},
		{3, "not-found", "no such repository, product, version, platform, target"},
		{10, "metadata", "metadata malformed, signature, threshold or root chain"},
		{11, "expired", "metadata or channel expired or too old, clock behind"},
		{12, "rollback", "rollback"},
		{13, "mismatch", "length or digest"},
		{15, "manifest", "manifest disagrees or is incomplete"},
		{16, "revoked", "revoked"},
		{18, "policy", "refused by policy"},
		{20, "network", "network, or an answer that is not metadata"},
		{21, "offline", "offline and not held"},
		{31, "busy", "state is busy"},
		{40, "disk", "disk or permission"},
		{41, "state", "stored state damaged, or of a newer assay"},
		{130, "interrupted", "interrupted"},
		{141, "reader-gone", "whoever read the output has gone, as head does"},
		{143, "terminated", "terminated"},
	}
}

// cause is an error that leads to an exit, and the next command that is safe.
// In the hint NAME stands for the repository, where the error tells which.
type cause struct {
	err  error
	code int
	hint string
}

// errReaderGone says that nobody reads the output any more. Shells know the
// code 141 for it, and nobody is told.
var errReaderGone = errors.New("the reader of the output has gone")

// errUsage is wrapped by every error about the command line.
var errUsage = errors.New("usage")

const (
	hintAnew      = "the repository has to publish anew; `assay trust show NAME --offline` tells what is held"
	hintAgain     = "none of it was kept; run the command again, and tell the publisher if it stays so"
	hintRoot      = "compare the root's digest with what the publisher says, by another way than this network"
	hintRotations = "the roots so far were accepted and kept: run the command again to go on from there, or raise limits.root_rotations in the user's configuration"
	hintNetwork   = "check the URL, the network and the proxy, then run the command again; --offline uses what is held"
	hintBusy      = "another assay is at work; run the command again when it is done"
	hintState     = "restore the state directory from a backup, or move it aside and run `assay trust add` again; `assay config show` tells where it is"
	hintDisk      = "check the free space and the permissions of the folder; `assay config show` tells where the cache and the state are"
	hintNewer     = "use the assay that wrote it, or a later one"
	hintPublisher = "tell the publisher; what is held and named exactly goes on working with --offline"
	hintLimit     = "tell the publisher; if it has to be so, raise limits.KEY in the user's configuration: `assay config show` lists the limits"
	hintFind      = "`assay products` and `assay versions PRODUCT` list what there is"
)

// causes lists them in the order in which they are looked for: the first that
// an error wraps decides. So the order matters where an error has several:
// metadata that has expired while nothing answers is expired (11 before 20), and
// what is wrong in a document (10, 15) is not what was typed (2).
func causes() []cause {
	return []cause{
		{errInterrupted, 130, "nothing was kept that is not whole; run the command again"},
		{errTerminated, 143, ""},
		{errReaderGone, 141, ""},

		{errUsage, 2, ""},
		{config.ErrConfig, 2, ""},
		{trust.ErrRootConflict, 2, "compare both roots with what the publisher says; `assay trust show NAME --offline` tells which is held"},
		{state.ErrConflict, 2, ""},
		{trust.ErrLimits, 2, "`assay config show` tells where the limits are set"},
		{trust.ErrMap, 2, "`assay config show` tells where the agreements are set"},
		{fetch.ErrAmbiguous, 2, "put the repository's name before the product's, as in REPO:PRODUCT"},
		{fetch.ErrInput, 2, ""},
		{fetch.ErrFolder, 2, "name a file in it"},
		{fetch.ErrExists, 2, "move the file away, or name another with -o"},

		{fetch.ErrRevoked, 16, "`assay versions PRODUCT` lists the releases that may be chosen"},
		{trust.ErrDisagree, 18, "use neither: ask the publisher, and whoever approves, which bytes are meant; one of them may have been changed"},
		{trust.ErrNotApproved, 18, "`assay versions PRODUCT` tells which releases are approved; whoever keeps NAME can approve this one"},
		{trust.ErrOutside, 18, "`assay trust list` tells which repositories must agree on what"},

		{state.ErrDamaged, 41, ""},
		{trust.ErrState, 41, hintState},
		{state.ErrNewer, 41, hintNewer},
		{cache.ErrNewer, 41, hintNewer},
		{state.ErrBusy, 31, hintBusy},
		{cache.ErrBusy, 31, hintBusy},
		{trust.ErrBusy, 31, hintBusy},
		{cache.ErrDisk, 40, "`assay config show` tells where the cache is"},
		{state.ErrDisk, 40, ""},
		{fetch.ErrOutput, 40, ""},

		{trust.ErrNotHeld, 21, "run the command once without --offline"},
		{trust.ErrNoRoot, 21, "run the command once without --offline"},
		{trust.ErrRollback, 12, "an old state is being served: try another network or mirror, and tell the publisher; `assay trust show NAME --offline` tells what is held"},
		{trust.ErrExpired, 11, hintAnew},
		{fetch.ErrTooOld, 11, hintAnew},
		{trust.ErrClock, 11, "set this machine's clock; if it once ran ahead, `assay trust clock reset NAME`"},

		{trust.ErrRotations, 10, hintRotations},
		{trust.ErrRootChain, 10, hintRoot},
		{trust.ErrMalformed, 10, hintPublisher},
		{trust.ErrTooLarge, 10, hintPublisher},
		{trust.ErrSignature, 10, hintPublisher},
		{trust.ErrSearchLimit, 10, hintPublisher},
		{trust.ErrMismatch, 13, hintAgain},
		{cache.ErrMismatch, 13, hintAgain},
		{cache.ErrDamaged, 13, "what was damaged was set aside; it is fetched again when it is next asked for"},
		{release.ErrMalformed, 15, hintPublisher},
		{release.ErrBinding, 15, hintPublisher},
		{release.ErrSchema, 15, hintPublisher},
		{release.ErrSchemaVersion, 15, "a newer assay may know this schema"},
		{trust.ErrManifest, 15, hintPublisher},

		{trust.ErrNoTarget, 3, hintFind},
		{fetch.ErrUnknown, 3, hintFind},
		{state.ErrRemoved, 3, "`assay trust list` lists the repositories"},
		{state.ErrNoTrust, 3, ""},
		{errNoRepository, 3, "`assay trust list` lists the repositories"},

		{trust.ErrNoAnswer, 20, hintNetwork},
		{trust.ErrNoMetadata, 20, "check the URL of the repository: `assay trust list`"},
		{fetch.ErrSource, 20, hintNetwork},

		{syscall.ENOSPC, 40, hintDisk},
		{syscall.EROFS, 40, hintDisk},
		{fs.ErrPermission, 40, hintDisk},

		{artifact.ErrRef, 2, ""},
		{artifact.ErrName, 2, ""},
		{artifact.ErrVersion, 2, ""},
		{artifact.ErrRange, 2, ""},
		{artifact.ErrDigest, 2, ""},
		{artifact.ErrPlatform, 2, "a platform is like linux/amd64"},
		{state.ErrInvalid, 2, ""},

		{context.Canceled, 130, ""},
	}
}

// exitOf finds the exit of an error, and the hint: the error's own, or that of
// its cause. What has no known cause is an internal error.
func exitOf(err error) (exit, string) {
	code, hint := 1, ""
	for _, cause := range causes() {
		if errors.Is(err, cause.err) {
			code, hint = cause.code, named(cause.hint, err)
			break
		}
	}
	// Whatever a limit leads to, it is the limit that can be raised.
	var limit *trust.LimitError
	if errors.As(err, &limit) && (code == 10 || code == 21) {
		hint = strings.ReplaceAll(hintLimit, "KEY", limit.Limit)
	}
	var own interface{ Hint() string }
	if errors.As(err, &own) {
		hint = own.Hint()
	}
	all := exits()
	return all[slices.IndexFunc(all, func(row exit) bool { return row.code == code })], hint
}

// named puts the repository that an error is about into its hint.
func named(hint string, err error) string {
	var expired *trust.ExpiredError
	var rollback *trust.RollbackError
	var clock *trust.ClockError
	var refusal *trust.AgreementError
	name := ""
	switch {
	case errors.As(err, &rollback):
		name = rollback.Repository
	case errors.As(err, &expired):
		name = expired.Repository
	case errors.As(err, &clock):
		name = clock.Repository
	case errors.As(err, &refusal):
		name = strings.Join(refusal.Lacking(), ", ")
	}
	if name == "" {
		return hint
	}
	return strings.ReplaceAll(hint, "NAME", name)
}

// codeOf is the exit code of an error; nil is 0.
func codeOf(err error) int {
	if err == nil {
		return 0
	}
	row, _ := exitOf(err)
	return row.code
}
