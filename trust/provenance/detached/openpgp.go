package detached

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"
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

// parseOpenPGP reads signature packets, in armor or not, and returns them without.
func parseOpenPGP(data []byte) ([]byte, error) {
	if !isSignaturePacket(data) {
		raw, err := unarmor(data, pgpSignature, ErrFormat)
		if err != nil {
			return nil, err
		}
		data = raw
	}
	_, err := pgpIssuers(data)
	return data, err
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
		issuers = append(issuers, *signature.IssuerKeyId)
	}
	if len(issuers) == 0 {
		return nil, fmt.Errorf("%w: expected a signature of OpenPGP, found none of a known version", ErrFormat)
	}
	return issuers, nil
}

// parseCertificates reads OpenPGP certificates without armor.
func parseCertificates(raw []byte) ([]Key, error) {
	var keys []Key
	packets := packet.NewReader(bytes.NewReader(raw))
	for {
		entity, err := openpgp.ReadEntity(packets)
		if err == io.EOF {
			return keys, nil
		}
		if err != nil {
			return nil, wrong(ErrKey, "an OpenPGP certificate", err)
		}
		if entity.PrivateKey != nil {
			return nil, fmt.Errorf("%w: expected public keys, found a private one", ErrKey)
		}
		var certificate bytes.Buffer
		if err := entity.Serialize(&certificate); err != nil {
			return nil, wrong(ErrKey, "an OpenPGP certificate", err)
		}
		keys = append(keys, Key{
			format: OpenPGP, certificate: certificate.Bytes(),
			id: fmt.Sprintf("%X", entity.PrimaryKey.Fingerprint), name: label(firstName(entity)),
		})
		if len(keys) > MaxKeys {
			return nil, tooManyKeys()
		}
	}
}

// firstName is the least of the user IDs, for want of a time to choose the
// primary one at.
func firstName(entity *openpgp.Entity) string {
	least := ""
	for name := range entity.Identities {
		if least == "" || name < least {
			least = name
		}
	}
	return least
}

func (k Key) entity() (*openpgp.Entity, error) {
	return openpgp.ReadEntity(packet.NewReader(bytes.NewReader(k.certificate)))
}

func verifyOpenPGP(s Signature, content io.Reader, keys []Key, now time.Time) (Signer, error) {
	issuers, err := pgpIssuers(s.raw)
	if err != nil {
		return Signer{}, err
	}
	config := pgpConfig(now)
	ring, err := usable(issuers, keys, now, config)
	if err != nil {
		return Signer{}, err
	}
	details, err := openpgp.VerifyDetachedSignatureReader(ring, content, bytes.NewReader(s.raw), config)
	if err != nil {
		return Signer{}, wrong(ErrFormat, "a signature of OpenPGP", err)
	}
	if _, err := io.Copy(io.Discard, details.UnverifiedBody); err != nil {
		return Signer{}, wrong(ErrSignature, "one over this content", err)
	}
	// One signature of several is enough. One that is wrong is worth more words
	// than one whose key was not given.
	var refused error
	for _, candidate := range details.SignatureCandidates {
		if details.IsVerified && candidate.SignatureError == nil && candidate.SignedBy != nil {
			return pgpSigner(candidate, now, config), nil
		}
		if refused == nil || candidate.SignedByEntity != nil {
			refused = pgpRefusal(candidate.IssuerKeyId, candidate.SignatureError)
		}
	}
	return Signer{}, refused
}

func pgpSigner(candidate *openpgp.SignatureCandidate, now time.Time, config *packet.Config) Signer {
	entity := candidate.SignedBy.Entity
	name := firstName(entity)
	if _, primary := entity.PrimaryIdentity(now, config); primary != nil {
		name = primary.Name
	}
	return Signer{
		Format: OpenPGP, Key: fmt.Sprintf("%X", entity.PrimaryKey.Fingerprint), Name: label(name),
		Signed: candidate.CorrespondingSig.CreationTime.UTC(),
	}
}

// usable gathers the certificates that may have made a signature and are good
// for it now. The library asks whether a key was good when the signature says that
// it was made, which a thief of the key can choose.
func usable(issuers []uint64, keys []Key, now time.Time, config *packet.Config) (openpgp.EntityList, error) {
	var ring openpgp.EntityList
	refused := fmt.Errorf("%w: expected the OpenPGP key %s, found %s", ErrKey, keyIDs(issuers), others(keys))
	for _, issuer := range issuers {
		if revoked, err := revokedKey(issuer, keys, now, config); err != nil {
			return nil, err
		} else if revoked != "" {
			refused = fmt.Errorf("%w: expected an OpenPGP key that is in force, found %s, which is revoked", ErrKey, revoked)
			continue
		}
		for _, key := range keysOf(issuer, keys) {
			// Judged on a copy, as the library keeps what it finds at one time.
			if err := standing(key, issuer, now, config); err != nil {
				refused = err
				continue
			}
			entity, err := key.entity()
			if err != nil {
				return nil, wrong(ErrKey, "an OpenPGP certificate", err)
			}
			ring = append(ring, entity)
		}
	}
	if len(ring) == 0 {
		return nil, refused
	}
	return ring, nil
}

// keysOf are the certificates that have a key with that id.
func keysOf(issuer uint64, keys []Key) []Key {
	var found []Key
	for _, key := range keys {
		if key.format != OpenPGP {
			continue
		}
		if entity, err := key.entity(); err == nil && len(openpgp.EntityList{entity}.EntitiesById(issuer)) > 0 {
			found = append(found, key)
		}
	}
	return found
}

// revokedKey is the fingerprint of a key with that id which is revoked in any
// copy of its certificate: one copy may be older than the revocation.
func revokedKey(issuer uint64, keys []Key, now time.Time, config *packet.Config) (string, error) {
	for _, key := range keysOf(issuer, keys) {
		entity, err := key.entity()
		if err != nil {
			return "", wrong(ErrKey, "an OpenPGP certificate", err)
		}
		if entity.Revoked(now) {
			return key.id, nil
		}
		for _, subkey := range entity.Subkeys {
			if _, err := subkey.Verify(now, config); subkey.PublicKey.KeyId == issuer && errors.Is(err, pgperrors.ErrKeyRevoked) {
				return key.id, nil
			}
		}
	}
	return "", nil
}

// standing says why a certificate's key is not good for signatures now.
func standing(key Key, issuer uint64, now time.Time, config *packet.Config) error {
	entity, err := key.entity()
	if err != nil {
		return wrong(ErrKey, "an OpenPGP certificate", err)
	}
	expected := "an OpenPGP key that is good for signatures now, " + key.id
	if _, err := entity.VerifyPrimaryKey(now, config); err != nil {
		return wrong(ErrKey, expected, err)
	}
	for _, subkey := range entity.Subkeys {
		if _, err := subkey.Verify(now, config); subkey.PublicKey.KeyId == issuer && err != nil {
			return wrong(ErrKey, expected, err)
		}
	}
	if _, ok := entity.SigningKeyById(now, issuer, config); !ok {
		return fmt.Errorf("%w: expected %s, found one that is too weak or not meant for them", ErrKey, expected)
	}
	return nil
}

// pgpRefusal sorts what the library says of a signature.
func pgpRefusal(issuer uint64, err error) error {
	expected := fmt.Sprintf("one by the OpenPGP key %016X over this content", issuer)
	for _, ofKey := range []error{pgperrors.ErrUnknownIssuer, pgperrors.ErrKeyRevoked, pgperrors.ErrKeyExpired} {
		if errors.Is(err, ofKey) {
			return wrong(ErrKey, expected, err)
		}
	}
	if err == nil {
		err = errors.New("a signature that was not checked")
	}
	return wrong(ErrSignature, expected, err)
}

func keyIDs(issuers []uint64) string {
	var ids []string
	for _, issuer := range issuers {
		ids = append(ids, fmt.Sprintf("%016X", issuer))
	}
	return strings.Join(ids, " or ")
}
