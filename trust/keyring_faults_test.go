package trust_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"

	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/internal/testrepo"
	"assay/trust"
)

// A key of one curve or kind under the scheme of another, or of none, counts as
// one that has not signed, however good the signature is.
func TestKeyUnderTheSchemeOfAnother(t *testing.T) {
	t.Parallel()
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	short, err := rsa.GenerateKey(rand.Reader, 1024)
	must(t, err)
	ed, err := testrepo.NewKey(testrepo.Ed25519)
	must(t, err)
	by256 := func(key *ecdsa.PrivateKey) func([]byte) ([]byte, error) {
		return func(message []byte) ([]byte, error) {
			sum := sha256.Sum256(message)
			return ecdsa.SignASN1(rand.Reader, key, sum[:])
		}
	}
	by384 := func(key *ecdsa.PrivateKey) func([]byte) ([]byte, error) {
		return func(message []byte) ([]byte, error) {
			sum := sha512.Sum384(message)
			return ecdsa.SignASN1(rand.Reader, key, sum[:])
		}
	}
	long := longRSA(t)
	pss := func(key *rsa.PrivateKey) func([]byte) ([]byte, error) {
		return func(message []byte) ([]byte, error) {
			sum := sha256.Sum256(message)
			return rsa.SignPSS(rand.Reader, key, crypto.SHA256, sum[:], &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
		}
	}
	wordy := listed(t, &p256.PublicKey, "ecdsa", "ecdsa-sha2-nistp256")
	wordy.Value.PublicKey = strings.Repeat("a comment\n", 1000) + wordy.Value.PublicKey
	const sha2, sha3 = "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384"
	for name, test := range map[string]hand{
		"P-256 as P-384, over SHA-384":           {listed(t, &p256.PublicKey, "ecdsa", sha3), by384(p256)},
		"P-256 as P-384, over SHA-256":           {listed(t, &p256.PublicKey, "ecdsa", sha3), by256(p256)},
		"P-256 under an unknown scheme":          {listed(t, &p256.PublicKey, "ecdsa", "ecdsa-sha2"), by256(p256)},
		"P-384 as P-256, over SHA-256":           {listed(t, &p384.PublicKey, "ecdsa", sha2), by256(p384)},
		"P-384 as P-256, over SHA-384":           {listed(t, &p384.PublicKey, "ecdsa", sha2), by384(p384)},
		"P-384 under an unknown scheme":          {listed(t, &p384.PublicKey, "ecdsa", "ecdsa-sha2"), by384(p384)},
		"Ed25519 under the scheme of P-256":      {&metadata.Key{Type: "ed25519", Scheme: sha2, Value: ed.Public().Value}, ed.Sign},
		"Ed25519 under the scheme of prehashing": {&metadata.Key{Type: "ed25519", Scheme: "ed25519ph", Value: ed.Public().Value}, ed.Sign},
		"RSA of 1024 bits":                       {listed(t, &short.PublicKey, "rsa", "rsassa-pss-sha256"), pss(short)},
		"RSA of more than 8192 bits":             {listed(t, &long.PublicKey, "rsa", "rsassa-pss-sha256"), pss(long)},
		"P-256 behind a long comment":            {wordy, by256(p256)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustRefresh()
			b.entrust(1, []hand{test}, []hand{test})
			data := b.handSigned([]hand{test})
			b.remote.replace("timestamp.json", data)
			if err := b.fails(trust.ErrSignature); !strings.Contains(err.Error(), "expected those of 1 of 1 keys, found 0") {
				t.Errorf("expected no signature to count, found %v", err)
			}
			if b.store.Entries()[prefixMeta+sha256Hex(string(data))] != nil {
				t.Error("it was stored")
			}
		})
	}
}

// longRSA is a key that takes a client long: of small primes, or it would take the
// test long.
func longRSA(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	one, phi := big.NewInt(1), big.NewInt(1)
	key := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: big.NewInt(1), E: 65537}}
	for key.N.BitLen() <= 8192 {
		prime, err := rand.Prime(rand.Reader, 1032)
		must(t, err)
		key.Primes = append(key.Primes, prime)
		key.N.Mul(key.N, prime)
		phi.Mul(phi, new(big.Int).Sub(prime, one))
	}
	key.D = new(big.Int).ModInverse(big.NewInt(int64(key.E)), phi)
	return key
}

// The right keys have signed, but not this: the text is another, or the signature
// is, by one bit. Without hashes in the metadata above there is nothing
// else that could tell.
func TestSignatureOfSomethingElse(t *testing.T) {
	t.Parallel()
	for _, scheme := range []testrepo.Scheme{testrepo.Ed25519, testrepo.ECDSA, testrepo.P384, testrepo.RSA} {
		for _, role := range []string{"root", "timestamp", "snapshot", "targets", "team"} {
			if scheme != testrepo.Ed25519 && role != "timestamp" {
				continue // keys take long to make
			}
			t.Run(fmt.Sprint(scheme, " ", role), func(t *testing.T) {
				t.Parallel()
				b := newBench(t, testrepo.Options{Scheme: scheme, NoMetaHashes: true, Quorum: map[string]testrepo.Quorum{"root": {Keys: 1, Threshold: 1}}})
				b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
				b.add("team/a", "team")
				must(t, b.repo.PublishRoot())
				b.publish()
				name := map[string]string{"root": "2.root.json", "timestamp": "timestamp.json", "team": "1.team.json"}[role]
				if name == "" {
					name = "2." + role + ".json"
				}
				honest := b.repo.Files(0)[name]
				for what, data := range map[string][]byte{
					"another text":      bytes.Replace(honest, []byte(`"expires": "2026-`), []byte(`"expires": "2027-`), 1),
					"another root text": bytes.Replace(honest, []byte(`"expires": "2027-`), []byte(`"expires": "2028-`), 1),
					"another signature": otherSignature(t, honest),
				} {
					if bytes.Equal(data, honest) {
						continue
					}
					b.remote.replace(name, data)
					view, err := b.refresh()
					if role == "team" {
						must(t, err)
						_, err = view.Target(t.Context(), "team/a")
					}
					if !errors.Is(err, trust.ErrSignature) {
						t.Errorf("%s: expected ErrSignature, found %v", what, err)
					}
					if entries := b.store.Entries(); entries[prefixMeta+sha256Hex(string(data))] != nil || bytes.Equal(entries[rootKey(2)], data) {
						t.Errorf("%s: it was stored", what)
					}
				}
				b.remote.clear()
				promisedBy(t, b.mustRefresh(), "team/a", "team")
			})
		}
	}
}

// otherSignature changes one bit of the last signature of a file.
func otherSignature(t *testing.T, data []byte) []byte {
	t.Helper()
	data = bytes.Clone(data)
	at := bytes.LastIndex(data, []byte(`"sig": "`))
	if at < 0 {
		t.Fatalf("expected a signature in %s", data)
	}
	digit := &data[at+bytes.IndexByte(data[at+8:], '"')+7] // the last one
	*digit = "123456789a0bcdef"[bytes.IndexByte([]byte("0123456789abcdef"), *digit)]
	return data
}

// A role may list a key that nobody tells the value of, and a mirror may add a
// signature by it: it counts as none.
func TestSignatureByAKeyWithoutAValue(t *testing.T) {
	t.Parallel()
	missing := strings.Repeat("ab", 32)
	sign := testrepo.Forgery{Bytes: func(data []byte) []byte {
		return bytes.Replace(data, []byte(`"signatures": [`), []byte(`"signatures": [{"keyid": "`+missing+`", "sig": "`+strings.Repeat("00", 64)+`"},`), 1)
	}}
	for _, threshold := range []int{1, 2} {
		b := newBench(t, testrepo.Options{})
		b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
		b.add("team/a", "team")
		must(t, b.repo.Forge("team", sign))
		must(t, b.repo.Forge("targets", testrepo.Forgery{Signed: func(s any) {
			role := &s.(*metadata.TargetsType).Delegations.Roles[0]
			role.KeyIDs, role.Threshold = append([]string{missing}, role.KeyIDs...), threshold
		}}))
		b.publish()
		view := b.mustRefresh()
		if threshold == 1 {
			promisedBy(t, view, "team/a", "team")
		} else if _, err := view.Target(t.Context(), "team/a"); !errors.Is(err, trust.ErrSignature) || b.store.Entries()[prefixRole+"team"] != nil {
			t.Errorf("expected ErrSignature and nothing stored, found %v", err)
		}
	}
}

// A delegation with a threshold of 0 would believe whatever a mirror serves.
func TestDelegationWithAThresholdOfZero(t *testing.T) {
	t.Parallel()
	for _, signers := range []int{0, 1} {
		b := newBench(t, testrepo.Options{})
		b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
		b.add("team/a", "team")
		must(t, b.repo.Forge("team", testrepo.Forgery{Keys: b.repo.Keys("team")[:signers]}))
		must(t, b.repo.Forge("targets", testrepo.Forgery{Signed: func(s any) {
			s.(*metadata.TargetsType).Delegations.Roles[0].Threshold = 0
		}}))
		b.publish()
		view := b.mustRefresh()
		target, err := view.Target(t.Context(), "team/a")
		if !errors.Is(err, trust.ErrSignature) || !strings.Contains(err.Error(), "threshold of at least 1, found 0") || !target.IsZero() {
			t.Errorf("%d signatures: expected ErrSignature for the threshold, found %v", signers, err)
		}
		if b.store.Entries()[prefixRole+"team"] != nil {
			t.Error("it was stored")
		}
	}
}

// A threshold is met by signers, of a large file as of a small one. Of a small
// one all are told of; of a large one as many as it takes.
func TestSignersOfSmallAndLargeFiles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		size, sign, told int
		kind             error
	}{
		"small":                 {100, 3, 3, nil},
		"large":                 {1 << 20, 3, 2, nil},
		"large, one has signed": {1 << 20, 1, 0, trust.ErrSignature},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{Quorum: map[string]testrepo.Quorum{"targets": {Keys: 3, Threshold: 2}}})
			b.mustRefresh()
			must(t, b.repo.Forge("targets", testrepo.Forgery{
				Keys: b.repo.Keys("targets")[:test.sign],
				Signed: func(s any) {
					s.(*metadata.TargetsType).UnrecognizedFields = map[string]any{"note": strings.Repeat("n", test.size)}
				},
			}))
			b.publish()
			if test.kind != nil {
				b.refuses(test.kind)
				return
			}
			for _, view := range []*trust.View{b.mustRefresh(), mustOffline(t, b)} {
				if status := view.Roles()[3]; status.Role != "targets" || status.Version != 2 || len(status.Signers) != test.told {
					t.Errorf("expected %d signers of targets 2, found %+v", test.told, status)
				}
			}
		})
	}
}
