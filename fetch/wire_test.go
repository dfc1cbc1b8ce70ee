package fetch_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/fetch"
	"assay/fetch/wire"
	"assay/internal/testrepo"
	"assay/trust"
)

// serving starts a server that answers every request by fn.
func serving(t *testing.T, fn http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(fn)
	t.Cleanup(server.Close)
	return server
}

// ask reads 2.root.json at a base URL, as the first step of a refresh does.
func ask(t *testing.T, options wire.Options, config fetch.SourceConfig) ([]byte, error) {
	t.Helper()
	if config.Layout == "" {
		config.Layout = fetch.LayoutBase
	}
	source, err := fetch.NewSource(wire.New(options), config)
	must(t, err)
	return source.ReadMetadata(t.Context(), "2.root.json", 1000)
}

// says expects a source's failure that mentions one thing and hides another.
func says(t *testing.T, err error, part, hidden string) {
	t.Helper()
	var source *wire.SourceError
	if !errors.Is(err, fetch.ErrSource) || !errors.As(err, &source) {
		t.Fatalf("expected a SourceError, found %v", err)
	}
	if !strings.Contains(err.Error(), part) {
		t.Errorf("expected the message to mention %q, found %v", part, err)
	}
	if hidden != "" && strings.Contains(err.Error(), hidden) {
		t.Errorf("the message gives %q away: %v", hidden, err)
	}
}

func TestCertificateOfNobodyKnown(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.Config.ErrorLog = nil
	server.StartTLS()
	t.Cleanup(server.Close)
	_, err := ask(t, wire.Options{}, fetch.SourceConfig{URL: server.URL})
	says(t, err, "authority that this machine trusts", "")
	var unknown x509.UnknownAuthorityError
	if !errors.As(err, &unknown) || errors.Is(err, trust.ErrNoAnswer) {
		t.Errorf("expected an unknown authority, and no silence that a grace would cover, found %v", err)
	}
	known := x509.NewCertPool()
	known.AddCert(server.Certificate())
	if _, err := ask(t, wire.Options{RootCAs: known}, fetch.SourceConfig{URL: server.URL}); !errors.Is(err, trust.ErrNoMetadata) {
		t.Errorf("with its authority known: expected ErrNoMetadata, found %v", err)
	}
}

func TestRedirectOutOfTLS(t *testing.T) {
	t.Parallel()
	asked := false
	plain := serving(t, func(http.ResponseWriter, *http.Request) { asked = true })
	server := httptest.NewTLSServer(http.RedirectHandler(plain.URL+"/x?token=hunter2", http.StatusFound))
	t.Cleanup(server.Close)
	known := x509.NewCertPool()
	known.AddCert(server.Certificate())
	_, err := ask(t, wire.Options{RootCAs: known}, fetch.SourceConfig{URL: server.URL})
	says(t, err, "keeps https", "hunter2")
	if asked {
		t.Error("the plain server was asked")
	}
}

func TestRedirectTellsNothingOfTheURLBefore(t *testing.T) {
	t.Parallel()
	var head http.Header
	second := serving(t, func(_ http.ResponseWriter, q *http.Request) { head = q.Header.Clone() })
	first := serving(t, func(w http.ResponseWriter, q *http.Request) {
		if user, _, ok := q.BasicAuth(); !ok || user != "ann" {
			t.Error("the configured user was not sent")
		}
		http.Redirect(w, q, second.URL, http.StatusFound)
	})
	if _, err := ask(t, wire.Options{}, fetch.SourceConfig{URL: strings.Replace(first.URL, "//", "//ann:hunter2@", 1)}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"Authorization", "Referer", "Cookie"} {
		if head.Get(name) != "" {
			t.Errorf("%s was sent to the next host: %q", name, head.Get(name))
		}
	}
}

func TestSecretsStayOutOfMessages(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"500":        func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) },
		"none":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) },
		"a web page": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") },
		"too long":   func(w http.ResponseWriter, _ *http.Request) { w.Write(make([]byte, 2000)) },
		"hung up":    func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"packed":     func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Encoding", "br") },
		"a bad place": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "ftp://x/")
			w.WriteHeader(302)
		},
	} {
		server := serving(t, answer)
		_, err := ask(t, wire.Options{}, fetch.SourceConfig{URL: strings.Replace(server.URL, "//", "//t0ken:hunter2@", 1)})
		if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "t0ken") {
			t.Errorf("%s: found %v", name, err)
		} else if !strings.Contains(err.Error(), server.URL) {
			t.Errorf("%s: expected the server to be named, found %v", name, err)
		}
	}
}

// Object stores answer 403 or 410 for what they do not have; anything else but
// 200 is a failure, and never "there is none".
func TestWhichAnswersMeanNone(t *testing.T) {
	t.Parallel()
	for code, none := range map[int]bool{404: true, 403: true, 410: true, 401: false, 407: false, 429: false, 204: false, 206: false, 500: false, 503: false} {
		server := serving(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) })
		_, err := ask(t, wire.Options{}, fetch.SourceConfig{URL: server.URL})
		if errors.Is(err, trust.ErrNoMetadata) != none || errors.Is(err, trust.ErrNoAnswer) {
			t.Errorf("%d: found %v", code, err)
		}
		says(t, err, fmt.Sprint(code), "")
	}
}

// What a server writes beside its status code goes to nobody's terminal.
func TestStatusTextIsNotPassedOn(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer listener.Close()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 4096))
			io.WriteString(conn, "HTTP/1.1 500 \x1b[2Jall is well\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			conn.Close()
		}
	}()
	_, err = ask(t, wire.Options{}, fetch.SourceConfig{URL: "http://" + listener.Addr().String()})
	says(t, err, "500 Internal Server Error", "\x1b")
}

func TestWebPageThroughAProxy(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]http.HandlerFunc{
		"a page that says it is data": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, " \n<html>")
		},
		"a page":      func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<!DOCTYPE html>") },
		"a long page": func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>"+strings.Repeat(" ", 5000)) },
		"a page of words": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "Text/HTML")
			io.WriteString(w, "Sign in")
		},
	} {
		proxy := serving(t, answer)
		through, err := url.Parse(strings.Replace(proxy.URL, "//", "//ann:hunter2@", 1))
		must(t, err)
		options := wire.Options{Proxy: http.ProxyURL(through)}
		_, err = ask(t, options, fetch.SourceConfig{URL: "http://repository.invalid"})
		says(t, err, "web page", "hunter2")
		says(t, err, "through the proxy "+proxy.URL, "ann")
		if errors.Is(err, trust.ErrTooLarge) {
			t.Errorf("%s: taken for metadata that is too large: %v", name, err)
		}
	}
	// Metadata in a wrongly labelled answer is still metadata.
	server := serving(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, "{}")
	})
	if data, err := ask(t, wire.Options{}, fetch.SourceConfig{URL: server.URL}); err != nil || string(data) != "{}" {
		t.Errorf("labelled as a page: found %q, %v", data, err)
	}
}

func TestProxyThatIsNoURL(t *testing.T) {
	t.Parallel()
	broken := func(*http.Request) (*url.URL, error) {
		return nil, errors.New(`invalid proxy address "http://ann:hunter2@:x"`)
	}
	_, err := ask(t, wire.Options{Proxy: broken}, fetch.SourceConfig{URL: "http://repository.invalid"})
	says(t, err, "HTTPS_PROXY", "hunter2")
}

// An interrupt is nobody's failure: whatever its cause, and whether it comes
// while metadata is read or in the middle of a file, that cause is the error.
func TestGivingUpIsNoFailureOfASource(t *testing.T) {
	t.Parallel()
	interrupt := errors.New("interrupted by the user")
	for _, part := range []string{"timestamp", "hello_1.5.0_linux_amd64"} {
		for name, cause := range map[string]error{"with a cause": interrupt, "plainly": context.Canceled} {
			t.Run(part+" "+name, func(t *testing.T) {
				t.Parallel()
				b := newBench(t, testrepo.Options{})
				hold := b.server.Hold(part)
				ctx, cancel := context.WithCancelCause(t.Context())
				go func() {
					<-hold.Reached
					cancel(cause)
				}()
				client := b.client()
				_, err := client.Get(ctx, request(t, "hello"))
				if !errors.Is(err, cause) || errors.Is(err, fetch.ErrSource) || errors.Is(err, trust.ErrNoAnswer) {
					t.Fatalf("expected %v and no failure of a source, found %v", cause, err)
				}
				b.nothingStaged()
				b.server.Clear()
				// The same client may go on: nothing of it is remembered.
				if _, err := client.Get(t.Context(), request(t, "hello")); err != nil {
					t.Errorf("the next request of the same client: %v", err)
				}
			})
		}
	}
}

// The same while a body is under way, its head long read.
func TestGivingUpInMidBody(t *testing.T) {
	t.Parallel()
	interrupt := errors.New("interrupted by the user")
	ctx, cancel := context.WithCancelCause(t.Context())
	server := serving(t, func(w http.ResponseWriter, q *http.Request) {
		io.WriteString(w, "{")
		w.(http.Flusher).Flush()
		time.AfterFunc(50*time.Millisecond, func() { cancel(interrupt) })
		<-q.Context().Done()
	})
	source, err := fetch.NewSource(wire.New(wire.Options{}), fetch.SourceConfig{URL: server.URL, Layout: fetch.LayoutBase})
	must(t, err)
	if _, err := source.ReadMetadata(ctx, "2.root.json", 1000); !errors.Is(err, interrupt) || errors.Is(err, fetch.ErrSource) {
		t.Errorf("metadata: expected the interrupt alone, found %v", err)
	}

	b := newBench(t, testrepo.Options{})
	must(t, b.repo.AddLarge("large.bin", 8<<20, 1))
	must(t, b.repo.Publish())
	client := b.client()
	selection, err := client.SelectTarget(t.Context(), "acme", "large.bin")
	must(t, err)
	hold := b.server.Hold("large.bin")
	ctx, cancel = context.WithCancelCause(t.Context())
	go func() {
		<-hold.Reached
		time.Sleep(50 * time.Millisecond)
		cancel(interrupt)
	}()
	if _, err := client.GetSelected(ctx, selection); !errors.Is(err, interrupt) || errors.Is(err, fetch.ErrSource) {
		t.Errorf("a file: expected the interrupt alone, found %v", err)
	}
	// What came is there for the next run, and has no name.
	if left, err := filepath.Glob(filepath.Join(b.dir, "staging", "*")); err != nil || len(left) != 2 {
		t.Errorf("expected the partial file and its record, found %q, %v", left, err)
	}
	hold.Release()
	held, err := b.client().GetSelected(t.Context(), selection)
	if must(t, err); held.Moved == 0 || held.Moved >= 8<<20 {
		t.Errorf("expected less than all of it to be fetched, found %d bytes", held.Moved)
	}
	b.nothingStaged()
}

// A time limit of the caller's is the caller's, too.
func TestCallersDeadline(t *testing.T) {
	t.Parallel()
	server := serving(t, func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() })
	source, err := fetch.NewSource(wire.New(wire.Options{}), fetch.SourceConfig{URL: server.URL, Layout: fetch.LayoutBase})
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := source.ReadMetadata(ctx, "2.root.json", 1000); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, fetch.ErrSource) {
		t.Errorf("expected the deadline, found %v", err)
	}
}

// tree serves fixed files, each by its path.
func tree(t *testing.T, files map[string]string) *httptest.Server {
	return serving(t, func(w http.ResponseWriter, q *http.Request) {
		data, ok := files[q.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		io.WriteString(w, data)
	})
}

func TestLayoutIsFoundOutOnceAndAgainWhenItMoves(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ known, place, found string }{
		{"", "/timestamp.json", "base"},
		{"", "/metadata/timestamp.json", "metadata"},
		{"base", "/metadata/timestamp.json", "metadata"}, // moved since
		{"metadata", "/timestamp.json", "base"},
		{"base", "/timestamp.json", ""}, // known already: nothing to remember
	} {
		server := tree(t, map[string]string{test.place: "{}"})
		var remembered []string
		source, err := fetch.NewSource(wire.New(wire.Options{}), fetch.SourceConfig{
			URL: server.URL, Layout: test.known,
			Remember: func(_ context.Context, layout string) error { remembered = append(remembered, layout); return nil },
		})
		must(t, err)
		for range 2 {
			if _, err := source.ReadMetadata(t.Context(), "timestamp.json", 100); err != nil {
				t.Errorf("%v: %v", test, err)
			}
		}
		if got := strings.Join(remembered, ","); got != test.found {
			t.Errorf("%v: expected %q to be remembered once, found %q", test, test.found, got)
		}
	}
	// A configured place is not looked for elsewhere.
	server := tree(t, map[string]string{"/timestamp.json": "{}"})
	source, err := fetch.NewSource(wire.New(wire.Options{}), fetch.SourceConfig{URL: server.URL, MetadataURL: server.URL + "/there"})
	must(t, err)
	if _, err := source.ReadMetadata(t.Context(), "timestamp.json", 100); !errors.Is(err, trust.ErrNoMetadata) {
		t.Errorf("metadata_url: expected ErrNoMetadata, found %v", err)
	}
}

func TestRootIsTakenByItsDigestOnly(t *testing.T) {
	t.Parallel()
	server := tree(t, map[string]string{"/3.root.json": "root"})
	source, err := fetch.NewSource(wire.New(wire.Options{}), fetch.SourceConfig{URL: server.URL, Layout: fetch.LayoutBase})
	must(t, err)
	right, wrong := artifact.DigestOf(artifact.SHA256, []byte("root")), artifact.DigestOf(artifact.SHA256, []byte("other"))
	if data, err := source.ReadRoot(t.Context(), 3, right); err != nil || string(data) != "root" {
		t.Errorf("found %q, %v", data, err)
	}
	data, err := source.ReadRoot(t.Context(), 3, wrong)
	var mismatch *trust.MismatchError
	if !errors.As(err, &mismatch) || mismatch.Expected != wrong.String() || mismatch.Found != right.String() || data != nil {
		t.Errorf("another root: found %q, %v", data, err)
	}
}

func TestURLsThatAreNoBase(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{"", "repo.example", "ftp://repo.example", "https://", "https://repo.example?token=hunter2", "https://repo.example#x", "https:repo.example", "https://ann:hunter2@repo.example/%zz"} {
		_, err := fetch.ParseBaseURL(raw)
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: found %v", raw, err)
		}
	}
}

// The names of roles come from outside: over http they are one segment, and in
// a folder one file.
func TestRepositoryInAFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "2.a%2Fb.json"), []byte("{}"), 0o644))
	must(t, os.Mkdir(filepath.Join(dir, "3.root.json"), 0o755))
	source, err := fetch.NewSource(wire.New(wire.Options{}), fetch.SourceConfig{URL: "file://" + filepath.ToSlash(dir), Layout: fetch.LayoutBase})
	must(t, err)
	if data, err := source.ReadMetadata(t.Context(), "2.a%2Fb.json", 10); err != nil || string(data) != "{}" {
		t.Errorf("found %q, %v", data, err)
	}
	if _, err := source.ReadMetadata(t.Context(), "2.a%2Fb.json", 1); !errors.Is(err, trust.ErrTooLarge) {
		t.Errorf("longer than its limit: expected ErrTooLarge, found %v", err)
	}
	for _, name := range []string{"3.root.json", "4.root.json"} {
		if _, err := source.ReadMetadata(t.Context(), name, 10); !errors.Is(err, trust.ErrNoMetadata) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: expected ErrNoMetadata, found %v", name, err)
		}
	}
	_, err = ask(t, wire.Options{}, fetch.SourceConfig{URL: "file://elsewhere/x"})
	says(t, err, fmt.Sprintf("%q", "elsewhere"), "")
}
