package release

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"assay/artifact"
)

// signed looks for bundles. One over the checksums file covers what that lists.
func (l *linter) signed(r *Release) {
	if r.Checksums != nil && len(r.Checksums.Bundles) > 0 || l.faults.at("checksums.bundles") {
		return
	}
	// Bundles that can't be read are bundles all the same.
	bundled := func(i int, a Artifact) bool { return len(a.Bundles) > 0 || l.faults.at(at("artifacts", i, "bundles")) }
	bare := 0
	for i, a := range r.Artifacts {
		if !bundled(i, a) {
			bare++
		}
	}
	if bare == len(r.Artifacts) {
		l.report("release.signed", "artifacts", "a signature bundle on each artifact, or on the checksums", "none: nothing is signed",
			"sign the checksums file, publish the bundle beside it, and name it in checksums.bundles")
		return
	}
	for i, a := range r.Artifacts {
		if !bundled(i, a) {
			l.report("artifact.signed", at("artifacts", i, "bundles"), "a signature bundle, as other artifacts have one", "none", "sign the artifact, or the checksums file")
		}
	}
}

func (l *linter) artifacts(r *Release) {
	byName, byPlatform, byDigest := map[string]int{}, map[string]int{}, map[artifact.Digest]int{}
	for i, a := range r.Artifacts {
		l.artifact(r, i, a)
		if l.incomparable(i) {
			continue
		}
		where := nameField(i, a)
		if first, seen := byName[a.Name()]; !seen {
			byName[a.Name()] = i
		} else if !sameBytes(a, r.Artifacts[first]) {
			l.report("artifact.name", where, "a file name that no other artifact has", fmt.Sprintf("%s, as in artifacts[%d] but with other bytes", quote(a.Name()), first),
				"put the platform into the name")
		}
		kind := strings.Join([]string{a.OS, a.Arch, a.Variant, a.Libc, a.MinOS, a.Format}, " ")
		if first, seen := byPlatform[kind]; !seen {
			byPlatform[kind] = i
		} else {
			l.report("artifact.duplicate", at("artifacts", i, "format"), "one artifact for a platform in a format",
				fmt.Sprintf("another %s for %s beside artifacts[%d]", describeText(a.Format), a.Platform(), first), "remove one, or tell them apart by variant, libc or min_os")
		}
		for _, digest := range a.Digests {
			if first, seen := byDigest[digest]; !seen {
				byDigest[digest] = i
			} else if b := r.Artifacts[first]; b.Length != a.Length {
				l.report("artifact.bytes", at("artifacts", i, "digests"), "one length for one digest",
					fmt.Sprintf("%d bytes here and %d in artifacts[%d], both with %s", a.Length, b.Length, first, digest), "one of the entries was copied and not adapted")
			}
		}
	}
}

// incomparable reports whether some of what an artifact is told from others by
// can't be read.
func (l *linter) incomparable(i int) bool {
	if !l.faults.within("artifacts") {
		return false
	}
	return slices.ContainsFunc([]string{
		"target", "urls", "os", "arch", "variant", "libc", "min_os", "format", "length", "digests",
	}, func(part string) bool { return l.faults.within(at("artifacts", i, part)) }) || l.faults.at(at("artifacts", i, ""))
}

// nameField is the field that an artifact's name comes from.
func nameField(i int, a Artifact) string {
	if a.Target == "" {
		return at("artifacts", i, "urls")
	}
	return at("artifacts", i, "target")
}

// artifact checks one artifact by itself.
func (l *linter) artifact(r *Release, i int, a Artifact) {
	nameless := l.faults.at("product") || l.faults.at("version")
	if err := artifact.FileNameAgrees(a.Name(), r.Product, r.Version, a.Platform()); errors.Is(err, artifact.ErrFileNameDisagrees) && !nameless {
		l.report("artifact.name-disagrees", nameField(i, a), "a file name that agrees with version and platform", quote(a.Name()), err.Error())
	}
	for j, text := range a.URLs {
		if u, err := url.Parse(text); err == nil && isLoopback(u.Hostname()) {
			l.report("artifact.url", at("artifacts", i, at("urls", j, "")), "a URL that other machines reach", quote(text), "give the public one")
		}
	}
	l.platform(i, "os", a.OS, goSystems(), systemSlips())
	l.platform(i, "arch", a.Arch, goArchitectures(), architectureSlips())
	if a.Format == "" {
		l.report("artifact.format", at("artifacts", i, "format"), "a format like tar.gz, zip, deb or raw", "nothing", "people choose by it where a platform has several")
	}
	if a.Length == 0 {
		l.report("artifact.length", at("artifacts", i, "length"), "bytes", "0 of them", "look at what the build made")
	}
	if _, ok := a.Digests.Of(artifact.SHA256); !ok {
		l.report("artifact.sha256", at("artifacts", i, "digests"), "a sha256", "only "+algorithms(a.Digests), "add it: pins, caches and attestations name artifacts by it")
	}
	if len(a.Executables) == 0 && isInstallable(a.Format) {
		l.report("artifact.executables", at("artifacts", i, "executables"), "the programs in the archive, with their paths", "none", "without them nothing of it can be installed")
	}
}

func (l *linter) platform(i int, part, name string, known []string, slips map[string]string) {
	field := at("artifacts", i, part)
	if right := slips[name]; right != "" {
		mend := "no machine takes the artifact for its own otherwise"
		if right == "arm" {
			mend += "; v6 and v7 stand in variant"
		}
		l.report("artifact.platform", field, "a name of Go's, "+quote(right), quote(name), mend)
	} else if !slices.Contains(known, name) {
		l.report("artifact.platform-unknown", field, "one of "+strings.Join(known, ", "), quote(name), "is it misspelt? `go tool dist list` has all of them")
	}
}

// goSystems and goArchitectures are what `go tool dist list` has, and any.
func goSystems() []string {
	return []string{
		artifact.Any, "aix", "android", "darwin", "dragonfly", "freebsd", "illumos", "ios", "js", "linux", "netbsd", "openbsd",
		"plan9", "solaris", "wasip1", "windows",
	}
}

func goArchitectures() []string {
	return []string{
		artifact.Any, "386", "amd64", "arm", "arm64", "loong64", "mips", "mips64", "mips64le", "mipsle", "ppc64", "ppc64le",
		"riscv64", "s390x", "wasm",
	}
}

// systemSlips and architectureSlips are other tools' names, and Go's for the same.
func systemSlips() map[string]string {
	return map[string]string{
		"macos": "darwin", "osx": "darwin", "mac": "darwin", "macosx": "darwin", "apple": "darwin",
		"win": "windows", "win32": "windows", "win64": "windows", "mingw": "windows", "gnu-linux": "linux", "all": artifact.Any,
	}
}

func architectureSlips() map[string]string {
	return map[string]string{
		"x86_64": "amd64", "x86-64": "amd64", "x64": "amd64", "x86": "386", "i386": "386", "i586": "386", "i686": "386",
		"aarch64": "arm64", "armv8": "arm64", "armv7": "arm", "armv7l": "arm", "armv6": "arm", "armv6l": "arm", "armhf": "arm",
		"loongarch64": "loong64", "powerpc64": "ppc64", "powerpc64le": "ppc64le", "ppc64el": "ppc64le", "mipsel": "mipsle", "mips64el": "mips64le",
		"all": artifact.Any, "noarch": artifact.Any, "universal": artifact.Any,
	}
}

// isInstallable reports whether assay can unpack a format, or take it as the
// program itself.
func isInstallable(format string) bool {
	return slices.Contains([]string{"zip", "tar", "tar.gz", "tgz", "tar.xz", "tar.zst", "tar.bz2", "gz", "xz", "zst", "bz2", "raw"}, format)
}

func algorithms(digests artifact.Digests) string {
	var names []string
	for _, d := range digests {
		names = append(names, string(d.Algorithm()))
	}
	return strings.Join(names, " and ")
}
