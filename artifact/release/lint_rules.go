package release

import "slices"

// Rule is one thing that Lint looks for. docs/publishing.md has the same list.
type Rule struct {
	ID       string // stable: scripts may know it
	Severity Severity
	Document Kind     // empty: every document
	Fields   []string // where it is found, as schema paths like artifacts[].digests; none: anywhere
	What     string   // is wrong
	Why      string   // it matters
}

// Rules lists every rule, in the order of the documents and of their fields.
func Rules() []Rule {
	return slices.Concat(documentRules(), releaseRules(), artifactRules(), setRules(), channelRules(), otherRules())
}

// severityOf is the severity of a rule; an error for an ID that is none, so that
// a slip never hides a lack.
func severityOf(id string) Severity {
	for _, rule := range Rules() {
		if rule.ID == id {
			return rule.Severity
		}
	}
	return SeverityError
}

func documentRules() []Rule {
	const e, w = SeverityError, SeverityWarning
	return []Rule{
		{"document.malformed", e, "", nil, "not JSON, too large, or a field is missing, of the wrong form or contradicts another", "assay refuses the document"},
		{"document.schema", e, "", nil, "the schema is not the one of such a document", "assay can't tell what the document is"},
		{"document.binding", e, "", nil, "product, version, channel or a file's path is not the one of the document's place", "a document signed for one place must not work at another"},
		{"document.unknown-field", w, "", nil, "a field that this assay does not know", "it may be misspelt, and then it is missing"},
	}
}

func releaseRules() []Rule {
	const e, w, doc = SeverityError, SeverityWarning, KindRelease
	return []Rule{
		{"release.summary", w, doc, []string{"summary"}, "no summary", "people see it in lists, and choose by it"},
		{"release.license", w, doc, []string{"license"}, "no licence", "a policy that allows certain licences refuses the release"},
		{"release.license-syntax", e, doc, []string{"license"}, "the licence is no SPDX expression", "programs compare licences by their SPDX identifiers"},
		{"release.published", e, doc, []string{"published"}, "no date of publication", "policies ask for a least and a greatest age"},
		{"release.documentation", w, doc, []string{"documentation"}, "no documentation", "people need to know how to use the release"},
		{"release.address", w, doc, []string{"documentation", "publisher.homepage", "publisher.bug_tracker", "build.log"}, "neither a URL nor a mail address", "nobody can follow it"},
		{"publisher.team", e, doc, []string{"publisher.team"}, "no team, or a crowd like \"the community\"", "somebody in particular has to answer for a release"},
		{"publisher.help", e, doc, []string{"publisher.bug_tracker"}, "no bug tracker, no address in support, no documentation", "people must know where to seek help"},
		{"publisher.support", e, doc, []string{"publisher.support"}, "the limits of support are not said", "people must know for how long, and for what, they get fixes"},
		{"publisher.warranty", e, doc, []string{"publisher.warranty"}, "the warranty, or that there is none, is not said", "people must know what they can rely on"},
		{"source.repository", e, doc, []string{"source.repository"}, "no URL of the source repository, or one with a user", "provenance is compared with it, and people read the source there"},
		{"source.revision", e, doc, []string{"source.revision"}, "no revision", "it alone says which source was built"},
		{"source.revision-form", w, doc, []string{"source.revision"}, "not the full id of a revision", "a branch, a tag or a short id can come to mean another one"},
		{"source.tag", e, doc, []string{"source.tag"}, "no tag", "people find the source of a version by its tag"},
		{"source.tag-object", e, doc, []string{"source.tag_object"}, "no tag object, or the revision itself", "only an annotated tag, which has an id of its own, can be signed"},
		{"source.tag-signer", e, doc, []string{"source.tag_signer"}, "nobody is named who signed the tag", "the signature can only be checked against a name"},
		{"build.finished", e, doc, []string{"build.finished"}, "no date of the build", "what was built long before it is published has old components"},
		{"release.dates", e, doc, []string{"build.finished", "published"}, "started, finished and published are not in this order", "one of the dates is wrong"},
		{"release.future", w, doc, []string{"build.finished", "published"}, "a date is in the future", "the date, or a clock, is wrong"},
		{"build.inputs", e, doc, []string{"build.inputs"}, "no inputs of the build", "nobody can build it again without them"},
		{"build.toolchain", w, doc, []string{"build.toolchain"}, "no toolchain", "another compiler makes other bytes"},
		{"components.listed", e, doc, []string{"components", "artifacts[].sbom"}, "neither a list of components nor an SBOM for every artifact", "when a component turns out to be vulnerable, its users must be found; a list that is empty says that there are none"},
		{"components.version", e, doc, []string{"components[].version"}, "a component without a version, and no SBOM for every artifact", "vulnerabilities are in versions"},
		{"components.purl", e, doc, []string{"components[].purl"}, "not a package URL", "advisories are found by it"},
		{"components.purl-version", w, doc, []string{"components[].purl"}, "the package URL names another version than the component", "one of them is wrong"},
		{"components.license-syntax", e, doc, []string{"components[].license"}, "the licence is no SPDX expression", "programs compare licences by their SPDX identifiers"},
		{"checksums.file", w, doc, []string{"checksums"}, "no checksums file", "people without assay check downloads by it, and one signature over it covers all artifacts"},
		{"release.signed", w, doc, []string{"artifacts"}, "nothing is signed: no bundle on any artifact, none on the checksums", "TUF says what the repository promises, a bundle says who built it"},
	}
}

func artifactRules() []Rule {
	const e, w, doc = SeverityError, SeverityWarning, KindRelease
	return []Rule{
		{"artifact.name", e, doc, []string{"artifacts[].target", "artifacts[].urls"}, "two different artifacts with one file name", "checksums files and caches tell artifacts apart by their name"},
		{"artifact.name-disagrees", w, doc, []string{"artifacts[].target", "artifacts[].urls"}, "the file name speaks of another version or platform", "an artifact may have been swapped"},
		{"artifact.url", w, doc, []string{"artifacts[].urls[]"}, "a URL on a loopback address", "no other machine reaches it"},
		{"artifact.platform", e, doc, []string{"artifacts[].os", "artifacts[].arch"}, "a platform that is not named as Go names it", "no machine takes the artifact for its own"},
		{"artifact.platform-unknown", w, doc, []string{"artifacts[].os", "artifacts[].arch"}, "a platform that Go does not know", "it may be misspelt; if it is right, it is found by --platform alone"},
		{"artifact.duplicate", e, doc, []string{"artifacts[].format"}, "two artifacts for one platform in one format", "nothing tells which of them is meant"},
		{"artifact.format", w, doc, []string{"artifacts[].format"}, "no format", "where a platform has several, people choose by it"},
		{"artifact.length", e, doc, []string{"artifacts[].length"}, "an artifact of 0 bytes", "something went wrong when it was made"},
		{"artifact.sha256", e, doc, []string{"artifacts[].digests"}, "no sha256", "every tool can compare that one; pins, caches and attestations name artifacts by it"},
		{"artifact.bytes", e, doc, []string{"artifacts[].digests"}, "one digest with different lengths", "the same bytes can't have two lengths"},
		{"artifact.executables", w, doc, []string{"artifacts[].executables"}, "an archive that names no executables", "it can be fetched, but nothing of it can be installed"},
		{"artifact.signed", w, doc, []string{"artifacts[].bundles"}, "an artifact without a bundle, where others have one and the checksums have none", "it alone would be refused where signatures are required"},
	}
}

// setRules are about what several documents say of the same.
func setRules() []Rule {
	const e, w, doc = SeverityError, SeverityWarning, KindRelease
	return []Rule{
		{"checksums.form", e, doc, []string{"checksums.target"}, "the checksums file can't be read", "nobody can check anything by it"},
		{"checksums.lists", e, doc, []string{"artifacts[].target", "artifacts[].urls"}, "the checksums file does not list the artifact", "a signature over that file does not cover it"},
		{"checksums.digest", e, doc, []string{"artifacts[].digests"}, "the checksums file has another digest", "one of the two names wrong bytes"},
		{"checksums.extra", w, doc, []string{"checksums.target"}, "the checksums file lists a file that the manifest does not name", "it can't be got by product and platform, or it is a leftover of another release"},
		{"repository.promised", e, "", nil, "a file that is named is no target of the repository", "assay fetches nothing that the repository does not promise"},
		{"repository.agrees", e, doc, []string{"artifacts[].length", "artifacts[].digests"}, "the repository promises another length or digest", "assay refuses the artifact"},
	}
}

func channelRules() []Rule {
	const e, w, doc = SeverityError, SeverityWarning, KindChannel
	return []Rule{
		{"channel.updated", e, doc, []string{"updated"}, "updated is in the future", "the index would count as fresh for longer than max_age says"},
		{"channel.too-old", e, doc, []string{"max_age"}, "the index is older than its max_age", "assay refuses to choose by it: publish it anew"},
		{"channel.end-of-life", w, doc, []string{"end_of_life"}, "the channel's end of life has passed", "people should be told to move to another one"},
		{"channel.empty", w, doc, []string{"releases"}, "no releases", "nobody gets anything from the channel"},
		{"channel.current", w, doc, []string{"releases"}, "no current release", "nothing can be chosen by the channel's name"},
		{"channel.since", w, doc, []string{"releases[].since"}, "since is in the future", "a status holds from when it is published; rollout is for what comes later"},
		{"channel.reason", e, doc, []string{"releases[].reason"}, "deprecated or revoked without a reason", "people are told to stop using it, and must know why"},
		{"channel.advisory", w, doc, []string{"releases[].advisory"}, "revoked without an advisory", "people must find out whether they were harmed"},
		{"rollout.complete", w, doc, []string{"releases[].rollout.steps"}, "the last step is below 100 percent", "some machines never get the release"},
		{"rollout.status", w, doc, []string{"releases[].rollout"}, "a rollout of a release that is not current", "it has no effect"},
		{"rollout.salt", w, doc, []string{"releases[].rollout.salt"}, "two rollouts with one salt", "the same machines are the first to try every release"},
	}
}

func otherRules() []Rule {
	const w = SeverityWarning
	return []Rule{
		{"catalog.empty", w, KindCatalog, []string{"products"}, "no products", "nothing can be found by its name"},
		{"catalog.summary", w, KindCatalog, []string{"products[].summary"}, "a product without a summary", "people see it in lists, and choose by it"},
		{"catalog.stable", w, KindCatalog, []string{"products[].channels"}, "a product without the channel stable", "it is meant wherever no channel is named"},
		{"mirrors.empty", w, KindMirrors, []string{"mirrors"}, "no mirrors", "the document has no effect"},
		{"mirrors.twice", w, KindMirrors, []string{"mirrors[].url"}, "one mirror twice", "the weight of one of the entries is lost"},
		{"mirrors.network", w, KindMirrors, []string{"mirrors[].cidrs[]"}, "a network with bits behind its prefix", "another network may be meant"},
	}
}
