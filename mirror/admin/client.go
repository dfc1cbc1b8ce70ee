package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"
	"syscall"
	"time"

	"assay/internal/strictjson"
	"assay/mirror"
	"assay/mirror/counters"
)

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 64 << 20

// Client asks a mirror that is at work. It is safe for several goroutines.
type Client struct {
	address string
	base    string
	token   string
	http    *http.Client
}

// RemoteError is what a mirror answered instead. It is the error of this package,
// of package mirror or of package context that its kind stands for, if any does.
type RemoteError struct {
	Message string
	Kind    string
	Code    int // the exit code that it would have had there
}

func (e *RemoteError) Error() string { return e.Message }

// Unwrap gives the error that the kind stands for.
func (e *RemoteError) Unwrap() error {
	for _, known := range kinds {
		if known.kind == e.Kind {
			return known.err
		}
	}
	return nil
}

// NewClient asks an address as Listen has it. tokenFile is a file that holds the
// token itself, in one line; empty: none is shown.
func NewClient(address, tokenFile string) (*Client, error) {
	c := &Client{address: address, base: "http://" + address}
	transport := &http.Transport{
		// No proxy: it is on this machine.
		DialContext: (&net.Dialer{Timeout: dialTime}).DialContext, MaxResponseHeaderBytes: maxHeader, DisableCompression: true, DisableKeepAlives: true,
	}
	if path, socket := strings.CutPrefix(address, unixPrefix); socket {
		c.base = "http://mirror"
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{Timeout: dialTime}).DialContext(ctx, "unix", path)
		}
	}
	c.http = &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	if tokenFile == "" {
		return c, nil
	}
	file, err := os.Open(tokenFile)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTokens, err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxToken+2))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrTokens, err)
	}
	if c.token = strings.TrimSpace(string(text)); c.token == "" || len(c.token) > maxToken || strings.ContainsAny(c.token, " \t\r\n") {
		return nil, fmt.Errorf("%w: %s: expected one token of at most %d bytes, found something else", ErrTokens, tokenFile, maxToken)
	}
	return c, nil
}

// Statuses tells how each repository stands.
func (c *Client) Statuses(ctx context.Context) ([]mirror.Status, error) {
	var doc statusDoc
	err := c.get(ctx, "/v1/status", &doc)
	return doc.Repositories, err
}

// Distribution tells what readers have got since the start.
func (c *Client) Distribution(ctx context.Context) (counters.Distribution, error) {
	var doc statusDoc
	err := c.get(ctx, "/v1/status", &doc)
	return doc.Distribution, err
}

// Storage tells how the storage stands.
func (c *Client) Storage(ctx context.Context) (mirror.StorageStatus, error) {
	var doc storageDoc
	err := c.get(ctx, "/v1/storage", &doc)
	return doc.Storage, err
}

// Plan tells what a run would fetch.
func (c *Client) Plan(ctx context.Context, repository string) (mirror.Plan, error) {
	var doc planDoc
	err := c.get(ctx, "/v1/plan/"+url.PathEscape(repository), &doc)
	return doc.Plan, err
}

// Sync runs now, or joins the run that is under way, and waits for its end. Whoever
// gives up leaves it running. The run's Err is a *RemoteError.
func (c *Client) Sync(ctx context.Context, repository string) (mirror.Run, error) {
	var doc runDoc
	if err := c.post(ctx, "/v1/sync/"+url.PathEscape(repository), orderDoc{}, &doc); err != nil {
		return mirror.Run{}, err
	}
	if doc.Fault != nil {
		doc.Run.Err = doc.Fault.remote()
	}
	return doc.Run, nil
}

// Cancel ends the run that is under way, and reports whether there was one.
func (c *Client) Cancel(ctx context.Context, repository string) (bool, error) {
	var doc cancelDoc
	err := c.post(ctx, "/v1/cancel/"+url.PathEscape(repository), orderDoc{}, &doc)
	return doc.Cancelled, err
}

// Scrub hashes all that is held now, waits for the end, and tells how many objects
// were damaged, and how the scrubs stand. Whoever gives up ends it.
func (c *Client) Scrub(ctx context.Context) (damaged int, scrub mirror.Scrub, err error) {
	var doc scrubDoc
	err = c.post(ctx, "/v1/scrub", orderDoc{}, &doc)
	return doc.Damaged, doc.Scrub, err
}

// Quarantine lists what is not served of a repository; empty: of all.
func (c *Client) Quarantine(ctx context.Context, repository string) ([]mirror.Quarantined, error) {
	var doc quarantineDoc
	err := c.get(ctx, "/v1/quarantine?repository="+url.QueryEscape(repository), &doc)
	return doc.Quarantined, err
}

// Release takes a path out of quarantine; by is who says so, in at most 100 bytes.
func (c *Client) Release(ctx context.Context, repository, path, by string) error {
	return c.post(ctx, "/v1/quarantine/"+url.PathEscape(repository)+"/release", orderDoc{Path: path, By: by}, &doneDoc{})
}

// Hold puts a path aside for a reason of at most 1000 bytes.
func (c *Client) Hold(ctx context.Context, repository, path, reason, by string) error {
	return c.post(ctx, "/v1/quarantine/"+url.PathEscape(repository)+"/hold", orderDoc{Path: path, Reason: reason, By: by}, &doneDoc{})
}

// Reload has the configuration read anew.
func (c *Client) Reload(ctx context.Context) error {
	return c.post(ctx, "/v1/reload", orderDoc{}, &doneDoc{})
}

// Counters tells what was counted.
func (c *Client) Counters(ctx context.Context) ([]counters.Sample, error) {
	var doc countersDoc
	err := c.get(ctx, "/v1/counters", &doc)
	var list []counters.Sample
	for _, one := range doc.Counters {
		list = append(list, counters.Sample{Name: one.Name, Labels: one.Labels, Value: one.Value})
	}
	return list, err
}

// Ready is nil if the storage can be used, and something fresh is served.
func (c *Client) Ready(ctx context.Context) error { return c.get(ctx, "/readyz", &doneDoc{}) }

func (c *Client) get(ctx context.Context, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute) // a plan asks the upstream
	defer cancel()
	return c.ask(ctx, http.MethodGet, path, nil, into)
}

func (c *Client) post(ctx context.Context, path string, order orderDoc, into any) error {
	body, err := json.Marshal(order)
	if err != nil {
		return err
	}
	return c.ask(ctx, http.MethodPost, path, body, into)
}

func (c *Client) ask(ctx context.Context, method, path string, body []byte, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, c.base+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if method != http.MethodGet {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		if errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: nobody answers at %s", ErrNotRunning, c.address)
		}
		return fmt.Errorf("%s: %w", c.address, err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer+1))
	if err != nil {
		return fmt.Errorf("%s: %w", c.address, err)
	}
	if err := strictjson.Screen(text, strictjson.Limits{Bytes: maxAnswer, Depth: 16}); err != nil {
		return fmt.Errorf("%w: %s: %d: %w", ErrAnswer, c.address, response.StatusCode, err)
	}
	if response.StatusCode != http.StatusOK {
		var doc faultDoc
		if err := json.Unmarshal(text, &doc); err != nil || doc.Error == "" {
			return fmt.Errorf("%w: %s: expected an error, found the status %d without one", ErrAnswer, c.address, response.StatusCode)
		}
		return doc.remote()
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrAnswer, c.address, err)
	}
	return nil
}

func (d *faultDoc) remote() *RemoteError {
	return &RemoteError{Message: d.Error, Kind: d.Kind, Code: d.Code}
}
