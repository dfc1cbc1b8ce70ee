package detached

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"aead.dev/minisign"
	"github.com/hiddeco/sshsig"
	"golang.org/x/crypto/ssh"
)

var (
	content = []byte("the bytes of a release\n")
	now     = time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
)

// signed is a signature file with the file of the key that made it.
type signed struct {
	signature, keys []byte
}

func signMinisign(t testing.TB, message []byte) (signed, minisign.PrivateKey) {
	t.Helper()
	public, private, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r := minisign.NewReader(bytes.NewReader(message))
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	text, err := public.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	return signed{r.SignWithComments(private, "timestamp:1\tfile:tool", "signature"), text}, private
}

func newSSH(t testing.TB, private any) ssh.Signer {
	t.Helper()
	signer, err := ssh.NewSignerFromKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func newEd25519(t testing.TB) ed25519.PrivateKey {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return private
}

func signSSH(t testing.TB, message []byte, signer ssh.Signer, namespace string) signed {
	t.Helper()
	s, err := sshsig.Sign(bytes.NewReader(message), signer, sshsig.HashSHA512, namespace)
	if err != nil {
		t.Fatal(err)
	}
	return signed{sshsig.Armor(s), authorized(signer)}
}

func authorized(signer ssh.Signer) []byte {
	return append(bytes.TrimSpace(ssh.MarshalAuthorizedKey(signer.PublicKey())), " release key\n"...)
}

// signAll gives a signature in every format.
func signAll(t testing.TB) map[Format]signed {
	t.Helper()
	byMinisign, _ := signMinisign(t, content)
	entity := newPGP(t, pgp{})
	return map[Format]signed{
		Minisign: byMinisign,
		OpenPGP:  {signPGP(t, entity, signing{}), armored(t, entity)},
		SSH:      signSSH(t, content, newSSH(t, newEd25519(t)), "file"),
	}
}

func verify(t testing.TB, s signed, message []byte) (Signer, error) {
	t.Helper()
	return verifyWith(t, s, message, Options{Now: now})
}

func verifyWith(t testing.TB, s signed, message []byte, options Options) (Signer, error) {
	t.Helper()
	signature, err := ParseSignature(s.signature)
	if err != nil {
		return Signer{}, err
	}
	keys, err := ParseKeys(s.keys)
	if err != nil {
		return Signer{}, err
	}
	return Verify(t.Context(), signature, bytes.NewReader(message), keys, options)
}

// refused asserts the kind of an error, that it is no other kind, what it says,
// and that it can be shown.
func refused(t testing.TB, signer Signer, err, kind error, words string) {
	t.Helper()
	if err == nil || signer != (Signer{}) {
		t.Errorf("got %+v, %v", signer, err)
		return
	}
	for _, other := range []error{ErrFormat, ErrKey, ErrSignature, ErrTooLarge} {
		if errors.Is(err, other) != (other == kind) {
			t.Errorf("got %v, want %v", err, kind)
		}
	}
	if !strings.Contains(err.Error(), words) {
		t.Errorf("%v does not say %q", err, words)
	}
	if strings.ContainsFunc(err.Error(), isUnprintable) || len(err.Error()) > 1000 {
		t.Errorf("%q is not fit for a terminal", err)
	}
}

func TestVerify(t *testing.T) {
	all := signAll(t)
	var everybody bytes.Buffer
	for _, format := range []Format{OpenPGP, SSH, Minisign} {
		everybody.Write(all[format].keys)
		everybody.WriteString("\n# the next one\r\n\n")
	}
	for format, s := range all {
		t.Run(string(format), func(t *testing.T) {
			if found, err := Detect(s.signature); err != nil || found != format {
				t.Errorf("detected %q, %v", found, err)
			}
			keys, err := ParseKeys(s.keys)
			if err != nil || len(keys) != 1 || keys[0].Format() != format {
				t.Fatalf("got %v, %v", keys, err)
			}
			for _, ring := range [][]byte{s.keys, everybody.Bytes()} {
				signer, err := verify(t, signed{append([]byte("\n"), s.signature...), ring}, content)
				if err != nil || signer.Format != format || signer.Key != keys[0].ID() || signer.Name != keys[0].Name() {
					t.Errorf("got %+v, %v for %v", signer, err, keys[0].ID())
				}
			}
		})
	}
}

func TestVerifyRefuses(t *testing.T) {
	strangers := signAll(t)
	for format, s := range signAll(t) {
		t.Run(string(format), func(t *testing.T) {
			signer, err := verify(t, s, append(bytes.Clone(content), '!'))
			refused(t, signer, err, ErrSignature, "over this content")
			signer, err = verify(t, s, content[:len(content)-1])
			refused(t, signer, err, ErrSignature, "over this content")
			signer, err = verify(t, s, nil)
			refused(t, signer, err, ErrSignature, "over this content")
			signer, err = verify(t, signed{s.signature, strangers[format].keys}, content)
			refused(t, signer, err, ErrKey, "found only the "+string(format)+" key")
			for other, stranger := range strangers {
				if other != format {
					signer, err = verify(t, signed{s.signature, stranger.keys}, content)
					refused(t, signer, err, ErrKey, "found only the "+string(other)+" key")
				}
			}
			signer, err = verifyWith(t, s, content, Options{})
			refused(t, signer, err, ErrKey, "a time to judge keys at")
			signature, err := ParseSignature(s.signature)
			if err != nil {
				t.Fatal(err)
			}
			signer, err = Verify(t.Context(), signature, bytes.NewReader(content), nil, Options{Now: now})
			refused(t, signer, err, ErrKey, "found 0 other keys")
		})
	}
	signer, err := Verify(t.Context(), Signature{}, bytes.NewReader(content), nil, Options{Now: now})
	refused(t, signer, err, ErrFormat, "expected one that was parsed")
}

// Any one bit of a signature file that is changed makes it wrong or unreadable,
// unless it says the same as before.
func TestVerifyRefusesDamage(t *testing.T) {
	for format, s := range signAll(t) {
		want, err := verify(t, s, content)
		if err != nil {
			t.Fatal(err)
		}
		for i := range s.signature {
			damaged := bytes.Clone(s.signature)
			damaged[i] ^= 1
			signer, err := verify(t, signed{damaged, s.keys}, content)
			if err == nil && signer != want {
				t.Errorf("%s: byte %d: got %+v", format, i, signer)
			}
			if err != nil && !errors.Is(err, ErrFormat) && !errors.Is(err, ErrKey) && !errors.Is(err, ErrSignature) {
				t.Errorf("%s: byte %d: got %v", format, i, err)
			}
		}
	}
}

// What is wrong with reading the content is no wrong signature.
func TestVerifyPassesOnErrorsOfReading(t *testing.T) {
	broken := errors.New("disk broken")
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	for format, s := range signAll(t) {
		signature, err := ParseSignature(s.signature)
		if err != nil {
			t.Fatal(err)
		}
		keys, err := ParseKeys(s.keys)
		if err != nil {
			t.Fatal(err)
		}
		whole := bytes.NewReader(content)
		for _, test := range []struct {
			ctx     context.Context
			content io.Reader
			want    error
		}{
			{t.Context(), io.MultiReader(whole, iotest.ErrReader(broken)), broken},
			{t.Context(), iotest.TimeoutReader(iotest.OneByteReader(bytes.NewReader(content))), iotest.ErrTimeout},
			{cancelled, bytes.NewReader(content), context.Canceled},
			{cancelled, iotest.ErrReader(broken), context.Canceled}, // it is not even asked
		} {
			signer, err := Verify(test.ctx, signature, test.content, keys, Options{Now: now})
			if !errors.Is(err, test.want) || errors.Is(err, ErrSignature) || signer != (Signer{}) {
				t.Errorf("%s: got %+v, %v, want %v", format, signer, err, test.want)
			}
		}
	}
}

func TestDetectRefuses(t *testing.T) {
	for _, test := range []struct {
		name, data string
		kind       error
	}{
		{"nothing", "", ErrFormat},
		{"page", "<html>\x1b[2J", ErrFormat},
		{"public key", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n", ErrFormat},
		{"signed message", "-----BEGIN PGP SIGNED MESSAGE-----\n", ErrFormat},
		{"other packet", "\xc6\x01\x00", ErrFormat},
		{"bundle of Sigstore", `{"mediaType":`, ErrFormat},
		{"too large", minisignStart + strings.Repeat("x", MaxSignatureBytes), ErrTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			format, err := Detect([]byte(test.data))
			if format != "" {
				t.Errorf("got %q", format)
			}
			refused(t, Signer{}, err, test.kind, "expected")
			_, err = ParseSignature([]byte(test.data))
			refused(t, Signer{}, err, test.kind, "expected")
		})
	}
}

func TestParseSignatureRefuses(t *testing.T) {
	all := signAll(t)
	for _, test := range []struct {
		name, data, words string
		kind              error
	}{
		{"minisign cut", string(all[Minisign].signature[:120]), "minisign", ErrFormat},
		{"minisign with more", string(all[Minisign].signature) + "more\n", "minisign", ErrFormat},
		{"signify", "untrusted comment: x\n" + strings.Split(string(all[Minisign].signature), "\n")[1] + "\n", "minisign", ErrFormat},
		{"minisign with an escape sequence", strings.Replace(string(all[Minisign].signature), "file:", "\x1b[2J", 1), "printable trusted comment", ErrFormat},
		{"minisign with a comment that is no UTF-8", strings.Replace(string(all[Minisign].signature), "file:", "\xff", 1), "printable trusted comment", ErrFormat},
		{"minisign with a long comment", strings.Replace(string(all[Minisign].signature), "file:", strings.Repeat("x", maxText), 1), "printable trusted comment", ErrFormat},
		{"OpenPGP cut", string(all[OpenPGP].signature[:80]), "one block", ErrFormat},
		{"OpenPGP with more", string(all[OpenPGP].signature) + "\nmore", "one block", ErrFormat},
		{"two of OpenPGP", string(all[OpenPGP].signature) + "\n" + string(all[OpenPGP].signature), "one block", ErrFormat},
		{"OpenPGP without base64", "-----BEGIN PGP SIGNATURE-----\n\n????\n-----END PGP SIGNATURE-----", "base64", ErrFormat},
		{"OpenPGP with bad headers", "-----BEGIN PGP SIGNATURE-----\nx\n-----END PGP SIGNATURE-----", "a block of PGP SIGNATURE", ErrFormat},
		{"OpenPGP with a long line", "-----BEGIN PGP SIGNATURE-----\nA: " + strings.Repeat("x", maxArmoredLine) + "\n-----END PGP SIGNATURE-----", "lines of at most", ErrFormat},
		{"OpenPGP with nothing", "-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----", "found none of a known version", ErrFormat},
		{"packet cut", "\xc2\x05\x04", "signature of OpenPGP", ErrFormat},
		{"old version of a packet", "\xc2\x05\x03\x05\x00\x00\x00", "found none of a known version", ErrFormat},
		{"SSH cut", string(all[SSH].signature[:80]), "one block", ErrFormat},
		{"SSH with more", string(all[SSH].signature) + "more", "one block", ErrFormat},
		{"SSH with another block within", "-----BEGIN SSH SIGNATURE-----\n-----BEGIN X-----\nAAAA\n-----END X-----", "one block", ErrFormat},
		{"SSH with headers", strings.Replace(string(all[SSH].signature), "\n", "\nA: b\n\n", 1), "one block", ErrFormat},
		{"SSH with other bytes", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----", "signature of SSH", ErrFormat},
	} {
		t.Run(test.name, func(t *testing.T) {
			s, err := ParseSignature([]byte(test.data))
			if s.Format() != "" {
				t.Errorf("got %v", s)
			}
			refused(t, Signer{}, err, test.kind, test.words)
		})
	}
}

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

func TestSSH(t *testing.T) {
	private := newEd25519(t)
	p256, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p521, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	strong, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []crypto.PrivateKey{private, p256, p521, strong} {
		s := signSSH(t, content, newSSH(t, key), "file")
		if signer, err := verify(t, s, content); err != nil || signer.Name != "release key" || !strings.HasPrefix(signer.Key, "SHA256:") {
			t.Errorf("%T: got %+v, %v", key, signer, err)
		}
	}
	signer := newSSH(t, private)
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(signer.PublicKey())))
	t.Run("namespace", func(t *testing.T) {
		git := signSSH(t, content, signer, "git")
		got, err := verify(t, git, content)
		refused(t, got, err, ErrSignature, `namespace "file", found one for "git"`)
		if got, err = verifyWith(t, git, content, Options{Now: now, Namespace: "git"}); err != nil || got.Format != SSH {
			t.Errorf("got %+v, %v", got, err)
		}
	})
	s := signSSH(t, content, signer, "file")
	for _, test := range []struct {
		line, name string
		kind       error // of Verify
		words      string
	}{
		{"release@example.com " + line, "release@example.com", nil, ""},
		{"a@example.com,b@example.com\t" + line + " comment", "a@example.com,b@example.com", nil, ""},
		{`a namespaces="file,git" ` + line, "a", nil, ""},
		{`a namespaces="f*" ` + line, "a", nil, ""},
		{`a valid-after="20260601",valid-before="20260602Z" ` + line, "a", nil, ""},
		{`a namespaces="git" ` + line, "", ErrKey, `for the namespace "file", found SHA256:`},
		{`a namespaces="*,!file" ` + line, "", ErrKey, `for the namespace "file"`},
		{`a valid-after="202606011201" ` + line, "", ErrKey, "valid after 2026-06-01T12:01:00Z"},
		{`a valid-before="20260601120000Z" ` + line, "", ErrKey, "valid before 2026-06-01T12:00:00Z"},
		{`a valid-before="20260101" ` + line + "\nb " + line, "b", nil, ""}, // the same key on two lines
		{"b " + line + "\n" + `a valid-before="20260101" ` + line, "b", nil, ""},
	} {
		got, err := verify(t, signed{s.signature, []byte(test.line)}, content)
		if test.kind != nil {
			refused(t, got, err, test.kind, test.words)
		} else if err != nil || got.Name != test.name {
			t.Errorf("%s: got %+v, %v", test.line, got, err)
		}
	}
}

func TestParseKeysRefuses(t *testing.T) {
	private := newEd25519(t)
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(newSSH(t, private).PublicKey())))
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	certificate := &ssh.Certificate{Key: newSSH(t, private).PublicKey(), CertType: ssh.UserCert, ValidBefore: ssh.CertTimeInfinity}
	if err := certificate.SignCert(rand.Reader, newSSH(t, newEd25519(t))); err != nil {
		t.Fatal(err)
	}
	entity := newPGP(t, pgp{})
	var secret bytes.Buffer
	if err := entity.SerializePrivate(&secret, nil); err != nil {
		t.Fatal(err)
	}
	block := string(armored(t, entity))
	for _, test := range []struct {
		name, data, words string
		kind              error
	}{
		{"nothing", "", "found none", ErrKey},
		{"comments", "# x\n\nuntrusted comment: x\n", "found none", ErrKey},
		{"page", "# x\n<html>\n", "line 2: ", ErrKey},
		{"minisign", "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7", "minisign", ErrKey},
		{"minisign of another algorithm", "RXQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3", "minisign", ErrKey},
		{"PEM", "-----BEGIN PUBLIC KEY-----\n", "an SSH key", ErrKey},
		{"private PEM", "-----BEGIN OPENSSH PRIVATE KEY-----\n", "found a private one", ErrKey},
		{"private OpenPGP in armor", "-----BEGIN PGP PRIVATE KEY BLOCK-----\n", "found a private one", ErrKey},
		{"private OpenPGP", secret.String(), "found a private one", ErrKey},
		{"primary key of private OpenPGP", "\xc5\x01\x04", "found a private one", ErrKey},
		{"subkey of private OpenPGP", block + "\n" + string(inArmor(t, pgpPublicKey, []byte("\xc7\x01\x04"))), "found a private one", ErrKey},
		{"OpenPGP without base64", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n????\n-----END PGP PUBLIC KEY BLOCK-----\n", "base64", ErrKey},
		{"too many of OpenPGP", strings.Repeat(string(packets(t, entity)), MaxKeys+1), "at most 1024 keys", ErrTooLarge},
		{"bad line behind a block", block + "\nx y", fmt.Sprintf("line %d: ", strings.Count(block, "\n")+2), ErrKey},
		{"OpenPGP cut", block[:len(block)-10], "the end of the block", ErrKey},
		{"OpenPGP damaged", strings.Replace(block, "\n\n", "\n\nAAAA", 1), "line 1: ", ErrKey},
		{"signature as a key", string(signPGP(t, entity, signing{binary: true})), "OpenPGP certificate", ErrKey},
		{"OpenPGP of nothing", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n-----END PGP PUBLIC KEY BLOCK-----\n", "found none", ErrKey},
		{"SSH damaged", line[:40] + " x", "an SSH key", ErrKey},
		{"SSH with options of sshd", `expiry-time="20300101" ` + line, "principals", ErrKey},
		{"SSH authority", "cert-authority " + line, "principals", ErrKey},
		{"SSH authority among options", "restrict,cert-authority " + line, "principals", ErrKey},
		{"SSH authority of allowed_signers", "a cert-authority " + line, "the options", ErrKey},
		{"SSH with an unknown option", "a no-pty " + line, "the options", ErrKey},
		{"SSH without namespaces", `a namespaces="" ` + line, "expected namespaces", ErrKey},
		{"SSH with no time", `a valid-after="tomorrow" ` + line, "a time like", ErrKey},
		{"SSH certificate", string(ssh.MarshalAuthorizedKey(certificate)), "an SSH key", ErrKey},
		{"SSH certificate in allowed_signers", "a " + string(ssh.MarshalAuthorizedKey(certificate)), "one of the types", ErrKey},
		{"SSH with short RSA", string(authorized(newSSH(t, weak))), "at least 2048 bits, found 1024", ErrKey},
		{"long line", strings.Repeat("x", maxLine+1), "a line of at most", ErrKey},
		{"too many keys", strings.Repeat(line+"\n", MaxKeys+1), "at most 1024 keys", ErrTooLarge},
		{"too many bytes", "#" + strings.Repeat(" ", MaxKeysBytes), "at most 4194304 bytes", ErrTooLarge},
	} {
		t.Run(test.name, func(t *testing.T) {
			keys, err := ParseKeys([]byte(test.data))
			if keys != nil {
				t.Errorf("got %v", keys)
			}
			refused(t, Signer{}, err, test.kind, test.words)
		})
	}
	if keys, err := ParseKeys([]byte(strings.Repeat(line+"\n", MaxKeys))); err != nil || len(keys) != MaxKeys {
		t.Errorf("got %d keys, %v", len(keys), err)
	}
}

func TestPanicsBecomeErrors(t *testing.T) {
	err := guarded(func() error { panic("\x1b[2J") }, ErrKey)
	refused(t, Signer{}, err, ErrKey, "makes its library panic")
}

func TestUnarmorTakesNothingBefore(t *testing.T) {
	raw, err := unarmor(append([]byte("x\n"), inArmor(t, pgpSignature, content)...), pgpSignature, ErrFormat)
	if raw != nil {
		t.Errorf("got %q", raw)
	}
	refused(t, Signer{}, err, ErrFormat, "one block")
}

func TestMatchList(t *testing.T) {
	for _, test := range []struct {
		list, text string
		want       bool
	}{
		{"file", "file", true}, {"file", "files", false}, {"files", "file", false}, {"a,file", "file", true}, {"*", "", true}, {"", "", true},
		{"", "a", false}, {"f?le", "file", true}, {"f?le", "fle", false}, {"*le", "file", true}, {"*l", "file", false}, {"f*l*e**", "file", true},
		{"a*b*c", "aXbXbXc", true}, {"a*b*c", "aXbXbX", false}, {"!file,*", "file", false}, {"*,!file", "file", false}, {"*,!git", "file", true}, {"!git", "file", false},
	} {
		if got := matchList(test.list, test.text); got != test.want {
			t.Errorf("%q %q: got %v", test.list, test.text, got)
		}
	}
}

func TestNamesCanBeShown(t *testing.T) {
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(newSSH(t, newEd25519(t)).PublicKey())))
	for comment, want := range map[string]string{
		"a\x1b[2Jb": "a?[2Jb", "a\u202eb": "a?b", "a\xffb": "a?b", strings.Repeat("é", maxText): strings.Repeat("é", maxText/2) + "…",
	} {
		if keys, err := ParseKeys([]byte(line + " " + comment)); err != nil || keys[0].Name() != want {
			t.Errorf("%q: got %v, %v", comment, keys, err)
		}
	}
}
