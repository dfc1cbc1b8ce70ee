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
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/secure-systems-lab/go-securesystemslib/cjson"
	"github.com/theupdateframework/go-tuf/v2/metadata"

	"assay/artifact"
	"assay/internal/testrepo"
	"assay/trust"
)

// hand is a key that a test signs with by itself.
type hand struct {
	public *metadata.Key
	sign   func(message []byte) ([]byte, error)
}

func (h hand) id(t *testing.T) string {
	t.Helper()
	id, err := h.public.ID()
	must(t, err)
	return id
}

func handOf(key *testrepo.Key) hand { return hand{key.Public(), key.Sign} }

// listed makes a key as metadata lists it.
func listed(t *testing.T, public crypto.PublicKey, kind, scheme string) *metadata.Key {
	t.Helper()
	key, err := metadata.KeyFromPublicKey(public)
	must(t, err)
	return &metadata.Key{Type: kind, Scheme: scheme, Value: key.Value}
}

// entrust has root name these keys, and a threshold, for the timestamp; the next
// timestamp is the honest one with another version, signed by the signers.
func (b *bench) entrust(threshold int, keys, signers []hand) {
	b.t.Helper()
	must(b.t, b.repo.Forge("root", testrepo.Forgery{Signed: func(s any) {
		root := s.(*metadata.RootType)
		role := root.Roles["timestamp"]
		role.Threshold, role.KeyIDs = threshold, nil
		for _, key := range keys {
			id := key.id(b.t)
			root.Keys[id], role.KeyIDs = key.public, append(role.KeyIDs, id)
		}
	}}))
	must(b.t, b.repo.PublishRoot())
	b.remote.replace("timestamp.json", b.handSigned(signers))
}

// handSigned is the newest timestamp, one version on.
func (b *bench) handSigned(signers []hand) []byte {
	b.t.Helper()
	doc := timestampOf(b.t, b.repo.Files(0)["timestamp.json"])
	doc.Signed.Version++
	payload, err := cjson.EncodeCanonical(doc.Signed)
	must(b.t, err)
	doc.ClearSignatures()
	for _, key := range signers {
		sig, err := key.sign(payload)
		must(b.t, err)
		doc.Signatures = append(doc.Signatures, metadata.Signature{KeyID: key.id(b.t), Signature: sig})
	}
	data, err := doc.ToBytes(false)
	must(b.t, err)
	return data
}

// One role whose keys are of all four kinds, all of which have to sign.
func TestKeysOfEveryKindInOneRole(t *testing.T) {
	t.Parallel()
	var all []hand
	for _, scheme := range []testrepo.Scheme{testrepo.Ed25519, testrepo.ECDSA, testrepo.P384, testrepo.RSA} {
		key, err := testrepo.NewKey(scheme)
		must(t, err)
		all = append(all, handOf(key))
	}
	b := newBench(t, testrepo.Options{})
	b.mustRefresh()
	b.entrust(len(all), all, all)
	for _, left := range all {
		b.remote.replace("timestamp.json", b.handSigned(slices.DeleteFunc(slices.Clone(all), func(key hand) bool { return key.public == left.public })))
		if err := b.fails(trust.ErrSignature); !strings.Contains(err.Error(), "timestamp") {
			t.Errorf("without %s: expected the timestamp to be named, found %v", left.public.Scheme, err)
		}
	}
	b.remote.replace("timestamp.json", b.handSigned(all))
	if got := version(b.mustRefresh(), "timestamp"); got != 2 {
		t.Errorf("expected timestamp 2, found %d", got)
	}
}

// A whole repository with P-384 keys, delegations and all.
func TestRepositoryOfP384Keys(t *testing.T) {
	t.Parallel()
	b := newBench(t, testrepo.Options{Scheme: testrepo.P384})
	b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
	b.add("team/a", "team")
	must(t, b.repo.RotateRoot())
	b.publish()
	view := b.mustRefresh()
	promisedBy(t, view, "team/a", "team")
	must(t, b.repo.Forge("timestamp", testrepo.Forgery{Keys: b.repo.Keys("snapshot")}))
	must(t, b.repo.PublishTimestamp())
	b.refuses(trust.ErrSignature)
}

// Signatures by the right key in the wrong way: what a key's type and scheme say
// is part of what root has signed, and no other way counts.
func TestSignatureInAnotherWayThanTheKeySays(t *testing.T) {
	t.Parallel()
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	p384, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(t, err)
	long, err := rsa.GenerateKey(rand.Reader, 2048)
	must(t, err)
	ed, err := testrepo.NewKey(testrepo.Ed25519)
	must(t, err)
	sha2 := func(message []byte) []byte { sum := sha256.Sum256(message); return sum[:] }
	sha3 := func(message []byte) []byte { sum := sha512.Sum384(message); return sum[:] }
	by := func(key *ecdsa.PrivateKey, hash func([]byte) []byte) func([]byte) ([]byte, error) {
		return func(message []byte) ([]byte, error) { return ecdsa.SignASN1(rand.Reader, key, hash(message)) }
	}
	pss := func(message []byte) ([]byte, error) {
		return rsa.SignPSS(rand.Reader, long, crypto.SHA256, sha2(message), &rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash})
	}
	for name, test := range map[string]struct {
		hand
		accepted bool
	}{
		"P-256 as it should be":     {hand{listed(t, &p256.PublicKey, "ecdsa", "ecdsa-sha2-nistp256"), by(p256, sha2)}, true},
		"P-256 by its older type":   {hand{listed(t, &p256.PublicKey, "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp256"), by(p256, sha2)}, true},
		"P-384 as it should be":     {hand{listed(t, &p384.PublicKey, "ecdsa", "ecdsa-sha2-nistp384"), by(p384, sha3)}, true},
		"P-384 over SHA-256":        {hand{listed(t, &p384.PublicKey, "ecdsa", "ecdsa-sha2-nistp384"), by(p384, sha2)}, false},
		"P-256 over SHA-384":        {hand{listed(t, &p256.PublicKey, "ecdsa", "ecdsa-sha2-nistp256"), by(p256, sha3)}, false},
		"RSA-PSS as it should be":   {hand{listed(t, &long.PublicKey, "rsa", "rsassa-pss-sha256"), pss}, true},
		"an unknown way of RSA":     {hand{listed(t, &long.PublicKey, "rsa", "rsa-raw"), pss}, false},
		"an unknown kind of key":    {hand{listed(t, &p256.PublicKey, "dilithium", "ecdsa-sha2-nistp256"), by(p256, sha2)}, false},
		"Ed25519 as an ECDSA key":   {hand{&metadata.Key{Type: "ecdsa", Scheme: "ecdsa-sha2-nistp256", Value: ed.Public().Value}, ed.Sign}, false},
		"Ed25519 that is too short": {hand{&metadata.Key{Type: "ed25519", Scheme: "ed25519", Value: metadata.KeyVal{PublicKey: "abcd"}}, ed.Sign}, false},
		"Ed25519 that is no hex":    {hand{&metadata.Key{Type: "ed25519", Scheme: "ed25519", Value: metadata.KeyVal{PublicKey: "key"}}, ed.Sign}, false},
		"a key that is empty":       {hand{&metadata.Key{Type: "ed25519", Scheme: "ed25519"}, ed.Sign}, false},
		"RSA with PKCS #1 v1.5": {hand{listed(t, &long.PublicKey, "rsa", "rsassa-pss-sha256"), func(message []byte) ([]byte, error) {
			return rsa.SignPKCS1v15(rand.Reader, long, crypto.SHA256, sha2(message))
		}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustRefresh()
			b.entrust(1, []hand{test.hand}, []hand{test.hand})
			if test.accepted {
				b.mustRefresh()
				return
			}
			b.fails(trust.ErrSignature)
			if _, stored := b.store.Entries()[prefixMeta+sha256Hex(string(b.handSigned(nil)))]; stored {
				t.Error("it was stored")
			}
		})
	}
}

// A key that this client can't use, as it is of a kind to come or is not even
// listed, neither helps nor harms: the threshold is met by the others, or not.
func TestKeysThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	future := hand{
		&metadata.Key{Type: "slh-dsa", Scheme: "slh-dsa-sha2-128s", Value: metadata.KeyVal{PublicKey: "00ff"}},
		func([]byte) ([]byte, error) { return bytes.Repeat([]byte{1}, 64), nil },
	}
	for threshold, accepted := range map[int]bool{1: true, 2: false} {
		t.Run(fmt.Sprintf("root, threshold %d", threshold), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustRefresh()
			honest := handOf(b.repo.Keys("timestamp")[0])
			both := []hand{future, honest}
			b.entrust(threshold, both, both)
			if accepted {
				b.mustRefresh()
			} else {
				b.fails(trust.ErrSignature)
			}
		})
		t.Run(fmt.Sprintf("delegation, threshold %d", threshold), func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.delegate("targets", testrepo.DelegatedRole{Name: "team", Paths: []string{"team/*"}})
			b.add("team/a", "team")
			must(t, b.repo.Forge("targets", testrepo.Forgery{Signed: func(s any) {
				delegations := s.(*metadata.TargetsType).Delegations
				id, missing := future.id(t), strings.Repeat("ab", 32)
				delegations.Keys[id] = future.public
				role := &delegations.Roles[0]
				role.KeyIDs, role.Threshold = append([]string{missing, id}, role.KeyIDs...), threshold
			}}))
			b.publish()
			view := b.mustRefresh()
			if accepted {
				promisedBy(t, view, "team/a", "team")
			} else if _, err := view.Target(t.Context(), "team/a"); !errors.Is(err, trust.ErrSignature) {
				t.Errorf("expected ErrSignature, found %v", err)
			}
		})
	}
}

// hashes are the hashes of data by name; a name that nobody knows has one, too.
func hashes(data []byte, names ...string) metadata.Hashes {
	list := metadata.Hashes{}
	for _, name := range names {
		switch name {
		case "sha256":
			sum := sha256.Sum256(data)
			list[name] = sum[:]
		case "sha512":
			sum := sha512.Sum512(data)
			list[name] = sum[:]
		default:
			list[name] = bytes.Repeat([]byte{7}, 32)
		}
	}
	return list
}

// promiseBy has the snapshot promise targets.json, and the timestamp the
// snapshot, by these hashes, changed at will.
func (b *bench) promiseBy(names []string, change func(metadata.Hashes)) {
	b.t.Helper()
	targets := b.repo.Files(0)["1.targets.json"]
	must(b.t, b.repo.Forge("snapshot", testrepo.Forgery{Signed: func(s any) {
		file := s.(*metadata.SnapshotType).Meta["targets.json"]
		file.Hashes = hashes(targets, names...)
		change(file.Hashes)
	}}))
	b.publish()
	snapshot := b.repo.Files(0)["2.snapshot.json"]
	must(b.t, b.repo.Forge("timestamp", testrepo.Forgery{Signed: func(s any) {
		s.(*metadata.TimestampType).Meta["snapshot.json"].Hashes = hashes(snapshot, names...)
	}}))
	must(b.t, b.repo.PublishTimestamp())
}

func TestHashesOfMetadata(t *testing.T) {
	t.Parallel()
	wrong := func(name string) func(metadata.Hashes) {
		return func(list metadata.Hashes) { list[name][len(list[name])-1] ^= 1 }
	}
	for name, test := range map[string]struct {
		names  []string
		change func(metadata.Hashes)
		kind   error
	}{
		"sha256 alone":                  {[]string{"sha256"}, nil, nil},
		"sha512 alone":                  {[]string{"sha512"}, nil, nil},
		"both":                          {[]string{"sha256", "sha512"}, nil, nil},
		"one that nobody knows as well": {[]string{"sha512", "blake2b-256"}, nil, nil},
		"sha512 alone, wrong":           {[]string{"sha512"}, wrong("sha512"), trust.ErrMismatch},
		"both, sha256 wrong":            {[]string{"sha256", "sha512"}, wrong("sha256"), trust.ErrMismatch},
		"both, sha512 wrong":            {[]string{"sha256", "sha512"}, wrong("sha512"), trust.ErrMismatch},
		"only one that nobody knows":    {[]string{"blake2b-256"}, nil, trust.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			b.mustRefresh()
			if test.change == nil {
				test.change = func(metadata.Hashes) {}
			}
			b.promiseBy(test.names, test.change)
			if test.kind == nil {
				b.mustRefresh()
				return
			}
			must(t, b.store.Update(t.Context(), func(tx trust.Tx) error { return tx.Delete(prefixRole + "targets") }))
			b.refuses(test.kind)
		})
	}
}

// All the hashes of a target that can be computed have to hold, and each of them
// names a file that it may lie in.
func TestHashesOfTargets(t *testing.T) {
	t.Parallel()
	data := []byte("alpha")
	for name, test := range map[string]struct {
		names []string
		want  []artifact.Algorithm
	}{
		"sha256 alone":                  {[]string{"sha256"}, []artifact.Algorithm{artifact.SHA256}},
		"sha512 alone":                  {[]string{"sha512"}, []artifact.Algorithm{artifact.SHA512}},
		"both":                          {[]string{"sha256", "sha512"}, []artifact.Algorithm{artifact.SHA256, artifact.SHA512}},
		"one that nobody knows as well": {[]string{"blake2b-256", "sha512"}, []artifact.Algorithm{artifact.SHA512}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t, testrepo.Options{})
			list := hashes(data, test.names...)
			must(t, b.repo.Forge("targets", testrepo.Forgery{Signed: func(s any) { s.(*metadata.TargetsType).Targets["a.txt"].Hashes = list }}))
			b.publish()
			target, err := b.mustRefresh().Target(t.Context(), "a.txt")
			must(t, err)
			var found []artifact.Algorithm
			for _, digest := range target.Digests() {
				found = append(found, digest.Algorithm())
			}
			slices.Sort(found)
			if !slices.Equal(found, test.want) {
				t.Errorf("expected the digests %v, found %v", test.want, found)
			}
			must(t, target.Check(data))
			if err := target.Check([]byte("alphA")); !errors.Is(err, trust.ErrMismatch) {
				t.Errorf("other bytes: expected ErrMismatch, found %v", err)
			}
			// One hash that is wrong is enough, whichever it is.
			for _, algorithm := range test.want {
				broken := maps.Clone(list)
				broken[string(algorithm)] = bytes.Repeat([]byte{1}, algorithm.Size())
				must(t, b.repo.Forge("targets", testrepo.Forgery{Signed: func(s any) { s.(*metadata.TargetsType).Targets["a.txt"].Hashes = broken }}))
				b.publish()
				target, err := b.mustRefresh().Target(t.Context(), "a.txt")
				must(t, err)
				var mismatch *trust.MismatchError
				if err := target.Check(data); !errors.As(err, &mismatch) || !strings.HasPrefix(mismatch.Expected, string(algorithm)) {
					t.Errorf("%s wrong: expected a mismatch of it, found %v", algorithm, err)
				}
			}
		})
	}
}
