package wire

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/trust"
)

const password = "hunter2"

// seen keeps the Authorization headers that a server got, by path.
type seen struct {
	mu    sync.Mutex
	asked map[string]string
}

func (s *seen) handler(more http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, q *http.Request) {
		s.mu.Lock()
		if s.asked == nil {
			s.asked = map[string]string{}
		}
		s.asked[q.URL.Path] = q.Header.Get("Authorization")
		s.mu.Unlock()
		if more != nil {
			more(w, q)
		}
	}
}

// get tells what came to a path, and whether anything did.
func (s *seen) get(path string) (header string, asked bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	header, asked = s.asked[path]
	return header, asked
}

func hostPort(t *testing.T, server *httptest.Server) string { return parsed(t, server.URL).Host }

func TestWhichCredentialsAreSent(t *testing.T) {
	var s seen
	server := serve(t, s.handler(nil))
	token := write(t, "token", "t0ken\n")
	t.Setenv("NETRC", write(t, "netrc", "machine 127.0.0.1 login bob password "+password+"\n"))
	basicOf := func(user string) string {
		return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
	}
	name := hostPort(t, server)
	_, port, _ := strings.Cut(name, ":")
	for what, test := range map[string]struct {
		request string // Authorization
		user    *url.Userinfo
		host    Host
		want    string
	}{
		"none":                        {"", nil, Host{}, ""},
		"of the request":              {"Bearer own", url.UserPassword("ann", password), Host{Name: name, TokenFile: token}, "Bearer own"},
		"of the URL":                  {"", url.UserPassword("ann", password), Host{Name: name, TokenFile: token, Netrc: true}, basicOf("ann")},
		"a user alone":                {"", url.User("ann"), Host{}, "Basic " + base64.StdEncoding.EncodeToString([]byte("ann:"))},
		"a token":                     {"", nil, Host{Name: name, TokenFile: token, Netrc: true}, "Bearer t0ken"},
		"netrc":                       {"", nil, Host{Name: name, Netrc: true}, basicOf("bob")},
		"netrc, of a domain":          {"", nil, Host{Name: "*.0.0.1:" + port, Netrc: true}, basicOf("bob")},
		"netrc, not configured":       {"", nil, Host{Name: name}, ""},
		"another host":                {"", nil, Host{Name: "localhost:" + port, TokenFile: token}, ""},
		"the scheme's port":           {"", nil, Host{Name: "127.0.0.1", TokenFile: token}, ""},
		"another port":                {"", nil, Host{Name: "127.0.0.1:1", TokenFile: token}, ""},
		"a domain that looks like it": {"", nil, Host{Name: "*.27.0.0.1:" + port, TokenFile: token}, ""},
	} {
		u := parsed(t, server.URL+"/"+url.PathEscape(what))
		u.User = test.user
		_, _, err := read(t, direct(Options{Hosts: []Host{test.host}}), Request{URL: u, Authorization: test.request})
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		if found, _ := s.get("/" + what); found != test.want {
			t.Errorf("%s: expected %q, found %q", what, test.want, found)
		}
	}
}

func TestRank(t *testing.T) {
	t.Parallel()
	var hosts []*host
	for _, name := range []string{"*.example.com", "example.com", "*.dl.example.com", "a.dl.example.com", "a.dl.example.com:8443", "*.example.com:8443", "[2001:db8::1]", "[2001:db8::1]:81"} {
		hosts = append(hosts, &host{Host: Host{Name: name}})
	}
	for raw, want := range map[string]string{
		"https://example.com": "example.com", "https://EXAMPLE.com.": "example.com", "https://x.example.com": "*.example.com",
		"https://x.y.example.com": "*.example.com", "https://x.dl.example.com/a": "*.dl.example.com", "https://a.dl.example.com": "a.dl.example.com",
		"https://dl.example.com": "*.example.com", "https://a.dl.example.com:443": "a.dl.example.com", "http://a.dl.example.com:80": "a.dl.example.com",
		"https://a.dl.example.com:8443": "a.dl.example.com:8443", "https://b.dl.example.com:8443": "*.example.com:8443",
		"http://a.dl.example.com:443": "", "https://a.dl.example.com:80": "", "https://notexample.com": "", "https://example.com.evil": "", "https://.example.com": "",
		"https://[2001:db8::1]": "[2001:db8::1]", "https://[2001:DB8::1]:81": "[2001:db8::1]:81", "https://[2001:db8::2]": "",
	} {
		found := ""
		if h := hostOf(hosts, parsed(t, raw)); h != nil {
			found = h.Name
		}
		if found != want {
			t.Errorf("%s: expected %q, found %q", raw, want, found)
		}
	}
}

func TestCredentialsStayAtTheirOrigin(t *testing.T) {
	t.Parallel()
	var s seen
	other := serve(t, s.handler(func(w http.ResponseWriter, q *http.Request) {
		if back := q.URL.Query().Get("back"); back != "" {
			http.Redirect(w, q, back, http.StatusFound)
		}
	}))
	var first *httptest.Server
	first = serve(t, s.handler(func(w http.ResponseWriter, q *http.Request) {
		port := parsed(t, other.URL).Port()
		to := map[string]string{
			"/same":  "/end-same",
			"/port":  other.URL + "/end-port",
			"/named": "http://ann:" + password + "@127.0.0.1:" + port + "/end-named",
			"/own":   "//ann:" + password + "@" + q.Host + "/end-own",
			// As far as Go's client goes, sub.localhost may see what localhost may.
			"/sub":  "http://sub.localhost:" + port + "/end-sub",
			"/back": other.URL + "/between?back=" + url.QueryEscape(first.URL+"/end-back"),
		}[q.URL.Path]
		if to != "" {
			http.Redirect(w, q, to, http.StatusFound)
		}
	}))
	e := direct(Options{Hosts: []Host{{Name: hostPort(t, other), TokenFile: write(t, "token", "t0ken")}}})
	for _, p := range []pair{e.client.Transport.(*router).general.bulk} {
		p.open.DialContext = dialLoopback
	}
	for path, want := range map[string]string{
		"/same": "Bearer mine", "/port": "", "/named": "", "/own": "Bearer mine", "/sub": "", "/back": "",
	} {
		u := parsed(t, first.URL+path)
		if path == "/sub" {
			u.Host = "localhost:" + u.Port()
		}
		if _, _, err := read(t, e, Request{URL: u, Authorization: "Bearer mine"}); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		found, asked := s.get("/end-" + path[1:])
		if !asked || found != want {
			t.Errorf("%s: expected %q, found %q, asked %v", path, want, found, asked)
		}
	}
	if found, _ := s.get("/between"); found != "" {
		t.Errorf("in between: found %q", found)
	}
	// Asked by its own name, the other one gets what is its own.
	if _, _, err := read(t, e, Request{URL: parsed(t, other.URL+"/direct")}); err != nil {
		t.Error(err)
	}
	if found, _ := s.get("/direct"); found != "Bearer t0ken" {
		t.Errorf("expected the token, found %q", found)
	}
}

func TestCredentialsOnlyWhereNobodyReads(t *testing.T) {
	t.Parallel()
	s := newSite(t, "")
	s.engine.hosts = New(Options{Hosts: []Host{
		{Name: "token.example", TokenFile: write(t, "token", "t0ken")}, {Name: "netrc.example", Netrc: true},
		{Name: "command.example", TokenCommand: []string{"no-such-program"}},
	}}).hosts
	for _, r := range []Request{
		{URL: parsed(t, "http://dl.example/x"), Authorization: "Bearer " + password},
		{URL: parsed(t, "http://ann:"+password+"@dl.example/x")},
		{URL: parsed(t, "http://token.example/x")},
		{URL: parsed(t, "http://netrc.example/x")},
		{URL: parsed(t, "http://command.example/x")},
		{URL: parsed(t, "http://10.1.2.3/x"), Authorization: "Bearer " + password},
		{URL: parsed(t, "http://localhost.example/x"), Authorization: "Bearer " + password},
		{URL: parsed(t, "http://169.254.169.254/x"), Authorization: "Bearer " + password},
	} {
		_, _, err := read(t, s.engine, r)
		if !errors.Is(err, errReadable) || !errors.Is(err, ErrSource) || errors.Is(err, trust.ErrNoAnswer) || strings.Contains(err.Error(), password) {
			t.Errorf("%s: expected it to be refused, found %v", Shown(r.URL), err)
		}
	}
	// Through a proxy even this machine's own name leaves it.
	e := New(Options{Proxy: http.ProxyURL(parsed(t, s.URL))})
	if _, _, err := read(t, e, Request{URL: parsed(t, "http://localhost:1/x"), Authorization: "Bearer " + password}); !errors.Is(err, errReadable) {
		t.Errorf("through a proxy: expected it to be refused, found %v", err)
	}
	if n := s.asked.Load(); n != 0 {
		t.Errorf("the server was asked %d times", n)
	}
	if _, _, err := read(t, s.engine, Request{URL: parsed(t, s.URL), Authorization: "Bearer " + password}); err != nil {
		t.Error(err)
	}
}

func TestCredentialsOverTLS(t *testing.T) {
	t.Parallel()
	var s seen
	ca := newAuthority(t)
	server := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{ca.issue(nil)}}, s.handler(nil))
	e := direct(Options{RootCAs: ca.pool()})
	for _, small := range []bool{false, true} {
		if _, _, err := read(t, e, Request{URL: parsed(t, server.URL+"/x"), Authorization: "Bearer mine", Small: small}); err != nil {
			t.Error(err)
		}
		if found, _ := s.get("/x"); found != "Bearer mine" {
			t.Errorf("expected the credentials, found %q", found)
		}
	}
}

func TestIsLoopback(t *testing.T) {
	t.Parallel()
	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "::ffff:127.0.0.1": true, "localhost": true, "LOCALHOST.": true, "a.localhost": true,
		"127.1": false, "0.0.0.0": false, "169.254.1.1": false, "fe80::1": false, "224.0.0.1": false, "10.0.0.1": false, "example.com": false,
		"localhost.example": false, "notlocalhost": false, "": false,
	} {
		if got := isLoopback(host); got != want {
			t.Errorf("%q: expected %v, found %v", host, want, got)
		}
	}
}

// Whatever goes wrong, the secret is in no message.
func TestSecretsInNoMessage(t *testing.T) {
	t.Parallel()
	page := func(code int, head http.Header) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			for name := range head {
				w.Header().Set(name, head.Get(name))
			}
			w.WriteHeader(code)
		}
	}
	at := func(to string) http.HandlerFunc { return page(302, http.Header{"Location": {to}}) }
	for name, handler := range map[string]http.HandlerFunc{
		"401": page(401, nil), "403": page(403, nil), "404": page(404, nil), "407": page(407, nil), "416": page(416, nil), "500": page(500, nil), "503": page(503, nil),
		"206": page(206, http.Header{"Content-Range": {"bytes 0-1/x"}}), "packed": page(200, http.Header{"Content-Encoding": {"gzip"}}),
		"a loop": at("?again"), "a redirect to nothing": at("http://127.0.0.1:1/?q=" + password), "a redirect to no URL": at("http://[::1?q=" + password),
		"a redirect to a file": at("file:///etc/" + "passwd?" + password), "a redirect with a password": at("http://ann:" + password + "@127.0.0.1:1/"),
		"a redirect that cannot be": at("http://ann:" + password + "@127.0.0.1:x/"),
		"hung up":                   func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			io.WriteString(w, "half")
		},
		"stalled": func(w http.ResponseWriter, q *http.Request) {
			w.(http.Flusher).Flush()
			<-q.Context().Done()
		},
		"silent": func(_ http.ResponseWriter, q *http.Request) { <-q.Context().Done() },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, handler)
			with := parsed(t, server.URL+"?q="+password)
			with.User = url.UserPassword("t0ken", password)
			e := direct(Options{Answer: 50 * time.Millisecond, Idle: 50 * time.Millisecond, Hosts: []Host{{Name: with.Host, TokenFile: write(t, "token", password)}}})
			for _, r := range []Request{{URL: with}, {URL: parsed(t, server.URL+"?q="+password)}, {URL: parsed(t, server.URL), Authorization: "Bearer " + password, From: 1}} {
				_, _, err := read(t, e, r)
				if !errors.Is(err, ErrSource) || strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "t0ken") {
					t.Errorf("expected a failure of the source, and nothing secret, found %v", err)
				}
			}
		})
	}
	for name, bad := range map[string]string{"a line break": "Bearer " + password + "\r\nX: y", "a control character": "Bearer \x00" + password} {
		if _, _, err := read(t, direct(Options{}), Request{URL: parsed(t, "http://127.0.0.1:1"), Authorization: bad}); err == nil || strings.Contains(err.Error(), password) {
			t.Errorf("%s: found %v", name, err)
		}
	}
}

func TestRefusedCredentialsAreNamed(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusUnauthorized) })
	u := parsed(t, server.URL)
	e := direct(Options{Hosts: []Host{{Name: u.Host, TokenFile: write(t, "token", "t0ken")}}})
	for says, r := range map[string]Request{
		"with the credentials of token_file":  {URL: u},
		"with the credentials of the request": {URL: u, Authorization: "Bearer x"},
		"with the credentials of the URL":     {URL: &url.URL{Scheme: "http", Host: u.Host, User: url.User("ann")}},
	} {
		var status *StatusError
		if _, _, err := read(t, e, r); !errors.As(err, &status) || status.Code != 401 || !strings.Contains(err.Error(), "found 401 Unauthorized, "+says) {
			t.Errorf("expected %q, found %v", says, err)
		}
	}
	if _, _, err := read(t, direct(Options{}), Request{URL: u}); err == nil || !strings.Contains(err.Error(), "as no credentials are configured for it") {
		t.Errorf("without any: found %v", err)
	}
}

// A caller who gives up while a token is read is the caller's business alone.
func TestGivingUpWhileATokenIsRead(t *testing.T) {
	t.Parallel()
	interrupt := errors.New("interrupted by the user")
	k := newKept[string]()
	ctx, cancel := context.WithCancelCause(t.Context())
	began := make(chan struct{})
	go func() {
		<-began
		cancel(interrupt)
	}()
	_, err := k.get(ctx, func(ctx context.Context) (string, error) {
		close(began)
		// Another one who waits for the same gives up, too.
		other, end := context.WithCancelCause(ctx)
		end(io.EOF)
		if _, err := k.get(other, nil); !errors.Is(err, io.EOF) {
			t.Errorf("waiting: expected its own cause, found %v", err)
		}
		<-ctx.Done()
		return "", errors.New("killed")
	})
	if !errors.Is(err, interrupt) {
		t.Errorf("expected %v, found %v", interrupt, err)
	}
	// What was read all the same is kept.
	late, end := context.WithCancel(t.Context())
	if value, err := k.get(late, func(context.Context) (string, error) { end(); return "there", nil }); value != "there" || err != nil {
		t.Errorf("found %q, %v", value, err)
	}
	k = newKept[string]()
	// The next one reads, and the one after it finds what was read, error or not.
	boom := errors.New("boom")
	for range 2 {
		if _, err := k.get(t.Context(), func(context.Context) (string, error) { err := boom; boom = errors.New("again"); return "", err }); err == nil || err.Error() != "boom" {
			t.Errorf("expected the first error, found %v", err)
		}
	}
}
