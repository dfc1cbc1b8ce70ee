package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
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
	Length   int64            `json:"length"` // in bytes
	Digests  artifact.Digests `json:"digests"`
	Evidence *trust.Evidence  `json:"evidence"`
}

// alone is one such verification.
type alone struct {
	app      *app
	c        *cli.Context
	file     string
	length   int64
	digests  artifact.Digests // of the file
	signed   string           // what signatures are over: the file, or the checksums file
	over     artifact.Digests // its digests
	evidence *trust.Evidence
}

func (a *app) verifyAlone(c *cli.Context, file string) error {
	if err := checkAloneFlags(c); err != nil {
		return err
	}
	v := &alone{app: a, c: c, file: file, signed: file, evidence: &trust.Evidence{Judged: a.now().UTC()}}
	var err error
	if v.length, v.digests, err = hashWhole(c.Context, a.path(file)); err != nil {
		return err
	}
	v.over = v.digests
	err = v.run(c.Context)
	if failed := a.out.result("verify.alone", aloneDoc{file, v.length, v.digests, v.evidence}); failed != nil {
		return failed
	}
	if err != nil {
		return err
	}
	a.out.line("%s: %s", file, a.out.good("verified"))
	a.fact("sha256", v.digests.Primary().Hex())
	for _, check := range v.evidence.Checks {
		a.out.line("  %s %s", a.resultMark(check.Result), checkText(check))
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
	case key && (c.IsSet(flagTrustedRoot) || c.IsSet(flagIdentity) || c.IsSet(flagIssuer)):
		return usagef("--key: expected it without --trusted-root, --identity and --issuer, which are for certificates")
	case c.IsSet(flagChecksums) && !bundles && !c.IsSet(flagSignature):
		return usagef("--checksums: expected --bundle or --signature over the checksums file: a list that nobody signed proves nothing")
	}
	return nil
}

func (v *alone) run(ctx context.Context) error {
	if err := v.checksums(ctx); err != nil {
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
func (v *alone) checksums(ctx context.Context) error {
	path := v.c.String(flagChecksums)
	if path == "" {
		return nil
	}
	data, err := v.app.readSmall(path, checksums.MaxBytes)
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
		return v.fail(trust.CheckChecksums, path, expected, "no such name", fmt.Errorf("%s: %w: %w", clip(path), proof.ErrDisagree, err))
	case !found.Agree(v.digests):
		return v.fail(trust.CheckChecksums, path, expected, fmt.Sprint(found), fmt.Errorf("%s: %w", clip(path), &trust.MismatchError{What: name, Expected: fmt.Sprint(found), Found: v.digests.Primary().String()}))
	}
	v.pass(trust.CheckChecksums, path, expected, "the same")
	v.signed = path
	_, v.over, err = hashWhole(ctx, v.app.path(path))
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
	v.pass(trust.CheckSignature, path, "a signature over "+filepath.Base(v.signed), "signed by "+cmp.Or(signed.Signer.Identity, signed.Signer.Key))
	if !identity.Matches(signed) {
		return v.fail(trust.CheckIdentity, path, identity.String(), cmp.Or(signed.Signer.Identity, signed.Signer.Key),
			fmt.Errorf("%s: %w: expected %s, found %s", clip(path), proof.ErrIdentity, identity, cmp.Or(signed.Signer.Identity, signed.Signer.Key)))
	}
	v.pass(trust.CheckIdentity, path, identity.String(), cmp.Or(signed.Signer.Identity, signed.Signer.Key))
	return v.subject(path, signed)
}

// subject compares the name of a signed subject with the file's. Files are
// renamed as people like, so another name is told, and is no error.
func (v *alone) subject(path string, signed *provenance.Signed) error {
	check := trust.Check{ID: trust.CheckSubject, Of: path, Result: trust.NotChecked, Why: "a signature over the bytes alone names nothing"}
	if signed.Statement != nil {
		check.Expected, check.Why = filepath.Base(v.signed), "the digest is right, the names are others: files may be renamed"
		for _, subject := range signed.Statement.Subjects {
			if slices.Contains(subject.Digests, signed.Artifact) {
				check.Found = subject.Name
				if filepath.Base(subject.Name) == check.Expected {
					check.Result, check.Why = trust.Pass, ""
					break
				}
			}
		}
	}
	v.evidence.Add(check)
	return nil
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

// detached verifies a signature of one of the older tools.
func (v *alone) detached(ctx context.Context) error {
	path := v.c.String(flagSignature)
	if path == "" {
		return nil
	}
	data, err := v.app.readSmall(path, detached.MaxSignatureBytes)
	if err != nil {
		return err
	}
	signature, err := detached.ParseSignature(data)
	if err != nil {
		return v.fail(trust.CheckSignature, path, "a minisign, OpenPGP or SSH signature", "something else", fmt.Errorf("%s: %w", clip(path), err))
	}
	keyFile, err := v.app.readSmall(v.c.String(flagKey), detached.MaxKeysBytes)
	if err != nil {
		return err
	}
	keys, err := detached.ParseKeys(keyFile)
	if err != nil {
		return fmt.Errorf("--key: %s: %w", clip(v.c.String(flagKey)), err)
	}
	content, err := os.Open(v.app.path(v.signed))
	if err != nil {
		return err
	}
	defer content.Close()
	signer, err := detached.Verify(ctx, signature, content, keys, detached.Options{Namespace: v.c.String(flagNamespace), Now: v.app.now()})
	expected := fmt.Sprintf("a signature over %s by the key of %s", filepath.Base(v.signed), v.c.String(flagKey))
	if err != nil {
		return v.fail(trust.CheckSignature, path, expected, "none that counts", fmt.Errorf("%s: %w", clip(path), err))
	}
	v.pass(trust.CheckSignature, path, expected, fmt.Sprintf("%s key %s", signer.Format, signer.Key))
	return nil
}

// maxRootFile bounds a trusted root and a file of keys, in bytes.
const maxRootFile = 4 << 20

// hashWhole hashes a regular file by all algorithms.
func hashWhole(ctx context.Context, path string) (int64, artifact.Digests, error) {
	info, err := os.Stat(path)
	if err != nil {
		return 0, nil, mark(errUsage, err)
	}
	if !info.Mode().IsRegular() {
		return 0, nil, usagef("%s: expected a regular file, found something else", clip(path))
	}
	file, err := os.Open(path)
	if err != nil {
		return 0, nil, err
	}
	defer file.Close()
	sum256, sum512 := artifact.SHA256.New(), artifact.SHA512.New()
	n, err := io.Copy(io.MultiWriter(sum256, sum512), &givingUp{ctx, file})
	if err != nil {
		return 0, nil, err
	}
	digests, err := artifact.NewDigests(artifact.SumOf(artifact.SHA256, sum256), artifact.SumOf(artifact.SHA512, sum512))
	return n, digests, err
}

// givingUp reads until its context ends.
type givingUp struct {
	ctx context.Context
	r   io.Reader
}

func (g *givingUp) Read(p []byte) (int, error) {
	if err := context.Cause(g.ctx); err != nil {
		return 0, err
	}
	return g.r.Read(p)
}
