package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"

	"assay/artifact"
	"assay/trust/provenance"
)

// maxKeyBytes is far more than any key has.
const maxKeyBytes = 1 << 20

var (
	errIdentity = errors.New("signed by another")
	errRoot     = errors.New("no trusted root")
)

// verify does what the command line asks for.
func (o options) verify(getenv func(string) string) error {
	profile, accepted, err := o.profile(getenv)
	if err != nil {
		return err
	}
	verifier, err := provenance.NewVerifier(profile)
	if err != nil {
		return err
	}
	bundle, err := readFile(o.bundle, provenance.MaxBundleBytes)
	if err != nil {
		return err
	}
	digests, err := digestsOf(o.artifact)
	if err != nil {
		return err
	}
	signed, err := verifier.Verify(bundle, digests)
	if err != nil {
		return err
	}
	if !accepted.Matches(signed) {
		return fmt.Errorf("%w: expected %s, found %.200q", errIdentity, accepted, signed.Signer.ID())
	}
	return nil
}

// profile is the one that judges, with the signer that is accepted.
func (o options) profile(getenv func(string) string) (provenance.Profile, provenance.Identity, error) {
	p := provenance.Profile{Name: "conformance", Kind: provenance.PublicGood}
	var id provenance.Identity
	var err error
	if o.key != "" {
		p.Kind = provenance.Keys
		key, err := readFile(o.key, maxKeyBytes)
		if err != nil {
			return p, id, err
		}
		digest, err := provenance.KeyDigest(key)
		if err != nil {
			return p, id, err
		}
		p.Keys, id.Key = [][]byte{key}, digest.String()
	} else if id, err = exactly(o.issuer, o.identity); err != nil {
		return p, id, err
	}
	p.Root, err = o.readRoot(getenv)
	return p, id, err
}

// exactly is an identity without wildcards, whatever characters are in it.
func exactly(issuer, subject string) (provenance.Identity, error) {
	var id provenance.Identity
	var err error
	if id.Issuer, err = provenance.ParsePattern(literal(issuer)); err != nil {
		return id, err
	}
	if id.Subject, err = provenance.ParsePattern(literal(subject)); err != nil {
		return id, err
	}
	return id, id.Check()
}

// literal is a pattern for this very text.
func literal(text string) string { return "/" + regexp.QuoteMeta(text) + "/" }

// readRoot reads the trusted root that is asked for.
func (o options) readRoot(getenv func(string) string) ([]byte, error) {
	path := o.trustedRoot
	if path == "" && o.key != "" {
		return nil, nil
	}
	if path == "" {
		variable := "ASSAY_SIGSTORE_ROOT"
		if o.staging {
			variable = "ASSAY_SIGSTORE_STAGING_ROOT"
		}
		if path = getenv(variable); path == "" {
			return nil, fmt.Errorf("%w: expected --trusted-root or a file named by %s, found neither; no network is asked", errRoot, variable)
		}
	}
	return readFile(path, provenance.MaxRootBytes)
}

// readFile reads a file of at most limit bytes. One that is larger comes with one
// byte too many, so that whoever knows the limit can refuse it.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit+1))
}

// digestsOf takes the digests of a file, or the one that is given instead.
func digestsOf(name string) (artifact.Digests, error) {
	f, err := os.Open(name)
	if err != nil {
		if d, notDigest := artifact.ParseDigest(name); notDigest == nil {
			return artifact.Digests{d}, nil
		}
		return nil, err
	}
	defer f.Close()
	short, long := artifact.SHA256.New(), artifact.SHA512.New()
	if _, err := io.Copy(io.MultiWriter(short, long), f); err != nil {
		return nil, err
	}
	return artifact.NewDigests(artifact.SumOf(artifact.SHA256, short), artifact.SumOf(artifact.SHA512, long))
}
