package provenance

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/sigstore/sigstore-go/pkg/bundle"

	"assay/internal/testrepo"
)

// TestForgeriesAreRefused holds each forgery to its error, in both forms of
// bundles.
func TestForgeriesAreRefused(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	type made struct {
		preset  testrepo.Preset
		version string
		kind    error
	}
	for forgery, cases := range map[testrepo.BundleForgery][]made{
		testrepo.WrongSignature:     {{testrepo.PublicGood, "0.3", ErrSignature}, {testrepo.GitHub, "0.3", ErrSignature}},
		testrepo.TwoSignatures:      {{testrepo.PublicGood, "0.3", ErrMalformed}},
		testrepo.ForeignCertificate: {{testrepo.PublicGood, "0.3", ErrCertificate}, {testrepo.GitHub, "0.3", ErrCertificate}},
		testrepo.WrongKeyUsage:      {{testrepo.PublicGood, "0.3", ErrCertificate}, {testrepo.GitHub, "0.3", ErrCertificate}},
		testrepo.ForeignSCT:         {{testrepo.PublicGood, "0.3", ErrCertificate}},
		testrepo.SignedEarly: {
			{testrepo.PublicGood, "0.1", ErrTime}, {testrepo.PublicGood, "0.3", ErrTime},
			{testrepo.PublicGoodV2, "0.3", ErrTime}, {testrepo.GitHub, "0.3", ErrTime},
		},
		testrepo.SignedLate: {
			{testrepo.PublicGood, "0.1", ErrTime}, {testrepo.PublicGood, "0.3", ErrTime},
			{testrepo.PublicGoodV2, "0.3", ErrTime}, {testrepo.GitHub, "0.3", ErrTime},
		},
		testrepo.NoInclusionProof: {{testrepo.PublicGood, "0.2", ErrLog}, {testrepo.PublicGood, "0.3", ErrLog}, {testrepo.PublicGoodV2, "0.3", ErrLog}},
		testrepo.NoInclusionPromise: {
			{testrepo.PublicGood, "0.1", ErrLog},
			{testrepo.PublicGood, "0.3", ErrTime}, // it is in the log, but nobody says since when
		},
		testrepo.ForeignPromise:    {{testrepo.PublicGood, "0.1", ErrLog}, {testrepo.PublicGood, "0.3", ErrLog}},
		testrepo.ForeignCheckpoint: {{testrepo.PublicGood, "0.3", ErrLog}, {testrepo.PublicGoodV2, "0.3", ErrLog}},
		testrepo.WrongInclusion:    {{testrepo.PublicGood, "0.3", ErrLog}, {testrepo.PublicGoodV2, "0.3", ErrLog}, {testrepo.Private, "0.3", ErrLog}},
		testrepo.UnknownLog:        {{testrepo.PublicGood, "0.1", ErrLog}, {testrepo.PublicGoodV2, "0.3", ErrLog}},
		testrepo.OtherEntry:        {{testrepo.PublicGood, "0.3", ErrLog}, {testrepo.PublicGoodV2, "0.3", ErrLog}, {testrepo.Private, "0.3", ErrLog}},
		testrepo.ForeignTimestamp:  {{testrepo.GitHub, "0.3", ErrTime}, {testrepo.PublicGoodV2, "0.3", ErrTime}},
		testrepo.OtherTimestamp:    {{testrepo.GitHub, "0.3", ErrTime}, {testrepo.PublicGoodV2, "0.3", ErrTime}},
	} {
		for _, c := range cases {
			for form, o := range forms(t) {
				if forgery == testrepo.TwoSignatures && form == "message" {
					continue
				}
				t.Run(fmt.Sprint(forgery, c.preset, c.version, form), func(t *testing.T) {
					o.Preset, o.Version, o.Forgeries = c.preset, c.version, []testrepo.BundleForgery{forgery}
					refused(t, l.verifier(kinds[c.preset]), l.bundle(o), fileDigest, c.kind)
				})
			}
		}
	}
}

func TestBundleFromAnotherArtifact(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	v := l.verifier(PublicGood)
	err := refused(t, v, l.bundle(testrepo.BundleOptions{Data: []byte("other")}), fileDigest, ErrDigest)
	if !strings.Contains(err.Error(), fileDigest[0].String()) || !strings.Contains(err.Error(), otherFile[0].String()) {
		t.Errorf("expected both digests in the message, found %v", err)
	}
	// One that is wrong anyway is told as such.
	refused(t, v, l.bundle(testrepo.BundleOptions{
		Data: []byte("other"), Forgeries: []testrepo.BundleForgery{testrepo.ForeignSCT},
	}), fileDigest, ErrCertificate)
	refused(t, v, l.bundle(testrepo.BundleOptions{
		Statement: statement(t, otherFile), Forgeries: []testrepo.BundleForgery{testrepo.WrongSignature},
	}), fileDigest, ErrSignature)
}

// The digest that a message's bundle states is not signed; its label is not even
// looked at by the library.
func TestStatedDigests(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	v := l.verifier(GitHub)
	lie := l.bundle(testrepo.BundleOptions{Data: []byte("other"), Stated: fileDigest[0], Preset: testrepo.GitHub})
	refused(t, v, lie, fileDigest, ErrSignature)
	good := l.bundle(testrepo.BundleOptions{Data: fileData, Preset: testrepo.GitHub})
	for label, kind := range map[string]error{
		"SHA2_256": nil, "SHA2_512": ErrMalformed, "SHA2_384": ErrAlgorithm, "SHA3_256": ErrAlgorithm, "HASH_ALGORITHM_UNSPECIFIED": ErrAlgorithm,
	} {
		data := edited(t, good, func(o object) { at(o, "messageSignature", "messageDigest")["algorithm"] = label })
		if kind != nil {
			refused(t, v, data, fileDigest, kind)
		} else if _, err := v.Verify(data, fileDigest); err != nil {
			t.Error(err)
		}
	}
	empty := edited(t, good, func(o object) { delete(at(o, "messageSignature", "messageDigest"), "digest") })
	refused(t, v, empty, fileDigest, ErrMalformed)
	none := edited(t, good, func(o object) { delete(at(o, "messageSignature"), "messageDigest") })
	refused(t, v, none, fileDigest, ErrMalformed)
}

// A log whose checkpoints look like those of Rekor v1 has an entry in the form of
// v2. The library then neither makes the entry's hash of the bundle, nor compares
// the two: any entry of that log would do for any bundle.
func TestEntryOfAnotherBundle(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	made := testrepo.BundleOptions{Data: fileData, Proofs: &testrepo.Proofs{Log: testrepo.Rekor2, Timestamp: true}}
	mine, other := l.bundle(made), l.bundle(made)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	root, enter := ownLog(t, l.TrustedRoot(), key)
	v := verifier(t, Profile{Name: "lab", Kind: Private, Root: root, Least: Thresholds{LogEntries: 1}})
	s, err := v.Verify(enter(mine, mine), fileDigest)
	must(t, err)
	if len(s.Logged) != 1 {
		t.Errorf("found %+v", s)
	}
	if err := refused(t, v, enter(mine, other), fileDigest, ErrLog); err.Expected != "a log entry with this signature" {
		t.Errorf("found %v", err)
	}
	// The same signature under another key.
	e := opened(t, enter(mine, mine))
	j, err := v.judgeFor(e, claim{})
	must(t, err)
	e.content = opened(t, other).content
	if err, ok := j.checkEntries(e).(*VerifyError); !ok || err.Expected != "a log entry with this certificate or key" {
		t.Errorf("found %v", err)
	}
}

// ownLog adds a log with that key to a root, and gives what puts the entry of one
// bundle into another, as the only one in that log.
func ownLog(t *testing.T, root []byte, key *ecdsa.PrivateKey) ([]byte, func(into, from []byte) []byte) {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	must(t, err)
	id := sha256.Sum256(der)
	encode := base64.StdEncoding.EncodeToString
	extended := edited(t, root, func(o object) {
		o["tlogs"] = append(o["tlogs"].([]any), object{
			"baseUrl": "https://log.example", "hashAlgorithm": "SHA2_256", "logId": object{"keyId": encode(id[:])},
			"publicKey": object{"rawBytes": encode(der), "keyDetails": "PKIX_ECDSA_P256_SHA_256", "validFor": object{"start": "2020-01-01T00:00:00Z"}},
		})
	})
	return extended, func(into, from []byte) []byte {
		return edited(t, into, func(o object) {
			var source object
			must(t, json.Unmarshal(from, &source))
			entry := at(source, "verificationMaterial", "tlogEntries")
			body, err := base64.StdEncoding.DecodeString(entry["canonicalizedBody"].(string))
			must(t, err)
			leaf := sha256.Sum256(append([]byte{0}, body...))
			text := "log.example - 1\n1\n" + encode(leaf[:]) + "\n"
			sum := sha256.Sum256([]byte(text))
			signature, err := ecdsa.SignASN1(rand.Reader, key, sum[:])
			must(t, err)
			note := text + "\n— log.example " + encode(append(id[:4:4], signature...)) + "\n"
			entry["logIndex"], entry["logId"] = "0", object{"keyId": encode(id[:])}
			entry["inclusionProof"] = object{
				"logIndex": "0", "treeSize": "1", "rootHash": encode(leaf[:]), "hashes": []any{}, "checkpoint": object{"envelope": note},
			}
			at(o, "verificationMaterial")["tlogEntries"] = []any{entry}
		})
	}
}

func opened(t *testing.T, data []byte) *entity {
	t.Helper()
	e, err := parse(data)
	must(t, err)
	return e
}

// A log that nobody knows neither helps nor harms: its entry is not looked at.
func TestEntryThatNamesAnotherLog(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	rename := func(o object) {
		at(o, "verificationMaterial", "tlogEntries", "logId")["keyId"] = base64.StdEncoding.EncodeToString(make([]byte, 32))
	}
	refused(t, l.verifier(PublicGood), edited(t, l.bundle(testrepo.BundleOptions{Data: fileData}), rename), fileDigest, ErrLog)
	both := testrepo.BundleOptions{Data: fileData, Proofs: &testrepo.Proofs{Log: testrepo.Rekor1, Timestamp: true}}
	s, err := l.verifier(GitHub).Verify(edited(t, l.bundle(both), rename), fileDigest)
	must(t, err)
	if len(s.Logged) != 0 {
		t.Errorf("expected no log entry, found %+v", s.Logged)
	}
}

// A log that the profile knows is believed in nothing less than that its entries
// verify, though the profile asks for none.
func TestAdvertisedEntryMustVerify(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	o := testrepo.BundleOptions{Data: fileData, Proofs: &testrepo.Proofs{Log: testrepo.Rekor1, Timestamp: true}}
	s, err := l.verifier(GitHub).Verify(l.bundle(o), fileDigest)
	must(t, err)
	if len(s.Logged) != 1 {
		t.Errorf("expected a log entry, found %+v", s.Logged)
	}
	o.Forgeries = []testrepo.BundleForgery{testrepo.WrongInclusion}
	refused(t, l.verifier(GitHub), l.bundle(o), fileDigest, ErrLog)
}

// An entry twice is not two entries.
func TestEntryTwice(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	data := edited(t, l.bundle(testrepo.BundleOptions{Data: fileData}), func(o object) {
		material := at(o, "verificationMaterial")
		entries := material["tlogEntries"].([]any)
		material["tlogEntries"] = append(entries, entries[0])
	})
	refused(t, l.verifier(PublicGood), data, fileDigest, ErrLog)
	refused(t, l.verifier(PublicGood, Thresholds{LogEntries: 2}), data, fileDigest, ErrLog)
}

// A bundle with an entry that the library would pass over, or look away from, as
// the other one suffices.
func TestOneGoodEntryOfTwo(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	two := func(version string, forgeries ...testrepo.BundleForgery) []byte {
		return l.bundle(testrepo.BundleOptions{Data: fileData, Version: version, Forgeries: forgeries, Proofs: &testrepo.Proofs{
			SCT: true, Log: testrepo.Rekor1, Both: true, Timestamp: true,
		}})
	}
	v := l.verifier(PublicGood)
	second := func(o object) object { return at(o, "verificationMaterial")["tlogEntries"].([]any)[1].(object) }
	refused(t, v, two("0.1"), fileDigest, ErrLog) // the second has no promise
	refused(t, v, edited(t, two("0.3"), func(o object) { delete(second(o), "inclusionProof") }), fileDigest, ErrLog)
	for name, data := range map[string][]byte{
		"promise of an impostor": two("0.3", testrepo.ForeignPromise),
		"unknown log": edited(t, two("0.3"), func(o object) {
			second(o)["logId"].(object)["keyId"] = base64.StdEncoding.EncodeToString(make([]byte, 32))
		}),
	} {
		s, err := v.Verify(data, fileDigest)
		must(t, err)
		if len(s.Logged) != 1 {
			t.Errorf("%s: expected one log entry, found %+v", name, s.Logged)
		}
	}
}

// The authority ended between the certificate's beginning and the signature.
func TestAuthorityThatEnded(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	root := edited(t, l.TrustedRoot(), func(o object) {
		at(o, "certificateAuthorities", "validFor")["end"] = "2026-03-04T11:59:59.500Z"
	})
	v := verifier(t, Profile{Name: "lab", Kind: GitHub, Root: root})
	err := refused(t, v, l.bundle(testrepo.BundleOptions{Data: fileData, Preset: testrepo.GitHub}), fileDigest, ErrCertificate)
	if !strings.Contains(err.Expected, "an authority that was valid at 2026-03-04T12:00:00Z") {
		t.Errorf("found %v", err)
	}
}

// What no bundle of the library's can bring about, but its steps guard against.
func TestCertificateWithoutTimeOrName(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	e := opened(t, l.bundle(testrepo.BundleOptions{Data: fileData}))
	j, err := l.verifier(PublicGood).judgeFor(e, claim{})
	must(t, err)
	if err, ok := j.checkCertificate(e.content.Certificate(), nil).(*VerifyError); !ok || err.Kind != ErrTime {
		t.Errorf("expected %v, found %v", ErrTime, err)
	}
	e.content = bundle.NewCertificate(&x509.Certificate{})
	if _, err := j.steps(e); !errors.Is(err, ErrCertificate) || !strings.Contains(err.Error(), "with an identity") {
		t.Errorf("expected %v, found %v", ErrCertificate, err)
	}
}
