package cloud

import (
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"assay/fetch/pinned"
)

// The service of a machine of Amazon's, where nothing else is configured, gives
// out the credentials of its role.
func TestS3Metadata(t *testing.T) {
	bare(t)
	const role = "/latest/meta-data/iam/security-credentials/"
	answers := map[string]string{
		"PUT /latest/api/token": "session",
		"GET " + role:           "reader",
		"GET " + role + "reader": `{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"AKID","SecretAccessKey":"hidden","Token":"of the role",
			"LastUpdated":"2026-11-21T12:00:00Z","Expiration":"2999-01-01T00:00:00Z"}`,
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := answers[r.Method+" "+r.URL.Path]
		if !ok {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "60")
		_, _ = w.Write([]byte(text))
	}))
	defer server.Close()
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", server.URL)
	places := s3Places(t, pinned.Object{Bucket: "bucket", Key: "k"})
	if len(places) != 2 || places[0].URL.Query().Get("X-Amz-Security-Token") != "of the role" || places[1].URL.RawQuery != "" {
		t.Errorf("got %v, want one that the role has signed, and one for anybody", places)
	}
}

// What the machine says that it is decides whether Google's service is asked.
func TestOnGoogle(t *testing.T) {
	bare(t)
	for text, want := range map[string]bool{"Google Compute Engine\n": true, "Google\n": true, "Standard PC (not Google)\n": false, "": false} {
		write(t, productFile, text)
		if got := onGoogle(); got != want {
			t.Errorf("%q: got %v", text, got)
		}
	}
	if err := os.Remove(productFile); err != nil {
		t.Fatal(err)
	}
	if onGoogle() {
		t.Error("a machine that says nothing is one of Google's")
	}
}

// Where there is no home there is no file of gcloud's.
func TestGCSWithoutHome(t *testing.T) {
	bare(t)
	t.Setenv("HOME", "")
	t.Setenv("APPDATA", filepath.Join(t.TempDir(), "none"))
	if data, err := gcsFile(); err != nil || data != nil {
		t.Errorf("got %s, %v", data, err)
	}
}
