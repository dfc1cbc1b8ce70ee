package slsa

// Predicates as platforms write them, shortened where they repeat themselves.

// generatorV02 is what slsa-github-generator's generic workflow writes.
const generatorV02 = `{
  "builder": {"id": "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/generator_generic_slsa3.yml@refs/tags/v1.9.0"},
  "buildType": "https://github.com/slsa-framework/slsa-github-generator/generic@v1",
  "invocation": {
    "configSource": {
      "uri": "git+https://github.com/acme/tool@refs/tags/v1.4.2",
      "digest": {"sha1": "0123456789abcdef0123456789abcdef01234567"},
      "entryPoint": ".github/workflows/release.yml"
    },
    "parameters": {},
    "environment": {"github_run_id": "4735384265", "github_event_payload": {"commits": [{"author": {"name": "A"}}], "head": null}}
  },
  "buildConfig": null,
  "metadata": {
    "buildInvocationID": "4735384265-2",
    "buildStartedOn": "2023-04-19T10:00:00Z",
    "buildFinishedOn": "2023-04-19T12:05:00.5+02:00",
    "completeness": {"parameters": true, "environment": false, "materials": false},
    "reproducible": false
  },
  "materials": [{
    "uri": "git+https://github.com/acme/tool@refs/tags/v1.4.2",
    "digest": {"sha1": "0123456789abcdef0123456789abcdef01234567"}
  }, {"uri": "pkg:docker/golang@1.26", "digest": {"sha512": "bb", "sha256": "aa"}}]
}`

// npmV02 is what npm wrote on GitHub at first.
const npmV02 = `{
  "buildType": "https://github.com/npm/cli/gha/v2",
  "builder": {"id": "https://github.com/actions/runner"},
  "invocation": {
    "configSource": {
      "uri": "git+https://github.com/acme/tool@refs/heads/main",
      "digest": {"sha1": "0123456789abcdef0123456789abcdef01234567"},
      "entryPoint": ".github/workflows/release.yml"
    },
    "parameters": {},
    "environment": {"GITHUB_RUN_ID": "4735384265"}
  },
  "metadata": {"buildInvocationId": "4735384265-1", "reproducible": false},
  "materials": [{"uri": "git+https://github.com/acme/tool@refs/heads/main", "digest": {"sha1": "0123456789abcdef0123456789abcdef01234567"}}]
}`

// npmGitLabV02 is what npm writes on GitLab.
const npmGitLabV02 = `{
  "buildType": "https://github.com/npm/cli/gitlab/v0alpha1",
  "builder": {"id": "https://gitlab.com/acme/sub/tool/-/runners/12270807"},
  "invocation": {
    "configSource": {
      "uri": "git+https://gitlab.com/acme/sub/tool",
      "digest": {"sha1": "0123456789abcdef0123456789abcdef01234567"},
      "entryPoint": "publish"
    },
    "parameters": {"CI": "true", "CI_JOB_ID": "5"}
  },
  "metadata": {"buildInvocationId": "https://gitlab.com/acme/sub/tool/-/jobs/5"},
  "materials": [{"uri": "git+https://gitlab.com/acme/sub/tool", "digest": {"sha1": "0123456789abcdef0123456789abcdef01234567"}}]
}`

// attestV1 is what GitHub's attest-build-provenance writes.
const attestV1 = `{
  "buildDefinition": {
    "buildType": "https://actions.github.io/buildtypes/workflow/v1",
    "externalParameters": {
      "workflow": {"ref": "refs/tags/v1.4.2", "repository": "https://github.com/acme/tool", "path": ".github/workflows/release.yml"}
    },
    "internalParameters": {"github": {"event_name": "push", "repository_id": "1", "runner_environment": "github-hosted"}},
    "resolvedDependencies": [{
      "uri": "git+https://github.com/acme/tool@refs/tags/v1.4.2",
      "digest": {"gitCommit": "0123456789abcdef0123456789abcdef01234567"}
    }]
  },
  "runDetails": {
    "builder": {"id": "https://github.com/acme/tool/.github/workflows/release.yml@refs/tags/v1.4.2"},
    "metadata": {"invocationId": "https://github.com/acme/tool/actions/runs/99/attempts/1"}
  }
}`

// generatorV1 is what slsa-github-generator's builders for others' tools write.
const generatorV1 = `{
  "buildDefinition": {
    "buildType": "https://github.com/slsa-framework/slsa-github-generator/delegator-generic@v0",
    "externalParameters": {
      "inputs": {"directory": "."}, "vars": {},
      "workflow": {"path": ".github/workflows/release.yml", "ref": "refs/heads/main", "repository": "git+https://github.com/acme/tool"}
    },
    "internalParameters": {"GITHUB_RUN_ID": "99"},
    "resolvedDependencies": [
      {"uri": "git+https://github.com/acme/tool@refs/heads/main", "digest": {"sha1": "0123456789abcdef0123456789abcdef01234567"}},
      {"uri": "https://github.com/actions/virtual-environments/releases/tag/ubuntu22/20230101.1"}
    ]
  },
  "runDetails": {
    "builder": {"id": "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/builder_nodejs_slsa3.yml@refs/tags/v1.9.0"},
    "metadata": {"invocationId": "99-1", "startedOn": "2023-04-19T10:00:00Z", "finishedOn": "2023-04-19T10:05:00Z"}
  }
}`

// containerV1 is what slsa-github-generator's container builder writes.
const containerV1 = `{
  "buildDefinition": {
    "buildType": "https://slsa.dev/container-based-build/v0.1?draft",
    "externalParameters": {
      "source": {"uri": "git+https://github.com/acme/tool@refs/heads/main", "digest": {"sha1": "0123456789ABCDEF0123456789abcdef01234567"}},
      "builderImage": {"uri": "bash@sha256:aa", "digest": {"sha256": "aa"}},
      "configPath": ".github/configs/config.toml"
    },
    "resolvedDependencies": [{"uri": "bash@sha256:aa", "digest": {"sha256": "aa"}}]
  },
  "runDetails": {
    "builder": {"id": "https://github.com/slsa-framework/slsa-github-generator/.github/workflows/builder_container-based_slsa3.yml@refs/tags/v1.9.0"},
    "metadata": {"invocationId": "99-1"}
  }
}`

// gitlabV1 is what GitLab's runner writes: source is a text, and the commit has
// the name of another algorithm.
const gitlabV1 = `{
  "buildDefinition": {
    "buildType": "https://gitlab.com/gitlab-org/gitlab-runner/-/blob/3c1e5d4/PROVENANCE.md",
    "externalParameters": {"CI": "true", "entryPoint": "build-job", "source": "https://gitlab.com/acme/tool"},
    "internalParameters": {"architecture": "amd64", "executor": "docker", "job": "5", "name": "green-3"},
    "resolvedDependencies": [{"uri": "https://gitlab.com/acme/tool", "digest": {"sha256": "0123456789abcdef0123456789abcdef01234567"}}]
  },
  "runDetails": {
    "builder": {"id": "https://gitlab.com/acme/tool/-/runners/12270807", "version": {"gitlab-runner": "3c1e5d4"}},
    "metadata": {"invocationID": "5", "startedOn": "2024-01-01T10:00:00Z", "finishedOn": "2024-01-01T10:05:00Z"}
  }
}`

// cloudBuildV1 is what Google Cloud Build writes.
const cloudBuildV1 = `{
  "buildDefinition": {
    "buildType": "https://cloud.google.com/build/gcb-buildtypes/google-worker/v1",
    "externalParameters": {
      "buildConfigSource": {"path": "cloudbuild.yaml", "ref": "refs/heads/main", "repository": "git+https://github.com/acme/tool"},
      "substitutions": {}
    },
    "resolvedDependencies": [
      {"uri": "git+https://github.com/acme/tool@refs/heads/other", "digest": {"gitCommit": "ffffffffffffffffffffffffffffffffffffffff"}},
      {"uri": "git+https://github.com/acme/tool@refs/heads/main", "digest": {"gitCommit": "0123456789abcdef0123456789abcdef01234567"}},
      {"uri": "git+https://github.com/acme/other@refs/heads/main", "digest": {"gitCommit": "ffffffffffffffffffffffffffffffffffffffff"}},
      {"digest": {"sha256": "aa"}}
    ]
  },
  "runDetails": {
    "builder": {"id": "https://cloudbuild.googleapis.com/GoogleHostedWorker"},
    "metadata": {"invocationId": "https://cloudbuild.googleapis.com/v1/projects/p/locations/global/builds/b"}
  }
}`

// buildkitV1 is what BuildKit writes for a remote git context.
const buildkitV1 = `{
  "buildDefinition": {
    "buildType": "https://github.com/moby/buildkit/blob/master/docs/attestations/slsa-definitions.md",
    "externalParameters": {
      "configSource": {"uri": "https://github.com/acme/tool.git#refs/tags/v1.4.2:sub", "digest": {"sha1": "0123456789abcdef0123456789abcdef01234567"}, "path": "Dockerfile"},
      "request": {"frontend": "dockerfile.v0"}
    },
    "resolvedDependencies": [{"uri": "pkg:docker/alpine@3.20?platform=linux%2Famd64", "digest": {"sha256": "aa"}}]
  },
  "runDetails": {"builder": {"id": "https://github.com/acme/tool/actions/runs/99/attempts/1"}, "metadata": {"invocationId": "abc123xyz"}}
}`

// shapes are all of them by name.
var shapes = map[string]struct{ predicateType, predicate string }{
	"generator v0.2":  {TypeV02, generatorV02},
	"npm v0.2":        {TypeV02, npmV02},
	"npm GitLab v0.2": {TypeV02, npmGitLabV02},
	"attest v1":       {TypeV1, attestV1},
	"generator v1":    {TypeV1, generatorV1},
	"container v1":    {TypeV1, containerV1},
	"GitLab v1":       {TypeV1, gitlabV1},
	"Cloud Build v1":  {TypeV1, cloudBuildV1},
	"BuildKit v1":     {TypeV1, buildkitV1},
}
