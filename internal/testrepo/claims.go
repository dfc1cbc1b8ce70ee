package testrepo

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"net/url"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
)

// GitHubIssuer vouches for workflows of GitHub Actions.
const GitHubIssuer = "https://token.actions.githubusercontent.com"

// Claims are what a certificate says of its holder, as Fulcio writes it
// (https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md). Empty ones
// are left out.
type Claims struct {
	Identity string // the subject alternative name: a URI, or an e-mail address
	Issuer   string
	// The build that signed.
	BuildSigner, BuildSignerDigest               string
	RunnerEnvironment                            string
	SourceRepository, SourceDigest, SourceRef    string
	BuildConfig, BuildConfigDigest, BuildTrigger string
	RunInvocation                                string
}

// WorkflowClaims are those of a workflow of GitHub Actions that ran for a ref
// of its own repository: repository is a URL, workflow a path in it, ref like
// refs/tags/v1.2.3, revision a commit.
func WorkflowClaims(repository, workflow, ref, revision string) Claims {
	identity := repository + "/" + workflow + "@" + ref
	return Claims{
		Identity: identity, Issuer: GitHubIssuer,
		BuildSigner: identity, BuildSignerDigest: revision,
		RunnerEnvironment: "github-hosted",
		SourceRepository:  repository, SourceDigest: revision, SourceRef: ref,
		BuildConfig: identity, BuildConfigDigest: revision, BuildTrigger: "push",
		RunInvocation: repository + "/actions/runs/4211/attempts/1",
	}
}

// lifetime is that of a Fulcio certificate.
const lifetime = 10 * time.Minute

// leaf issues a certificate for a key from at on. With a log's key it is
// preceded by an entry in that log, whose identifier is logID.
func (a *authority) leaf(c Claims, public crypto.PublicKey, at time.Time, usage x509.ExtKeyUsage, sct *sctSigner) (*x509.Certificate, error) {
	extensions, err := c.extensions()
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		NotBefore: at, NotAfter: at.Add(lifetime),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{usage},
		ExtraExtensions: extensions,
	}
	if strings.Contains(c.Identity, "://") {
		uri, err := url.Parse(c.Identity)
		if err != nil {
			return nil, fmt.Errorf("%w: identity: expected a URI, found %q", ErrOptions, c.Identity)
		}
		template.URIs = []*url.URL{uri}
	} else if strings.Contains(c.Identity, "@") {
		template.EmailAddresses = []string{c.Identity}
	} else {
		return nil, fmt.Errorf("%w: identity: expected a URI or an e-mail address, found %q", ErrOptions, c.Identity)
	}
	certificate, err := issue(template, a.intermediate, public, a.key)
	if err != nil || sct == nil {
		return certificate, err
	}
	// The log signs the certificate as it is without the log's own extension,
	// which is then the last one (RFC 6962, section 3.2).
	list, err := sct.over(certificate.RawTBSCertificate, a.intermediate, at)
	if err != nil {
		return nil, err
	}
	template.ExtraExtensions = append(template.ExtraExtensions, list)
	return issue(template, a.intermediate, public, a.key)
}

// extensions are the claims below Fulcio's arc of object identifiers.
func (c Claims) extensions() ([]pkix.Extension, error) {
	oid := func(n int) asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 57264, 1, n} }
	var list []pkix.Extension
	if c.Issuer != "" {
		list = append(list, pkix.Extension{Id: oid(1), Value: []byte(c.Issuer)}) // the old form is bare text
	}
	for _, claim := range []struct {
		number int
		value  string
	}{
		{8, c.Issuer}, {9, c.BuildSigner}, {10, c.BuildSignerDigest}, {11, c.RunnerEnvironment},
		{12, c.SourceRepository}, {13, c.SourceDigest}, {14, c.SourceRef},
		{18, c.BuildConfig}, {19, c.BuildConfigDigest}, {20, c.BuildTrigger}, {21, c.RunInvocation},
	} {
		if claim.value == "" {
			continue
		}
		der, err := asn1.MarshalWithParams(claim.value, "utf8")
		if err != nil {
			return nil, fmt.Errorf("%w: claim %q: %w", ErrOptions, claim.value, err)
		}
		list = append(list, pkix.Extension{Id: oid(claim.number), Value: der})
	}
	return list, nil
}

// sctSigner is a certificate transparency log. The key is that of logID unless
// it lies.
type sctSigner struct {
	logID []byte
	key   *ecdsa.PrivateKey
}

// over is the extension with the log's one promise for a certificate (RFC 6962,
// sections 3.2 and 3.3).
func (s *sctSigner) over(tbs []byte, issuer *x509.Certificate, at time.Time) (pkix.Extension, error) {
	millis := uint64(at.UnixMilli())
	issuerKey := sha256.Sum256(issuer.RawSubjectPublicKeyInfo)
	var input cryptobyte.Builder
	input.AddUint8(0) // version 1
	input.AddUint8(0) // a certificate's timestamp
	input.AddUint64(millis)
	input.AddUint16(1) // of a precertificate
	input.AddBytes(issuerKey[:])
	input.AddUint24LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(tbs) })
	input.AddUint16(0) // no extensions
	message, err := input.Bytes()
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("testrepo: encode a certificate timestamp: %w", err)
	}
	signature, err := signSHA256(s.key, message)
	if err != nil {
		return pkix.Extension{}, err
	}
	var list cryptobyte.Builder
	list.AddUint16LengthPrefixed(func(list *cryptobyte.Builder) {
		list.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) {
			b.AddUint8(0) // version 1
			b.AddBytes(s.logID)
			b.AddUint64(millis)
			b.AddUint16(0) // no extensions
			b.AddUint8(4)  // SHA-256
			b.AddUint8(3)  // ECDSA
			b.AddUint16LengthPrefixed(func(b *cryptobyte.Builder) { b.AddBytes(signature) })
		})
	})
	encoded, err := list.Bytes()
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("testrepo: encode a certificate timestamp: %w", err)
	}
	der, err := asn1.Marshal(encoded)
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("testrepo: encode a certificate timestamp: %w", err)
	}
	return pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 11129, 2, 4, 2}, Value: der}, nil
}
