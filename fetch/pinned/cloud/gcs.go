package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"assay/fetch/pinned"
	"assay/fetch/transfer"
	"assay/fetch/wire"
)

// scope is all that is asked for: to read.
const scope = "https://www.googleapis.com/auth/devstorage.read_only"

// maxCredentials bounds a file of credentials, in bytes.
const maxCredentials = 1 << 20

// GCS is a pinned.Bucket for Google Cloud Storage.
type GCS struct{}

var _ pinned.Bucket = GCS{}

// Places gives the URL of an object's bytes in the JSON API, with a token by the
// application default credentials, and the same without. Where
// STORAGE_EMULATOR_HOST names a server for tests, that is asked, without.
func (GCS) Places(ctx context.Context, object pinned.Object) ([]transfer.Place, error) {
	ctx, stop := context.WithTimeout(ctx, findTime)
	defer stop()
	u := &url.URL{Scheme: "https", Host: "storage.googleapis.com", RawQuery: "alt=media"}
	emulator := os.Getenv("STORAGE_EMULATOR_HOST")
	if emulator != "" && !object.Public {
		if !strings.Contains(emulator, "://") {
			emulator = "http://" + emulator
		}
		named, err := url.Parse(emulator)
		if err != nil || named.Host == "" || named.Scheme != "http" && named.Scheme != "https" {
			return nil, fmt.Errorf("%w: expected HOST:PORT in STORAGE_EMULATOR_HOST, found something else", pinned.ErrCredentials)
		}
		u.Scheme, u.Host = named.Scheme, named.Host
	}
	u.Path = "/storage/v1/b/" + object.Bucket + "/o/" + object.Key
	u.RawPath = "/storage/v1/b/" + object.Bucket + "/o/" + escapeAll(object.Key, "")
	plain := transfer.Place{URL: u, Reach: wire.ReachOf(u)}
	if emulator != "" && !object.Public {
		return []transfer.Place{plain}, nil
	}
	token, err := gcsToken(ctx, object.Public)
	if err != nil {
		return nil, err
	}
	var places []transfer.Place
	if token != nil {
		with := plain
		with.Authorization = token.Type() + " " + token.AccessToken
		places = append(places, with)
	}
	if !object.Public {
		places = append(places, plain)
	}
	return places, nil
}

// gcsToken is nil where there are no credentials.
func gcsToken(ctx context.Context, public bool) (*oauth2.Token, error) {
	data, err := gcsFile()
	if err != nil {
		return nil, err
	}
	if data == nil {
		if public || !onGoogle() {
			return nil, nil
		}
		return metadataToken(ctx), nil
	}
	var file struct {
		Type google.CredentialsType `json:"type"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		return nil, fmt.Errorf("%w: Google: expected JSON in the file of credentials", pinned.ErrCredentials)
	}
	switch file.Type {
	case google.ServiceAccount, google.AuthorizedUser, google.ImpersonatedServiceAccount, google.ExternalAccount, google.ExternalAccountAuthorizedUser:
	default:
		return nil, fmt.Errorf("%w: Google: expected credentials of a service account or a user, found %.40q", pinned.ErrCredentials, file.Type)
	}
	bounded := context.WithValue(ctx, oauth2.HTTPClient, &http.Client{Timeout: findTime})
	found, err := google.CredentialsFromJSONWithType(bounded, data, file.Type, scope)
	if err != nil {
		return nil, fmt.Errorf("%w: Google: expected credentials of the type %q", pinned.ErrCredentials, file.Type)
	}
	token, err := awaited(ctx, found.TokenSource)
	var refused *oauth2.RetrieveError
	if errors.As(err, &refused) { // its body is the server's own
		err = fmt.Errorf("the server for tokens answers %d", refused.Response.StatusCode)
	}
	if err != nil {
		return nil, credentialsError("Google", err)
	}
	return token, nil
}

// gcsFile reads the application default credentials; nil: there is no such file.
// One that the environment names has to be there.
func gcsFile() ([]byte, error) {
	path, named := os.Getenv("GOOGLE_APPLICATION_CREDENTIALS"), true
	if path == "" {
		path, named = gcloudFile(), false
	}
	file, _, err := wire.OpenRegular(path) // nothing is there under an empty path
	if errors.Is(err, fs.ErrNotExist) && !named {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: Google: %w", pinned.ErrCredentials, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxCredentials+1))
	if err != nil || len(data) > maxCredentials {
		return nil, fmt.Errorf("%w: Google: %s: expected a file of at most %d bytes that can be read", pinned.ErrCredentials, path, maxCredentials)
	}
	return data, nil
}

// gcloudFile is where `gcloud auth application-default login` writes to; empty:
// there is no home.
func gcloudFile() string {
	const name = "application_default_credentials.json"
	if dir := os.Getenv("CLOUDSDK_CONFIG"); dir != "" {
		return filepath.Join(dir, name)
	}
	if runtime.GOOS == "windows" {
		return filepath.Join(os.Getenv("APPDATA"), "gcloud", name)
	}
	if home := os.Getenv("HOME"); home != "" {
		return filepath.Join(home, ".config", "gcloud", name)
	}
	return ""
}

// productFile is where Linux says what machine it runs on; tests have their own.
var productFile = "/sys/class/dmi/id/product_name"

// onGoogle reports whether this machine says that it is one of Google's. Asking the
// network to find that out would take long where nobody answers.
func onGoogle() bool {
	if os.Getenv("GCE_METADATA_HOST") != "" {
		return true
	}
	name, _ := os.ReadFile(productFile) // what can't be read says nothing
	return strings.HasPrefix(strings.TrimSpace(string(name)), "Google")
}

// metadataToken asks the machine's own service; nil: it gives none.
func metadataToken(ctx context.Context) *oauth2.Token {
	ctx, stop := context.WithTimeout(ctx, metadataTime)
	defer stop()
	token, _ := awaited(ctx, google.ComputeTokenSource("", scope))
	return token
}

// awaited is what a source says before ctx ends. Some of the library's sources
// know no context: what they say too late goes nowhere.
func awaited(ctx context.Context, source oauth2.TokenSource) (*oauth2.Token, error) {
	type said struct {
		token *oauth2.Token
		err   error
	}
	answer := make(chan said, 1)
	go func() {
		token, err := source.Token()
		answer <- said{token, err}
	}()
	select {
	case a := <-answer:
		return a.token, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}
