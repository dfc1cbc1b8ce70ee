package testrepo

import (
	"cmp"
	"encoding/json"
	"fmt"
	"time"

	"assay/artifact"
)

// Attested is what a bundle says of an artifact.
type Attested string

// The statements that are made of an artifact, or none.
const (
	AsProvenanceV1  Attested = "v1"      // SLSA provenance
	AsProvenanceV02 Attested = "v0.2"    // likewise
	AsMessage       Attested = "message" // a signature over its bytes alone
	AsNothing       Attested = "nothing"
)

// Signing is how a Release is signed. What the bundles say agrees with the
// manifest: product, version and platform by the file's name, the source with
// its revision and tag, the times of the build.
type Signing struct {
	Sigstore *Sigstore
	Preset   Preset      // default PublicGood; where Key is given Bare
	Version  string      // of the bundles; default "0.3"
	Key      *SigningKey // signs without certificates
	// Claims are those of the certificates; default WorkflowClaims of the
	// release's source and tag, for .github/workflows/release.yml.
	Claims Claims
	// Artifacts is what is said of each artifact, in FILE.sigstore.json; default
	// AsProvenanceV1.
	Artifacts Attested
	// Together says it of all artifacts in one statement with many subjects, in
	// PRODUCT_VERSION.sigstore.json. It is not for AsMessage.
	Together bool
	// Checksums signs the checksums file as well, in checksums.txt.sigstore.json.
	Checksums bool
	// Bills attests each artifact's bill of materials as well, in
	// FILE.sbom.sigstore.json.
	Bills bool
	// Rebuilders attest by provenance v1 that they built the same bytes, in
	// FILE.rebuild-N.sigstore.json.
	Rebuilders []Claims
	// Change is called before each bundle is made, with its target path, and may
	// change anything.
	Change func(bundle string, opts *BundleOptions)
}

// AddTrustedRoot has the top-level role promise trusted_root.json.
func (r *Repo) AddTrustedRoot(s *Sigstore) error {
	return r.AddTarget("trusted_root.json", s.TrustedRoot())
}

// releaseSigner signs one release.
type releaseSigner struct {
	Signing
	repo    *Repo
	batch   *batch
	release Release
	source  sourceDocument
	build   buildDocument
}

// signerOf is how a release is signed, nil for not at all.
func (r *Repo) signerOf(b *batch, release Release, manifest manifestDocument) (*releaseSigner, error) {
	how := release.Signing
	if how == nil {
		how = r.opts.Signing
	}
	if how == nil || release.Unsigned {
		return nil, nil
	}
	s := &releaseSigner{Signing: *how, repo: r, batch: b, release: release, source: manifest.Source, build: manifest.Build}
	s.Artifacts = cmp.Or(s.Artifacts, AsProvenanceV1)
	switch {
	case s.Sigstore == nil:
		return nil, fmt.Errorf("%w: signing: expected a Sigstore, found none", ErrOptions)
	case s.Artifacts != AsProvenanceV1 && s.Artifacts != AsProvenanceV02 && s.Artifacts != AsMessage && s.Artifacts != AsNothing:
		return nil, fmt.Errorf("%w: signing: %q says nothing of an artifact", ErrOptions, s.Artifacts)
	case s.Together && s.Artifacts == AsMessage:
		return nil, fmt.Errorf("%w: signing: a message signature is over one artifact", ErrOptions)
	}
	if s.Claims == (Claims{}) {
		s.Claims = WorkflowClaims(s.source.Repository, ".github/workflows/release.yml", s.ref(), s.source.Revision)
	}
	return s, nil
}

func (s *releaseSigner) ref() string { return "refs/tags/" + s.source.Tag }

// made is an artifact to sign.
type made struct {
	file    string // base name
	content content
	digests artifact.Digests
	bill    []byte // nil for none
}

// artifact signs one artifact, and returns the target paths of its bundles.
func (s *releaseSigner) artifact(m made) ([]string, error) {
	var paths []string
	sign := func(suffix string, claims Claims, opts BundleOptions) error {
		path := s.release.folder() + m.file + suffix
		paths = append(paths, path)
		return s.bundle(path, claims, opts)
	}
	if !s.Together && s.Artifacts != AsNothing {
		opts, err := s.said(m)
		if err != nil {
			return nil, err
		}
		if err := sign(".sigstore.json", s.Claims, opts); err != nil {
			return nil, err
		}
	}
	if s.Bills && m.bill != nil {
		statement, err := Statement(s.release.Bill.predicate(), json.RawMessage(m.bill), m.subject())
		if err != nil {
			return nil, err
		}
		if err := sign(".sbom.sigstore.json", s.Claims, BundleOptions{Statement: statement}); err != nil {
			return nil, err
		}
	}
	for i, claims := range s.Rebuilders {
		statement, err := ProvenanceV1(s.provenance(claims, m.subject()))
		if err != nil {
			return nil, err
		}
		if err := sign(fmt.Sprintf(".rebuild-%d.sigstore.json", i+1), claims, BundleOptions{Statement: statement}); err != nil {
			return nil, err
		}
	}
	return paths, nil
}

func (m made) subject() Subject { return Subject{Name: m.file, Digests: m.digests} }

// said is what is signed of one artifact by itself.
func (s *releaseSigner) said(m made) (BundleOptions, error) {
	if s.Artifacts != AsMessage {
		statement, err := s.statement(m.subject())
		return BundleOptions{Statement: statement}, err
	}
	digests, err := digestsOf(m.content, []artifact.Algorithm{artifact.SHA256, artifact.SHA512})
	if err != nil {
		return BundleOptions{}, err
	}
	digest, _ := digests.Of(artifact.SHA256)
	if s.Key != nil && s.Key.scheme == Ed25519 { // Ed25519ph is over SHA-512 only
		digest, _ = digests.Of(artifact.SHA512)
	}
	return BundleOptions{Digest: digest}, nil
}

// statement is the provenance of some artifacts.
func (s *releaseSigner) statement(subjects ...Subject) ([]byte, error) {
	if s.Artifacts == AsProvenanceV02 {
		return ProvenanceV02(s.provenance(s.Claims, subjects...))
	}
	return ProvenanceV1(s.provenance(s.Claims, subjects...))
}

func (s *releaseSigner) provenance(by Claims, subjects ...Subject) ProvenanceOptions {
	return ProvenanceOptions{
		Subjects: subjects, Builder: cmp.Or(by.BuildSigner, by.Identity), Invocation: by.RunInvocation,
		Repository: s.source.Repository, Revision: s.source.Revision, Ref: s.ref(),
		Started: s.build.Started, Finished: s.build.Finished,
	}
}

// whole signs what is of the release and not of one artifact, and lists the
// bundles in the manifest.
func (s *releaseSigner) whole(document *manifestDocument, subjects []Subject, sums string) error {
	if s.Together && s.Artifacts != AsNothing {
		statement, err := s.statement(subjects...)
		if err != nil {
			return err
		}
		path := s.release.folder() + s.release.Product + "_" + s.release.Version + ".sigstore.json"
		if err := s.bundle(path, s.Claims, BundleOptions{Statement: statement}); err != nil {
			return err
		}
		for i := range document.Artifacts {
			document.Artifacts[i].Bundles = append(document.Artifacts[i].Bundles, path)
		}
	}
	if !s.Checksums {
		return nil
	}
	path := document.Checksums.Target + ".sigstore.json"
	document.Checksums.Bundles = []string{path}
	return s.bundle(path, s.Claims, BundleOptions{Data: []byte(sums)})
}

// bundle signs, some minutes after the build, and adds the bundle as a target.
func (s *releaseSigner) bundle(path string, claims Claims, opts BundleOptions) error {
	opts.Preset, opts.Version = s.Preset, s.Version
	opts.Claims, opts.Key, opts.Plain = claims, s.Key, s.Key != nil
	opts.SignedAt = s.build.Finished.Add(2 * time.Minute)
	if s.Change != nil {
		s.Change(path, &opts)
	}
	data, err := s.Sigstore.Bundle(opts)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return s.repo.addTo(s.batch, path, memory(data))
}
