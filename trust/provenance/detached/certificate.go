package detached

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

// parseCertificates reads OpenPGP certificates without armor.
func parseCertificates(raw []byte) ([]Key, error) {
	if err := refuseSecrets(raw); err != nil {
		return nil, err
	}
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
		var certificate bytes.Buffer
		if err := entity.Serialize(&certificate); err != nil {
			return nil, wrong(ErrKey, "an OpenPGP certificate", err)
		}
		keys = append(keys, Key{
			format: OpenPGP, certificate: certificate.Bytes(),
			id: fingerprint(entity), name: label(firstName(entity)), pgpIDs: keyIDs(entity),
		})
		if len(keys) > MaxKeys {
			return nil, tooManyKeys()
		}
	}
}

// refuseSecrets looks for secret keys (RFC 9580, packets 5 and 7) by their headers
// alone: nobody should have them here, and reading them is not bounded.
func refuseSecrets(raw []byte) error {
	packets := packet.NewOpaqueReader(bytes.NewReader(raw))
	for {
		p, err := packets.Next()
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return wrong(ErrKey, "OpenPGP packets", err)
		case p.Tag == 5 || p.Tag == 7:
			return fmt.Errorf("%w: expected public keys, found a private one", ErrKey)
		}
	}
}

// keyIDs are the ids of a certificate's primary key and its subkeys.
func keyIDs(entity *openpgp.Entity) []uint64 {
	ids := []uint64{entity.PrimaryKey.KeyId}
	for _, subkey := range entity.Subkeys {
		ids = append(ids, subkey.PublicKey.KeyId)
	}
	return ids
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

// entities reads the certificate twice: once to be judged, and once for the
// library to use, as it keeps in a certificate what it finds at one time.
func (k Key) entities() (judged, used *openpgp.Entity, err error) {
	for _, entity := range []**openpgp.Entity{&judged, &used} {
		if *entity, err = openpgp.ReadEntity(packet.NewReader(bytes.NewReader(k.certificate))); err != nil {
			return nil, nil, wrong(ErrKey, "an OpenPGP certificate that can be read again", err)
		}
	}
	return judged, used, nil
}

// usable gathers the certificates that may have made a signature and are good
// for it now, and which of their keys are. The library asks whether a key was good
// when the signature says that it was made, which a thief of the key can choose.
func usable(issuers []uint64, keys []Key, now time.Time, config *packet.Config) (ring openpgp.EntityList, good []pgpKey, err error) {
	refused := fmt.Errorf("%w: expected the OpenPGP key %s, found %s", ErrKey, spell(issuers), others(keys))
	for _, issuer := range issuers {
		entities, err := inForce(issuer, keysOf(issuer, keys), now, config)
		if err != nil {
			refused = err
		}
		for _, entity := range entities {
			ring, good = append(ring, entity), append(good, pgpKey{fingerprint(entity), issuer})
		}
	}
	if len(good) == 0 {
		return nil, nil, refused
	}
	return ring, good, nil
}

// inForce reads those certificates of a key that are good for signatures now. It
// is an error if there are certificates, but none is; and if the key is revoked
// in one of them, as the others may be older than that.
func inForce(issuer uint64, keys []Key, now time.Time, config *packet.Config) (openpgp.EntityList, error) {
	var good openpgp.EntityList
	var refused error
	for _, key := range keys {
		judged, entity, err := key.entities()
		if err != nil {
			return nil, err
		}
		if isRevoked(judged, issuer, now, config) {
			return nil, fmt.Errorf("%w: expected an OpenPGP key that is in force, found %s, which is revoked", ErrKey, key.id)
		}
		if err := standing(judged, key.id, issuer, now, config); err != nil {
			refused = err
			continue
		}
		good = append(good, entity)
	}
	if len(good) > 0 {
		return good, nil
	}
	return nil, refused
}

// pgpKey is one key of a certificate.
type pgpKey struct {
	certificate string // its fingerprint
	issuer      uint64 // the key's id
}

func fingerprint(entity *openpgp.Entity) string {
	return fmt.Sprintf("%X", entity.PrimaryKey.Fingerprint)
}

// keysOf are the certificates that have a key with that id.
func keysOf(issuer uint64, keys []Key) []Key {
	var found []Key
	for _, key := range keys {
		if key.format == OpenPGP && slices.Contains(key.pgpIDs, issuer) {
			found = append(found, key)
		}
	}
	return found
}

// isRevoked reports whether a certificate, or its subkey with that id, is revoked.
func isRevoked(entity *openpgp.Entity, issuer uint64, now time.Time, config *packet.Config) bool {
	if entity.Revoked(now) {
		return true
	}
	for _, subkey := range entity.Subkeys {
		if subkey.PublicKey.KeyId == issuer {
			if _, err := subkey.Verify(now, config); errors.Is(err, pgperrors.ErrKeyRevoked) {
				return true
			}
		}
	}
	return false
}

// standing says why a certificate's key is not good for signatures now.
func standing(entity *openpgp.Entity, id string, issuer uint64, now time.Time, config *packet.Config) error {
	expected := "an OpenPGP key that is good for signatures now, " + id
	if _, err := entity.VerifyPrimaryKey(now, config); err != nil {
		return wrong(ErrKey, expected, err)
	}
	for _, subkey := range entity.Subkeys {
		if subkey.PublicKey.KeyId == issuer {
			if _, err := subkey.Verify(now, config); err != nil {
				return wrong(ErrKey, expected, err)
			}
		}
	}
	if _, ok := entity.SigningKeyById(now, issuer, config); !ok {
		return fmt.Errorf("%w: expected %s, found one that is too weak or not meant for them", ErrKey, expected)
	}
	return nil
}
