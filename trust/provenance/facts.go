package provenance

import (
	"encoding/hex"
	"slices"

	"github.com/sigstore/sigstore-go/pkg/fulcio/certificate"
)

// signed writes down what has been verified, and nothing else.
func (v *Verifier) signed(j judge, e *entity, c claim, f facts) *Signed {
	s := &Signed{
		Profile:   v.profile.Name,
		Kind:      v.profile.Kind,
		Root:      v.digest,
		Form:      e.MediaType,
		Artifact:  c.shared.Primary(),
		Signer:    Signer{Key: j.key.digest.String()},
		Statement: c.statement,
	}
	if f.certificate != nil {
		s.Signer = certificateSigner(e, f.certificate)
	}
	for _, at := range f.times {
		t := Time{Source: "log", URI: at.URI, At: at.Timestamp.UTC()}
		if at.Type == "TimestampAuthority" {
			t.Source = "authority"
		}
		// The library names a timestamp twice where two thresholds ask for it.
		if !slices.Contains(s.Times, t) {
			s.Times = append(s.Times, t)
		}
	}
	for _, entry := range j.verified(e) {
		s.Logged = append(s.Logged, LogEntry{Log: hex.EncodeToString([]byte(entry.LogKeyID())), Index: entry.LogIndex()})
	}
	return s
}

func certificateSigner(e *entity, summary *certificate.Summary) Signer {
	leaf := e.content.Certificate()
	return Signer{
		Issuer:   summary.Issuer,
		Identity: summary.SubjectAlternativeName,
		Certificate: &Certificate{
			NotBefore:         leaf.NotBefore.UTC(),
			NotAfter:          leaf.NotAfter.UTC(),
			BuildSigner:       summary.BuildSignerURI,
			BuildSignerDigest: summary.BuildSignerDigest,
			RunnerEnvironment: summary.RunnerEnvironment,
			SourceRepository:  summary.SourceRepositoryURI,
			SourceDigest:      summary.SourceRepositoryDigest,
			SourceRef:         summary.SourceRepositoryRef,
			BuildConfig:       summary.BuildConfigURI,
			BuildConfigDigest: summary.BuildConfigDigest,
			BuildTrigger:      summary.BuildTrigger,
			RunInvocation:     summary.RunInvocationURI,
		},
	}
}
