package provenance

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"assay/internal/testrepo"
)

func TestWhatIsNoBundle(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	v := l.verifier(PublicGood)
	good := string(l.bundle(testrepo.BundleOptions{Data: fileData}))
	deep := strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)
	last := strings.TrimSuffix(good, "}")
	for name, test := range map[string]struct {
		data string
		kind error
		says string
	}{
		"nothing":              {"", ErrMalformed, "expected an object"},
		"not JSON":             {"hello", ErrMalformed, "expected an object"},
		"null":                 {"null", ErrMalformed, "expected an object"},
		"a list":               {"[]", ErrMalformed, "expected an object"},
		"no fields":            {"{}", ErrMalformed, "media type"},
		"trailing bytes":       {good + "x", ErrMalformed, "nothing after the object"},
		"a second bundle":      {good + good, ErrMalformed, "nothing after the object"},
		"deep JSON":            {deep, ErrMalformed, "nested too deeply"},
		"deep field":           {last + `,"x":` + strings.Repeat("[", 15) + strings.Repeat("]", 15) + "}", ErrMalformed, "unknown field"},
		"too deep field":       {last + `,"x":` + strings.Repeat("[", 16) + strings.Repeat("]", 16) + "}", ErrMalformed, "nested too deeply"},
		"key twice":            {last + `,"mediaType":"x"}`, ErrMalformed, "key repeated"},
		"key twice, escaped":   {last + `,"media\u0054ype":"x"}`, ErrMalformed, "key repeated"},
		"key in both forms":    {last + `,"media_type":"x"}`, ErrMalformed, "duplicate field"},
		"unknown field":        {last + `,"x":1}`, ErrMalformed, "unknown field"},
		"version to come":      {strings.Replace(good, "v0.3", "v0.4", 1), ErrMalformed, "not yet supported"},
		"version of old":       {strings.Replace(good, "v0.3", "v0.0", 1), ErrMalformed, "not supported"},
		"another type":         {strings.Replace(good, "application/", "text/", 1), ErrMalformed, "media type"},
		"invalid UTF-8":        {strings.Replace(good, "application/", "application/\xff", 1), ErrMalformed, "UTF-8"},
		"no base64":            {strings.Replace(good, `"signature":"`, `"signature":"!`, 1), ErrMalformed, "invalid value"},
		"as large as may be":   {good + strings.Repeat(" ", MaxBundleBytes-len(good)), nil, ""},
		"a byte too large":     {good + strings.Repeat(" ", MaxBundleBytes-len(good)+1), ErrTooLarge, "at most 4194304"},
		"null for absent":      {strings.Replace(good, "{", `{"dsseEnvelope":null,`, 1), nil, ""},
		"null for certificate": {replaceValue(t, good, "certificate", nil), ErrMalformed, "missing verification material"},
		"null for material":    {replaceValue(t, good, "verificationMaterial", nil), ErrMalformed, "missing verification material"},
		"null for content":     {replaceValue(t, good, "messageSignature", nil), ErrMalformed, "missing bundle content"},
		"null in a list":       {replaceValue(t, good, "tlogEntries", []any{nil}), ErrMalformed, "null"},
		"no entries":           {replaceValue(t, good, "tlogEntries", []any{}), ErrLog, "0 < 1"},
		"another certificate":  {replaceValue(t, good, "certificate", object{"rawBytes": "AAAA"}), ErrMalformed, "x509"},
		"no digest": {string(edited(t, []byte(good), func(o object) {
			delete(at(o, "messageSignature"), "messageDigest")
		})), ErrMalformed, "missing verification material"},
		"a chain in 0.3": {replaceValue(t, good, "certificate", nil, "x509CertificateChain",
			object{"certificates": []any{object{"rawBytes": "AAAA"}}}), ErrMalformed, "cannot be X.509 certificate chain"},
	} {
		t.Run(name, func(t *testing.T) {
			if test.kind == nil {
				_, err := v.Verify([]byte(test.data), fileDigest)
				must(t, err)
				return
			}
			err := refused(t, v, []byte(test.data), fileDigest, test.kind)
			if err.Bundle.IsZero() != (test.kind == ErrTooLarge) || !strings.Contains(err.Error(), test.says) {
				t.Errorf("expected %q, found %v", test.says, err)
			}
		})
	}
}

// replaceValue sets members, in the bundle or in its verification material.
func replaceValue(t *testing.T, bundle string, pairs ...any) string {
	t.Helper()
	return string(edited(t, []byte(bundle), func(o object) {
		for i := 0; i < len(pairs); i += 2 {
			into, key := o, pairs[i].(string)
			if _, ok := o[key]; !ok {
				into = at(o, "verificationMaterial")
			}
			into[key] = pairs[i+1]
		}
	}))
}

// A hundred megabytes are refused by their number alone: not parsed, not hashed.
func TestHugeBundle(t *testing.T) {
	t.Parallel()
	err := refused(t, newLab(t).verifier(PublicGood), bytes.Repeat([]byte("["), 100_000_000), fileDigest, ErrTooLarge)
	if !err.Bundle.IsZero() || !strings.Contains(err.Error(), "at most 4194304 bytes, found 100000000") {
		t.Errorf("found %v", err)
	}
}

func TestLimitsOfParts(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	all := &testrepo.Proofs{SCT: true, Log: testrepo.Rekor1, Timestamp: true}
	message := l.bundle(testrepo.BundleOptions{Data: fileData, Proofs: all})
	chain := l.bundle(testrepo.BundleOptions{Data: fileData, Proofs: all, Version: "0.2"})
	envelope := l.bundle(testrepo.BundleOptions{Statement: statement(t, fileDigest), Proofs: all})
	plain := l.bundle(testrepo.BundleOptions{Data: fileData, Plain: true, Preset: testrepo.Bare})
	zeros := func(n int) string { return base64.StdEncoding.EncodeToString(make([]byte, n)) }
	many := func(n int, what any) []any {
		list := make([]any, n)
		for i := range list {
			list[i] = what
		}
		return list
	}
	for name, test := range map[string]struct {
		bundle []byte
		limit  int
		change func(o object, n int)
	}{
		"log entries": {message, maxEntries, func(o object, n int) {
			m := at(o, "verificationMaterial")
			m["tlogEntries"] = many(n, m["tlogEntries"].([]any)[0])
		}},
		"timestamps": {message, maxTimestamps, func(o object, n int) {
			d := at(o, "verificationMaterial", "timestampVerificationData")
			d["rfc3161Timestamps"] = many(n, d["rfc3161Timestamps"].([]any)[0])
		}},
		"certificates": {chain, maxChain, func(o object, n int) {
			c := at(o, "verificationMaterial", "x509CertificateChain")
			c["certificates"] = many(n, c["certificates"].([]any)[0])
		}},
		"bytes of certificate": {message, maxCertificate, func(o object, n int) {
			at(o, "verificationMaterial", "certificate")["rawBytes"] = zeros(n)
		}},
		"bytes of certificate in a chain": {chain, maxCertificate, func(o object, n int) {
			at(o, "verificationMaterial", "x509CertificateChain", "certificates")["rawBytes"] = zeros(n)
		}},
		"bytes of the key's hint": {plain, maxHint, func(o object, n int) {
			at(o, "verificationMaterial", "publicKey")["hint"] = strings.Repeat("x", n)
		}},
		"bytes of signature": {message, maxSignature, func(o object, n int) {
			at(o, "messageSignature")["signature"] = zeros(n)
		}},
		"bytes of signature in an envelope": {envelope, maxSignature, func(o object, n int) {
			at(o, "dsseEnvelope", "signatures")["sig"] = zeros(n)
		}},
		"bytes of log entry": {message, maxBody, func(o object, n int) {
			at(o, "verificationMaterial", "tlogEntries")["canonicalizedBody"] = zeros(n)
		}},
		"bytes of the log's promise": {message, maxSignature, func(o object, n int) {
			at(o, "verificationMaterial", "tlogEntries", "inclusionPromise")["signedEntryTimestamp"] = zeros(n)
		}},
		"bytes of checkpoint": {message, maxCheckpoint, func(o object, n int) {
			at(o, "verificationMaterial", "tlogEntries", "inclusionProof", "checkpoint")["envelope"] = strings.Repeat("x", n)
		}},
		"hashes in a proof of inclusion": {message, maxHashes, func(o object, n int) {
			at(o, "verificationMaterial", "tlogEntries", "inclusionProof")["hashes"] = many(n, zeros(32))
		}},
		"bytes of timestamp": {message, maxTimestamp, func(o object, n int) {
			at(o, "verificationMaterial", "timestampVerificationData", "rfc3161Timestamps")["signedTimestamp"] = zeros(n)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			v := l.verifier(PublicGood)
			what, _, _ := strings.Cut(name, " in a")
			err := refused(t, v, edited(t, test.bundle, func(o object) { test.change(o, test.limit+1) }), fileDigest, ErrTooLarge)
			if !strings.HasPrefix(err.Expected, fmt.Sprintf("at most %d %s", test.limit, what)) || err.Found != fmt.Sprint(test.limit+1) {
				t.Errorf("found %v", err)
			}
			// At the limit it is something else that is wrong, if anything.
			if _, err := v.Verify(edited(t, test.bundle, func(o object) { test.change(o, test.limit) }), fileDigest); err != nil {
				if err.(*VerifyError).Kind == ErrTooLarge {
					t.Errorf("at the limit: %v", err)
				}
			}
		})
	}
}

// The parser for timestamps calls itself for each level of them.
func TestDeepTimestamp(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	v := l.verifier(GitHub)
	good := l.bundle(testrepo.BundleOptions{Data: fileData, Preset: testrepo.GitHub})
	with := func(der []byte) []byte {
		return edited(t, good, func(o object) {
			at(o, "verificationMaterial", "timestampVerificationData", "rfc3161Timestamps")["signedTimestamp"] =
				base64.StdEncoding.EncodeToString(der)
		})
	}
	nested := func(levels int) []byte {
		der := []byte{5, 0}
		for range levels {
			der = append([]byte{0x30, byte(len(der))}, der...)
		}
		return der
	}
	refused(t, v, with(nested(maxDERDepth)), fileDigest, ErrTime)
	refused(t, v, with(nested(maxDERDepth+1)), fileDigest, ErrMalformed)
	refused(t, v, with(bytes.Repeat([]byte{0x30, 0x80}, maxTimestamp/2)), fileDigest, ErrMalformed) // indefinite lengths
	refused(t, v, with([]byte{0x30, 0x05, 1}), fileDigest, ErrMalformed)
}

// What logs hold is read by several parsers, so it is screened as the bundle is.
func TestScreenedLogEntries(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	good := l.bundle(testrepo.BundleOptions{Data: fileData, Proofs: &testrepo.Proofs{SCT: true, Log: testrepo.Rekor1, Timestamp: true}})
	for name, body := range map[string]string{
		"not JSON": "x", "key twice": `{"kind":"dsse","kind":"hashedrekord"}`, "deep": strings.Repeat(`{"a":`, 40) + "1" + strings.Repeat("}", 40),
	} {
		t.Run(name, func(t *testing.T) {
			data := edited(t, good, func(o object) {
				at(o, "verificationMaterial", "tlogEntries")["canonicalizedBody"] = base64.StdEncoding.EncodeToString([]byte(body))
			})
			refused(t, l.verifier(PublicGood), data, fileDigest, ErrMalformed)
		})
	}
	for name, change := range map[string]func(entry object){
		"unknown kind": func(entry object) {
			entry["canonicalizedBody"] = base64.StdEncoding.EncodeToString([]byte(`{"kind":"x"}`))
		},
		"negative index": func(entry object) { entry["logIndex"] = "-1" },
		"no kind":        func(entry object) { delete(entry, "kindVersion") },
		"no log":         func(entry object) { delete(entry, "logId") },
	} {
		t.Run(name, func(t *testing.T) {
			data := edited(t, good, func(o object) { change(at(o, "verificationMaterial", "tlogEntries")) })
			// That is so, too, where no entry is asked for at all.
			for _, kind := range []Kind{PublicGood, Private} {
				if err := refused(t, l.verifier(kind), data, fileDigest, ErrLog); !strings.Contains(err.Expected, "well formed") {
					t.Errorf("found %v", err)
				}
			}
		})
	}
}

// Text of a bundle reaches a message only in a form that a terminal doesn't obey.
func TestMessagesAreHarmless(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	nasty := "\x1b]0;owned\a\u202e" + strings.Repeat("x", 1000)
	key, err := testrepo.NewSigningKey(testrepo.ECDSA)
	must(t, err)
	keys := verifier(t, Profile{Name: "keys", Kind: Keys, Keys: [][]byte{key.PublicPEM()}})
	good := l.bundle(testrepo.BundleOptions{Data: fileData})
	for name, test := range map[string]struct {
		v    *Verifier
		data []byte
	}{
		"media type":  {keys, edited(t, good, func(o object) { o["mediaType"] = nasty })},
		"field":       {keys, edited(t, good, func(o object) { o[nasty] = 1 })},
		"hint":        {keys, l.bundle(testrepo.BundleOptions{Data: fileData, Plain: true, Hint: nasty[:1000]})},
		"payload":     {l.verifier(GitHub), l.bundle(testrepo.BundleOptions{Statement: []byte("{}"), PayloadType: nasty, Preset: testrepo.GitHub})},
		"statement":   {l.verifier(GitHub), l.bundle(testrepo.BundleOptions{Statement: []byte(fmt.Sprintf(`{"_type":%q}`, "\u202e"+nasty[9:])), Preset: testrepo.GitHub})},
		"certificate": {l.verifier(PublicGood), edited(t, good, func(o object) { at(o, "verificationMaterial", "certificate")["rawBytes"] = "MIIB" })},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := test.v.Verify(test.data, fileDigest)
			if err == nil || len(err.Error()) > 1000 || strings.ContainsAny(err.Error(), "\x1b\a\n\u202e") {
				t.Errorf("found %q", err)
			}
		})
	}
}

// A fault of the library's, or of ours, that ends in a panic is a refusal.
func TestPanicIsARefusal(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	unmade := new(Verifier)
	if err := refused(t, unmade, l.bundle(testrepo.BundleOptions{Data: fileData}), fileDigest, ErrMalformed); !strings.Contains(err.Detail, "panic") {
		t.Errorf("expected a panic, found %v", err)
	}
}
