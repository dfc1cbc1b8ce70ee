package cloud

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/fetch/pinned"
)

const gcsURL = "https://storage.googleapis.com/storage/v1/b/bucket/o/dir%2Fa%20b.tgz?alt=media"

var gcsObject = pinned.Object{Bucket: "bucket", Key: "dir/a b.tgz"}

func TestGCSWithoutCredentials(t *testing.T) {
	bare(t)
	places, err := GCS{}.Places(t.Context(), gcsObject)
	if err != nil || len(places) != 1 || places[0].URL.String() != gcsURL || places[0].Authorization != "" {
		t.Errorf("got %v, %v", places, err)
	}
	public := gcsObject
	public.Public = true
	if places, err := (GCS{}).Places(t.Context(), public); err != nil || len(places) != 0 {
		t.Errorf("got %v, %v", places, err)
	}
}

func TestGCSEmulator(t *testing.T) {
	bare(t)
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nosuch") // not looked at
	for host, want := range map[string]string{
		"127.0.0.1:4443":         "http://127.0.0.1:4443/storage/v1/b/bucket/o/dir%2Fa%20b.tgz?alt=media",
		"https://127.0.0.1:4443": "https://127.0.0.1:4443/storage/v1/b/bucket/o/dir%2Fa%20b.tgz?alt=media",
	} {
		t.Setenv("STORAGE_EMULATOR_HOST", host)
		places, err := GCS{}.Places(t.Context(), gcsObject)
		if err != nil || len(places) != 1 || places[0].URL.String() != want || places[0].Authorization != "" || !places[0].Reach.Local {
			t.Errorf("got %v, %v", places, err)
		}
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
	public := gcsObject
	public.Public = true // a URL of Google's own is not asked for elsewhere
	if places, err := (GCS{}).Places(t.Context(), public); err != nil || len(places) != 0 {
		t.Errorf("got %v, %v", places, err)
	}
	for _, bad := range []string{"ftp://host", "http://", "http://a b"} {
		t.Setenv("STORAGE_EMULATOR_HOST", bad)
		if _, err := (GCS{}).Places(t.Context(), gcsObject); !errors.Is(err, pinned.ErrCredentials) {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

// tokens is a server that gives out tokens, and what it was asked for.
func tokens(t *testing.T, status int) (*httptest.Server, *http.Request) {
	t.Helper()
	last := &http.Request{}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		*last = *r
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		if status != http.StatusOK {
			_, _ = w.Write([]byte(`{"error":"invalid_grant","error_description":"hidden"}`))
			return
		}
		_, _ = w.Write([]byte(`{"access_token":"token1","token_type":"Bearer","expires_in":3600}`))
	}))
	t.Cleanup(s.Close)
	return s, last
}

// accountFile writes the credentials of a service account.
func accountFile(t *testing.T, path, tokenURL string) {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	data, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "a@b.example", "private_key_id": "1", "token_uri": tokenURL,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
	})
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, string(data))
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
		t.Fatal(err)
	}
}

func TestGCSServiceAccount(t *testing.T) {
	bare(t)
	server, last := tokens(t, http.StatusOK)
	path := filepath.Join(t.TempDir(), "account.json")
	accountFile(t, path, server.URL)
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
	places, err := GCS{}.Places(t.Context(), gcsObject)
	if err != nil || len(places) != 2 || places[0].Authorization != "Bearer token1" || places[0].URL.String() != gcsURL || places[1].Authorization != "" {
		t.Fatalf("got %v, %v", places, err)
	}
	if last.Form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
		t.Errorf("asked for %v", last.Form)
	}
	public := gcsObject
	public.Public = true
	if places, err := (GCS{}).Places(t.Context(), public); err != nil || len(places) != 1 || places[0].Authorization != "Bearer token1" {
		t.Errorf("got %v, %v", places, err)
	}
}

func TestGCSUserOfGcloud(t *testing.T) {
	bare(t)
	const user = `{"type":"authorized_user","client_id":"c","client_secret":"s","refresh_token":"r"}`
	write(t, filepath.Join(os.Getenv("HOME"), ".config", "gcloud", "application_default_credentials.json"), user)
	if data, err := gcsFile(); err != nil || string(data) != user {
		t.Errorf("got %s, %v", data, err)
	}
	dir := t.TempDir()
	t.Setenv("CLOUDSDK_CONFIG", dir)
	if data, err := gcsFile(); err != nil || data != nil {
		t.Errorf("got %s, %v", data, err)
	}
	write(t, filepath.Join(dir, "application_default_credentials.json"), user)
	if data, err := gcsFile(); err != nil || string(data) != user {
		t.Errorf("got %s, %v", data, err)
	}
}

func TestGCSCredentialsThatFail(t *testing.T) {
	bare(t)
	refusing, _ := tokens(t, http.StatusBadRequest)
	path := filepath.Join(t.TempDir(), "account.json")
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", path)
	for _, test := range []struct {
		name  string
		setUp func()
		word  string
	}{
		{"named and not there", func() { os.Remove(path) }, "no such file"},
		{"no JSON", func() { write(t, path, "hidden") }, "expected JSON"},
		{"another kind", func() { write(t, path, `{"type":"gdch_service_account"}`) }, "found \"gdch_service_account\""},
		{"no kind", func() { write(t, path, `{"web":{"client_secret":"hidden"}}`) }, "expected credentials"},
		{"no key", func() { write(t, path, `{"type":"service_account","private_key":"hidden"}`) }, "Google"},
		{"too large", func() { write(t, path, strings.Repeat(" ", maxCredentials+1)) }, "at most"},
		{"refused", func() { accountFile(t, path, refusing.URL) }, "answers 400"},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.setUp()
			_, err := GCS{}.Places(t.Context(), gcsObject)
			if !errors.Is(err, pinned.ErrCredentials) || !strings.Contains(err.Error(), test.word) || strings.Contains(err.Error(), "hidden") {
				t.Errorf("got %v, want %s", err, test.word)
			}
		})
	}
}

// The service of a machine of Google's, that is asked where the machine says so.
func TestGCSMetadata(t *testing.T) {
	bare(t)
	asked := 0
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		w.Header().Set("Metadata-Flavor", "Google")
		if !strings.HasSuffix(r.URL.Path, "/token") {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(`{"access_token":"machine","token_type":"Bearer","expires_in":3600}`))
	}))
	defer server.Close()
	t.Setenv("GCE_METADATA_HOST", strings.TrimPrefix(server.URL, "http://"))
	public := gcsObject
	public.Public = true
	if places, err := (GCS{}).Places(t.Context(), public); err != nil || len(places) != 0 || asked != 0 {
		t.Errorf("got %v, %v, asked %d times", places, err, asked)
	}
	places, err := GCS{}.Places(t.Context(), gcsObject)
	if err != nil || len(places) != 2 || places[0].Authorization != "Bearer machine" {
		t.Errorf("got %v, %v", places, err)
	}
}
