package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/artifact/checksums"
	"assay/trust"
	"assay/trust/proof"
	"assay/trust/provenance"
	"assay/trust/provenance/detached"
)

const (
	flagBundle      = "bundle"
	flagTrustedRoot = "trusted-root"
	flagIdentity    = "identity"
	flagIssuer      = "issuer"
	flagKey         = "key"
	flagKind        = "kind"
	flagSignature   = "signature"
	flagNamespace   = "namespace"
	flagChecksums   = "checksums"
)

// aloneFlags make verify judge a file by what is named on the command line, and
// by nothing else: no repository, no configuration, no network.
func aloneFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringSliceFlag{Name: flagBundle, Usage: "a Sigstore bundle `FILE` over the file, or over the checksums file"},
		&cli.StringFlag{Name: flagTrustedRoot, Usage: "the trusted_root.json `FILE` that certificates must lead to"},
		&cli.StringFlag{Name: flagIdentity, Usage: "the signer's `IDENTITY`: exact, a glob, or /REGEX/, anchored"},
		&cli.StringFlag{Name: flagIssuer, Usage: "the `URL` of who vouches for the identity"},
		&cli.StringFlag{Name: flagKind, Usage: "what to ask of certificates: `KIND` is public-good, github or private", Value: string(provenance.PublicGood)},
		&cli.StringFlag{Name: flagKey, Usage: "the public key `FILE`, in place of root and identity"},
		&cli.StringFlag{Name: flagSignature, Usage: "a minisign, OpenPGP or SSH signature `FILE`; with --key"},
		&cli.StringFlag{Name: flagNamespace, Usage: "what an SSH signature must be made for: `NAME`", Value: "file"},
		&cli.StringFlag{Name: flagChecksums, Usage: "a checksums `FILE` that must list the file; bundles and signature are over it"},
	}
}

// isAlone reports whether the line asks for verification without a repository.
func isAlone(c *cli.Context) bool {
	return slices.ContainsFunc(aloneFlags(), func(f cli.Flag) bool { return c.IsSet(f.Names()[0]) })
}

// aloneDoc is the result of verify without a repository.
type aloneDoc struct {
	File     string           `json:"file"`
	Length   int64            `json:"length,omitempty"` // in bytes; not known of a digest
	Digests  artifact.Digests `json:"digests"`
	Evidence *trust.Evidence  `json:"evidence"`
}

// alone is one such verification.
type alone struct {
	app      *app
	c        *cli.Context
	file     string // or a digest
	content  string // where the file's bytes are; empty: under its name
	given    []byte // the checksums file, where it was read before; nil: it is read
	length   int64
	digests  artifact.Digests // of the file
	signed   string           // what signatures are over: the file, or the checksums file
	list     []byte           // the checksums file, read once: what is looked up in it is what was signed
	over     artifact.Digests // the digests of what signatures are over
	evidence *trust.Evidence
}

func (a *app) verifyAlone(c *cli.Context, file string) error {
	if err := checkAloneFlags(c); err != nil {
		return err
	}
	v := &alone{app: a, c: c, file: file, signed: file, evidence: &trust.Evidence{Judged: a.now().UTC()}}
	if err := v.hash(c.Context); err != nil {
		return err
	}
	err := v.run(c.Context)
	if failed := a.out.result("verify.alone", aloneDoc{file, v.length, v.digests, v.evidence}); failed != nil {
		return failed
	}
	if err != nil {
		return v.advise(err)
	}
	a.out.line("%s: %s", clip(file), a.out.good("verified"))
	for _, digest := range v.digests {
		a.fact(string(digest.Algorithm()), digest.Hex())
	}
	if len(v.evidence.Builds) > 0 {
		a.buildFacts(v.evidence)
	}
	for _, check := range v.evidence.Checks {
		a.out.hang(styled("  "+string(a.resultMark(check.Result))+" "), strings.Repeat(" ", 14), checkText(check))
	}
	return nil
}

// checkAloneFlags refuses what would leave something unsaid: nothing is taken
// for granted.
func checkAloneFlags(c *cli.Context) error {
	bundles, key := len(c.StringSlice(flagBundle)) > 0, c.IsSet(flagKey)
	kinds := []string{string(provenance.PublicGood), string(provenance.GitHub), string(provenance.Private)}
	switch {
	case !bundles && !c.IsSet(flagSignature) && !c.IsSet(flagChecksums):
		return usagef("expected --bundle, --signature or --checksums: there is nothing to verify by")
	case !slices.Contains(kinds, c.String(flagKind)):
		return usagef("--kind: expected %s, found %q", strings.Join(kinds, ", "), clip(c.String(flagKind)))
	case c.IsSet(flagSignature) && !key:
		return usagef("--signature: expected --key FILE with the signer's public key")
	case bundles && !key && !(c.IsSet(flagTrustedRoot) && c.IsSet(flagIdentity) && c.IsSet(flagIssuer)):
		return usagef("--bundle: expected --trusted-root, --identity and --issuer, or --key: who may have signed is never guessed")
	case c.IsSet(flagNamespace) && !c.IsSet(flagSignature):
		return usagef("--namespace is of SSH signatures: expected it with --signature")
	case c.IsSet(flagKind) && (key || !bundles):
		return usagef("--kind is of certificates: expected it with --bundle and --trusted-root")
	case key && (c.IsSet(flagTrustedRoot) || c.IsSet(flagIdentity) || c.IsSet(flagIssuer)):
		return usagef("--key: expected it without --trusted-root, --identity and --issuer, which are for certificates")
	case c.IsSet(flagChecksums) && !bundles && !c.IsSet(flagSignature):
		return usagef("--checksums: expected --bundle or --signature over the checksums file: a list that nobody signed proves nothing")
	}
	return nil
}

// hash takes the file's digests. In place of a file there may be a digest, where
// only bundles are asked about it.
func (v *alone) hash(ctx context.Context) (err error) {
	digest, is, err := artifact.Digest{}, false, error(nil)
	if v.content == "" {
		digest, is, err = digestOperand(v.file)
	}
	switch {
	case err != nil:
		return err
	case !is:
		v.length, v.digests, err = hashWhole(ctx, v.path(v.file))
	case v.c.IsSet(flagSignature) || v.c.IsSet(flagChecksums):
		return usagef("a digest in place of FILE: expected only --bundle, as a signature needs the bytes and a list needs a name")
	default:
		v.digests = artifact.Digests{digest}
	}
	v.over = v.digests
	return err
}

// path is where the bytes of the file are, that is known under a name.
func (v *alone) path(name string) string {
	if v.content != "" {
		return v.content
	}
	return v.app.path(name)
}

// advise gives a refusal a next step: there is no receipt of it that could be
// explained, and nothing to fetch again.
func (v *alone) advise(err error) error {
	_, refused := v.evidence.Failed()
	switch {
	case errors.Is(err, provenance.ErrProfile):
		return withHint(err, "--trusted-root takes a trusted_root.json, --key a public key in PEM")
	case !refused, errors.Is(err, provenance.ErrInapplicable), errors.Is(err, detached.ErrFormat), errors.Is(err, detached.ErrKey):
		return err
	case errors.Is(err, provenance.ErrAlgorithm):
		return withHint(err, "name the file itself, or its digest by the algorithm that the bundle vouches under")
	}
	return withHint(err, "do not use this file: ask the publisher, by another way than this network, what it is signed with and by whom")
}

func (v *alone) run(ctx context.Context) error {
	if err := v.checksums(); err != nil {
		return err
	}
	if err := v.bundles(); err != nil {
		return err
	}
	return v.detached(ctx)
}

func (v *alone) pass(id, of, expected, found string) {
	v.evidence.Add(trust.Check{ID: id, Result: trust.Pass, Of: of, Expected: expected, Found: found})
}

func (v *alone) fail(id, of, expected, found string, err error) error {
	v.evidence.Add(trust.Check{ID: id, Result: trust.Fail, Of: of, Expected: expected, Found: found, Why: err.Error()})
	return err
}

// checksums looks the file up in the checksums file; the signatures are then
// over that.
func (v *alone) checksums() error {
	path := v.c.String(flagChecksums)
	if path == "" {
		return nil
	}
	data, err := v.given, error(nil)
	if data == nil {
		data, err = v.app.readSmall(path, checksums.MaxBytes)
	}
	if err != nil {
		return err
	}
	list, err := checksums.Parse(data)
	if err != nil {
		return v.fail(trust.CheckChecksums, path, "a checksums file", "something else", fmt.Errorf("%s: %w: %w", clip(path), proof.ErrDocument, err))
	}
	name := filepath.Base(v.file)
	found, err := list.Lookup(name)
	expected := fmt.Sprintf("%s as %s", v.digests.Primary(), name)
	switch {
	case err != nil:
		return v.fail(trust.CheckChecksums, path, expected, "no such name", fmt.Errorf("%s: %w", clip(path), err))
	case !found.Agree(v.digests):
		return v.fail(trust.CheckChecksums, path, expected, found.Primary().String(), fmt.Errorf("%s: %w", clip(path), &trust.MismatchError{What: name, Expected: found.Primary().String(), Found: v.digests.Primary().String()}))
	}
	v.pass(trust.CheckChecksums, path, expected, "the same")
	v.signed, v.list = path, data
	v.over, err = artifact.NewDigests(artifact.DigestOf(artifact.SHA256, data), artifact.DigestOf(artifact.SHA512, data))
	return err
}

// bundles verifies each Sigstore bundle: all must be right.
func (v *alone) bundles() error {
	paths := v.c.StringSlice(flagBundle)
	if len(paths) == 0 {
		return nil
	}
	profile, identity, err := v.profile()
	if err != nil {
		return err
	}
	verifier, err := provenance.NewVerifier(profile)
	if err != nil {
		return err
	}
	for _, path := range paths {
		if err := v.bundle(verifier, identity, path); err != nil {
			return err
		}
	}
	return nil
}

func (v *alone) bundle(verifier *provenance.Verifier, identity provenance.Identity, path string) error {
	data, err := v.app.readSmall(path, provenance.MaxBundleBytes)
	if err != nil {
		return err
	}
	signed, err := verifier.Verify(data, v.over)
	if err != nil {
		return v.fail(trust.CheckSignature, path, "a signature over "+filepath.Base(v.signed), "none that counts", fmt.Errorf("%s: %w", clip(path), err))
	}
	v.evidence.Signatures = append(v.evidence.Signatures, proof.SignatureOf(path, signed))
	signer := signed.Signer.String()
	v.pass(trust.CheckSignature, path, "a signature over "+filepath.Base(v.signed), "signed by "+signer)
	if !identity.Matches(signed) {
		return v.fail(trust.CheckIdentity, path, identity.String(), signer,
			fmt.Errorf("%s: %w: expected %s, found %s", clip(path), proof.ErrIdentity, identity, signer))
	}
	v.pass(trust.CheckIdentity, path, identity.String(), signer)
	v.subject(path, signed)
	return v.built(path, signed)
}

// profile is made of the flags.
func (v *alone) profile() (profile provenance.Profile, identity provenance.Identity, err error) {
	if path := v.c.String(flagKey); path != "" {
		key, err := v.app.readSmall(path, maxRootFile)
		if err != nil {
			return profile, identity, err
		}
		digest, err := provenance.KeyDigest(key)
		if err != nil {
			return profile, identity, fmt.Errorf("--key: %s: %w", clip(path), err)
		}
		return provenance.Profile{Name: "--key", Kind: provenance.Keys, Keys: [][]byte{key}}, provenance.Identity{Key: digest.String()}, nil
	}
	profile = provenance.Profile{Name: "--trusted-root", Kind: provenance.Kind(v.c.String(flagKind))}
	if profile.Root, err = v.app.readSmall(v.c.String(flagTrustedRoot), maxRootFile); err != nil {
		return profile, identity, err
	}
	if identity.Issuer, err = provenance.ParsePattern(v.c.String(flagIssuer)); err != nil {
		return profile, identity, mark(errUsage, fmt.Errorf("--issuer: %w", err))
	}
	if identity.Subject, err = provenance.ParsePattern(v.c.String(flagIdentity)); err != nil {
		return profile, identity, mark(errUsage, fmt.Errorf("--identity: %w", err))
	}
	if err := identity.Check(); err != nil {
		return profile, identity, mark(errUsage, err)
	}
	return profile, identity, nil
}
