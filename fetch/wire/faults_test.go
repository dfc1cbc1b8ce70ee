package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"assay/trust"
)

// refuses expects a failure of the source, once for large files and once for
// small ones, that says so and is no silence.
func refuses(t *testing.T, e *Engine, raw, says string) error {
	t.Helper()
	var err error
	for _, small := range []bool{false, true} {
		_, _, err = read(t, e, Request{URL: parsed(t, raw), Small: small})
		if !errors.Is(err, ErrSource) || !strings.Contains(err.Error(), says) || errors.Is(err, trust.ErrNoAnswer) || Temporary(err) || strings.Contains(err.Error(), password) {
			t.Errorf("%s: expected %q, found %v", raw, says, err)
		}
	}
	return err
}

func TestCertificatesThatAreRefused(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	e := direct(Options{RootCAs: ca.pool()})
	for name, test := range map[string]struct {
		by     *authority
		change func(*x509.Certificate)
		says   string
	}{
		"expired":      {ca, func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Minute) }, "expected a certificate that is valid now"},
		"not yet":      {ca, func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Minute) }, "expected a certificate that is valid now"},
		"another's":    {ca, func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 2)} }, "expected a certificate for this host"},
		"unknown":      {newAuthority(t), nil, "expected a certificate of an authority that this machine trusts"},
		"for a client": {ca, func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }, "expected a certificate of an authority that this machine trusts"},
	} {
		asked := false
		server := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{test.by.issue(test.change)}}, func(http.ResponseWriter, *http.Request) { asked = true })
		refuses(t, e, server.URL+"/?q="+password, test.says)
		if asked {
			t.Errorf("%s: it was asked all the same", name)
		}
	}
}

func TestOldTLS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	old := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{ca.issue(nil)}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, nil)
	refuses(t, direct(Options{RootCAs: ca.pool()}), old.URL, "")
	plain := serve(t, nil)
	refuses(t, direct(Options{}), strings.Replace(plain.URL, "http:", "https:", 1), "no usable answer: http: server gave HTTP response to HTTPS client")
}

func TestRedirectsThatAreRefused(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	var asked bool
	plain := serve(t, func(http.ResponseWriter, *http.Request) { asked = true })
	to := ""
	hops := 0
	server := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{ca.issue(nil)}}, func(w http.ResponseWriter, q *http.Request) {
		hops++
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	})
	e := direct(Options{RootCAs: ca.pool(), Redirects: 3})
	for target, says := range map[string]string{
		plain.URL + "/?q=" + password:          "expected a redirect that keeps https, found one to " + plain.URL,
		"file:///etc/passwd?" + password:       "expected a redirect that keeps https, found one to file:///etc/passwd",
		"ftp://ann:" + password + "@a.example": "expected a redirect that keeps https, found one to ftp://a.example",
		"?again=" + password:                   "expected at most 3 redirects, found more",
		"https://[::1?q=" + password:           "expected a redirect to a URL, found one to something else",
		"":                                     "expected 200 OK, found 302 Found",
	} {
		to, hops = target, 0
		refuses(t, e, server.URL, says)
		if strings.HasPrefix(target, "?") && hops != 2*(3+1) {
			t.Errorf("expected 4 requests each time, found %d in all", hops)
		}
	}
	if asked {
		t.Error("the plain server was asked")
	}
	from := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "file:///etc/passwd")
		w.WriteHeader(http.StatusFound)
	})
	refuses(t, e, from.URL, `no usable answer: unsupported protocol scheme "file"`)
}

// As many redirects as are allowed lead on.
func TestRedirectsThatLeadOn(t *testing.T) {
	t.Parallel()
	server := serve(t, func(w http.ResponseWriter, q *http.Request) {
		if hop := len(q.URL.Path); hop < 4 {
			http.Redirect(w, q, q.URL.Path+"x", http.StatusFound)
			return
		}
		io.WriteString(w, "there")
	})
	for redirects, want := range map[int]bool{3: true, 2: false} {
		data, _, err := read(t, direct(Options{Redirects: redirects}), Request{URL: parsed(t, server.URL+"/")})
		if (err == nil && data == "there") != want {
			t.Errorf("%d redirects: found %q, %v", redirects, data, err)
		}
	}
}

// proxyServer answers CONNECT with a status line of its own making.
func proxyServer(t *testing.T, answer string) *url.URL {
	t.Helper()
	where, _ := raw(t, answer)
	u := parsed(t, where)
	u.User = url.UserPassword("ann", password)
	return u
}

func TestProxyThatRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		url, answer, says string
		temporary         bool
	}{
		"407":              {"https://repository.invalid", "HTTP/1.1 407 \x1b[2Jgo away\r\nContent-Length: 0\r\n\r\n", "expected the proxy to connect, found 407 Proxy Authentication Required", false},
		"503":              {"https://repository.invalid", "HTTP/1.1 503 x\r\nContent-Length: 0\r\n\r\n", "expected the proxy to connect, found 503 Service Unavailable", true},
		"nothing it knows": {"https://repository.invalid", "HTTP/1.1 299 x\r\nContent-Length: 0\r\n\r\n", "expected the proxy to connect, found 299", false},
		"407, plain":       {"http://repository.invalid", "HTTP/1.1 407 \x1b[2Jgo away\r\nContent-Length: 0\r\n\r\n", "expected 200 OK, found 407 Proxy Authentication Required", false},
	} {
		proxy := proxyServer(t, test.answer)
		_, _, err := read(t, New(Options{Proxy: http.ProxyURL(proxy)}), Request{URL: parsed(t, test.url)})
		var status *StatusError
		if !errors.As(err, &status) || !strings.Contains(err.Error(), test.says) || Temporary(err) != test.temporary || errors.Is(err, trust.ErrNoAnswer) {
			t.Errorf("%s: expected %q, found %v", name, test.says, err)
			continue
		}
		if !strings.Contains(err.Error(), "through the proxy http://"+proxy.Host+")") || strings.ContainsAny(err.Error(), "\x1b") || strings.Contains(err.Error(), password) || strings.Contains(err.Error(), "ann") {
			t.Errorf("%s: found %v", name, err)
		}
	}
}

// Over https the proxy carries bytes, and learns no credentials.
func TestCredentialsThroughAProxy(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	var s seen
	server := serveTLS(t, &tls.Config{Certificates: []tls.Certificate{ca.issue(nil)}}, s.handler(nil))
	heads := make(chan http.Header, 10)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		heads <- q.Header
		upstream, err := net.Dial("tcp", server.Listener.Addr().String())
		if err != nil {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		go io.Copy(upstream, conn)
		io.Copy(conn, upstream)
		conn.Close()
	}))
	t.Cleanup(proxy.Close)
	through := parsed(t, proxy.URL)
	through.User = url.UserPassword("proxy", "word")
	e := New(Options{RootCAs: ca.pool(), Proxy: http.ProxyURL(through)})
	if _, _, err := read(t, e, Request{URL: parsed(t, server.URL+"/x"), Authorization: "Bearer mine"}); err != nil {
		t.Fatal(err)
	}
	if found, _ := s.get("/x"); found != "Bearer mine" {
		t.Errorf("the server: found %q", found)
	}
	if head := <-heads; head.Get("Authorization") != "" || head.Get("Proxy-Authorization") != basic("proxy", "word") {
		t.Errorf("the proxy: found %v", head)
	}
	e.client.CloseIdleConnections()
}

func TestIPv6(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp6", "[::1]:0")
	if err != nil {
		t.Skipf("this machine has no IPv6: %v", err)
	}
	var s seen
	server := httptest.NewUnstartedServer(s.handler(nil))
	server.Listener.Close()
	server.Listener = listener
	server.Start()
	t.Cleanup(server.Close)
	u := parsed(t, server.URL+"/x")
	e := direct(Options{Hosts: []Host{{Name: u.Host, TokenFile: write(t, "token", "t0ken")}}})
	if _, a, err := read(t, e, Request{URL: u}); err != nil || a.URL != u.String() {
		t.Errorf("found %+v, %v", a, err)
	}
	if found, _ := s.get("/x"); found != "Bearer t0ken" {
		t.Errorf("expected the token, found %q", found)
	}
}

// dribble answers with bytes that never end, a few at a time.
func dribble(t *testing.T, begin, more string, pause time.Duration) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					return
				}
				_, err := io.WriteString(conn, begin)
				for i := 0; err == nil; i++ {
					time.Sleep(pause)
					_, err = io.WriteString(conn, strings.ReplaceAll(more, "%d", fmt.Sprint(i)))
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

func TestHeadsThatDoNotEnd(t *testing.T) {
	t.Parallel()
	const status = "HTTP/1.1 200 OK\r\n"
	long := strings.Repeat("x", 1000)
	for name, test := range map[string]struct {
		url    string
		silent bool
		says   string
	}{
		"slowly":             {dribble(t, status, "X-%d: y\r\n", 20*time.Millisecond), true, "timeout awaiting response headers"},
		"slowly, in a line":  {dribble(t, status+"X: ", "y", 20*time.Millisecond), true, "timeout awaiting response headers"},
		"slowly, the status": {dribble(t, "HTTP/1.1 ", "2", 20*time.Millisecond), true, "timeout awaiting response headers"},
		"not at all":         {dribble(t, "", "", time.Hour), true, "timeout awaiting response headers"},
		"many":               {dribble(t, status, "X-%d: "+long+"\r\n", 0), false, "server response headers exceeded 65536 bytes"},
		"one":                {dribble(t, status+"X: ", long, 0), false, "server response headers exceeded 65536 bytes"},
		"many early hints":   {dribble(t, "", "HTTP/1.1 103 Early Hints\r\nX-%d: "+long+"\r\n\r\n", 0), false, "no usable answer"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, _, err := read(t, direct(Options{Answer: 300 * time.Millisecond}), Request{URL: parsed(t, test.url)})
			if !errors.Is(err, ErrSource) || errors.Is(err, trust.ErrNoAnswer) != test.silent || !strings.Contains(err.Error(), test.says) {
				t.Errorf("expected %q, found %v", test.says, err)
			}
		})
	}
}

// Nobody there is silence, a name that nobody knows, too; and who gives up gets
// the cause of that alone.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	listener.Close()
	for _, scheme := range []string{"http", "https"} {
		_, _, err := read(t, direct(Options{}), Request{URL: parsed(t, scheme+"://"+listener.Addr().String())})
		if !errors.Is(err, trust.ErrNoAnswer) || !errors.Is(err, ErrSource) || !Temporary(err) {
			t.Errorf("%s: expected %v, found %v", scheme, trust.ErrNoAnswer, err)
		}
	}
	interrupt := errors.New("interrupted by the user")
	ctx, cancel := context.WithCancelCause(t.Context())
	silent := serve(t, func(_ http.ResponseWriter, q *http.Request) {
		cancel(interrupt)
		<-q.Context().Done()
	})
	if _, _, err := readWithin(ctx, direct(Options{}), Request{URL: parsed(t, silent.URL)}); !errors.Is(err, interrupt) || errors.Is(err, ErrSource) {
		t.Errorf("expected %v alone, found %v", interrupt, err)
	}
}

func TestBodyThatStalls(t *testing.T) {
	t.Parallel()
	stalls := dribble(t, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n123", "", time.Hour)
	_, _, err := read(t, direct(Options{Idle: 50 * time.Millisecond}), Request{URL: parsed(t, stalls)})
	if !errors.Is(err, errIdle) || !errors.Is(err, ErrSource) || !Temporary(err) || !strings.Contains(err.Error(), "given up: no bytes came for 50ms") {
		t.Errorf("found %v", err)
	}
	// Bytes that keep coming, if slowly, are for whoever reads to judge.
	slowly := dribble(t, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n", "x", 30*time.Millisecond)
	if data, _, err := read(t, direct(Options{Idle: time.Second}), Request{URL: parsed(t, slowly)}); err != nil || len(data) != 10 {
		t.Errorf("found %q, %v", data, err)
	}
}

func TestSchemesThatCannotBeAsked(t *testing.T) {
	t.Parallel()
	e := direct(Options{})
	refuses(t, e, "ftp://a.example/x", `expected http, https or file, found "ftp"`)
	refuses(t, e, "file://elsewhere/x", `expected file:///PATH, found the host "elsewhere"`)
	refuses(t, e, "file://"+t.TempDir(), "expected a regular file")
	broken := New(Options{Proxy: func(*http.Request) (*url.URL, error) { return nil, errors.New(password) }})
	refuses(t, broken, "https://repository.invalid", "cannot ask: the proxy that the environment names (HTTPS_PROXY, HTTP_PROXY) is not a URL")
	from := serve(t, func(w http.ResponseWriter, q *http.Request) { http.Redirect(w, q, "/there", http.StatusFound) })
	broken = New(Options{Proxy: func(q *http.Request) (*url.URL, error) {
		if q.URL.Path == "/there" {
			return nil, errors.New(password)
		}
		return nil, nil
	}})
	refuses(t, broken, from.URL, "cannot ask: the proxy that the environment names (HTTPS_PROXY, HTTP_PROXY) is not a URL")
	if _, _, err := read(t, e, Request{URL: &url.URL{Scheme: "http", Host: "a b\x00" + password}}); err == nil || !strings.Contains(err.Error(), "expected a URL that can be asked for") {
		t.Errorf("found %v", err)
	}
}
