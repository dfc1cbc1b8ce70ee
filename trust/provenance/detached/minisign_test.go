package detached

import (
	"bytes"
	"io"
	"strings"
	"testing"

	"aead.dev/minisign"
)

func TestMinisign(t *testing.T) {
	s, private := signMinisign(t, content)
	legacy := signed{minisign.Sign(private, content), s.keys}
	t.Run("trusted comment", func(t *testing.T) {
		if signer, err := verify(t, s, content); err != nil || signer.Comment != "timestamp:1\tfile:tool" || signer.Name != "" {
			t.Errorf("got %+v, %v", signer, err)
		}
		changed := strings.Replace(string(s.signature), "file:tool", "file:evil", 1)
		signer, err := verify(t, signed{[]byte(changed), s.keys}, content)
		refused(t, signer, err, ErrSignature, "its trusted comment")
	})
	t.Run("lines of Windows", func(t *testing.T) {
		signer, err := verify(t, signed{bytes.ReplaceAll(s.signature, []byte("\n"), []byte("\r\n")), bytes.ReplaceAll(s.keys, []byte("\n"), []byte("\r\n"))}, content)
		if err != nil || signer.Comment != "timestamp:1\tfile:tool" {
			t.Errorf("got %+v, %v", signer, err)
		}
	})
	t.Run("older form", func(t *testing.T) {
		if signer, err := verify(t, legacy, content); err != nil || signer.Format != Minisign {
			t.Errorf("got %+v, %v", signer, err)
		}
		signer, err := verify(t, legacy, append(bytes.Clone(content), '!'))
		refused(t, signer, err, ErrSignature, "over this content")
	})
	t.Run("older form too large", func(t *testing.T) {
		for _, test := range []struct {
			signed
			limit int
			err   error
		}{
			{legacy, len(content), nil}, {legacy, len(content) - 1, ErrTooLarge}, {s, 0, nil}, // the newer form needs no memory
		} {
			signature, err := ParseSignature(test.signature)
			if err != nil {
				t.Fatal(err)
			}
			keys, err := ParseKeys(test.keys)
			if err != nil {
				t.Fatal(err)
			}
			signer, err := verifyMinisign(signature, bytes.NewReader(content), keys, int64(test.limit))
			if test.err != nil {
				refused(t, signer, err, test.err, "does not hash it first")
			} else if err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("one form is not taken for the other", func(t *testing.T) {
		// An older signature over the hash of other content would be right as one
		// of the newer form over that content, but for its label.
		hashed := minisign.NewReader(bytes.NewReader(content))
		if _, err := io.Copy(io.Discard, hashed); err != nil {
			t.Fatal(err)
		}
		swapped := relabel(t, s.signature, minisign.EdDSA)
		signer, err := verify(t, signed{swapped, s.keys}, content)
		refused(t, signer, err, ErrSignature, "over this content")
	})
	t.Run("two keys with one id", func(t *testing.T) {
		other, _ := signMinisign(t, content)
		raw := bytes.Clone(other.keys)
		keys, err := ParseKeys(raw)
		if err != nil {
			t.Fatal(err)
		}
		right, err := ParseKeys(s.keys)
		if err != nil {
			t.Fatal(err)
		}
		twin := withID(t, keys[0], right[0])
		signature, err := ParseSignature(s.signature)
		if err != nil {
			t.Fatal(err)
		}
		if signer, err := Verify(t.Context(), signature, bytes.NewReader(content), []Key{twin, right[0]}, Options{Now: now}); err != nil || signer.Key != right[0].ID() {
			t.Errorf("got %+v, %v", signer, err)
		}
		signer, err := Verify(t.Context(), signature, bytes.NewReader(content), []Key{twin}, Options{Now: now})
		refused(t, signer, err, ErrSignature, "over this content")
	})
	t.Run("as the tool wrote it", func(t *testing.T) {
		// From the documentation of minisign-verify, over "test".
		public := "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3"
		signature := "untrusted comment: signature from minisign secret key\n" +
			"RUQf6LRCGA9i559r3g7V1qNyJDApGip8MfqcadIgT9CuhV3EMhHoN1mGTkUidF/z7SrlQgXdy8ofjb7bNJJylDOocrCo8KLzZwo=\n" +
			"trusted comment: timestamp:1556193335\tfile:test\n" +
			"y/rUw2y8/hOUYjZU71eHp/Wo1KZ40fGy2VJEDl34XMJM+TX48Ss/17u3IvIfbVR1FkZZSNCisQbuQY+bHwhEBg==\n"
		signer, err := verify(t, signed{[]byte(signature), []byte(public)}, []byte("test"))
		if err != nil || signer.Key != public || signer.Comment != "timestamp:1556193335\tfile:test" {
			t.Errorf("got %+v, %v", signer, err)
		}
	})
}

func relabel(t *testing.T, text []byte, algorithm uint16) []byte {
	t.Helper()
	var s minisign.Signature
	if err := s.UnmarshalText(text); err != nil {
		t.Fatal(err)
	}
	s.Algorithm = algorithm
	text, err := s.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// withID is the key with the id of another one, which anybody can write.
func withID(t *testing.T, key, other Key) Key {
	t.Helper()
	a, b := decode64(t, key.ID()), decode64(t, other.ID())
	copy(a[2:10], b[2:10])
	twin, err := parseMinisignKey(encode64(a))
	if err != nil {
		t.Fatal(err)
	}
	return twin
}
