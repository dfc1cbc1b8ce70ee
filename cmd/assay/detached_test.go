package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aead.dev/minisign"
	"github.com/ProtonMail/go-crypto/openpgp/armor"
	openpgp "github.com/ProtonMail/go-crypto/openpgp/v2"
	"github.com/hiddeco/sshsig"
	"github.com/urfave/cli/v2"
	"golang.org/x/crypto/ssh"

	"assay/artifact"
	"assay/trust"
	"assay/trust/provenance/detached"
)

// sure is a value that there has to be: the libraries fail only where random
// numbers run out.
func sure[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// signer signs by one of the older tools: a signature file, and the key's file.
type signer func(t *testing.T, message []byte) (signature, key []byte)

func minisigner(t *testing.T, message []byte) (signature, key []byte) {
	t.Helper()
	public, private, err := minisign.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	r := minisign.NewReader(bytes.NewReader(message))
	if _, err := io.Copy(io.Discard, r); err != nil {
		t.Fatal(err)
	}
	return r.Sign(private), sure(public.MarshalText())
}

func sshSigner(t *testing.T, message []byte) (signature, key []byte) {
	t.Helper()
	_, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	by := sure(ssh.NewSignerFromKey(private))
	made := sure(sshsig.Sign(bytes.NewReader(message), by, sshsig.HashSHA512, "file"))
	return sshsig.Armor(made), ssh.MarshalAuthorizedKey(by.PublicKey())
}

func pgpSigner(t *testing.T, message []byte) (signature, key []byte) {
	t.Helper()
	entity := sure(openpgp.NewEntity("Release", "", "release@acme.example", nil))
	var signed, public bytes.Buffer
	if err := openpgp.ArmoredDetachSign(&signed, []*openpgp.Entity{entity}, bytes.NewReader(message), nil); err != nil {
		t.Fatal(err)
	}
	w := sure(armor.Encode(&public, "PGP PUBLIC KEY BLOCK", nil))
	if err := entity.Serialize(w); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return signed.Bytes(), append(public.Bytes(), '\n')
}

// A signature of an older tool, over the file or over a list that has it.
func TestDetachedSignaturesAlone(t *testing.T) {
	t.Parallel()
	file, sums := []byte("the bytes of tool\n"), []byte("718bdb1a2b8252db4acdcee4c96cf6a42c583e583d59f6fc560a446e1e5f2f69  tool.tgz\n")
	for name, sign := range map[string]signer{"minisign": minisigner, "SSH": sshSigner, "OpenPGP": pgpSigner} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &desk{t: t, dir: t.TempDir()}
			d.write("tool.tgz", file)
			d.write("other.tgz", []byte("some other bytes\n"))
			d.write("SUMS", sums)
			d.write("NONE", []byte(strings.Replace(string(sums), "718b", "718c", 1)))
			for of, data := range map[string][]byte{"tool.tgz": file, "SUMS": sums} {
				signature, key := sign(t, data)
				d.write(of+".sig", signature)
				d.write(of+".key", key)
			}
			before := d.files()
			for _, test := range []struct {
				line string
				code int
				says string
			}{
				{"tool.tgz --signature tool.tgz.sig --key tool.tgz.key", 0, "tool.tgz: verified"},
				{"tool.tgz --checksums SUMS --signature SUMS.sig --key SUMS.key", 0, "release.checksums SUMS"},
				{"other.tgz --signature tool.tgz.sig --key tool.tgz.key", 14, "wrong signature"},
				{"tool.tgz --signature tool.tgz.sig --key SUMS.key", 14, ""},
				{"tool.tgz --checksums SUMS --signature tool.tgz.sig --key tool.tgz.key", 14, "wrong signature"},
				{"tool.tgz --checksums NONE --signature SUMS.sig --key SUMS.key", 13, "NONE: tool.tgz: expected sha256:718c"},
				{"other.tgz --checksums SUMS --signature SUMS.sig --key SUMS.key", 15, "other.tgz"},
				{"tool.tgz --signature tool.tgz --key tool.tgz.key", 14, "hint: --signature takes what minisign, gpg --detach-sign or ssh-keygen -Y sign wrote"},
				{"tool.tgz --signature tool.tgz.sig --key tool.tgz", 2, "--key: tool.tgz"},
				{"tool.tgz --signature nosuch --key tool.tgz.key", 2, "nosuch"},
			} {
				code, stdout, stderr := d.run("", append([]string{"verify"}, strings.Fields(test.line)...)...)
				if code != test.code || !strings.Contains(stdout+stderr, test.says) {
					t.Errorf("verify %s: expected exit %d and %q, found %d: %s%s", test.line, test.code, test.says, code, stdout, stderr)
				}
			}
			wantSigner(t, d)
			code, _, stderr := d.run("", "verify", "tool.tgz", "--signature", "tool.tgz.sig", "--key", "tool.tgz.key", "--namespace", "other")
			if want := map[bool]int{true: 14, false: 0}[name == "SSH"]; code != want {
				t.Errorf("another namespace: expected exit %d, found %d: %s", want, code, stderr)
			}
			if after := d.files(); len(after) != len(before)+1 { // user.toml
				t.Errorf("left behind: %v, there were %v", after, before)
			}
			if _, err := os.Stat(filepath.Join(d.dir, "state")); err == nil {
				t.Error("a state was made")
			}
		})
	}
}

// wantSigner demands that the evidence names the signature, the key and its file.
func wantSigner(t *testing.T, d *desk) {
	t.Helper()
	_, stdout, _ := d.run("", "verify", "tool.tgz", "--signature", "tool.tgz.sig", "--key", "tool.tgz.key", "--json")
	var doc aloneDoc
	if err := json.Unmarshal([]byte(stdout), &doc); err != nil || len(doc.Evidence.Signatures) != 1 {
		t.Fatalf("expected evidence with one signature, found %v: %s", err, stdout)
	}
	digest := func(name string) artifact.Digest {
		return artifact.DigestOf(artifact.SHA256, sure(os.ReadFile(filepath.Join(d.dir, name))))
	}
	s := doc.Evidence.Signatures[0]
	if s.Of != "tool.tgz.sig" || s.Bundle != digest(s.Of) || s.Root != digest("tool.tgz.key") || s.Signer == "" || !strings.HasSuffix(doc.Evidence.Checks[0].Found, " key "+s.Signer) {
		t.Errorf("expected signature, signer and key, found %+v and %+v", s, doc.Evidence.Checks)
	}
}

// A file that changes after it was hashed: the signature is right, and it is not
// over what was told of the file.
func TestFileChangesWhileItIsVerified(t *testing.T) {
	t.Parallel()
	d := &desk{t: t, dir: t.TempDir()}
	after := []byte("the bytes of tool\n")
	d.write("tool.tgz", after)
	text, keys := minisigner(t, after)
	signature := sure(detached.ParseSignature(text))
	v := &alone{
		app: &app{workDir: d.dir, now: time.Now}, signed: "tool.tgz",
		over: artifact.Digests{artifact.DigestOf(artifact.SHA256, []byte("the bytes before"))},
		c:    cli.NewContext(nil, flag.NewFlagSet("", flag.ContinueOnError), nil),
	}
	if _, err := v.verifyDetached(t.Context(), signature, sure(detached.ParseKeys(keys))); !errors.Is(err, trust.ErrMismatch) {
		t.Errorf("expected %v, found %v", trust.ErrMismatch, err)
	}
	v.over[0] = artifact.DigestOf(artifact.SHA256, after)
	if _, err := v.verifyDetached(t.Context(), signature, sure(detached.ParseKeys(keys))); err != nil {
		t.Error(err)
	}
}
