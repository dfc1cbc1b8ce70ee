package detached

import (
	"bytes"
	"errors"
	"reflect"
	"strings"
	"testing"
)

func checkKind(t *testing.T, err error) {
	t.Helper()
	for _, kind := range []error{ErrFormat, ErrKey, ErrSignature, ErrTooLarge} {
		if errors.Is(err, kind) {
			if strings.ContainsFunc(err.Error(), isUnprintable) {
				t.Fatalf("%q is not fit for a terminal", err)
			}
			return
		}
	}
	t.Fatalf("%v is of no kind", err)
}

// A signature file that is not the right one never verifies as another signer's,
// and what the signer says can be shown.
func FuzzVerify(f *testing.F) {
	all := signAll(f)
	var ring []Key
	want := map[Format]Signer{}
	for format, s := range all {
		keys, err := ParseKeys(s.keys)
		if err != nil {
			f.Fatal(err)
		}
		ring = append(ring, keys...)
		f.Add(s.signature)
		if want[format], err = verify(f, s, content); err != nil {
			f.Fatal(err)
		}
	}
	f.Add([]byte("\xc2\x05\x04"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ParseSignature(data)
		if err != nil {
			checkKind(t, err)
			return
		}
		if format, err := Detect(data); err != nil || format != s.Format() {
			t.Fatalf("detected %q, %v, and parsed %q", format, err, s.Format())
		}
		signer, err := Verify(t.Context(), s, bytes.NewReader(content), ring, Options{Now: now})
		if err != nil {
			checkKind(t, err)
			return
		}
		if signer != want[s.Format()] {
			t.Fatalf("got %+v, want %+v", signer, want[s.Format()])
		}
		if signer, err := Verify(t.Context(), s, strings.NewReader("other"), ring, Options{Now: now}); err == nil {
			t.Fatalf("%+v signed anything", signer)
		}
	})
}

// What passes as keys has an id and a name that can be shown; certificates can
// be read again, and the same file gives the same keys.
func FuzzParseKeys(f *testing.F) {
	for _, s := range signAll(f) {
		f.Add(s.keys)
		f.Add(append([]byte("a@example.com namespaces=\"file\" "), s.keys...))
	}
	f.Add(packets(f, newPGP(f, pgp{subkey: true}), newPGP(f, pgp{v6: true})))
	f.Add([]byte("RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		keys, err := ParseKeys(data)
		if err != nil {
			checkKind(t, err)
			return
		}
		again, err := ParseKeys(data)
		if err != nil || len(again) != len(keys) || len(keys) == 0 {
			t.Fatalf("got %d keys, then %d, %v", len(keys), len(again), err)
		}
		for i, key := range keys {
			if key.ID() == "" || key.Format() == "" || strings.ContainsFunc(key.ID()+key.Name(), isUnprintable) {
				t.Fatalf("%+v passed", key)
			}
			if key.ID() != again[i].ID() || !reflect.DeepEqual(key.pgpIDs, again[i].pgpIDs) {
				t.Fatalf("%s became %s", key.ID(), again[i].ID())
			}
			if key.Format() != OpenPGP {
				continue
			}
			if entity, _, err := key.entities(); err != nil || fingerprint(entity) != key.ID() || !reflect.DeepEqual(keyIDs(entity), key.pgpIDs) {
				t.Fatalf("%s can't be read again: %v", key.ID(), err)
			}
		}
	})
}
