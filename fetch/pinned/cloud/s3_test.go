package cloud

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"assay/fetch/pinned"
	"assay/fetch/transfer"
)

// bare is a machine without any credentials, whose metadata services count on
// nobody asking them. It tells how often they were.
func bare(t *testing.T) *atomic.Int32 {
	t.Helper()
	for _, entry := range os.Environ() {
		name, _, _ := strings.Cut(entry, "=")
		if strings.HasPrefix(name, "AWS_") || strings.HasPrefix(name, "GOOGLE_") || strings.HasPrefix(name, "GCE_") || strings.HasPrefix(name, "STORAGE_") || strings.HasPrefix(name, "CLOUDSDK_") {
			t.Setenv(name, "")
			os.Unsetenv(name)
		}
	}
	home := t.TempDir()
	t.Setenv("HOME", home)
	before := productFile
	productFile = filepath.Join(home, "product_name")
	t.Cleanup(func() { productFile = before })
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(home, "config"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(home, "credentials"))
	for _, name := range []string{"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"} {
		t.Setenv(name, "")
	}
	var asked atomic.Int32
	metadata := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		http.NotFound(w, nil)
	}))
	t.Cleanup(metadata.Close)
	t.Setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.URL)
	return &asked
}

func s3Places(t *testing.T, object pinned.Object) []transfer.Place {
	t.Helper()
	places, err := S3{Now: func() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }}.Places(t.Context(), object)
	if err != nil {
		t.Fatal(err)
	}
	return places
}

// The example of the S3 API reference, "Authenticating requests: using query
// parameters".
func TestSignS3AsDocumented(t *testing.T) {
	when := time.Date(2013, 5, 24, 0, 0, 0, 0, time.UTC)
	plain := &url.URL{Scheme: "https", Host: "examplebucket.s3.amazonaws.com", Path: "/test.txt"}
	key := aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}
	signed, err := S3{Now: func() time.Time { return when }}.sign(t.Context(), plain, key, "us-east-1", 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	const want = "aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
	if query := signed.Query(); query.Get("X-Amz-Signature") != want || query.Get("X-Amz-Expires") != "86400" || plain.RawQuery != "" {
		t.Errorf("got %s from %s, want the signature %s", signed, plain, want)
	}
}

func TestS3WithoutCredentials(t *testing.T) {
	asked := bare(t)
	places := s3Places(t, pinned.Object{Bucket: "bucket", Key: "dir/a b+c~d//é.tgz"})
	if len(places) != 1 || places[0].URL.String() != "https://bucket.s3.us-east-1.amazonaws.com/dir/a%20b%2Bc~d//%C3%A9.tgz" || places[0].Authorization != "" {
		t.Errorf("got %v", places)
	}
	if asked.Load() == 0 {
		t.Error("the metadata service was not asked, which is the last of the usual places")
	}
	asked.Store(0)
	if places := s3Places(t, pinned.Object{Bucket: "bucket", Key: "k", Public: true}); len(places) != 0 || asked.Load() != 0 {
		t.Errorf("a URL that anybody may ask for: got %v, and the metadata service was asked %d times", places, asked.Load())
	}
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	if places := s3Places(t, pinned.Object{Bucket: "bucket", Key: "k"}); len(places) != 1 || asked.Load() != 0 {
		t.Errorf("got %v, and the metadata service was asked %d times", places, asked.Load())
	}
}

func TestS3WithCredentials(t *testing.T) {
	asked := bare(t)
	t.Setenv("AWS_ACCESS_KEY_ID", "AKID")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hidden")
	t.Setenv("AWS_SESSION_TOKEN", "session")
	t.Setenv("AWS_REGION", "eu-west-1")
	for _, test := range []struct {
		object pinned.Object
		want   []string
	}{
		{pinned.Object{Bucket: "bucket", Key: "k"}, []string{"https://bucket.s3.eu-west-1.amazonaws.com/k", "https://bucket.s3.eu-west-1.amazonaws.com/k"}},
		{pinned.Object{Bucket: "a.bucket", Key: "k"}, []string{"https://s3.eu-west-1.amazonaws.com/a.bucket/k", "https://s3.eu-west-1.amazonaws.com/a.bucket/k"}},
		{pinned.Object{Bucket: "bucket", Key: "k", Region: "cn-north-1", Public: true}, []string{"https://bucket.s3.cn-north-1.amazonaws.com.cn/k"}},
	} {
		places := s3Places(t, test.object)
		if len(places) != len(test.want) {
			t.Fatalf("got %v, want %v", places, test.want)
		}
		for i, place := range places {
			query := place.URL.Query()
			place.URL.RawQuery = ""
			if place.URL.String() != test.want[i] || place.Authorization != "" || place.Reach.Host != place.URL.Host {
				t.Errorf("got %v, want %s", place, test.want[i])
			}
			if signed := query.Get("X-Amz-Signature") != "" && query.Get("X-Amz-Security-Token") == "session"; signed != (i == 0) {
				t.Errorf("%d: got the query %v", i, query)
			}
		}
	}
	if asked.Load() != 0 {
		t.Error("the metadata service was asked, although credentials are there")
	}
}

func TestS3Endpoint(t *testing.T) {
	bare(t)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000/base/")
	first := func() string { return s3Places(t, pinned.Object{Bucket: "bucket", Key: "a/b"})[0].URL.String() }
	if got := first(); got != "http://127.0.0.1:9000/base/bucket/a/b" {
		t.Errorf("got %s", got)
	}
	if place := s3Places(t, pinned.Object{Bucket: "bucket", Key: "a/b"})[0]; !place.Reach.Local {
		t.Error("an endpoint on this machine can't be reached")
	}
	t.Setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.2:9000")
	if got := first(); got != "http://127.0.0.2:9000/bucket/a/b" {
		t.Errorf("got %s", got)
	}
	t.Setenv("AWS_ENDPOINT_URL_S3", "https://s3.example")
	if got := first(); got != "https://s3.example/bucket/a/b" {
		t.Errorf("got %s", got)
	}
	t.Setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
	if got := first(); got != "https://bucket.s3.us-east-1.amazonaws.com/a/b" {
		t.Errorf("got %s", got)
	}
	t.Setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "false")
	t.Setenv("AWS_ACCESS_KEY_ID", "AKID")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "hidden")
	if places := s3Places(t, pinned.Object{Bucket: "bucket", Key: "k", Public: true}); places[0].URL.Host != "bucket.s3.us-east-1.amazonaws.com" {
		t.Errorf("a URL of Amazon's is asked for at %v", places)
	}
	for _, bad := range []string{"127.0.0.1:9000", "ftp://host", "https://me:hidden@host", "https://host?x=hidden", "https://", ":"} {
		t.Setenv("AWS_ENDPOINT_URL_S3", bad)
		_, err := S3{}.Places(t.Context(), pinned.Object{Bucket: "bucket", Key: "k"})
		if !errors.Is(err, pinned.ErrCredentials) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("%s: got %v", bad, err)
		}
	}
}

// Credentials that are configured and fail are told: a 403 for everybody would be
// no explanation.
func TestS3CredentialsThatFail(t *testing.T) {
	bare(t)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/r")
	t.Setenv("AWS_REGION", "eu-west-1")
	_, err := S3{}.Places(t.Context(), pinned.Object{Bucket: "bucket", Key: "k"})
	if !errors.Is(err, pinned.ErrCredentials) {
		t.Errorf("got %v", err)
	}
	t.Setenv("AWS_PROFILE", "nosuch")
	if _, err = (S3{}).Places(t.Context(), pinned.Object{Bucket: "bucket", Key: "k"}); !errors.Is(err, pinned.ErrCredentials) || !strings.Contains(err.Error(), "nosuch") {
		t.Errorf("got %v", err)
	}
}
