package testrepo

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"assay/artifact"
)

// Predicate types of the statements made here.
const (
	ProvenanceV1Type  = "https://slsa.dev/provenance/v1"
	ProvenanceV02Type = "https://slsa.dev/provenance/v0.2"
	SPDXType          = "https://spdx.dev/Document/v2.3"
	CycloneDXType     = "https://cyclonedx.org/bom"
)

const (
	statementV1  = "https://in-toto.io/Statement/v1"
	statementV01 = "https://in-toto.io/Statement/v0.1"
)

// Subject is a file, or a package, that a statement is about.
type Subject struct {
	Name    string
	Digests artifact.Digests
}

type statementDocument struct {
	Type          string            `json:"_type"`
	Subject       []subjectDocument `json:"subject"`
	PredicateType string            `json:"predicateType"`
	Predicate     any               `json:"predicate"`
}

type subjectDocument struct {
	Name   string            `json:"name"`
	Digest map[string]string `json:"digest"`
}

// Statement is an in-toto statement v1
// (https://github.com/in-toto/attestation/tree/main/spec/v1) with any predicate
// that encoding/json can write.
func Statement(predicateType string, predicate any, subjects ...Subject) ([]byte, error) {
	return statement(statementV1, predicateType, predicate, subjects)
}

func statement(form, predicateType string, predicate any, subjects []Subject) ([]byte, error) {
	document := statementDocument{Type: form, Subject: []subjectDocument{}, PredicateType: predicateType, Predicate: predicate}
	for _, s := range subjects {
		document.Subject = append(document.Subject, subjectDocument{Name: s.Name, Digest: hexDigests(s.Digests)})
	}
	return encode(document)
}

// hexDigests is the form of digests in documents.
func hexDigests(digests artifact.Digests) map[string]string {
	written := map[string]string{}
	for _, d := range digests {
		written[string(d.Algorithm())] = d.Hex()
	}
	return written
}

// ProvenanceOptions are what a provenance says. The defaults agree with the
// default Claims of a bundle.
type ProvenanceOptions struct {
	Subjects   []Subject
	Builder    string // default the workflow's URI: Repository/EntryPoint@Ref
	BuildType  string // default that of GitHub's workflows, or of slsa-github-generator
	Repository string // a URL; default https://github.com/acme/hello
	Revision   string // the commit
	Ref        string // default refs/tags/v1.0.0
	EntryPoint string // default .github/workflows/release.yml
	Invocation string // default a run below Repository
	// Parameters are added to the external parameters.
	Parameters map[string]any
	// Inputs are added to the resolved dependencies: URI and commit.
	Inputs            map[string]string
	Started, Finished time.Time // default none
}

func (o ProvenanceOptions) withDefaults() ProvenanceOptions {
	o.Repository = cmp.Or(o.Repository, "https://github.com/acme/hello")
	o.Revision = cmp.Or(o.Revision, inventedID("commit"))
	o.Ref = cmp.Or(o.Ref, "refs/tags/v1.0.0")
	o.EntryPoint = cmp.Or(o.EntryPoint, ".github/workflows/release.yml")
	o.Builder = cmp.Or(o.Builder, o.Repository+"/"+o.EntryPoint+"@"+o.Ref)
	o.Invocation = cmp.Or(o.Invocation, o.Repository+"/actions/runs/4211/attempts/1")
	return o
}

// ProvenanceV1 is a statement with SLSA provenance v1
// (https://slsa.dev/spec/v1.0/provenance), as GitHub's attestations have it.
func ProvenanceV1(o ProvenanceOptions) ([]byte, error) {
	o = o.withDefaults()
	external := map[string]any{
		"workflow": map[string]any{"ref": o.Ref, "repository": o.Repository, "path": o.EntryPoint},
	}
	for name, value := range o.Parameters {
		external[name] = value
	}
	metadata := map[string]any{"invocationId": o.Invocation}
	addTimes(metadata, "startedOn", o.Started, "finishedOn", o.Finished)
	return statement(statementV1, ProvenanceV1Type, map[string]any{
		"buildDefinition": map[string]any{
			"buildType":            cmp.Or(o.BuildType, "https://actions.github.io/buildtypes/workflow/v1"),
			"externalParameters":   external,
			"internalParameters":   map[string]any{"github": map[string]any{"event_name": "push", "runner_environment": "github-hosted"}},
			"resolvedDependencies": o.materials("gitCommit"),
		},
		"runDetails": map[string]any{"builder": map[string]any{"id": o.Builder}, "metadata": metadata},
	}, o.Subjects)
}

// ProvenanceV02 is a statement v0.1 with SLSA provenance v0.2
// (https://slsa.dev/spec/v0.2/provenance), as slsa-github-generator makes it.
func ProvenanceV02(o ProvenanceOptions) ([]byte, error) {
	o = o.withDefaults()
	metadata := map[string]any{
		"buildInvocationID": o.Invocation,
		"completeness":      map[string]any{"parameters": true, "environment": false, "materials": false},
		"reproducible":      false,
	}
	addTimes(metadata, "buildStartedOn", o.Started, "buildFinishedOn", o.Finished)
	parameters := map[string]any{}
	for name, value := range o.Parameters {
		parameters[name] = value
	}
	return statement(statementV01, ProvenanceV02Type, map[string]any{
		"builder":   map[string]any{"id": o.Builder},
		"buildType": cmp.Or(o.BuildType, "https://github.com/slsa-framework/slsa-github-generator/generic@v1"),
		"invocation": map[string]any{
			"configSource": map[string]any{
				"uri": o.sourceURI(), "digest": map[string]any{"sha1": o.Revision}, "entryPoint": o.EntryPoint,
			},
			"parameters": parameters,
		},
		"metadata":  metadata,
		"materials": o.materials("sha1"),
	}, o.Subjects)
}

// sourceURI is the form of SPDX download locations.
func (o ProvenanceOptions) sourceURI() string { return "git+" + o.Repository + "@" + o.Ref }

// materials are the source, first, and the other inputs.
func (o ProvenanceOptions) materials(algorithm string) []map[string]any {
	list := []map[string]any{{"uri": o.sourceURI(), "digest": map[string]any{algorithm: o.Revision}}}
	for _, uri := range slices.Sorted(maps.Keys(o.Inputs)) {
		list = append(list, map[string]any{"uri": uri, "digest": map[string]any{algorithm: o.Inputs[uri]}})
	}
	return list
}

// addTimes writes those that there are.
func addTimes(into map[string]any, started string, from time.Time, finished string, to time.Time) {
	for name, at := range map[string]time.Time{started: from, finished: to} {
		if !at.IsZero() {
			into[name] = at.UTC().Format(time.RFC3339)
		}
	}
}
