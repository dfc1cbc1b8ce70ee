package detached

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"errors"
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
