package detached

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
)

// run starts a tool of this machine in a directory, or skips.
func run(t *testing.T, dir, name string, args ...string) []byte {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Skip("not installed:", err)
	}
	cmd := exec.Command(path, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GNUPGHOME="+dir)
	var talk bytes.Buffer
	cmd.Stderr = &talk
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, talk.Bytes())
	}
	return out
}

// toolDir has a file "tool" with the content. Its path is short, as that of
// gpg-agent's socket must be.
func toolDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "d")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.WriteFile(filepath.Join(dir, "tool"), content, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestSignaturesOfGPG(t *testing.T) {
	dir := toolDir(t)
	run(t, dir, "gpg", "--version")
	t.Cleanup(func() { run(t, dir, "gpgconf", "--kill", "all") })
	for _, kind := range []string{"ed25519", "rsa2048", "nistp256"} {
		t.Run(kind, func(t *testing.T) {
			user := kind + " <" + kind + "@example.com>"
			run(t, dir, "gpg", "--batch", "--passphrase", "", "--quick-gen-key", user, kind, "sign", "1y")
			keys := run(t, dir, "gpg", "--export", user)
			inText := run(t, dir, "gpg", "--armor", "--export", user)
			signature := run(t, dir, "gpg", "--batch", "--local-user", user, "--detach-sign", "--output", "-", "tool")
			asText := run(t, dir, "gpg", "--batch", "--local-user", user, "--armor", "--detach-sign", "--output", "-", "tool")
			shown := string(run(t, dir, "gpg", "--with-colons", "--list-keys", user))
			options := Options{Now: time.Now()}
			for _, s := range []signed{{signature, keys}, {asText, inText}} {
				signer, err := verifyWith(t, s, content, options)
				if err != nil || signer.Name != user || !strings.Contains(shown, ":"+signer.Key+":") {
					t.Errorf("got %+v, %v", signer, err)
				}
				signer, err = verifyWith(t, s, []byte("other"), options)
				refused(t, signer, err, ErrSignature, "over this content")
			}
			signer, err := verifyWith(t, signed{signature, keys}, content, Options{Now: time.Now().AddDate(2, 0, 0)})
			refused(t, signer, err, ErrKey, "key expired")
			if kind == "nistp256" {
				return // gpg does not sign with a hash that is shorter than the curve
			}
			weak := run(t, dir, "gpg", "--batch", "--local-user", user, "--digest-algo", "SHA1", "--detach-sign", "--output", "-", "tool")
			signer, err = verifyWith(t, signed{weak, keys}, content, options)
			refused(t, signer, err, ErrSignature, "SHA-1")
		})
	}
}

func TestSignaturesOfSSHKeygen(t *testing.T) {
	dir := toolDir(t)
	for kind, bits := range map[string]string{"ed25519": "256", "ecdsa": "384", "rsa": "2048"} {
		t.Run(kind, func(t *testing.T) {
			run(t, dir, "ssh-keygen", "-q", "-t", kind, "-b", bits, "-N", "", "-C", "release key", "-f", kind)
			run(t, dir, "ssh-keygen", "-q", "-Y", "sign", "-f", kind, "-n", "file", "tool")
			signature, err := os.ReadFile(filepath.Join(dir, "tool.sig"))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.Remove(filepath.Join(dir, "tool.sig")); err != nil {
				t.Fatal(err)
			}
			keys, err := os.ReadFile(filepath.Join(dir, kind+".pub"))
			if err != nil {
				t.Fatal(err)
			}
			shown := string(run(t, dir, "ssh-keygen", "-l", "-f", kind+".pub"))
			signer, err := verify(t, signed{signature, keys}, content)
			if err != nil || signer.Name != "release key" || !strings.Contains(shown, " "+signer.Key+" ") {
				t.Errorf("got %+v, %v", signer, err)
			}
			signer, err = verify(t, signed{signature, keys}, []byte("other"))
			refused(t, signer, err, ErrSignature, "over this content")
		})
	}
}

func TestSignaturesOfMinisign(t *testing.T) {
	dir := toolDir(t)
	run(t, dir, "minisign", "-G", "-W", "-p", "key.pub", "-s", "key")
	for _, form := range []string{"-H", "-l"} {
		run(t, dir, "minisign", "-S", form, "-s", "key", "-m", "tool")
		signature, err := os.ReadFile(filepath.Join(dir, "tool.minisig"))
		if err != nil {
			t.Fatal(err)
		}
		keys, err := os.ReadFile(filepath.Join(dir, "key.pub"))
		if err != nil {
			t.Fatal(err)
		}
		if signer, err := verify(t, signed{signature, keys}, content); err != nil || !strings.Contains(signer.Comment, "file:tool") {
			t.Errorf("%s: got %+v, %v", form, signer, err)
		}
	}
}

// A security token signs the hash of its application, what it saw (flags), a
// counter and the hash of what is to be signed (PROTOCOL.u2f of OpenSSH).
func TestSSHOnAToken(t *testing.T) {
	private := newEd25519(t)
	public, ok := private.Public().(ed25519.PublicKey)
	if !ok {
		t.Fatal("no public key")
	}
	blob := ssh.Marshal(struct {
		Type        string
		Key         []byte
		Application string
	}{ssh.KeyAlgoSKED25519, public, "ssh:"})
	key, err := ssh.ParsePublicKey(blob)
	if err != nil {
		t.Fatal(err)
	}
	hash := sha256.Sum256(content)
	data := append([]byte("SSHSIG"), ssh.Marshal(struct{ Namespace, Reserved, Algorithm, Hash string }{"file", "", "sha256", string(hash[:])})...)
	for _, touched := range []byte{1, 0} {
		application, message := sha256.Sum256([]byte("ssh:")), sha256.Sum256(data)
		seen := binary.BigEndian.AppendUint32([]byte{touched}, 7)
		inner := ssh.Marshal(struct {
			Type      string
			Signature []byte
			Rest      []byte `ssh:"rest"`
		}{ssh.KeyAlgoSKED25519, ed25519.Sign(private, bytes.Join([][]byte{application[:], seen, message[:]}, nil)), seen})
		raw := append([]byte("SSHSIG"), ssh.Marshal(struct {
			Version                                            uint32
			Key, Namespace, Reserved, HashAlgorithm, Signature string
		}{1, string(blob), "file", "", "sha256", string(inner)})...)
		s := signed{pem.EncodeToMemory(&pem.Block{Type: sshSignature, Bytes: raw}), ssh.MarshalAuthorizedKey(key)}
		signer, err := verify(t, s, content)
		if touched == 0 {
			refused(t, signer, err, ErrSignature, "user presence")
		} else if err != nil || signer.Key != ssh.FingerprintSHA256(key) {
			t.Errorf("got %+v, %v", signer, err)
		}
	}
}
