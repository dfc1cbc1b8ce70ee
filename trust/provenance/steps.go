package provenance

import (
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
	"github.com/sigstore/sigstore-go/pkg/verify"
)

// diagnose finds out why the library's Verify refused a bundle. Most of its
// errors have no type, so its steps are done again one by one. Only the kind of
// the error depends on that, never the outcome.
func (j judge) diagnose(e *entity, c claim, err error) error {
	if c.checkSignature(e, j.material) != nil {
		return refuse(ErrSignature, "a signature by the certificate's or the bundle's key", "another").because(err)
	}
	if _, refusal := j.steps(e); refusal != nil {
		return refusal
	}
	return refuse(ErrSignature, "a bundle that the library accepts", "another").because(err)
}

// steps does what the library's Verify does beside the signature, by the same
// functions: entries in logs, times, the certificate at each of the times, its
// timestamps. The certificate's authority comes first: that it is another one is
// the fault that matters most. The error is a *VerifyError.
func (j judge) steps(e *entity) (facts, error) {
	var f facts
	leaf := e.content.Certificate()
	if leaf != nil {
		leaf = withoutSAN(leaf)
		summary, err := certificate.SummarizeCertificate(leaf)
		if err != nil {
			return f, refuse(ErrCertificate, "a certificate with an identity", "one without").because(err)
		}
		f.certificate = &summary
		if _, err := verify.VerifyLeafCertificate(leaf.NotBefore, leaf, j.material); err != nil {
			return f, refuse(ErrCertificate, "a certificate of the profile's authorities, for signing code", "one by "+quote(leaf.Issuer.String())).because(err)
		}
	}
	if e.broken != nil {
		return f, refuse(ErrLog, "log entries of Rekor v1 or v2 that are well formed", "others").because(e.broken)
	}
	observed, err := j.library.VerifyTransparencyLogInclusion(e)
	if err != nil {
		if _, other := j.library.VerifyTransparencyLogInclusion(timeless{e}); other == nil {
			return f, refuse(ErrTime, "an entry logged while the certificate was valid", "another time").because(err)
		}
		return f, refuse(ErrLog, count(j.ask.LogEntries, "verified log entry", "verified log entries"), "fewer").because(err)
	}
	if f.times, err = j.library.VerifyObserverTimestamps(e, observed); err != nil {
		return f, refuse(ErrTime, count(max(j.ask.Times, j.ask.SignedTimestamps), "verified time of signing", "verified times of signing"), "fewer").because(err)
	}
	if leaf == nil {
		return f, nil
	}
	return f, j.checkCertificate(leaf, f.times)
}

// checkCertificate goes on where logs and times are right.
func (j judge) checkCertificate(leaf *x509.Certificate, times []verify.TimestampVerificationResult) error {
	var chains [][]*x509.Certificate
	for _, at := range times {
		var err error
		if chains, err = verify.VerifyLeafCertificate(at.Timestamp, leaf, j.material); err == nil {
			continue
		}
		if at.Timestamp.Before(leaf.NotBefore) || at.Timestamp.After(leaf.NotAfter) {
			return refuse(ErrTime, "a time of signing from "+moment(leaf.NotBefore)+" to "+moment(leaf.NotAfter), moment(at.Timestamp))
		}
		return refuse(ErrCertificate, "an authority that was valid at "+moment(at.Timestamp), "another").because(err)
	}
	if len(chains) == 0 {
		return refuse(ErrTime, "a verified time of signing", "none")
	}
	if j.ask.SCTs > 0 {
		if err := verify.VerifySignedCertificateTimestamp(chains, j.ask.SCTs, j.material); err != nil {
			return refuse(ErrCertificate, count(j.ask.SCTs, "signed certificate timestamp", "signed certificate timestamps"), "fewer").because(err)
		}
	}
	return nil
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
