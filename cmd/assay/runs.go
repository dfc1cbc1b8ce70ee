package main

import (
	"fmt"
	"slices"

	"assay/artifact"
)

// emulated are the other architectures whose programs a system runs as it comes, by
// its own.
var emulated = map[string][]string{
	"darwin/arm64":  {"amd64"},
	"windows/arm64": {"amd64", "386"},
	"windows/amd64": {"386"},
	"linux/amd64":   {"386"},
	"linux/arm64":   {"arm"},
	"freebsd/amd64": {"386"},
}

// runsOn reports whether a machine may run programs of a platform. Which variant of an
// architecture, or which C library, it has is not told well enough to refuse by it.
func runsOn(machine, wanted artifact.Platform) bool {
	if machine.OS != wanted.OS && wanted.OS != artifact.Any {
		return false
	}
	return wanted.Arch == artifact.Any || machine.Arch == wanted.Arch || slices.Contains(emulated[machine.OS+"/"+machine.Arch], wanted.Arch)
}

// refuseForeign refuses to install what this machine can't run, in the place of what
// it can. Whoever has an emulator says so with ASSAY_PLATFORM, or platform in the
// configuration; what is installed for a platform may stay for it.
func (s *session) refuseForeign(w *wish, wanted artifact.Platform) error {
	if runsOn(artifact.Host(), wanted) || runsOn(s.config.Machine, wanted) || w.before.Number != 0 && w.before.Platform == wanted {
		return nil
	}
	product := joined(artifact.Ref{Repo: w.ref.Repo, Product: w.ref.Product})
	return withHint(usagef("%s for %s: expected a platform that this machine, which is %s, can run", product, wanted, artifact.Host()),
		fmt.Sprintf("`assay get %s --platform %s` fetches it for another machine; if this one has an emulator, set platform in config.toml or ASSAY_PLATFORM", clip(w.text), wanted))
}
