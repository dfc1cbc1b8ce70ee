package testrepo

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"time"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// Sigstore is an instance of Sigstore in memory: a certificate authority as
// Fulcio is one, a certificate transparency log, a transparency log of each
// generation of Rekor, and a timestamp authority (RFC 3161). Bundle signs as a
// client of it would; TrustedRoot is what its verifiers are given.
//
// Everything it makes is real and verifies offline, at any time within thirty
// years of its making. Its keys live in memory only. It may be used by several
// goroutines. The zero value is not usable: call NewSigstore.
type Sigstore struct {
	now  func() time.Time
	real *instance
	// twin has the same names and other keys: what it signs is what an impostor
	// would.
	twin *instance
	root []byte
}

// instance is the parts of a Sigstore.
type instance struct {
	fulcio    *authority
	ctLog     *ecdsa.PrivateKey
	rekor     map[LogVersion]*transparencyLog
	timestamp *timestampAuthority
}

// How an instance is called. Of a log of Rekor v2, the checkpoints have the
// host name of its address.
const (
	fulcioURI  = "https://fulcio.sigstore.example"
	ctLogURI   = "https://ct.sigstore.example"
	rekor1Host = "rekor.sigstore.example"
	rekor2Host = "log2026.sigstore.example"
	tsaURI     = "https://timestamp.sigstore.example"
)

// NewSigstore makes an instance with keys of its own. now gives the time at
// which a bundle is signed that does not say so; nil is time.Now.
func NewSigstore(now func() time.Time) (*Sigstore, error) {
	if now == nil {
		now = time.Now
	}
	real, err := newInstance(now())
	if err != nil {
		return nil, err
	}
	twin, err := newInstance(now())
	if err != nil {
		return nil, err
	}
	root, err := real.trustedRoot(now())
	if err != nil {
		return nil, err
	}
	return &Sigstore{now: now, real: real, twin: twin, root: root}, nil
}

// TrustedRoot is the instance's trusted_root.json.
func (s *Sigstore) TrustedRoot() []byte { return bytes.Clone(s.root) }

func newInstance(now time.Time) (*instance, error) {
	fulcio, err := newAuthority("sigstore", x509.ExtKeyUsageCodeSigning, now)
	if err != nil {
		return nil, err
	}
	timestamps, err := newTimestampAuthority(now)
	if err != nil {
		return nil, err
	}
	ctLog, err := newP256()
	if err != nil {
		return nil, err
	}
	logs := map[LogVersion]*transparencyLog{}
	for version, host := range map[LogVersion]string{Rekor1: rekor1Host, Rekor2: rekor2Host} {
		if logs[version], err = newTransparencyLog(version, host); err != nil {
			return nil, err
		}
	}
	return &instance{fulcio: fulcio, ctLog: ctLog, rekor: logs, timestamp: timestamps}, nil
}

func newP256() (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("testrepo: make a key: %w", err)
	}
	return key, nil
}

// keyID is what logs are called by: the SHA-256 of the public key's DER form
// (RFC 6962, section 3.2).
func keyID(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("testrepo: encode a public key: %w", err)
	}
	id := sha256.Sum256(der)
	return id[:], nil
}

// signSHA256 signs the SHA-256 of a message.
func signSHA256(key *ecdsa.PrivateKey, message []byte) ([]byte, error) {
	digest := sha256.Sum256(message)
	signature, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
	if err != nil {
		return nil, fmt.Errorf("testrepo: sign: %w", err)
	}
	return signature, nil
}

// encodeProto writes a message as a JSON file. protojson varies its white space
// on purpose, which is taken out.
func encodeProto(message proto.Message) ([]byte, error) {
	loose, err := protojson.Marshal(message)
	if err != nil {
		return nil, fmt.Errorf("testrepo: encode %s: %w", message.ProtoReflect().Descriptor().Name(), err)
	}
	var tight bytes.Buffer
	if err := json.Compact(&tight, loose); err != nil {
		return nil, fmt.Errorf("testrepo: encode %s: %w", message.ProtoReflect().Descriptor().Name(), err)
	}
	return tight.Bytes(), nil
}
