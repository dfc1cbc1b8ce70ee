package release

import (
	"slices"
	"strings"
	"time"
)

// aheadOfClock is how far a date may be ahead before it counts as future: clocks
// differ, and trust takes one that is an hour behind, too.
const aheadOfClock = time.Hour

func (l *linter) future(at time.Time) bool { return at.After(l.now.Add(aheadOfClock)) }

// release looks for what DESIGN's section "What a repository holds" has as
// required, because consumers need it, and for what makes a release better.
func (l *linter) release(r *Release) {
	l.need("release.summary", "summary", r.Summary, "what the product does, in a line", "people see it in lists")
	if l.need("release.license", "license", r.License, "an SPDX expression like Apache-2.0", "policies that allow certain licences refuse a release without one") {
		l.license("release.license-syntax", "license", r.License)
	}
	if l.need("release.documentation", "documentation", r.Documentation, "the URL of the documentation", "people need to know how to use the release") {
		l.address("documentation", r.Documentation)
	}
	l.publisher(r)
	l.source(r.Source)
	l.build(r.Build)
	l.dates(r)
	l.components(r)
	if r.Checksums == nil {
		l.report("checksums.file", "checksums", "a checksums file beside the manifest", "none",
			"publish one with a line for each artifact; a signature over it covers them all")
	}
	l.signed(r)
	l.artifacts(r)
}

func (l *linter) publisher(r *Release) {
	p := r.Publisher
	if isPlaceholder(p.Team) || isCrowd(p.Team) {
		l.report("publisher.team", "publisher.team", "the team that answers for the release", describeText(p.Team),
			"name people who can be asked, like \"Hello release team\": a crowd answers for nothing")
	}
	if p.Homepage != "" {
		l.address("publisher.homepage", p.Homepage)
	}
	switch {
	case !isPlaceholder(p.BugTracker):
		l.address("publisher.bug_tracker", p.BugTracker)
	case l.faults.at("publisher.support") || l.faults.at("documentation"): // an address may be meant to stand there
	case !hasAddress(p.Support) && !isAddress(r.Documentation):
		l.report("publisher.help", "publisher.bug_tracker", "where to seek help", describeText(p.BugTracker),
			"give the URL of a bug tracker, or an address in publisher.support, or the documentation's URL")
	}
	l.need("publisher.support", "publisher.support", p.Support, "the limits of support",
		"say for how long and for what there are fixes; \"none\" is an answer")
	l.need("publisher.warranty", "publisher.warranty", p.Warranty, "the warranty", "say what it covers; \"none\" is an answer")
}

func (l *linter) address(field, text string) {
	if !isAddress(text) {
		l.report("release.address", field, "a URL or a mail address", quote(text), "write it so that it can be followed")
	}
}

func (l *linter) license(rule, field, text string) {
	if err := checkLicense(text); err != nil {
		found := strings.TrimPrefix(err.Error(), errLicense.Error()+": expected ")
		l.report(rule, field, "an SPDX expression", quote(text),
			"expected there: "+found+"; write it like Apache-2.0, MIT OR BSD-3-Clause, or LicenseRef-NAME for one of your own")
	}
}

func (l *linter) source(s Source) {
	if l.need("source.repository", "source.repository", s.Repository, "the URL of the source repository", "provenance is compared with it") {
		if found, mend := checkRepository(s.Repository); found != "" {
			l.report("source.repository", "source.repository", "an absolute URL without a user", found, mend)
		}
	}
	if l.need("source.revision", "source.revision", s.Revision, "the full id of the revision", "`git rev-parse HEAD` prints it") && !isRevision(s.Revision) {
		l.report("source.revision-form", "source.revision", "40 or 64 lower-case hex digits", quote(s.Revision),
			"`git rev-parse HEAD` prints it; a name or a short id can come to mean another revision")
	}
	l.need("source.tag", "source.tag", s.Tag, "the signed tag of the version", "people find the source by it")
	if l.need("source.tag-object", "source.tag_object", s.TagObject, "the id of the signed tag itself", "`git rev-parse TAG` prints it") && s.TagObject == s.Revision {
		l.report("source.tag-object", "source.tag_object", "the id of an annotated tag", "that of the revision",
			"a lightweight tag can't be signed: make it by `git tag -s`")
	}
	l.need("source.tag-signer", "source.tag_signer", s.TagSigner, "who signed the tag", "name the identity of the key, like release@hello.example")
}

func (l *linter) build(b Build) {
	if b.Finished.IsZero() {
		l.report("build.finished", "build.finished", "when the build was finished", "nothing", "write the time like 2026-09-14T11:02:40Z")
	}
	if !slices.ContainsFunc(b.Inputs, func(input string) bool { return !isPlaceholder(input) }) {
		found := "nothing"
		if len(b.Inputs) > 0 {
			found = "only " + quote(strings.Join(b.Inputs, ", "))
		}
		l.report("build.inputs", "build.inputs", "what it takes to build the release again", found,
			"name the build's configuration at its revision, and whatever else goes in")
	}
	l.need("build.toolchain", "build.toolchain", b.Toolchain, "the toolchain with its version", "another one makes other bytes")
	if b.Log != "" {
		l.address("build.log", b.Log)
	}
}

// dates holds what was done to one order, and to the past.
func (l *linter) dates(r *Release) {
	const mend = "one of the two is wrong"
	if r.Published.IsZero() {
		l.report("release.published", "published", "when the release was published", "the year 1", "write the time like 2026-09-14T12:00:00Z")
	}
	if b := r.Build; !b.Finished.IsZero() {
		if b.Finished.Before(b.Started) {
			l.report("release.dates", "build.finished", "a time not before build.started, "+stamp(b.Started), stamp(b.Finished), mend)
		}
		if !r.Published.IsZero() && r.Published.Before(b.Finished) {
			l.report("release.dates", "published", "a time not before build.finished, "+stamp(b.Finished), stamp(r.Published), mend)
		}
		if l.future(b.Finished) {
			l.report("release.future", "build.finished", "a time that has passed at "+stamp(l.now), stamp(b.Finished), "it, or a clock, is wrong")
		}
	}
	if l.future(r.Published) {
		l.report("release.future", "published", "a time that has passed at "+stamp(l.now), stamp(r.Published), "it, or a clock, is wrong")
	}
}

func stamp(at time.Time) string { return at.UTC().Format(time.RFC3339) }

// components wants the version of every component: in the list, or in the SBOM
// of every artifact. An empty list says that there are none.
func (l *linter) components(r *Release) {
	without := 0
	for i, a := range r.Artifacts {
		if !l.hasSBOM(i, a) {
			without++
		}
	}
	const mend = "list the components with their versions, or add an SBOM for each artifact; \"components\": [] says that there are none"
	switch {
	case r.Components != nil || without == 0 || l.faults.at("components"):
	case without == len(r.Artifacts):
		l.report("components.listed", "components", "the versions of all components", "neither a list nor an SBOM", mend)
	default:
		for i, a := range r.Artifacts {
			if !l.hasSBOM(i, a) {
				l.report("components.listed", at("artifacts", i, "sbom"), "an SBOM, as others have one and components[] is missing", "none", mend)
			}
		}
	}
	for i, c := range r.Components {
		if without > 0 {
			l.need("components.version", at("components", i, "version"), c.Version, "the version of "+quote(c.Name), "vulnerabilities are in versions")
		}
		l.component(i, c)
	}
}

// hasSBOM also counts an SBOM whose path can't be read: one is meant.
func (l *linter) hasSBOM(i int, a Artifact) bool {
	return a.SBOM != "" || l.faults.at(at("artifacts", i, "sbom"))
}

func (l *linter) component(i int, c Component) {
	if c.PURL != "" {
		version, err := checkPURL(c.PURL)
		plain := func(v string) string { return strings.TrimPrefix(v, "v") }
		switch {
		case err != nil:
			l.report("components.purl", at("components", i, "purl"), "a package URL like pkg:golang/golang.org/x/text@v0.30.0", quote(c.PURL),
				strings.TrimPrefix(err.Error(), errPURL.Error()+": "))
		case version != "" && c.Version != "" && plain(version) != plain(c.Version):
			l.report("components.purl-version", at("components", i, "purl"), "the version "+quote(c.Version)+" that the component has", quote(version), "one of the two is wrong")
		}
	}
	// NONE and NOASSERTION are honest about what others made.
	if c.License != "" && c.License != "NONE" && c.License != "NOASSERTION" {
		l.license("components.license-syntax", at("components", i, "license"), c.License)
	}
}
