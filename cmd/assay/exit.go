package main

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"syscall"

	"assay/artifact"
	"assay/artifact/checksums"
	"assay/artifact/release"
	"assay/cache"
	"assay/cache/archive"
	"assay/cache/audit"
	"assay/cache/state"
	"assay/fetch"
	"assay/fetch/pinned"
	"assay/fetch/unpack"
	"assay/fetch/wire"
	"assay/internal/config"
	"assay/trust"
	"assay/trust/advisory"
	"assay/trust/policy"
	"assay/trust/proof"
	"assay/trust/provenance"
	"assay/trust/provenance/detached"
	"assay/trust/provenance/slsa"
	"assay/trust/sbom"
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
		{14, "signature", "signature, identity, log or bundle"},
		{15, "manifest", "manifest disagrees or is incomplete"},
		{16, "revoked", "revoked"},
		{17, "changed", "published bytes changed"},
		{18, "policy", "refused by policy"},
		{19, "weaker", "weaker proof than before"},
		{20, "network", "network, or an answer that is not metadata"},
		{21, "offline", "offline and not held"},
		{31, "busy", "state is busy"},
		{40, "disk", "disk, permission, or an unsafe archive"},
		{41, "state", "stored state damaged, or of a newer assay"},
		{130, "interrupted", "interrupted"},
		{141, "reader-gone", "whoever read the output has gone, as head does"},
		{143, "terminated", "terminated"},
	}
}

// cause is an error that leads to an exit, and the next command that is safe.
// In the hint NAME stands for the repository, PRODUCT for the product, WHAT for
// what can be explained and sha256:HEX for the artifact that a waiver would be
// for, where the error tells which; see named.
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
	hintState     = "restore state.db in the state directory from a backup, or move that one file aside and run `assay trust add` again for each repository: what protects from rollback begins anew then; `assay config show` tells where it is"
	hintProofs    = "restore proofs.db in the state directory from a backup, or move that one file aside: which bytes were first seen, how well they were proven and what was waived is lost with it, while repositories, trust and version floors stay; `assay config show` tells where it is"
	hintReceipt   = "`assay get` or `assay verify` of that artifact judges it anew, and writes it anew"
	hintDisk      = "check the free space and the permissions of the folder; `assay config show` tells where the cache and the state are"
	hintNewer     = "use the assay that wrote it, or a later one"
	hintPublisher = "tell the publisher; what is held and named exactly goes on working with --offline"
	hintAudit     = "restore audit.db in the state directory from a backup, or keep it for whoever looks into it and move that one file aside: a new log begins, while repositories, trust, version floors and proofs stay; `assay config show` tells where it is"
	hintLimit     = "tell the publisher; if it has to be so, raise limits.KEY in the user's configuration: `assay config show` lists the limits"
	hintBundle    = "do not use it: ask the publisher, by another way than this network, who signs it and how; `assay explain WHAT` shows what was checked"
	hintForeign   = "do not use it: tell the publisher; `assay explain WHAT` shows what was checked"
	hintAdvisory  = "`assay config show` tells where the advisories are named"
	hintFind      = "`assay products` and `assay versions PRODUCT` list what there is"
)

// causes lists them in the order in which they are looked for: the first that
// an error wraps decides. So the order matters where an error has several:
// metadata that has expired while nothing answers is expired (11 before 20), and
// what is wrong in a document (10, 15) is not what was typed (2).
func causes() []cause {
	return []cause{
		{errInterrupted, 130, "what came so far is kept, without a name: run the command again, and it goes on from there"},
		{errTerminated, 143, ""},
		{errReaderGone, 141, ""},

		{errUsage, 2, ""},
		{config.ErrConfig, 2, ""},
		{wire.ErrHost, 2, "`assay config show` tells where the hosts are set"},
		{trust.ErrRootConflict, 2, "compare both roots with what the publisher says; `assay trust show NAME --offline` tells which is held"},
		{state.ErrConflict, 2, ""},
		{trust.ErrLimits, 2, "`assay config show` tells where the limits are set"},
		{trust.ErrMap, 2, "`assay config show` tells where the agreements are set"},
		{fetch.ErrAmbiguous, 2, "put the repository's name before the product's, as in REPO:PRODUCT"},
		{fetch.ErrInput, 2, ""},
		{pinned.ErrURL, 2, "`assay help get` has an example of each form"},
		{pinned.ErrNoDigest, 2, "ask the publisher for the digest, by another way than this network"},
		{pinned.ErrGit, 2, "install git, or name the file by another URL"},
		{pinned.ErrCredentials, 2, "look at what the store's own tool says with the same environment"},
		{unpack.ErrExists, 2, "name a folder that does not exist yet"},
		{unpack.ErrInvalid, 2, ""},
		{unpack.ErrUnsafe, 40, "do not unpack it by other means: ask its publisher what it is for"},
		{unpack.ErrLimit, 40, "ask its publisher whether it has to be so large"},
		{unpack.ErrMalformed, 40, "the bytes are the right ones, and no archive of the kind that the name says: ask its publisher"},
		{unpack.ErrUnsupported, 40, "unpack it by other means, if you trust its publisher to that extent"},
		{unpack.ErrDisk, 40, hintDisk},
		{fetch.ErrFolder, 2, "name a file in it"},
		{archive.ErrQuota, 2, "if you trust that it is meant to be so large, raise --max-size"},
		{fetch.ErrExists, 2, "move the file away, or name another with -o"},

		{fetch.ErrRevoked, 16, "`assay versions PRODUCT` lists the releases that may be chosen"},
		{trust.ErrDisagree, 18, "use neither: ask the publisher, and whoever approves, which bytes are meant; one of them may have been changed"},
		{trust.ErrNotApproved, 18, "`assay versions PRODUCT` tells which releases are approved; whoever keeps NAME can approve this one"},
		{trust.ErrOutside, 18, "`assay trust list` tells which repositories must agree on what"},

		{policy.ErrChanged, 17, "do not use it: a published release never changes; ask the publisher which bytes are meant"},
		{policy.ErrWeaker, 19, "ask the publisher why; `assay waive sha256:HEX --reason TEXT --until DATE` accepts this one artifact all the same"},
		{policy.ErrRefused, 18, "`assay explain WHAT` shows each rule with what was expected and found; `assay config show` tells where the rules are"},
		{proof.ErrIdentity, 14, hintBundle},
		{proof.ErrClaims, 14, hintForeign},
		{proof.ErrDisagree, 15, hintForeign},
		{provenance.ErrMalformed, 14, hintForeign},
		{provenance.ErrTooLarge, 14, hintForeign},
		{provenance.ErrCertificate, 14, hintBundle},
		{provenance.ErrLog, 14, hintBundle},
		{provenance.ErrTime, 14, hintBundle},
		{provenance.ErrSignature, 14, hintBundle},
		{provenance.ErrDigest, 14, hintBundle},
		{provenance.ErrAlgorithm, 14, hintBundle},
		{provenance.ErrKey, 14, hintBundle},
		{provenance.ErrInapplicable, 14, "name the trusted root for a certificate, the key for a plain signature"},
		{slsa.ErrPredicate, 14, hintForeign},
		{slsa.ErrMalformed, 14, hintForeign},
		{slsa.ErrTooLarge, 14, hintForeign},
		{slsa.ErrDisagree, 14, hintForeign},
		{detached.ErrFormat, 14, "--signature takes what minisign, gpg --detach-sign or ssh-keygen -Y sign wrote; a Sigstore bundle goes with --bundle"},
		{detached.ErrKey, 14, "compare the key with what the publisher says, by another way than this network"},
		{detached.ErrSignature, 14, hintBundle},
		{detached.ErrTooLarge, 14, ""},
		{proof.ErrDocument, 15, hintForeign},
		{sbom.ErrFormat, 15, hintPublisher},
		{sbom.ErrVersion, 15, hintPublisher},
		{sbom.ErrMalformed, 15, hintPublisher},
		{sbom.ErrTooLarge, 15, hintPublisher},
		{sbom.ErrPredicate, 15, hintPublisher},
		{sbom.ErrPURL, 15, hintPublisher},
		{checksums.ErrMalformed, 15, hintPublisher},
		{checksums.ErrTooLarge, 15, hintPublisher},
		{checksums.ErrConflict, 15, hintPublisher},
		{checksums.ErrNotListed, 15, hintPublisher},

		{policy.ErrRule, 2, "`assay config show` tells where the rules are"},
		{policy.ErrWaiver, 2, ""},
		{provenance.ErrProfile, 2, "`assay config show` tells where the trust profiles are"},
		{provenance.ErrPattern, 2, ""},
		{provenance.ErrIdentity, 2, ""},
		{policy.ErrSpan, 2, ""},
		{sbom.ErrQuery, 2, "a component is like golang.org/x/text@<0.3.8, or pkg:npm/left-pad"},
		{advisory.ErrFormat, 2, hintAdvisory},
		{advisory.ErrVersion, 2, hintAdvisory},
		{advisory.ErrMalformed, 2, hintAdvisory},
		{advisory.ErrTooLarge, 2, hintAdvisory},
		{proof.ErrConfig, 2, "`assay config show` tells where the trust profiles are"},
		{audit.ErrInvalid, 2, ""},
		{audit.ErrBroken, 41, "somebody has changed the log, or a disk has: keep it as it is, and compare it with what `assay audit export` wrote before"},
		{audit.ErrDamaged, 41, hintAudit},
		{audit.ErrNewer, 41, hintNewer},
		{policy.ErrMemory, 41, hintProofs},
		{proof.ErrReceipt, 41, hintReceipt},
		{state.ErrDamaged, 41, ""},
		{trust.ErrState, 41, hintState},
		{state.ErrNewer, 41, hintNewer},
		{cache.ErrNewer, 41, hintNewer},
		{archive.ErrNewer, 41, hintNewer},
		{cache.ErrReference, 41, "`assay cache list` names each reference that can't be read"},
		{state.ErrBusy, 31, hintBusy},
		{cache.ErrBusy, 31, hintBusy},
		{trust.ErrBusy, 31, hintBusy},
		{audit.ErrBusy, 31, hintBusy},
		{cache.ErrDisk, 40, "`assay config show` tells where the cache is"},
		{state.ErrDisk, 40, ""},
		{audit.ErrDisk, 40, ""},
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
		{wire.ErrTooLong, 13, "if it has to be so long, raise --max-size"},
		{cache.ErrDamaged, 13, "what was damaged was set aside; it is fetched again when it is next asked for"},
		{archive.ErrArchive, 13, "what came whole was kept; export it again where it came from, or have it sent again"},
		{release.ErrMalformed, 15, hintPublisher},
		{release.ErrBinding, 15, hintPublisher},
		{release.ErrSchema, 15, hintPublisher},
		{release.ErrSchemaVersion, 15, "a newer assay may know this schema"},
		{trust.ErrManifest, 15, hintPublisher},

		{trust.ErrNoTarget, 3, hintFind},
		{fetch.ErrUnknown, 3, hintFind},
		{state.ErrRemoved, 3, "`assay trust list` lists the repositories"},
		{state.ErrNoTrust, 3, ""},
		{cache.ErrMissing, 3, "`assay cache list` lists what is held"},
		{errNoReceipt, 3, "`assay get` judges and fetches, `assay verify FILE` judges a file; both are remembered"},
		{errNoRepository, 3, "`assay trust list` lists the repositories"},

		{trust.ErrNoAnswer, 20, hintNetwork},
		{trust.ErrNoMetadata, 20, "check the URL of the repository: `assay trust list`"},
		{fetch.ErrSource, 20, hintNetwork},

		{syscall.ENOSPC, 40, hintDisk},
		{syscall.EROFS, 40, hintDisk},
		{fs.ErrPermission, 40, hintDisk},

		{cache.ErrInvalid, 2, ""},
		{archive.ErrInvalid, 2, ""},
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

// codeOf is the exit code of an error; nil is 0.
func codeOf(err error) int {
	if err == nil {
		return 0
	}
	row, _ := exitOf(err)
	return row.code
}
