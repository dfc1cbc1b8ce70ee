package provenance

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"

	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// diagnose finds out why the library refused a bundle. Most of its errors have no
// type, so the steps of its Verify are done again one by one. Only the kind of
// the error depends on that, never the outcome.
func (j judge) diagnose(e *entity, c claim) *VerifyError {
	if c.checkSignature(e, j.material) != nil {
		return refuse(ErrSignature, "a signature by the certificate's or the bundle's key", "another")
	}
	leaf := e.content.Certificate()
	if leaf != nil {
		leaf = withoutSAN(leaf)
		if _, err := certificateChain(leaf, leaf.NotBefore, j.material); err != nil {
			return refuse(ErrCertificate, "a certificate of the profile's authorities, for signing code", "issuer "+quote(leaf.Issuer.String()))
		}
	}
	observed, err := j.library.VerifyTransparencyLogInclusion(e)
	if err != nil {
		if _, err := j.library.VerifyTransparencyLogInclusion(timeless{e}); err == nil {
			return refuse(ErrTime, "an entry logged while the certificate was valid", "another time")
		}
		return refuse(ErrLog, count(j.ask.LogEntries, "verified log entry", "verified log entries"), "fewer")
	}
	times, err := j.library.VerifyObserverTimestamps(e, observed)
	if err != nil {
		return refuse(ErrTime, count(max(j.ask.Times, j.ask.SignedTimestamps), "verified time of signing", "verified times of signing"), "fewer")
	}
	if leaf == nil {
		return refuse(ErrSignature, "what the library accepts", "something else")
	}
	return j.diagnoseCertificate(leaf, times)
}

// diagnoseCertificate goes on where signature, log and times are right.
func (j judge) diagnoseCertificate(leaf *x509.Certificate, times []verify.TimestampVerificationResult) *VerifyError {
	var chains [][]*x509.Certificate
	for _, at := range times {
		var err error
		if chains, err = certificateChain(leaf, at.Timestamp, j.material); err == nil {
			continue
		}
		if at.Timestamp.Before(leaf.NotBefore) || at.Timestamp.After(leaf.NotAfter) {
			return refuse(ErrTime, "a time of signing from "+moment(leaf.NotBefore)+" to "+moment(leaf.NotAfter), moment(at.Timestamp))
		}
		return refuse(ErrCertificate, "a certificate whose authority was valid at "+moment(at.Timestamp), "issuer "+quote(leaf.Issuer.String()))
	}
	if j.ask.SCTs > 0 && verify.VerifySignedCertificateTimestamp(chains, j.ask.SCTs, j.material) != nil {
		return refuse(ErrCertificate, count(j.ask.SCTs, "signed certificate timestamp", "signed certificate timestamps"), "fewer")
	}
	return refuse(ErrCertificate, "a certificate that names one identity and its issuer", "another")
}

func certificateChain(leaf *x509.Certificate, at time.Time, material root.TrustedMaterial) ([][]*x509.Certificate, error) {
	return verify.VerifyLeafCertificate(at, leaf, material)
}

// withoutSAN is the certificate with its alternative name taken as handled: the
// library reads the form (OtherName) that crypto/x509 doesn't know.
func withoutSAN(leaf *x509.Certificate) *x509.Certificate {
	san := asn1.ObjectIdentifier{2, 5, 29, 17}
	same := *leaf
	same.UnhandledCriticalExtensions = slices.DeleteFunc(slices.Clone(leaf.UnhandledCriticalExtensions), san.Equal)
	return &same
}

func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }
