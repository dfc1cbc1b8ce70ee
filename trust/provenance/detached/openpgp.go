package detached

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// pgpConfig is what the library judges keys and signatures by.
func pgpConfig(now time.Time) *packet.Config {
	weak := map[crypto.Hash]bool{crypto.MD5: true, crypto.SHA1: true, crypto.RIPEMD160: true}
	return &packet.Config{
		Time:                        func() time.Time { return now },
		MinRSABits:                  minRSABits,
		RejectHashAlgorithms:        weak, // of self-signatures
		RejectMessageHashAlgorithms: weak,
		RejectPublicKeyAlgorithms:   map[packet.PublicKeyAlgorithm]bool{packet.PubKeyAlgoElGamal: true, packet.PubKeyAlgoDSA: true},
		RejectCurves:                map[packet.Curve]bool{packet.CurveSecP256k1: true},
	}
}

// parseOpenPGP reads signature packets, in armor or not.
func parseOpenPGP(data []byte) (s Signature, err error) {
	s = Signature{format: OpenPGP, packets: bytes.Clone(data)}
	if !isSignaturePacket(data) {
		if s.packets, err = unarmor(data, pgpSignature, ErrFormat); err != nil {
			return Signature{}, err
		}
	}
	if s.issuers, err = pgpIssuers(s.packets); err != nil {
		return Signature{}, err
	}
	return s, nil
}

// pgpIssuers are the key ids that signature packets name, each once.
func pgpIssuers(raw []byte) ([]uint64, error) {
	var issuers []uint64
	packets := packet.NewReader(bytes.NewReader(raw))
	for count := 0; ; count++ {
		p, err := packets.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, wrong(ErrFormat, "a signature of OpenPGP", err)
		}
		signature, ok := p.(*packet.Signature)
		switch {
		case !ok:
			return nil, fmt.Errorf("%w: expected nothing but signatures of OpenPGP, found another packet", ErrFormat)
		case count >= maxSignatures:
			return nil, fmt.Errorf("signature %w: expected at most %d signatures in one file, found more", ErrTooLarge, maxSignatures)
		case signature.SigType != packet.SigTypeBinary:
			return nil, fmt.Errorf("%w: expected an OpenPGP signature over the bytes of a file, found one of type %d", ErrFormat, signature.SigType)
		case signature.IssuerKeyId == nil:
			return nil, fmt.Errorf("%w: expected an OpenPGP signature that names its key, found none named", ErrFormat)
		}
		if !slices.Contains(issuers, *signature.IssuerKeyId) {
			issuers = append(issuers, *signature.IssuerKeyId)
		}
	}
	if len(issuers) == 0 {
		return nil, fmt.Errorf("%w: expected a signature of OpenPGP, found none of a known version and algorithm", ErrFormat)
	}
	return issuers, nil
}

func verifyOpenPGP(s Signature, content io.Reader, keys []Key, now time.Time) (Signer, error) {
	config := pgpConfig(now)
	ring, good, err := usable(s.issuers, keys, now, config)
	if err != nil {
		return Signer{}, err
	}
	details, err := openpgp.VerifyDetachedSignatureReader(ring, content, bytes.NewReader(s.packets), config)
	if err == nil {
		_, err = io.Copy(io.Discard, details.UnverifiedBody)
	}
	if err != nil {
		return Signer{}, wrong(ErrSignature, "one over this content", err)
	}
	candidate, err := choose(details.SignatureCandidates, good)
	if err != nil {
		return Signer{}, err
	}
	return pgpSigner(candidate, now, config), nil
}

// choose finds a signature that the library found right, by a key that is good
// now. One of several is enough. Of the others, one that is wrong is worth more
// words than one whose key can't be used.
func choose(candidates []*openpgp.SignatureCandidate, good []pgpKey) (*openpgp.SignatureCandidate, error) {
	refused := fmt.Errorf("%w: expected one by a key that is good for it, found none", ErrSignature)
	for _, candidate := range candidates {
		if candidate.SignedByEntity == nil || !slices.Contains(good, pgpKey{fingerprint(candidate.SignedByEntity), candidate.IssuerKeyId}) {
			continue
		}
		// The library sets SignedBy once it has looked at the signature.
		if candidate.SignatureError == nil && candidate.SignedBy != nil {
			return candidate, nil
		}
		refused = pgpRefusal(candidate.IssuerKeyId, candidate.SignatureError)
	}
	return nil, refused
}

func pgpSigner(candidate *openpgp.SignatureCandidate, now time.Time, config *packet.Config) Signer {
	entity := candidate.SignedBy.Entity
	name := firstName(entity)
	if _, primary := entity.PrimaryIdentity(now, config); primary != nil {
		name = primary.Name
	}
	return Signer{
		Format: OpenPGP, Key: fingerprint(entity), Name: label(name),
		Signed: candidate.CorrespondingSig.CreationTime.UTC(),
	}
}

// pgpRefusal sorts what the library says of a signature. The key is good now;
// whether it was when it signed is the library's to say.
func pgpRefusal(issuer uint64, err error) error {
	expected := fmt.Sprintf("one by the OpenPGP key %016X over this content", issuer)
	switch {
	case err == nil:
		return fmt.Errorf("%w: expected %s, found one that was not checked", ErrSignature, expected)
	case errors.Is(err, pgperrors.ErrKeyRevoked), errors.Is(err, pgperrors.ErrKeyExpired):
		return wrong(ErrKey, expected, err)
	}
	return wrong(ErrSignature, expected, err)
}

func spell(issuers []uint64) string {
	var ids []string
	for _, issuer := range issuers {
		ids = append(ids, fmt.Sprintf("%016X", issuer))
	}
	return strings.Join(ids, " or ")
}
