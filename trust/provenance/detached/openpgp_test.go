package detached

import (
	"bytes"
	"crypto"
	_ "crypto/sha1" // for signatures that must be refused
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/ProtonMail/go-crypto/openpgp/armor"
	pgperrors "github.com/ProtonMail/go-crypto/openpgp/errors"
	"github.com/ProtonMail/go-crypto/openpgp/packet"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
)

func encode64(raw []byte) string { return base64.StdEncoding.EncodeToString(raw) }

func decode64(t testing.TB, text string) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// pgp says how a key is made; all of them are a year old.
type pgp struct {
	algorithm packet.PublicKeyAlgorithm // EdDSA
	bits      int
	curve     packet.Curve
	life      time.Duration // forever
	subkey    bool          // that signs
	subLife   time.Duration // of the subkey, forever
	v6        bool
}

var created = now.AddDate(-1, 0, 0)

// config is lenient, so that bad keys and signatures can be made.
func (p pgp) config(at time.Time) *packet.Config {
	if p.algorithm == 0 {
		p.algorithm = packet.PubKeyAlgoEdDSA
	}
	salted := false // a salt is not made for weak hashes
	return &packet.Config{
		NonDeterministicSignaturesViaNotation: &salted,
		Time:                                  func() time.Time { return at }, Algorithm: p.algorithm, RSABits: p.bits, MinRSABits: 512, Curve: p.curve,
		KeyLifetimeSecs: uint32(p.life / time.Second), V6Keys: p.v6,
		RejectHashAlgorithms: map[crypto.Hash]bool{}, RejectMessageHashAlgorithms: map[crypto.Hash]bool{}, RejectCurves: map[packet.Curve]bool{},
	}
}

func newPGP(t testing.TB, p pgp) *openpgp.Entity {
	t.Helper()
	if p.v6 {
		p.algorithm = packet.PubKeyAlgoEd25519
	}
	entity, err := openpgp.NewEntity("Release", "", "release@example.com", p.config(created))
	if err != nil {
		t.Fatal(err)
	}
	if p.subkey {
		p.life = p.subLife
		if err := entity.AddSigningSubkey(p.config(created)); err != nil {
			t.Fatal(err)
		}
	}
	return entity
}

func packets(t testing.TB, entities ...*openpgp.Entity) []byte {
	t.Helper()
	var b bytes.Buffer
	for _, entity := range entities {
		if err := entity.Serialize(&b); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func armored(t testing.TB, entities ...*openpgp.Entity) []byte {
	t.Helper()
	return inArmor(t, pgpPublicKey, packets(t, entities...))
}

func inArmor(t testing.TB, kind string, raw []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := armor.Encode(&b, kind, map[string]string{"Comment": "test"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(raw); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return append(b.Bytes(), '\n')
}

// signing says how a signature is made; it is an hour old.
type signing struct {
	at     time.Time
	life   time.Duration // forever
	hash   crypto.Hash
	text   bool
	notes  []*packet.Notation
	binary bool // without armor
	others []*openpgp.Entity
}

func signPGP(t testing.TB, entity *openpgp.Entity, s signing) []byte {
	t.Helper()
	if s.at.IsZero() {
		s.at = now.Add(-time.Hour)
	}
	config := pgp{}.config(s.at)
	config.SigLifetimeSecs, config.DefaultHash, config.SignatureNotations = uint32(s.life/time.Second), s.hash, s.notes
	var raw bytes.Buffer
	params := &openpgp.SignParams{Config: config, TextSig: s.text}
	if err := openpgp.DetachSignWithParams(&raw, append(s.others, entity), bytes.NewReader(content), params); err != nil {
		t.Fatal(err)
	}
	if s.binary {
		return raw.Bytes()
	}
	return inArmor(t, pgpSignature, raw.Bytes())
}

// handMade signs with a hash that the library does not sign with any more.
func handMade(t testing.TB, entity *openpgp.Entity, hash crypto.Hash, at time.Time) []byte {
	t.Helper()
	s := &packet.Signature{
		Version: 4, SigType: packet.SigTypeBinary, PubKeyAlgo: entity.PrimaryKey.PubKeyAlgo, Hash: hash,
		CreationTime: at, IssuerKeyId: &entity.PrimaryKey.KeyId,
	}
	h := hash.New()
	h.Write(content)
	if err := s.Sign(h, entity.PrivateKey, pgp{}.config(now)); err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	if err := s.Serialize(&raw); err != nil {
		t.Fatal(err)
	}
	return raw.Bytes()
}

func TestOpenPGP(t *testing.T) {
	for name, p := range map[string]pgp{
		"EdDSA": {}, "RSA": {algorithm: packet.PubKeyAlgoRSA, bits: 2048}, "ECDSA": {algorithm: packet.PubKeyAlgoECDSA, curve: packet.CurveNistP256},
		"subkey": {subkey: true}, "v6": {v6: true}, "not yet expired": {life: 2 * 366 * 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			entity := newPGP(t, p)
			for _, s := range []signed{
				{signPGP(t, entity, signing{}), armored(t, entity)},
				{signPGP(t, entity, signing{binary: true}), packets(t, entity)},
				{signPGP(t, entity, signing{life: 2 * time.Hour}), armored(t, entity)},
				{signPGP(t, entity, signing{hash: crypto.SHA512}), packets(t, newPGP(t, pgp{}), entity)},
			} {
				signer, err := verify(t, s, content)
				if err != nil || signer.Key != fmt.Sprintf("%X", entity.PrimaryKey.Fingerprint) || signer.Name != "Release <release@example.com>" ||
					!signer.Signed.Equal(now.Add(-time.Hour)) || signer.Signed.Location() != time.UTC {
					t.Errorf("got %+v, %v", signer, err)
				}
			}
		})
	}
}

func TestOpenPGPRefusesSignatures(t *testing.T) {
	entity := newPGP(t, pgp{})
	keys := armored(t, entity)
	critical := &packet.Notation{Name: "test@example.com", Value: []byte("x"), IsCritical: true, IsHumanReadable: true}
	for _, test := range []struct {
		name      string
		signature []byte
		kind      error
		words     string
	}{
		{"expired", signPGP(t, entity, signing{life: time.Minute}), ErrSignature, "expired"},
		{"from the future", signPGP(t, entity, signing{at: now.Add(time.Hour)}), ErrSignature, "expired"},
		{"older than its key", handMade(t, entity, crypto.SHA256, created.Add(-time.Hour)), ErrSignature, "no valid self signature"},
		{"over text", signPGP(t, entity, signing{text: true}), ErrFormat, "over the bytes of a file, found one of type 1"},
		{"critical notation", signPGP(t, entity, signing{notes: []*packet.Notation{critical}}), ErrSignature, "unknown critical notation"},
		{"SHA-1", handMade(t, entity, crypto.SHA1, now), ErrSignature, "insecure message hash algorithm: SHA-1"},
		{"key as a signature", packets(t, entity), ErrFormat, "begins with"},
		{"a key behind the signature", append(signPGP(t, entity, signing{binary: true}), packets(t, entity)...), ErrFormat, "another packet"},
		{"nobody's", []byte("\xc2\x16\x04\x00\x16\x08\x00\x06\x05\x02\x60\x00\x00\x00\x00\x00\x00\x00\x00\x08\xff\x00\x08\xff"), ErrFormat, "found none named"},
		{"many", bytes.Repeat(signPGP(t, entity, signing{binary: true}), maxSignatures+1), ErrTooLarge, "at most 32 signatures"},
	} {
		t.Run(test.name, func(t *testing.T) {
			signer, err := verify(t, signed{test.signature, keys}, content)
			refused(t, signer, err, test.kind, test.words)
		})
	}
	t.Run("SHA-256 by hand", func(t *testing.T) {
		if signer, err := verify(t, signed{handMade(t, entity, crypto.SHA256, now), keys}, content); err != nil {
			t.Errorf("got %+v, %v", signer, err)
		}
	})
}

func TestOpenPGPRefusesKeys(t *testing.T) {
	day := 24 * time.Hour
	for _, test := range []struct {
		name   string
		key    pgp
		change func(*openpgp.Entity) error // after the signature was made
		at     time.Time                   // of the signature
		words  string
	}{
		{"expired", pgp{life: day}, nil, created.Add(time.Hour), "key expired"},
		{"subkey expired", pgp{subkey: true, subLife: day}, nil, created.Add(time.Hour), "key expired"},
		{"RSA of 1024 bits", pgp{algorithm: packet.PubKeyAlgoRSA, bits: 1024}, nil, time.Time{}, "too weak"},
		{"secp256k1", pgp{algorithm: packet.PubKeyAlgoECDSA, curve: packet.CurveSecP256k1}, nil, time.Time{}, "too weak"},
		{"revoked as compromised", pgp{}, func(e *openpgp.Entity) error {
			return e.Revoke(packet.KeyCompromised, "", pgp{}.config(now.Add(-time.Minute)))
		}, time.Time{}, "is revoked"},
		{"revoked as replaced, after it signed", pgp{}, func(e *openpgp.Entity) error {
			return e.Revoke(packet.KeySuperseded, "", pgp{}.config(now.Add(-time.Minute)))
		}, time.Time{}, "is revoked"},
		{"subkey revoked", pgp{subkey: true}, func(e *openpgp.Entity) error {
			return e.Subkeys[len(e.Subkeys)-1].Revoke(packet.KeyRetired, "", pgp{}.config(now.Add(-time.Minute)))
		}, time.Time{}, "is revoked"},
		{"not for signatures", pgp{}, func(e *openpgp.Entity) error {
			for _, identity := range e.Identities {
				self := identity.SelfCertifications[0].Packet
				self.FlagSign = false
				return identity.ReSign(pgp{}.config(created))
			}
			return nil
		}, time.Time{}, "not meant for them"},
		{"self-signature with SHA-1", pgp{}, func(e *openpgp.Entity) error {
			for name, identity := range e.Identities {
				self := identity.SelfCertifications[0].Packet
				self.Hash = crypto.SHA1
				return self.SignUserId(name, e.PrimaryKey, e.PrivateKey, pgp{}.config(created))
			}
			return nil
		}, time.Time{}, "no valid self signature"},
	} {
		t.Run(test.name, func(t *testing.T) {
			entity := newPGP(t, test.key)
			before := packets(t, entity)
			s := signed{signPGP(t, entity, signing{at: test.at}), before}
			if test.change != nil {
				if signer, err := verify(t, s, content); err != nil {
					t.Fatalf("before the change: %+v, %v", signer, err)
				}
				if err := test.change(entity); err != nil {
					t.Fatal(err)
				}
			}
			s.keys = packets(t, entity)
			signer, err := verify(t, s, content)
			refused(t, signer, err, ErrKey, test.words)
			if strings.Contains(test.words, "revoked") {
				// An older copy beside it does not help, on either side.
				for _, both := range [][]byte{append(bytes.Clone(before), s.keys...), append(bytes.Clone(s.keys), before...)} {
					signer, err := verify(t, signed{s.signature, both}, content)
					refused(t, signer, err, ErrKey, test.words)
				}
			}
		})
	}
}

// A copy of the certificate in which the key lives longer counts.
func TestOpenPGPTakesTheCopyThatIsGood(t *testing.T) {
	entity := newPGP(t, pgp{life: 24 * time.Hour})
	before := packets(t, entity)
	for _, identity := range entity.Identities {
		long := uint32(3 * 366 * 24 * 3600)
		identity.SelfCertifications[0].Packet.KeyLifetimeSecs = &long
		if err := identity.ReSign(pgp{}.config(created)); err != nil {
			t.Fatal(err)
		}
	}
	s := signPGP(t, entity, signing{})
	after := packets(t, entity)
	signer, err := verify(t, signed{s, before}, content)
	refused(t, signer, err, ErrKey, "key expired")
	for _, both := range [][]byte{append(bytes.Clone(before), after...), append(bytes.Clone(after), before...)} {
		if signer, err := verify(t, signed{s, both}, content); err != nil {
			t.Errorf("got %+v, %v", signer, err)
		}
	}
}

// One good signature of several is enough, in any order, and only a good one.
func TestOpenPGPTakesOneOfSeveral(t *testing.T) {
	good, stranger, expired := newPGP(t, pgp{}), newPGP(t, pgp{}), newPGP(t, pgp{life: 24 * time.Hour})
	byGood, byStranger := signPGP(t, good, signing{binary: true}), signPGP(t, stranger, signing{binary: true})
	byExpired := signPGP(t, expired, signing{binary: true, at: created.Add(time.Hour)})
	late := signPGP(t, good, signing{binary: true, life: time.Minute})
	for _, list := range [][][]byte{{byGood, byStranger}, {byStranger, byGood}, {byExpired, byGood}, {late, byGood}, {byGood, late, byExpired}} {
		signer, err := verify(t, signed{bytes.Join(list, nil), packets(t, good, expired)}, content)
		if err != nil || signer.Key != fingerprint(good) {
			t.Errorf("got %+v, %v", signer, err)
		}
	}
	signer, err := verify(t, signed{append(byStranger, byExpired...), packets(t, good, expired)}, content)
	refused(t, signer, err, ErrKey, "key expired")
	signer, err = verify(t, signed{append(late, byExpired...), packets(t, good, expired)}, content)
	refused(t, signer, err, ErrSignature, "expired")
	signer, err = verify(t, signed{append(late, byStranger...), packets(t, good, expired)}, content)
	refused(t, signer, err, ErrSignature, "expired")
}

// What the library has not looked at counts for nothing, whatever it says.
func TestChoose(t *testing.T) {
	entity, other := newPGP(t, pgp{}), newPGP(t, pgp{})
	id := entity.PrimaryKey.KeyId
	good := []pgpKey{{fingerprint(entity), id}}
	key := &openpgp.Key{Entity: entity}
	right := &openpgp.SignatureCandidate{IssuerKeyId: id, SignedByEntity: entity, SignedBy: key}
	if got, err := choose([]*openpgp.SignatureCandidate{right}, good); err != nil || got != right {
		t.Errorf("got %v, %v", got, err)
	}
	for _, test := range []struct {
		candidate openpgp.SignatureCandidate
		kind      error
		words     string
	}{
		{openpgp.SignatureCandidate{IssuerKeyId: id, SignedByEntity: entity}, ErrSignature, "not checked"},
		{openpgp.SignatureCandidate{IssuerKeyId: id, SignedBy: key}, ErrSignature, "found none"},
		{openpgp.SignatureCandidate{IssuerKeyId: id, SignedByEntity: other, SignedBy: key}, ErrSignature, "found none"},
		{openpgp.SignatureCandidate{IssuerKeyId: id + 1, SignedByEntity: entity, SignedBy: key}, ErrSignature, "found none"},
		{openpgp.SignatureCandidate{IssuerKeyId: id, SignedByEntity: entity, SignedBy: key, SignatureError: pgperrors.ErrKeyExpired}, ErrKey, "key expired"},
		{openpgp.SignatureCandidate{IssuerKeyId: id, SignedByEntity: entity, SignedBy: key, SignatureError: pgperrors.ErrKeyRevoked}, ErrKey, "revoked"},
		{openpgp.SignatureCandidate{IssuerKeyId: id, SignedByEntity: entity, SignedBy: key, SignatureError: pgperrors.ErrSignatureExpired}, ErrSignature, "expired"},
	} {
		got, err := choose([]*openpgp.SignatureCandidate{&test.candidate}, good)
		if got != nil {
			t.Errorf("got %v", got)
		}
		refused(t, Signer{}, err, test.kind, test.words)
	}
}

func TestCertificateThatCannotBeReadAgain(t *testing.T) {
	entity := newPGP(t, pgp{})
	signature, err := ParseSignature(signPGP(t, entity, signing{}))
	if err != nil {
		t.Fatal(err)
	}
	key := Key{format: OpenPGP, id: fingerprint(entity), pgpIDs: keyIDs(entity), certificate: []byte("x")}
	signer, err := Verify(t.Context(), signature, bytes.NewReader(content), []Key{key}, Options{Now: now})
	refused(t, signer, err, ErrKey, "read again")
}
