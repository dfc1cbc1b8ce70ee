package detached

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
	"strings"
	"testing"

	"golang.org/x/crypto/ssh"
)

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
