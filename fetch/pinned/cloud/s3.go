package cloud

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/ec2rolecreds"
	"github.com/aws/smithy-go/logging"

	"assay/fetch/pinned"
	"assay/fetch/transfer"
	"assay/fetch/wire"
)

const (
	// findTime is how long finding credentials may take: services for single
	// sign-on, and those that give out roles, are asked for them.
	findTime = 15 * time.Second
	// metadataTime is how long a virtual machine's own service may take. Where there
	// is none, the network often says so only by silence.
	metadataTime = 3 * time.Second
	// signedFor is how long a signed URL is good: for a large file over a slow line,
	// with all that is asked for again.
	signedFor = 12 * time.Hour
)

// S3 is a pinned.Bucket for Amazon S3 and what speaks like it. Now may be nil.
type S3 struct {
	Now func() time.Time
}

var _ pinned.Bucket = S3{}

// Places gives a URL that is signed by the credentials of the SDK's usual places
// (AWS Signature Version 4, in the query), and the same without.
func (s S3) Places(ctx context.Context, object pinned.Object) ([]transfer.Place, error) {
	ctx, stop := context.WithTimeout(ctx, findTime)
	defer stop()
	settings, err := config.LoadDefaultConfig(ctx, config.WithLogger(logging.Nop{})) // stderr is not the SDK's
	if err != nil {
		return nil, credentialsError("AWS", err)
	}
	endpoint, err := s3Endpoint(settings, object)
	if err != nil {
		return nil, err
	}
	region := firstOf(object.Region, settings.Region, "us-east-1")
	plain := s3URL(endpoint, region, object)
	var places []transfer.Place
	credentials, err := s3Credentials(ctx, settings, object.Public)
	if err != nil {
		return nil, err
	}
	if credentials.HasKeys() {
		signed, err := s.sign(ctx, plain, credentials, region, signedFor)
		if err != nil {
			return nil, err
		}
		places = append(places, transfer.Place{URL: signed, Reach: wire.ReachOf(signed)})
	}
	if !object.Public {
		places = append(places, transfer.Place{URL: plain, Reach: wire.ReachOf(plain)})
	}
	return places, nil
}

// s3Credentials are empty where there are none. The service of a virtual machine is
// the SDK's last resort, behind which nothing else is configured.
func s3Credentials(ctx context.Context, settings aws.Config, public bool) (aws.Credentials, error) {
	lastResort := aws.IsCredentialsProvider(settings.Credentials, (*ec2rolecreds.Provider)(nil))
	if lastResort && public {
		return aws.Credentials{}, nil
	}
	if lastResort {
		var stop context.CancelFunc
		ctx, stop = context.WithTimeout(ctx, metadataTime)
		defer stop()
	}
	found, err := settings.Credentials.Retrieve(ctx)
	if err != nil && lastResort {
		return aws.Credentials{}, nil
	}
	if err != nil {
		return aws.Credentials{}, credentialsError("AWS", err)
	}
	return found, nil
}

// s3Endpoint is the server that the user's configuration names in place of
// Amazon's; nil: none. A URL that named Amazon's own is not asked for elsewhere.
func s3Endpoint(settings aws.Config, object pinned.Object) (*url.URL, error) {
	if object.Public {
		return nil, nil
	}
	text := aws.ToString(settings.BaseEndpoint)
	if ignored, _ := strconv.ParseBool(os.Getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")); !ignored {
		text = firstOf(os.Getenv("AWS_ENDPOINT_URL_S3"), text)
	}
	if text == "" {
		return nil, nil
	}
	endpoint, err := url.Parse(text)
	if err != nil || endpoint.Scheme != "https" && endpoint.Scheme != "http" || endpoint.Host == "" || endpoint.User != nil || endpoint.RawQuery != "" {
		return nil, fmt.Errorf("%w: expected a URL like https://HOST in AWS_ENDPOINT_URL, found something else", pinned.ErrCredentials)
	}
	return endpoint, nil
}

// s3URL names the bucket in the host, as Amazon asks for; in the path where the
// endpoint is another's, or where no certificate would cover the host.
func s3URL(endpoint *url.URL, region string, object pinned.Object) *url.URL {
	u, path := &url.URL{Scheme: "https"}, "/"+object.Key
	suffix := "amazonaws.com"
	if strings.HasPrefix(region, "cn-") {
		suffix += ".cn"
	}
	switch {
	case endpoint != nil:
		u.Scheme, u.Host = endpoint.Scheme, endpoint.Host
		path = strings.TrimSuffix(endpoint.Path, "/") + "/" + object.Bucket + path
	case strings.ContainsAny(object.Bucket, "._"):
		u.Host, path = "s3."+region+"."+suffix, "/"+object.Bucket+path
	default:
		u.Host = object.Bucket + ".s3." + region + "." + suffix
	}
	u.Path, u.RawPath = path, escapeAll(path, "/")
	return u
}

// sign makes a URL that is good for a GET of one object, for a while.
func (s S3) sign(ctx context.Context, plain *url.URL, credentials aws.Credentials, region string, lasting time.Duration) (*url.URL, error) {
	now := time.Now
	if s.Now != nil {
		now = s.Now
	}
	with := *plain
	with.RawQuery = "X-Amz-Expires=" + strconv.Itoa(int(lasting/time.Second))
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, with.String(), nil)
	if err != nil {
		return nil, errors.New("expected a URL that can be signed")
	}
	// S3 signs the path as it is sent, escaped once.
	signer := v4.NewSigner(func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	text, _, err := signer.PresignHTTP(ctx, credentials, request, "UNSIGNED-PAYLOAD", "s3", region, now())
	if err != nil {
		return nil, credentialsError("AWS", err)
	}
	return url.Parse(text)
}

const unreserved = "abcdefghijklmnopqrstuvwxyz" + "ABCDEFGHIJKLMNOPQRSTUVWXYZ" + "0123456789" + "-._~"

// escapeAll escapes all but the unreserved characters (RFC 3986, 2.3) and those in
// spared, as Signature Version 4 wants it.
func escapeAll(text, spared string) string {
	var b strings.Builder
	for i := range len(text) {
		c := text[i]
		if strings.IndexByte(unreserved+spared, c) >= 0 {
			b.WriteByte(c)
			continue
		}
		fmt.Fprintf(&b, "%%%02X", c)
	}
	return b.String()
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// credentialsError tells whose credentials fail, and why in a line. Where it was
// the caller who gave up, they have not failed.
func credentialsError(whose string, err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return context.Canceled
	case errors.Is(err, context.DeadlineExceeded):
		return fmt.Errorf("%w: %s: expected an answer of the service that gives them out within %s", pinned.ErrCredentials, whose, findTime)
	}
	return fmt.Errorf("%w: %s: %s", pinned.ErrCredentials, whose, wire.Clip(err.Error(), 300))
}
