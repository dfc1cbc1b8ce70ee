package serve_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay/mirror/serve"
)

func hashed(token string) string {
	sum := sha256.Sum256([]byte(token))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "tokens")
	write(t, file, "# who may read\n\nci "+hashed("hunter2")+"\nlab "+hashed("correct horse")+"\r\n")
	s := open(t, newShelf(t), serve.Config{Tokens: file})
	s.shelf.add(t, "acme/timestamp.json", []byte("{}"))
	statuses := func(what string, want map[string]int) {
		t.Helper()
		for header, status := range want {
			var headers []string
			if header != "" {
				headers = []string{"Authorization: " + header}
			}
			answer, _ := s.get("GET", "/r/acme/timestamp.json", headers...)
			if answer.StatusCode != status {
				t.Errorf("%s, %q: expected %d, found %s", what, header, status, answer.Status)
			}
			if status == 401 {
				expect(t, answer.Header, "Www-Authenticate", `Bearer realm="mirror"`)
				expect(t, answer.Header, "Cache-Control", "no-store")
			}
		}
	}
	statuses("at first", map[string]int{
		"": 401, "Bearer hunter2": 200, "bearer hunter2": 200, "Bearer correct horse": 200, "Bearer hunter": 401, "Bearer hunter22": 401,
		"Bearer ": 401, "Bearer": 401, "Basic hunter2": 401, "hunter2": 401, "Bearer " + hashed("hunter2"): 401,
	})
	for _, path := range []string{"/livez", "/readyz", "/startupz"} {
		if answer, _ := s.get("GET", path); answer.StatusCode != 200 {
			t.Errorf("%s: found %s", path, answer.Status)
		}
	}
	for _, path := range []string{"/", "/r/acme/status.json", "/r/none/x", "/blobs/sha256/" + strings.Repeat("a", 64), "/attestations/sha256/" + strings.Repeat("a", 64), "/x"} {
		if answer, _ := s.get("GET", path); answer.StatusCode != 401 {
			t.Errorf("%s: found %s", path, answer.Status)
		}
	}
	write(t, file, "new hunter2\n")
	if err := s.Reload(); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("a token in the clear: found %v", err)
	}
	statuses("a reload that failed", map[string]int{"Bearer hunter2": 200})
	write(t, file, "new "+hashed("another")+"\n")
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	statuses("a reload", map[string]int{"Bearer hunter2": 401, "Bearer another": 200})
	if log := s.log.String(); strings.Contains(log, "hunter2") || strings.Contains(log, "another") || !strings.Contains(log, "token=ci") {
		t.Errorf("the log:\n%s", log)
	}
}

func TestFilesOfTokens(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                     "expected tokens, found none",
		"# a\n":                                "expected tokens, found none",
		"ci\n":                                 "line 1: expected NAME sha256:HEX, found 1 fields",
		"\nci sha256:12\n":                     "line 2: expected sha256: and 64 hex digits",
		"ci sha512:" + strings.Repeat("a", 64): "line 1: expected sha256: and 64 hex digits",
		"ci sha256:" + strings.Repeat("g", 64): "line 1: expected sha256: and 64 hex digits",
		"C-I " + hashed("x"):                   "line 1: expected a name",
		strings.Repeat("a "+hashed("x")+"\n", 5000): "expected at most 4096 tokens",
	} {
		if _, err := serve.ParseTokens(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40q: expected %q, found %v", text, want, err)
		}
	}
}

// authority makes certificates.
type authority struct {
	t           *testing.T
	key         *ecdsa.PrivateKey
	certificate *x509.Certificate
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{t: t}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	a.certificate, a.key = a.sign(template)
	return a
}

func (a *authority) sign(template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	parent, signer := a.certificate, a.key
	if parent == nil {
		parent, signer = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, &key.PublicKey, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return certificate, key
}

// issue makes a certificate for 127.0.0.1 and writes it and its key.
func (a *authority) issue(serial int64, certificateFile, keyFile string) tls.Certificate {
	a.t.Helper()
	certificate, key := a.sign(&x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: "mirror"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		a.t.Fatal(err)
	}
	if certificateFile != "" {
		write(a.t, certificateFile, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})))
		write(a.t, keyFile, string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der})))
	}
	return tls.Certificate{Certificate: [][]byte{certificate.Raw}, PrivateKey: key}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.certificate)
	return pool
}

// fetch asks once over a new connection, and returns the answer, its bytes and the
// serial number of the server's certificate.
func (s *site) fetch(path string, config *tls.Config, http2 bool) (*http.Response, []byte, error) {
	transport := &http.Transport{TLSClientConfig: config, ForceAttemptHTTP2: http2, DisableCompression: true}
	defer transport.CloseIdleConnections()
	answer, err := (&http.Client{Transport: transport}).Get("https://" + s.address + path)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	return answer, body, err
}

func TestTLSAndItsReload(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := &serve.TLSFiles{Certificate: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key")}
	ca := newAuthority(t, "authority")
	ca.issue(11, files.Certificate, files.Key)
	s := open(t, newShelf(t), serve.Config{TLS: files})
	for _, size := range []int{100, 3 << 20} {
		data := noise(size)
		s.shelf.add(t, "acme/targets/a", data)
		for _, http2 := range []bool{false, true} {
			answer, body, err := s.fetch("/r/acme/targets/a", &tls.Config{RootCAs: ca.pool()}, http2)
			if err != nil || answer.StatusCode != 200 || string(body) != string(data) || answer.ProtoAtLeast(2, 0) != http2 {
				t.Fatalf("%d bytes, HTTP/2 %v: found %v, %v", size, http2, answer, err)
			}
		}
	}
	if _, _, err := s.fetch("/", &tls.Config{RootCAs: ca.pool(), MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}, false); err == nil {
		t.Error("TLS 1.1: expected a refusal")
	}
	serial := func(want int64) {
		t.Helper()
		answer, _, err := s.fetch("/livez", &tls.Config{RootCAs: ca.pool()}, false)
		if err != nil {
			t.Fatal(err)
		}
		if got := answer.TLS.PeerCertificates[0].SerialNumber.Int64(); got != want {
			t.Errorf("expected the certificate %d, found %d", want, got)
		}
	}
	serial(11)
	ca.issue(12, files.Certificate, filepath.Join(dir, "otherkey"))
	if err := s.Reload(); err == nil || !strings.Contains(err.Error(), "certificate and key") {
		t.Errorf("a key of another certificate: found %v", err)
	}
	serial(11)
	ca.issue(13, files.Certificate, files.Key)
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	serial(13)
}

func TestClientsNeedACertificate(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := &serve.TLSFiles{Certificate: filepath.Join(dir, "cert"), Key: filepath.Join(dir, "key"), ClientCA: filepath.Join(dir, "ca")}
	ca, theirs, strange := newAuthority(t, "authority"), newAuthority(t, "clients"), newAuthority(t, "strangers")
	ca.issue(1, files.Certificate, files.Key)
	trusted := func(a *authority) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.certificate.Raw}))
	}
	write(t, files.ClientCA, trusted(theirs))
	s := open(t, newShelf(t), serve.Config{TLS: files})
	s.shelf.add(t, "acme/timestamp.json", []byte("{}"))
	good, bad := theirs.issue(2, "", ""), strange.issue(3, "", "")
	sessions := tls.NewLRUClientSessionCache(8)
	try := func(what string, want bool, certificates ...tls.Certificate) {
		t.Helper()
		config := &tls.Config{RootCAs: ca.pool(), ClientSessionCache: sessions}
		if len(certificates) > 0 {
			config.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &certificates[0], nil }
		}
		answer, _, err := s.fetch("/r/acme/timestamp.json", config, false)
		if got := err == nil && answer.StatusCode == 200; got != want {
			t.Errorf("%s: expected %v, found %v", what, want, err)
		}
	}
	try("none", false)
	try("a stranger's", false, bad)
	if asked := s.shelf.took(); len(asked) > 0 {
		t.Errorf("the library was asked for %q", asked)
	}
	try("a client's", true, good)
	write(t, files.ClientCA, trusted(strange))
	if err := s.Reload(); err != nil {
		t.Fatal(err)
	}
	try("one that counted before, with its session", false, good)
	try("one that counts now", true, bad)
	write(t, files.ClientCA, "no PEM")
	if err := s.Reload(); err == nil || !strings.Contains(fmt.Sprint(err), "client_ca: expected certificates") {
		t.Errorf("no authorities: found %v", err)
	}
	try("after a reload that failed", true, bad)
}
