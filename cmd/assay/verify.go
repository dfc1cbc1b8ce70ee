package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/fetch"
	"assay/trust"
	"assay/trust/proof"
)

func verifyCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "judge a file, or all that is held, today",
		ArgsUsage: "FILE | --held",
		Description: "Hashes a file, whatever its name, looks for a target with just these bytes in\n" +
			"all repositories, and judges it as `assay get` would. A file of a revoked\n" +
			"release is refused, and so is one that has a target's name but bytes that\n" +
			"nobody promises.\n\n" +
			"With --held it judges all that was got and is still in the cache, and lists what\n" +
			"was revoked, deprecated, outlived, weakened or changed on the disk since; and\n" +
			"all that is installed, or kept to go back to, whose files it compares with those\n" +
			"of the artifact.\n\n" +
			"With --bundle, --signature or --checksums it needs no repository: the file is\n" +
			"verified by what is named, and by nothing else. Nothing is asked over a network.\n" +
			"For a bundle the file's digest, sha256:HEX or sha512:HEX, will do as well." +
			examples(
				"assay verify hello_1.4.2_linux_amd64.tar.gz",
				"assay verify --held --offline",
				"assay verify tool.tgz --bundle tool.sigstore.json --key release.pem",
				"assay verify tool.tgz --bundle tool.sigstore.json --trusted-root root.json \\",
				"    --issuer https://accounts.example --identity release@acme.example",
				"assay verify tool.tgz --signature tool.tgz.minisig --key minisign.pub",
				"assay verify tool.tgz --checksums SUMS --signature SUMS.asc --key acme.asc"),
		Flags:  append([]cli.Flag{&cli.BoolFlag{Name: flagHeld, Usage: "judge all that is held in the cache"}}, aloneFlags()...),
		Action: func(c *cli.Context) error { return a.verify(c) },
	}
}

type verifyDoc struct {
	File       string           `json:"file"`
	Repository string           `json:"repository"`
	Target     string           `json:"target"`
	Product    string           `json:"product,omitempty"`
	Version    string           `json:"version,omitempty"`
	Channel    string           `json:"channel,omitempty"`
	Status     string           `json:"status,omitempty"`
	Length     int64            `json:"length"` // in bytes
	Digests    artifact.Digests `json:"digests"`
	Warnings   []string         `json:"warnings,omitempty"`
	Agreed     []string         `json:"agreed,omitempty"` // the repositories that promise it alike, where several must
	Evidence   *trust.Evidence  `json:"evidence"`
}

func (a *app) verify(c *cli.Context) error {
	if c.Bool(flagHeld) {
		if isAlone(c) {
			return usagef("--held judges by the repositories: expected it without --bundle, --signature, --checksums and what belongs to them")
		}
		return a.verifyHeld(c)
	}
	args, err := operands(c, 1, 1)
	if err != nil {
		return err
	}
	if isAlone(c) {
		return a.verifyAlone(c, args[0])
	}
	s, err := a.asking(c)
	if err != nil {
		return err
	}
	found, err := s.client.Identify(c.Context, a.path(args[0]))
	err = a.noteRefusal(c.Context, s, asked{target: args[0]}, err)
	if errors.Is(err, fetch.ErrUnknown) {
		err = a.provenOnce(c.Context, s, args[0], err)
	}
	if errors.Is(err, trust.ErrMismatch) {
		err = withHint(err, "do not use this file: delete it, and get the release again with `assay get`")
	}
	if err != nil {
		return err
	}
	a.progress.close()
	for _, warning := range found.Warnings {
		a.out.warn("%s", warning)
	}
	if name := found.Target.Name(); name != filepath.Base(args[0]) {
		found.Warnings = append(found.Warnings, fmt.Sprintf("%s is called %s in the repository", args[0], name))
		a.out.warn("%s", found.Warnings[len(found.Warnings)-1])
	}
	stale := staleness(found.Evidence)
	what := ""
	if found.Product != "" {
		when := ""
		if stale != "" {
			when = " when last checked"
		}
		what = fmt.Sprintf(": %s %s (%s in %s%s)", found.Product, found.Version, found.Status, found.Channel, when)
	}
	a.out.line("%s: %s%s, as %s promises", args[0], a.out.good("proven"), what, found.Target.Repository())
	a.out.line("  %-9s %s", "target", found.Target.Path())
	if len(found.Agreed) > 0 {
		a.out.line("  %-9s %s", "agreed", strings.Join(found.Agreed, ", "))
	}
	for _, digest := range found.Target.Digests() {
		a.out.line("  %-9s %s", digest.Algorithm(), digest.Hex())
	}
	if stale != "" {
		a.out.line("  %s", stale)
	}
	for _, line := range proofLines(found.Evidence) {
		a.out.line("  %s", line)
	}
	return a.out.result("verify", verifyDoc{
		File: args[0], Repository: found.Target.Repository(), Target: found.Target.Path(),
		Product: found.Product, Version: found.Version, Channel: found.Channel, Status: string(found.Status),
		Length: found.Target.Length(), Digests: found.Target.Digests(), Warnings: found.Warnings, Agreed: found.Agreed, Evidence: found.Evidence,
	})
}

// provenOnce gives the error of a file that nobody promises a hint where it was
// proven on this machine once: it was withdrawn, or replaced, since.
func (a *app) provenOnce(ctx context.Context, s *session, name string, unknown error) error {
	digests, err := a.fileDigests(ctx, name)
	if err != nil {
		return unknown
	}
	names, err := receiptsWhere(ctx, s.prover, func(n proof.ReceiptName) bool { return slices.Contains(digests, n.Digest) })
	if err != nil {
		return unknown
	}
	for r, err := range s.prover.Receipts(ctx, names) {
		if err == nil && !r.Proven.IsZero() {
			return withHint(unknown, fmt.Sprintf("it was proven here at %s as %s of %s, which promises it no longer: ask the publisher why; `assay explain %s` tells of that proof",
				r.Proven.Format(time.RFC3339), r.Target, r.Repository, name))
		}
	}
	return unknown
}
