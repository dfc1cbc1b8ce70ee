package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"assay/internal/testrepo"
)

// demoWorkflow is who the demo's publisher says builds its releases.
const demoWorkflow = ".github/workflows/release.yml"

// demoPolicy is what the user of the demo asks of hello, as a repository has it.
func demoPolicy(repository, trustedRoot string) string {
	return fmt.Sprintf(`[profiles.%[1]s]
kind = "public-good"
trusted_root = %[2]q

[[policy]]
repository = "%[1]s"
product = "hello"
require = ["provenance", "sbom"]
signers = [{ issuer = %[3]q, identity = %[4]q }]

[repositories.%[1]s]
profiles = ["%[1]s"]
`, repository, trustedRoot, testrepo.GitHubIssuer, "https://git.example/hello/hello/"+demoWorkflow+"@refs/tags/*")
}

// judged has a policy of the user's own, and shows what came of it.
func (d *demo) judged(ctx context.Context) error {
	root, settings := filepath.Join(d.dir, "trusted_root.json"), filepath.Join(d.dir, "config", "assay", "config.toml")
	text := demoPolicy("acme", root)
	if err := os.MkdirAll(filepath.Dir(settings), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(root, d.signer.TrustedRoot(), 0o600); err != nil {
		return err
	}
	if err := os.WriteFile(settings, []byte(text), 0o600); err != nil {
		return err
	}
	d.say("The publisher also signs how each release was built. A policy of your own asks for\nit; this is now in config.toml:\n\n  %s", strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n  "))
	if err := d.run(ctx, 0, append([]string{"get", "hello"}, d.platform...)...); err != nil {
		return err
	}
	d.say("Who built it, from what, what was checked, and until when it is fresh:")
	if err := d.run(ctx, 0, "explain", "hello"); err != nil {
		return err
	}
	d.say("What is in it, and whether all that is held is still good today:")
	if err := d.run(ctx, 0, "find", "golang.org/x/text"); err != nil {
		return err
	}
	return d.run(ctx, 0, "verify", "--held")
}

// strangersBuild is an attack from within: the repository's keys are in bad
// hands, and sign a release that somebody else has built.
func (d *demo) strangersBuild(ctx context.Context) error {
	d.say("Fourth attack: somebody has the repository's keys, and publishes a hello 1.6.0 that\nwas built, and properly signed, in a place with a similar name.")
	if err := d.repo.AddRelease(testrepo.Release{
		Product: "hello", Version: "1.6.0", Channel: "stable",
		Signing: &testrepo.Signing{
			Sigstore: d.signer, Artifacts: testrepo.AsMessage,
			Claims: testrepo.WorkflowClaims("https://git.example/hello/hello-fork", demoWorkflow, "refs/tags/v1.6.0", strings.Repeat("5e", 20)),
		},
	}); err != nil {
		return err
	}
	if err := d.repo.Publish(); err != nil {
		return err
	}
	return d.run(ctx, 14, append([]string{"get", "hello"}, d.platform...)...)
}
