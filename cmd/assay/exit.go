package main

import (
	"errors"
	"slices"
	"strings"

	"assay/mirror/admin"
	"assay/trust"
)

// exit is one way for a command to end.
type exit struct {
	code    int
	name    string // stable, for scripts that read --json
	meaning string
}

// exits is the table of exit codes; exit_pages.go says more of each, and
// docs/errors.md is made of both.
func exits() []exit {
	return []exit{
		{0, "done", "done"},
		{1, "internal", "internal error"},
		{2, "usage", "usage or configuration, or ambiguous"},
		{3, "not-found", "no such repository, product, version, platform, target"},
		{4, "updates", "updates or drift found"},
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
		{30, "lock", "lock file mismatch"},
		{31, "busy", "state is busy"},
		{40, "disk", "disk, permission, or an unsafe archive"},
		{41, "state", "stored state damaged, or of a newer assay"},
		{125, "exec", "assay exec could not start the program; the real code is in JSON"},
		{126, "not-executable", "assay exec: the program can't be executed"},
		{127, "no-program", "assay exec: there is no such program"},
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
	hintLock      = "take assay.lock back from version control; or, where what it says need not be kept, remove it, and `assay lock` makes a new one"
	hintFind      = "`assay products` and `assay versions PRODUCT` list what there is"
)

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
	// Another process of this program has found the code already.
	var remote *admin.RemoteError
	if errors.As(err, &remote) && remote.Code != code && slices.ContainsFunc(exits(), func(row exit) bool { return row.code == remote.Code && row.code > 1 }) {
		code, hint = remote.Code, ""
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
