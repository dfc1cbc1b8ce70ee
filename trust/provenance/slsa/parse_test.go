package slsa

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

const commit = "0123456789abcdef0123456789abcdef01234567"

func TestParse(t *testing.T) {
	tool := Source{Repository: "https://github.com/acme/tool", Revision: commit, Ref: "refs/heads/main"}
	tagged := Source{Repository: "https://github.com/acme/tool", Revision: commit, Ref: "refs/tags/v1.4.2"}
	generator := "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/"
	for name, want := range map[string]Provenance{
		"generator v0.2": {
			Version: "v0.2", Builder: generator + "generator_generic_slsa3.yml@refs/tags/v1.9.0", Source: tagged,
			BuildType: "https://github.com/slsa-framework/slsa-github-generator/generic@v1", EntryPoint: ".github/workflows/release.yml",
			Parameters: json.RawMessage(`{}`),
			Materials: []Material{
				{"git+https://github.com/acme/tool@refs/tags/v1.4.2", "sha1:" + commit}, {"pkg:docker/golang@1.26", "sha256:aa"},
			},
			Started: time.Date(2023, 4, 19, 10, 0, 0, 0, time.UTC), Finished: time.Date(2023, 4, 19, 10, 5, 0, 5e8, time.UTC),
			Invocation: "4735384265-2",
		},
		"npm v0.2": {
			Version: "v0.2", Builder: "https://github.com/actions/runner", Source: tool,
			BuildType: "https://github.com/npm/cli/gha/v2", EntryPoint: ".github/workflows/release.yml", Parameters: json.RawMessage(`{}`),
			Materials:  []Material{{"git+https://github.com/acme/tool@refs/heads/main", "sha1:" + commit}},
			Invocation: "4735384265-1",
		},
		"npm GitLab v0.2": {
			Version: "v0.2", Builder: "https://gitlab.com/acme/sub/tool/-/runners/12270807",
			Source:    Source{Repository: "https://gitlab.com/acme/sub/tool", Revision: commit},
			BuildType: "https://github.com/npm/cli/gitlab/v0alpha1", EntryPoint: "publish",
			Parameters: json.RawMessage(`{"CI":"true","CI_JOB_ID":"5"}`),
			Materials:  []Material{{"git+https://gitlab.com/acme/sub/tool", "sha1:" + commit}},
			Invocation: "https://gitlab.com/acme/sub/tool/-/jobs/5",
		},
		"attest v1": {
			Version: "v1", Builder: "https://github.com/acme/tool/.github/workflows/release.yml@refs/tags/v1.4.2", Source: tagged,
			BuildType: "https://actions.github.io/buildtypes/workflow/v1", EntryPoint: ".github/workflows/release.yml",
			Parameters: json.RawMessage(`{"workflow":{"ref":"refs/tags/v1.4.2","repository":"https://github.com/acme/tool","path":".github/workflows/release.yml"}}`),
			Materials:  []Material{{"git+https://github.com/acme/tool@refs/tags/v1.4.2", "gitCommit:" + commit}},
			Invocation: "https://github.com/acme/tool/actions/runs/99/attempts/1",
		},
		"generator v1": {
			Version: "v1", Builder: generator + "builder_nodejs_slsa3.yml@refs/tags/v1.9.0", Source: tool,
			BuildType:  "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0",
			EntryPoint: ".github/workflows/release.yml",
			Parameters: json.RawMessage(`{"inputs":{"directory":"."},"vars":{},"workflow":{"path":".github/workflows/release.yml",` +
				`"ref":"refs/heads/main","repository":"git+https://github.com/acme/tool"}}`),
			Materials: []Material{
				{"git+https://github.com/acme/tool@refs/heads/main", "sha1:" + commit},
				{"https://github.com/actions/virtual-environments/releases/tag/ubuntu22/20230101.1", ""},
			},
			Started: time.Date(2023, 4, 19, 10, 0, 0, 0, time.UTC), Finished: time.Date(2023, 4, 19, 10, 5, 0, 0, time.UTC),
			Invocation: "99-1",
		},
		"container v1": {
			Version: "v1", Builder: generator + "builder_container-based_slsa3.yml@refs/tags/v1.9.0", Source: tool,
			BuildType: "https://slsa.dev/container-based-build/v0.1?draft", EntryPoint: ".github/configs/config.toml",
			Parameters: json.RawMessage(`{"source":{"uri":"git+https://github.com/acme/tool@refs/heads/main","digest":{"sha1":"0123456789ABCDEF0123456789abcdef01234567"}},` +
				`"builderImage":{"uri":"bash@sha256:aa","digest":{"sha256":"aa"}},"configPath":".github/configs/config.toml"}`),
			Materials:  []Material{{"bash@sha256:aa", "sha256:aa"}},
			Invocation: "99-1",
		},
		"GitLab v1": {
			Version: "v1", Builder: "https://gitlab.com/acme/tool/-/runners/12270807",
			Source:    Source{Repository: "https://gitlab.com/acme/tool", Revision: commit},
			BuildType: "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/3c1e5d4/PROVENANCE.md", EntryPoint: "build-job",
			Parameters: json.RawMessage(`{"CI":"true","entryPoint":"build-job","source":"https://gitlab.com/acme/tool"}`),
			Materials:  []Material{{"https://gitlab.com/acme/tool", "sha256:" + commit}},
			Started:    time.Date(2024, 1, 1, 10, 0, 0, 0, time.UTC), Finished: time.Date(2024, 1, 1, 10, 5, 0, 0, time.UTC),
			Invocation: "5",
		},
		"Cloud Build v1": {
			Version: "v1", Builder: "https://cloudbuild.googleapis.com/GoogleHostedWorker", Source: tool,
			BuildType: "https://cloud.google.com/build/gcb-buildtypes/google-worker/v1", EntryPoint: "cloudbuild.yaml",
			Parameters: json.RawMessage(`{"buildConfigSource":{"path":"cloudbuild.yaml","ref":"refs/heads/main",` +
				`"repository":"git+https://github.com/acme/tool"},"substitutions":{}}`),
			Materials: []Material{
				{"git+https://github.com/acme/tool@refs/heads/other", "gitCommit:" + strings.Repeat("f", 40)},
				{"git+https://github.com/acme/tool@refs/heads/main", "gitCommit:" + commit},
				{"git+https://github.com/acme/other@refs/heads/main", "gitCommit:" + strings.Repeat("f", 40)}, {"", "sha256:aa"},
			},
			Invocation: "https://cloudbuild.googleapis.com/v1/projects/p/locations/global/builds/b",
		},
		"BuildKit v1": {
			Version: "v1", Builder: "https://github.com/acme/tool/actions/runs/99/attempts/1", Source: tagged,
			BuildType: "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md", EntryPoint: "Dockerfile",
			Parameters: json.RawMessage(`{"configSource":{"uri":"https://github.com/acme/tool.git#refs/tags/v1.4.2:sub",` +
				`"digest":{"sha1":"` + commit + `"},"path":"Dockerfile"},"request":{"frontend":"dockerfile.v0"}}`),
			Materials:  []Material{{"pkg:docker/alpine@3.20?platform=linux%2Famd64", "sha256:aa"}},
			Invocation: "abc123xyz",
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Parse(shapes[name].predicateType, []byte(shapes[name].predicate))
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(*got, want) {
				t.Errorf("got\n%+v\nwant\n%+v", *got, want)
			}
		})
	}
}

// Each field that is wrong is named, with the kind of what is wrong.
func TestParseRefuses(t *testing.T) {
	long := strings.Repeat("x", maxText+1)
	for _, test := range []struct {
		name     string
		from, to string // replaced in attestV1
		field    string
		kind     error
	}{
		{"no builder", `"id"`, `"ID"`, "runDetails.builder.id", ErrMalformed},
		{"null builder", `{"id": "https://github.com/acme/tool/.github/workflows/release.yml@refs/tags/v1.4.2"}`, `null`, "runDetails.builder.id", ErrMalformed},
		{"builder is a text", `{"id": "https://github.com/acme/tool/.github/workflows/release.yml@refs/tags/v1.4.2"}`, `"x"`, "runDetails.builder", ErrMalformed},
		{"build type is a number", `"https://actions.github.io/buildtypes/workflow/v1"`, `1`, "buildDefinition.buildType", ErrMalformed},
		{"build type in another case", `"buildType"`, `"BuildType"`, "buildDefinition.buildType", ErrMalformed},
		{"no definition", `"buildDefinition"`, `"definition"`, "buildDefinition.buildType", ErrMalformed},
		{"parameters are a list", `"externalParameters": {`, `"externalParameters": [], "x": {`, "buildDefinition.externalParameters", ErrMalformed},
		{"dependencies are an object", `"resolvedDependencies": [`, `"resolvedDependencies": {}, "x": [`, "buildDefinition.resolvedDependencies", ErrMalformed},
		{"dependency is null", `[{`, `[null, {`, "buildDefinition.resolvedDependencies[0]", ErrMalformed},
		{"dependency's URI is a number", `"uri": "git`, `"uri": 1, "x": "git`, "buildDefinition.resolvedDependencies[0].uri", ErrMalformed},
		{"digest is a text", `{"gitCommit": "` + commit + `"}`, `"x"`, "buildDefinition.resolvedDependencies[0].digest", ErrMalformed},
		{"commit is not hex", commit, strings.Repeat("z", 40), "buildDefinition.resolvedDependencies[0]", ErrMalformed},
		{"commit is short", commit, commit[:39], "buildDefinition.resolvedDependencies[0]", ErrMalformed},
		{"two commits", `"gitCommit"`, `"sha1": "` + strings.Repeat("a", 40) + `", "gitCommit"`, "buildDefinition.resolvedDependencies[0]", ErrMalformed},
		{"two dependencies are the source", `[{`, `[{"uri": "https://github.com/acme/tool", "digest": {"sha1": "` + strings.Repeat("a", 40) + `"}}, {`,
			"buildDefinition.resolvedDependencies[1]", ErrMalformed},
		{"commit in the URI", `"uri": "git+https://github.com/acme/tool@refs/tags/v1.4.2"`, `"uri": "https://github.com/acme/tool@` + strings.Repeat("a", 40) + `"`,
			"buildDefinition.resolvedDependencies[0]", ErrMalformed},
		{"escape sequence in the path", `release.yml"}`, `release\u001b[2J.yml"}`, "buildDefinition.externalParameters.workflow.path", ErrMalformed},
		{"text turned around", `"uri": "git`, "\"uri\": \"\u202egit", "buildDefinition.resolvedDependencies[0].uri", ErrMalformed},
		{"control character in an algorithm", `"gitCommit"`, `"\u0007"`, "buildDefinition.resolvedDependencies[0].digest", ErrMalformed},
		{"a time in the year 10000", `"invocationId"`, `"finishedOn": "9999-12-31T23:59:59-23:00", "invocationId"`, "runDetails.metadata.finishedOn", ErrMalformed},
		{"no time", `"invocationId"`, `"startedOn": "yesterday", "invocationId"`, "runDetails.metadata.startedOn", ErrMalformed},
		{"time is a number", `"invocationId"`, `"finishedOn": 1700000000, "invocationId"`, "runDetails.metadata.finishedOn", ErrMalformed},
		{"twice the same key", `"runDetails": {`, `"runDetails": {"builder": {"id": "https://evil.example"},`, "runDetails.builder", ErrMalformed},
		{"long text", `actions/runs/99`, long, "runDetails.metadata.invocationId", ErrTooLarge},
		{"long algorithm", `"gitCommit"`, `"` + long + `"`, "buildDefinition.resolvedDependencies[0].digest", ErrTooLarge},
		{"many digests", `"gitCommit"`, digests(maxDigests) + `"gitCommit"`, "buildDefinition.resolvedDependencies[0].digest", ErrTooLarge},
		{"many dependencies", `[{`, `[` + strings.Repeat(`{},`, maxMaterials) + `{`, "buildDefinition.resolvedDependencies", ErrTooLarge},
		{"deep", `"internalParameters": {`, `"internalParameters": {"x": ` + strings.Repeat(`[`, maxDepth) + strings.Repeat(`]`, maxDepth) + `,`, "", ErrTooLarge},
		{"too many bytes", `"internalParameters": {`, `"internalParameters": {` + strings.Repeat(" ", MaxBytes), "", ErrTooLarge},
		{"cut", `"runDetails": {`, `"runDetails": {]`, "runDetails", ErrMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			doc := strings.Replace(attestV1, test.from, test.to, 1)
			if doc == attestV1 {
				t.Fatal("nothing was replaced")
			}
			p, err := Parse(TypeV1, []byte(doc))
			checkError(t, err, test.kind, test.field, p == nil)
		})
	}
}

func digests(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"x%d": "aa",`, i)
	}
	return b.String()
}

// checkError asserts the kind of an *Error and, unless empty, its field.
func checkError(t *testing.T, err, kind error, field string, empty bool) {
	t.Helper()
	e, ok := errors.AsType[*Error](err)
	if !ok || !errors.Is(err, kind) || field != "" && e.Field != field || !empty {
		t.Errorf("got %v, want %v of %s", err, kind, field)
	}
	if err != nil && strings.ContainsFunc(err.Error(), isUnprintable) {
		t.Errorf("%q is not fit for a terminal", err)
	}
}

func TestParseRefusesOfV02(t *testing.T) {
	for _, test := range []struct{ name, from, to, field string }{
		{"no builder", `"id"`, `"Id"`, "builder.id"},
		{"no build type", `"buildType"`, `"type"`, "buildType"},
		{"config source is a list", `"configSource": {`, `"configSource": [], "x": {`, "invocation.configSource"},
		{"commit", `"digest": {"sha1": "01234`, `"digest": {"sha1": "g1234`, "invocation.configSource.digest"},
		{"other commit in the materials", `"materials": [`, `"materials": [{"uri": "git+https://github.com/acme/tool", "digest": {"sha1": "` + strings.Repeat("b", 40) + `"}},`, "materials[0]"},
		{"time", `2023-04-19T10:00:00Z`, `2023-04-19`, "metadata.buildStartedOn"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := Parse(TypeV02, []byte(strings.Replace(generatorV02, test.from, test.to, 1)))
			checkError(t, err, ErrMalformed, test.field, p == nil)
		})
	}
}

func TestParseRefusesOtherTypes(t *testing.T) {
	for _, predicateType := range []string{
		"", "https://slsa.dev/provenance/v0.1", "https://slsa.dev/provenance/v1-rc1", "https://slsa.dev/provenance/v1\x1b", "https://spdx.dev/Document", TypeSummary,
	} {
		if IsProvenance(predicateType) {
			t.Errorf("%q is provenance", predicateType)
		}
		p, err := Parse(predicateType, []byte(attestV1))
		checkError(t, err, ErrPredicate, "", p == nil)
	}
	for _, doc := range []string{"", "null", "[]", `"x"`, "1", "{}"} {
		p, err := Parse(TypeV1, []byte(doc))
		checkError(t, err, ErrMalformed, "", p == nil)
	}
}

// A parameter that happens to have the name of a source is no source, and none
// at all is not guessed from the dependencies.
func TestParseFindsNoSource(t *testing.T) {
	for _, external := range []string{
		`{}`, `null`, `{"workflow": "release.yml"}`, `{"workflow": {"repository": 1, "path": "x"}}`, `{"source": ["x"], "entryPoint": "x"}`,
		`{"buildConfigSource": {"path": "x"}}`,
		`{"runSpec": {}, "buildConfigSource": {"ref": "sha1:aa", "repository": "git+https://github.com/acme/tool", "path": "x"}}`, `{"configSource": {}}`, `{"source": ""}`,
	} {
		p, err := Parse(TypeV1, []byte(`{"buildDefinition": {"buildType": "x", "externalParameters": `+external+`, "resolvedDependencies": [
			{"uri": "git+https://github.com/acme/tool@refs/heads/main", "digest": {"gitCommit": "`+commit+`"}}]}, "runDetails": {"builder": {"id": "x"}}}`))
		if err != nil || p.Source != (Source{}) || p.EntryPoint != "" {
			t.Errorf("%s: got %+v, %v", external, p, err)
		}
	}
}

func TestParametersAreBoundedAndPrintable(t *testing.T) {
	parse := func(parameters string) *Provenance {
		t.Helper()
		p, err := Parse(TypeV1, []byte(`{"buildDefinition": {"buildType": "x", "externalParameters": {"a": "`+parameters+`"}}, "runDetails": {"builder": {"id": "x"}}}`))
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	frame := len(`{"a":""}`)
	if p := parse(strings.Repeat("x", MaxParameters-frame)); len(p.Parameters) != MaxParameters {
		t.Errorf("got %d bytes, want %d", len(p.Parameters), MaxParameters)
	}
	if p := parse(strings.Repeat("x", MaxParameters-frame+1)); p.Parameters != nil {
		t.Errorf("got %d bytes, want none", len(p.Parameters))
	}
	p := parse("é\u009b\u202e\U000e0001\x7f\\n\\u001b")
	if want := `{"a":"é\u009b\u202e\udb40\udc01\u007f\n\u001b"}`; string(p.Parameters) != want {
		t.Errorf("got %s, want %s", p.Parameters, want)
	}
	var before, after any
	if json.Unmarshal([]byte("{\"a\":\"é\u009b\u202e\U000e0001\x7f\\n\\u001b\"}"), &before) != nil ||
		json.Unmarshal(p.Parameters, &after) != nil || !reflect.DeepEqual(before, after) {
		t.Errorf("%q became %q", before, after)
	}
}

// A source that does not tell its ref or its commit learns them from the input
// of the build that it is.
func TestParseCompletesTheSource(t *testing.T) {
	for _, test := range []struct{ source, dependency string }{
		{`"https://gitlab.com/acme/tool"`, `"uri": "git+https://gitlab.com/acme/tool@refs/heads/main", "digest": {"gitCommit": "` + commit + `"}`},
		{`"https://gitlab.com/acme/tool"`, `"downloadLocation": "git+ssh://git@gitlab.com/acme/tool.git@refs/heads/main", "digest": {"sha1": "` + strings.ToUpper(commit) + `"}`},
		{`{"uri": "https://gitlab.com/acme/tool#refs/heads/main"}`, `"name": "https://gitlab.com/acme/tool@` + commit + `"`},
		{`{"repository": "https://gitlab.com/acme/tool", "ref": "refs/heads/main", "digest": {"sha256": "` + commit + `"}}`, ""},
		{`{"uri": "https://gitlab.com/acme/tool@` + commit + `", "ref": "refs/heads/main", "digest": {"sha256": "` + strings.Repeat("a", 64) + `"}}`, ""},
	} {
		p, err := Parse(TypeV1, []byte(`{"buildDefinition": {"buildType": "x", "externalParameters": {"source": `+test.source+`}, "resolvedDependencies": [
			{`+test.dependency+`}]}, "runDetails": {"builder": {"id": "x"}}}`))
		if want := (Source{"https://gitlab.com/acme/tool", commit, "refs/heads/main"}); err != nil || p.Source != want {
			t.Errorf("%s: got %+v, %v", test.source, p, err)
		}
	}
}

// What is built comes before where its recipe is.
func TestParseTellsSourceFromConfig(t *testing.T) {
	p, err := Parse(TypeV1, []byte(`{"buildDefinition": {"buildType": "https://slsa-framework.github.io/gcb-buildtypes/triggered-build/v1", "externalParameters": {
		"buildConfigSource": {"repository": "https://github.com/acme/builds", "ref": "refs/heads/x", "path": "cloudbuild.yaml"},
		"sourceToBuild": {"repository": "https://github.com/acme/tool", "ref": "refs/heads/main"}}, "resolvedDependencies": [
		{"uri": "git+https://github.com/acme/builds@refs/heads/x", "digest": {"gitCommit": "`+strings.Repeat("a", 40)+`"}},
		{"uri": "git+https://github.com/acme/tool@refs/heads/main", "digest": {"gitCommit": "`+commit+`"}}]}, "runDetails": {"builder": {"id": "x"}}}`))
	if want := (Source{"https://github.com/acme/tool", commit, "refs/heads/main"}); err != nil || p.Source != want || p.EntryPoint != "cloudbuild.yaml" {
		t.Errorf("got %+v, %v", p, err)
	}
}

// The provenance of a published npm package, signed by GitHub.
func TestParseRealProvenance(t *testing.T) {
	data, err := os.ReadFile("../../../../shared/data/npm-sigstore-2.0.0/provenance.sigstore.json")
	if err != nil {
		t.Skip("the real data is not here:", err)
	}
	var bundle struct {
		Envelope struct{ Payload string } `json:"dsseEnvelope"`
	}
	var statement struct {
		PredicateType string
		Predicate     json.RawMessage
	}
	if err := json.Unmarshal(data, &bundle); err != nil {
		t.Fatal(err)
	}
	payload, err := base64.StdEncoding.DecodeString(bundle.Envelope.Payload)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(payload, &statement); err != nil {
		t.Fatal(err)
	}
	p, err := Parse(statement.PredicateType, statement.Predicate)
	if err != nil {
		t.Fatal(err)
	}
	want := Source{"https://github.com/sigstore/sigstore-js", "f0b49a04e5a62250e0f60fb128004a73110fe311", "refs/heads/main"}
	if p.Source != want || p.Builder != "https://github.com/actions/runner/github-hosted" || p.EntryPoint != ".github/workflows/release.yml" {
		t.Errorf("got %+v", p)
	}
	compared, err := p.CheckClaims(Claims{
		SourceRepository: want.Repository, SourceDigest: want.Revision, SourceRef: want.Ref,
		BuildSigner:   "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main",
		BuildConfig:   "https://github.com/sigstore/sigstore-js/.github/workflows/release.yml@refs/heads/main",
		RunInvocation: "https://github.com/sigstore/sigstore-js/actions/runs/5904696764/attempts/1",
	})
	if err != nil || !reflect.DeepEqual(compared, []string{FieldRepository, FieldRevision, FieldRef, FieldEntryPoint, FieldInvocation}) {
		t.Errorf("compared %q, %v", compared, err)
	}
}
