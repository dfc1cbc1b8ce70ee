package main

import (
	"context"
	"io/fs"
	"slices"
	"syscall"

	"assay/artifact"
	"assay/artifact/checksums"
	"assay/artifact/release"
	"assay/cache"
	"assay/cache/archive"
	"assay/cache/audit"
	"assay/cache/state"
	"assay/fetch"
	"assay/fetch/install"
	"assay/fetch/lockfile"
	"assay/fetch/pinned"
	"assay/fetch/transfer"
	"assay/fetch/unpack"
	"assay/fetch/wire"
	"assay/internal/config"
	"assay/mirror"
	"assay/mirror/admin"
	"assay/mirror/storage"
	"assay/trust"
	"assay/trust/advisory"
	"assay/trust/policy"
	"assay/trust/proof"
	"assay/trust/provenance"
	"assay/trust/provenance/detached"
	"assay/trust/provenance/slsa"
	"assay/trust/sbom"
)

// causes lists them in the order in which they are looked for: the first that
// an error wraps decides. So the order matters where an error has several:
// metadata that has expired while nothing answers is expired (11 before 20), and
// what is wrong in a document (10, 15) is not what was typed (2).
func causes() []cause {
	return slices.Concat(causesOfAsking(), causesOfDrafts(), causesOfRefusal(), causesHere(), causesOfPromises(), causesOfGaps(), causesOfMirrors())
}

// causesOfAsking: what was typed, or configured, or whoever asked gave up.
func causesOfAsking() []cause {
	return []cause{
		{errInterrupted, 130, "what came so far is kept, without a name: run the command again, and it goes on from there"},
		{errTerminated, 143, ""},
		{errReaderGone, 141, ""},

		{errNotExecutable, notExecutable, "`assay which PRODUCT` tells where it lies, `assay verify --held` whether it was changed"},
		{errNoProgram, noProgram, "`assay verify --held` tells what is missing; a script needs what its first line names"},

		{errUsage, 2, ""},
		{config.ErrConfig, 2, ""},
		{wire.ErrHost, 2, "`assay config show` tells where the hosts are set"},
		{trust.ErrRootConflict, 2, "compare both roots with what the publisher says; `assay trust show NAME --offline` tells which is held"},
		{state.ErrConflict, 2, ""},
		{trust.ErrLimits, 2, "`assay config show` tells where the limits are set"},
		{trust.ErrMap, 2, "`assay config show` tells where the agreements are set"},
		{fetch.ErrAmbiguous, 2, "put the repository's name before the product's, as in REPO:PRODUCT"},
		{fetch.ErrInput, 2, ""},
		{errDrift, 4, "`assay lock` brings it up to date"},
		{errLock, 30, "have its change reviewed, or take assay.lock back from version control; then `assay lock` brings it up to date"},
		{lockfile.ErrMalformed, 30, hintLock},
		{lockfile.ErrNewer, 30, hintNewer},
		{lockfile.ErrForeign, 30, "find out which of both is meant: `assay trust show NAME` tells the roots that are trusted here; " + hintLock},
		{pinned.ErrURL, 2, "`assay help get` has an example of each form"},
		{pinned.ErrNoDigest, 2, "ask the publisher for the digest, by another way than this network"},
		{pinned.ErrGit, 2, "install git, or name the file by another URL"},
		{pinned.ErrCredentials, 2, "look at what the store's own tool says with the same environment"},
		{install.ErrTaken, 2, "move it away, if it is yours to move, or uninstall the product that has it; or name another folder for the links with bin_dir in config.toml or ASSAY_BIN_DIR"},
		{install.ErrUnfit, 15, "`assay get PRODUCT` fetches it as it is; tell the publisher what its manifest lacks"},
		{install.ErrMissing, 3, "`assay list` tells what is installed"},
		{install.ErrBusy, 31, hintBusy},
		{install.ErrMeanwhile, 31, "run the command again: it goes by what is installed now"},
		{install.ErrDamaged, 13, "`assay install PRODUCT` unpacks it anew from what was proven; then find out who changed it"},
		{install.ErrRecord, 41, "`assay install PRODUCT` installs it anew; `assay config show` tells where data_dir is"},
		{install.ErrNewer, 41, hintNewer},
		{install.ErrDisk, 40, "check the free space and the permissions of data_dir and bin_dir; `assay config show` tells where they are"},
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
	}
}

// causesOfRefusal: why an artifact is not good enough, or not what it is said to be.
func causesOfRefusal() []cause {
	return []cause{
		{errOutdated, 4, "`assay upgrade` installs them; `assay outdated` tells which"},
		{errRefusedBefore, 18, "`assay explain WHAT` shows what was checked; `assay versions PRODUCT` lists the releases that may be chosen"},
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
	}
}

// causesHere: what is wrong on this machine: rules, state, disks.
func causesHere() []cause {
	return []cause{
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
	}
}

// causesOfPromises: what a repository promises, or does not, and what its sources send; and, behind all else, what these wrap.
func causesOfPromises() []cause {
	return []cause{
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
		{transfer.ErrWrongBytes, 13, hintAgain},
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
		{fetch.ErrWithdrawn, 3, hintFind},
		{state.ErrRemoved, 3, "`assay trust list` lists the repositories"},
		{state.ErrNoTrust, 3, ""},
		{cache.ErrMissing, 3, "`assay cache list` lists what is held"},
		{errNoReceipt, 3, "`assay get` judges and fetches, `assay verify FILE` judges a file; both are remembered"},
		{errNoRepository, 3, "`assay trust list` lists the repositories"},

		{trust.ErrNoAnswer, 20, hintNetwork},
		{trust.ErrNoMetadata, 20, "check the URL of the repository: `assay trust list`"},
		{fetch.ErrSource, 20, hintNetwork},
		{transfer.ErrNoPlace, 20, "`assay trust show NAME --mirrors` tells which sources there are, and why one is not asked"},

		{syscall.ENOSPC, 40, hintDisk},
		{syscall.EROFS, 40, hintDisk},
		{fs.ErrPermission, 40, hintDisk},

		{cache.ErrInvalid, 2, ""},
		{wire.ErrNotRegular, 2, "name a file"},
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

// causesOfMirrors: what a mirror can't do. They stand last, as what they wrap says more.
func causesOfMirrors() []cause {
	return []cause{
		{storage.ErrInUse, 31, "`assay mirror status` asks the one that is at work"},
		{admin.ErrInUse, 31, "`assay mirror status` asks the one that is at work"},
		{storage.ErrChanged, 31, hintBusy},
		{mirror.ErrNoRepository, 3, "`assay config show` lists the upstreams, as mirror.upstreams"},
		{mirror.ErrNoFile, 3, "`assay mirror quarantine list` lists what is in quarantine"},
		{mirror.ErrNotCarried, 3, "the mode and the filter of the upstream decide; `assay config show` tells where they are set"},
		{mirror.ErrRefused, 18, "`assay mirror quarantine list` tells why; ask the publisher"},
		{mirror.ErrQuarantined, 18, "`assay mirror quarantine list` tells why"},
		{mirror.ErrExpired, 11, "the upstream has to publish anew; `assay mirror status` tells when it was last asked"},
		{mirror.ErrNotReady, 20, "`assay mirror sync` fetches it; `assay mirror status` tells how the last run ended"},
		{mirror.ErrAbsent, 20, "`assay mirror sync` fetches it"},
		{mirror.ErrUpstream, 20, "check the URL of the upstream, the network and the proxy, then run it again; what is held goes on being served"},
		{mirror.ErrNoLayout, 15, "carry it in the mode \"full\", or ask the publisher for the release layout"},
		{mirror.ErrTooMany, 18, "ask the publisher; the generation before is served"},
		{mirror.ErrQuota, 40, "raise mirror.quota, make room on the device, or carry less by a filter"},
		{mirror.ErrDamaged, 41, "`assay mirror sync` brings it anew"},
		{mirror.ErrIncomplete, 20, "`assay mirror quarantine list` tells what is in quarantine; the rest is tried again in the next run"},
		{mirror.ErrStopped, 143, ""},
		{errPartial, 20, "`assay mirror quarantine list` tells what is in quarantine; the rest is tried again in the next run"},
		{errRunFailed, 20, "run it again; what is held goes on being served"},
		{storage.ErrMismatch, 13, hintAgain},
		{storage.ErrMissing, 41, "`assay mirror sync` fetches it again"},
		{storage.ErrDisk, 40, "check the free space and the permissions of the mirror's folder, mirror.dir in `assay config show`"},
		{storage.ErrInvalid, 2, ""},
		{admin.ErrNotRunning, 20, "`assay mirror serve` starts it; `assay mirror sync` needs none"},
		{admin.ErrAnswer, 20, "`assay config show` tells where mirror.admin is; start the daemon with this version of assay"},
		{admin.ErrUnauthorized, 2, "name the file of your token with --admin-token FILE"},
		{admin.ErrTokens, 2, "`assay config show` tells where mirror.admin_token_file is"},
		{admin.ErrSocket, 40, "name another place with mirror.admin, in a folder of mode 0700"},
		{admin.ErrRequest, 2, ""},
		{errListen, 40, ""},
	}
}
