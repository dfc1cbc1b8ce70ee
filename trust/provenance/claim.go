package provenance

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	protocommon "github.com/sigstore/protobuf-specs/gen/pb-go/common/v1"
	"github.com/sigstore/sigstore-go/pkg/root"
	"github.com/sigstore/sigstore-go/pkg/verify"

	"assay/artifact"
)

// claim is what a bundle says it is about.
type claim struct {
	statement *Statement         // nil for a message signature
	message   artifact.Algorithm // of a message signature's digest; empty for a statement
	shared    artifact.Digests   // the wanted digests that it has; none: it is about other bytes
	// comparable: it names bytes by an algorithm of a wanted digest.
	comparable bool
	wanted     string // the digests that are wanted, for messages
	about      string // what it has instead, for messages
	// itself are the digests by which the signature can be checked without regard
	// to the wanted ones.
	itself []verify.ArtifactDigest
}

// claimOf reads what the bundle is about, and compares that with the wanted
// digests.
func claimOf(e *entity, wanted artifact.Digests) (claim, error) {
	if envelope := e.Bundle.GetDsseEnvelope(); envelope != nil {
		s, err := parseEnvelope(envelope)
		if err != nil {
			return claim{}, err
		}
		return claim{
			statement: s, shared: sharedWith(s, wanted), comparable: s.comparable(wanted),
			wanted: list(wanted), about: aboutSubjects(s),
		}, nil
	}
	digest := e.Bundle.GetMessageSignature().GetMessageDigest()
	c := claim{wanted: list(wanted), itself: []verify.ArtifactDigest{{Digest: digest.GetDigest()}}}
	switch digest.GetAlgorithm() {
	case protocommon.HashAlgorithm_SHA2_256:
		c.message = artifact.SHA256
	case protocommon.HashAlgorithm_SHA2_512:
		c.message = artifact.SHA512
	default:
		c.message = artifact.Algorithm(digest.GetAlgorithm().String())
	}
	c.about = fmt.Sprintf("%s:%.128s", c.message, hex.EncodeToString(digest.GetDigest()))
	if c.message.Size() == 0 {
		return c, nil
	}
	found, err := artifact.NewDigest(c.message, hex.EncodeToString(digest.GetDigest()))
	if err != nil {
		return claim{}, refuse(ErrMalformed, "a digest of the algorithm it is labelled with", quote(c.about))
	}
	want, ok := wanted.Of(c.message)
	if c.comparable = ok; ok && want == found {
		c.shared = artifact.Digests{found}
	}
	return c, nil
}

// comparable reports whether any subject has a digest of a wanted algorithm.
func (s *Statement) comparable(wanted artifact.Digests) bool {
	return slices.ContainsFunc(s.Subjects, func(subject Subject) bool {
		return slices.ContainsFunc(wanted, func(d artifact.Digest) bool {
			_, ok := subject.Digests.Of(d.Algorithm())
			return ok
		})
	})
}

// sharedWith is what the first subject that agrees with wanted has of it.
func sharedWith(s *Statement, wanted artifact.Digests) artifact.Digests {
	for _, subject := range s.Subjects {
		if !subject.Digests.Agree(wanted) {
			continue
		}
		var shared artifact.Digests
		for _, d := range wanted {
			if _, ok := subject.Digests.Of(d.Algorithm()); ok {
				shared = append(shared, d)
			}
		}
		return shared
	}
	return nil
}

// aboutSubjects describes the subjects of a statement shortly.
func aboutSubjects(s *Statement) string {
	first := s.Subjects[0]
	text := fmt.Sprintf("%s %s", quote(first.Name), first.Digests.Primary())
	if n := len(s.Subjects) - 1; n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

func list(digests artifact.Digests) string {
	var texts []string
	for _, d := range digests {
		texts = append(texts, d.String())
	}
	return strings.Join(texts, " and ")
}

// policy asks the library for the digests that the bundle shares with the wanted
// ones.
func (c claim) policy() verify.ArtifactPolicyOption {
	var digests []verify.ArtifactDigest
	for _, d := range c.shared {
		raw, _ := hex.DecodeString(d.Hex()) // a Digest is made of hex
		digests = append(digests, verify.ArtifactDigest{Algorithm: string(d.Algorithm()), Digest: raw})
	}
	return verify.WithArtifactDigests(digests)
}

// anyPolicy asks the library whether the bundle is sound, whatever it is about.
// It is for finding out why a bundle was refused, and never for accepting one.
func (c claim) anyPolicy() verify.ArtifactPolicyOption {
	if c.statement != nil {
		return verify.WithoutArtifactUnsafe()
	}
	return verify.WithArtifactDigests(c.itself)
}

// checkSignature checks the signature alone: that the certificate's key, or the
// material's, made it over what the bundle says it is about.
func (c claim) checkSignature(e *entity, material root.TrustedMaterial) error {
	if c.statement != nil {
		return verify.VerifySignature(e.signature, e.content, material)
	}
	return verify.VerifySignatureWithArtifactDigests(e.signature, e.content, material, c.itself)
}
