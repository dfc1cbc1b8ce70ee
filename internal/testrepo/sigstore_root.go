package testrepo

import (
	"crypto/ecdsa"
	"crypto/x509"
	"fmt"
	"time"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	prototrustroot "github.com/sigstore/protobuf-specs/gen/pb-go/trustroot/v1"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// trustedRootType is the media type of the form that verifiers know.
const trustedRootType = "application/vnd.dev.sigstore.trustedroot+json;version=0.1"

// trustedRoot lists everything that vouches for signatures, as
// sigstore_trustroot.proto has it. Nothing in it ends.
func (i *instance) trustedRoot(now time.Time) ([]byte, error) {
	since := &protocommon.TimeRange{Start: timestamppb.New(earliest(now))}
	root := &prototrustroot.TrustedRoot{
		MediaType:              trustedRootType,
		CertificateAuthorities: []*prototrustroot.CertificateAuthority{i.fulcio.listed(fulcioURI, since)},
		TimestampAuthorities:   []*prototrustroot.CertificateAuthority{i.timestamp.listed(tsaURI, since, i.timestamp.leaf)},
	}
	for _, version := range []LogVersion{Rekor1, Rekor2} {
		l := i.rekor[version]
		entry, err := listedLog("https://"+l.host, l.key, since)
		if err != nil {
			return nil, err
		}
		root.Tlogs = append(root.Tlogs, entry)
	}
	ctLog, err := listedLog(ctLogURI, i.ctLog, since)
	if err != nil {
		return nil, err
	}
	root.Ctlogs = append(root.Ctlogs, ctLog)
	return encodeProto(root)
}

// listed is the authority with its chain, the root last, below leaf if there is
// one.
func (a *authority) listed(uri string, since *protocommon.TimeRange, leaf ...*x509.Certificate) *prototrustroot.CertificateAuthority {
	chain := &protocommon.X509CertificateChain{}
	for _, c := range append(leaf, a.intermediate, a.root) {
		chain.Certificates = append(chain.Certificates, &protocommon.X509Certificate{RawBytes: c.Raw})
	}
	return &prototrustroot.CertificateAuthority{
		Subject: &protocommon.DistinguishedName{
			Organization: a.root.Subject.Organization[0], CommonName: a.root.Subject.CommonName,
		},
		Uri: uri, CertChain: chain, ValidFor: since,
	}
}

func listedLog(uri string, key *ecdsa.PrivateKey, since *protocommon.TimeRange) (*prototrustroot.TransparencyLogInstance, error) {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("testrepo: encode a public key: %w", err)
	}
	id, err := keyID(key)
	if err != nil {
		return nil, err
	}
	return &prototrustroot.TransparencyLogInstance{
		BaseUrl: uri, HashAlgorithm: protocommon.HashAlgorithm_SHA2_256,
		PublicKey: &protocommon.PublicKey{
			RawBytes: der, KeyDetails: protocommon.PublicKeyDetails_PKIX_ECDSA_P256_SHA_256, ValidFor: since,
		},
		LogId: &protocommon.LogId{KeyId: id},
	}, nil
}
