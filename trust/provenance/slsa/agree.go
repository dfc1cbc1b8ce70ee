package slsa

import (
	"strings"
)

// The fields that are compared, as CheckClaims and CheckSource name them.
const (
	FieldBuilder    = "builder"
	FieldRepository = "source repository"
	FieldRevision   = "source revision"
	FieldRef        = "source ref"
	FieldEntryPoint = "entry point"
	FieldInvocation = "invocation"
	FieldTag        = "source tag"
)

// Claims are what the certificate of a signer says of the build that it was
// given to (https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md).
// Empty claims are not compared.
type Claims struct {
	SourceRepository string // URI
	SourceDigest     string // the commit
	SourceRef        string // like refs/tags/v1.2.3
	BuildSigner      string // URI of the workflow that signed, with its ref
	BuildConfig      string // URI of the top-level workflow, with its ref
	RunInvocation    string // URI of the run
}

// comparison collects what was compared, up to the first disagreement.
type comparison struct {
	with     string
	compared []string
	err      error
}

func (c *comparison) check(field, expected, found string, same bool) {
	if c.err != nil {
		return
	}
	c.compared = append(c.compared, field)
	if !same {
		c.err = &DisagreementError{Field: field, With: c.with, Expected: expected, Found: found}
	}
}

// both compares what both sides tell.
func (c *comparison) both(field, expected, found string, same func(expected, found string) bool) {
	if expected != "" && found != "" {
		c.check(field, expected, found, same(expected, found))
	}
}

// CheckClaims compares the provenance with the certificate that its signature was
// made with. It returns the fields that were compared, in the order of the Field
// constants, and a *DisagreementError for the first that differs.
//
// Repositories are compared as ParseSource reads them, commits without regard to
// case, refs exactly (a ref without refs/ agrees with the tag and the branch of
// that name). Not compared, beside what one side does not tell:
//
//   - the builder, unless it is written as the URI of a workflow, which is how
//     certificates name theirs. GitHub's https://github.com/actions/runner/github-hosted
//     and a runner of GitLab are no workflows. Which signer may speak for such a
//     builder is policy's to say;
//   - the entry point, unless it is the path of a YAML file; others are names of
//     jobs or workflows;
//   - the invocation, unless it is a URL or the number of a run, as in 4735384265
//     or, with the attempt, 4735384265-1.
func (p *Provenance) CheckClaims(claims Claims) (compared []string, err error) {
	c := comparison{with: "the certificate"}
	if isWorkflow(p.Builder) {
		c.both(FieldBuilder, claims.BuildSigner, p.Builder, sameBuilder)
	}
	c.both(FieldRepository, claims.SourceRepository, p.Source.Repository, sameRepository)
	c.both(FieldRevision, claims.SourceDigest, p.Source.Revision, strings.EqualFold)
	c.both(FieldRef, claims.SourceRef, p.Source.Ref, sameRef)
	if isYAML(p.EntryPoint) && p.Source.Repository != "" {
		c.both(FieldEntryPoint, claims.BuildConfig, p.EntryPoint, p.sameConfig)
	}
	switch {
	case isRun(p.Invocation):
		c.both(FieldInvocation, claims.RunInvocation, p.Invocation, sameRun)
	case strings.Contains(p.Invocation, "://"):
		c.both(FieldInvocation, claims.RunInvocation, p.Invocation, sameText)
	}
	return c.compared, c.err
}

// CheckSource compares the provenance with the source that a release manifest
// names; empty texts are not compared. The tag v1.4.2 agrees with the ref
// refs/tags/v1.4.2. Where the build was started from a branch or something else
// that is no tag, the tag is not compared: the revision tells. It returns what
// CheckClaims does.
func (p *Provenance) CheckSource(repository, revision, tag string) (compared []string, err error) {
	c := comparison{with: "the release manifest"}
	c.both(FieldRepository, repository, p.Source.Repository, sameRepository)
	c.both(FieldRevision, revision, p.Source.Revision, strings.EqualFold)
	if built, ok := strings.CutPrefix(p.Source.Ref, tagPrefix); ok {
		c.both(FieldTag, strings.TrimPrefix(tag, tagPrefix), built, sameText)
	}
	return c.compared, c.err
}

const (
	tagPrefix    = "refs/tags/"
	branchPrefix = "refs/heads/"
)

func sameText(expected, found string) bool { return expected == found }

func sameRepository(expected, found string) bool {
	return ParseSource(expected).Repository == found
}

func sameRef(expected, found string) bool {
	return expected == found ||
		!strings.HasPrefix(found, "refs/") && (expected == tagPrefix+found || expected == branchPrefix+found)
}

// isWorkflow reports whether a builder is written as the URI of a file with a
// workflow, like https://github.com/OWNER/REPOSITORY/.github/workflows/x.yml@REF.
func isWorkflow(builder string) bool {
	file, _, _ := strings.Cut(builder, "@")
	return strings.Contains(file, "://") && isYAML(file)
}

func isYAML(path string) bool {
	return strings.HasSuffix(path, ".yml") || strings.HasSuffix(path, ".yaml")
}

// sameBuilder compares exactly, but for a builder that leaves out its ref.
func sameBuilder(expected, found string) bool {
	if !strings.Contains(found, "@") {
		expected, _, _ = strings.Cut(expected, "@")
	}
	return expected == found
}

// sameConfig compares the top-level workflow, REPOSITORY/PATH@REF, with the entry
// point, a path within the repository; of a workflow that an organisation
// requires from another repository it is OWNER/REPOSITORY/PATH. GitLab has two
// slashes before the path.
func (p *Provenance) sameConfig(config, entry string) bool {
	file, _, _ := strings.Cut(config, "@")
	file = strings.Replace(file, "//.gitlab-ci", "/.gitlab-ci", 1)
	entry = strings.TrimPrefix(entry, "/")
	scheme, rest, _ := strings.Cut(p.Source.Repository, "://")
	host, _, _ := strings.Cut(rest, "/")
	return file == p.Source.Repository+"/"+entry || file == scheme+"://"+host+"/"+entry
}

// isRun reports whether an invocation is RUN or RUN-ATTEMPT, both numbers.
func isRun(invocation string) bool {
	run, attempt, hasAttempt := strings.Cut(invocation, "-")
	return isNumber(run) && (!hasAttempt || isNumber(attempt))
}

// sameRun compares such an invocation with the URL of a run, which ends with
// /RUN/attempts/ATTEMPT at GitHub and with /RUN at GitLab.
func sameRun(url, invocation string) bool {
	run, attempt, hasAttempt := strings.Cut(invocation, "-")
	if hasAttempt {
		return strings.HasSuffix(url, "/"+run+"/attempts/"+attempt)
	}
	url, _, _ = strings.Cut(url, "/attempts/")
	return strings.HasSuffix(url, "/"+run)
}

func isNumber(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}
