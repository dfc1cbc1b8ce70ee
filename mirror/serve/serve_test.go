package serve_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"mime"
	"mime/multipart"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay/artifact"
	"assay/mirror"
	"assay/mirror/serve"
	"assay/mirror/storage"
)

// noise is size bytes, the same each time.
func noise(size int) []byte {
	data := make([]byte, size)
	rand.NewChaCha8([32]byte{byte(size), byte(size >> 8)}).Read(data)
	return data
}

// get asks for a path with headers, "Name: value", and reads the answer.
func (s *site) get(method, path string, headers ...string) (*http.Response, []byte) {
	s.t.Helper()
	r, err := http.NewRequest(method, "http://"+s.address+path, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		r.Header.Add(name, value)
	}
	answer, err := s.client.Do(r)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.t.Fatalf("%s %s: %v", method, path, err)
	}
	return answer, body
}

// expect compares a header.
func expect(t *testing.T, h http.Header, name, want string) {
	t.Helper()
	if got := strings.Join(h.Values(name), " | "); got != want {
		t.Errorf("%s: expected %q, found %q", name, want, got)
	}
}

func TestHeadersOfFiles(t *testing.T) {
	t.Parallel()
	s := open(t, newShelf(t), serve.Config{})
	plain := s.shelf.add(t, "acme/timestamp.json", []byte(`{"signed":{}}`))
	root := s.shelf.add(t, "acme/3.root.json", []byte(`{"signed":{"_type":"root"}}`))
	root.Immutable = true
	s.shelf.set(root)
	large := s.shelf.add(t, "acme/targets/hello/hello.bin", noise(200_000))
	large.Attested = true
	large.Sources = []string{"https://a.example/hello.bin", "https://b.example/x>; rel=evil", "https://c.example/hello.bin"}
	s.shelf.set(large)
	const forever = "public, max-age=31536000, immutable"
	for _, test := range []struct {
		path, kind, cache, link string
		file                    mirror.File
	}{
		{"/r/acme/timestamp.json", "application/json", "no-cache", "", plain},
		{"/r/acme/3.root.json", "application/json", forever, "", root},
		{
			"/r/acme/targets/hello/hello.bin", "application/octet-stream", "no-cache",
			"<https://a.example/hello.bin>; rel=duplicate, <https://c.example/hello.bin>; rel=duplicate, </attestations/sha256/" +
				large.Digests[0].Hex() + `>; rel="describedby"; type="application/json"`, large,
		},
		{"/blobs/sha256/" + root.Digests[0].Hex(), "application/json", forever, "", root},
	} {
		var heads [2]http.Header
		for i, method := range []string{"GET", "HEAD"} {
			answer, body := s.get(method, test.path, "Range: bytes=0-"+strings.Repeat("9", 30*i))
			if method == "GET" {
				answer, body = s.get(method, test.path)
				if found := artifact.DigestOf(artifact.SHA256, body); found != test.file.Digests[0] {
					t.Errorf("%s: other bytes", test.path)
				}
			} else if len(body) > 0 {
				t.Errorf("%s: HEAD has a body", test.path)
			}
			if answer.StatusCode != 200 || answer.ContentLength != test.file.Length {
				t.Errorf("%s %s: found %s, %d bytes", method, test.path, answer.Status, answer.ContentLength)
			}
			h := answer.Header
			sum, _ := s.sum(test.file)
			expect(t, h, "Content-Type", test.kind)
			expect(t, h, "Cache-Control", test.cache)
			expect(t, h, "Etag", `"sha256-`+test.file.Digests[0].Hex()+`"`)
			expect(t, h, "Repr-Digest", "sha-256=:"+base64.StdEncoding.EncodeToString(sum)+":")
			expect(t, h, "Accept-Ranges", "bytes")
			expect(t, h, "X-Content-Type-Options", "nosniff")
			expect(t, h, "Link", test.link)
			if len(h.Get("X-Request-Id")) < 8 {
				t.Errorf("%s: no request id", test.path)
			}
			delete(h, "X-Request-Id")
			delete(h, "Date")
			heads[i] = h
		}
		if fmt.Sprint(heads[0]) != fmt.Sprint(heads[1]) {
			t.Errorf("%s: HEAD differs from GET:\n%v\n%v", test.path, heads[1], heads[0])
		}
	}
}

func (s *site) sum(f mirror.File) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(s.shelf.dir, f.Digests[0].Hex()))
	sum := sha256.Sum256(data)
	return sum[:], err
}

func TestConditionsAndRanges(t *testing.T) {
	t.Parallel()
	s := open(t, newShelf(t), serve.Config{})
	for _, size := range []int{1000, 100_000} {
		data := noise(size)
		f := s.shelf.add(t, "acme/targets/a", data)
		tag := `"sha256-` + f.Digests[0].Hex() + `"`
		for _, test := range []struct {
			headers []string
			status  int
			body    []byte
		}{
			{[]string{"If-None-Match: " + tag}, 304, nil},
			{[]string{`If-None-Match: "x", W/` + tag}, 304, nil},
			{[]string{"If-None-Match: *"}, 304, nil},
			{[]string{`If-None-Match: "x"`}, 200, data},
			{[]string{`If-None-Match: "x"`, "Range: bytes=0-9"}, 206, data[:10]},
			{[]string{"If-Match: " + tag}, 200, data},
			{[]string{`If-Match: "x"`}, 412, nil},
			{[]string{`If-Match: "x"`, "If-None-Match: " + tag}, 412, nil},
			{[]string{"Range: bytes=10-19"}, 206, data[10:20]},
			{[]string{"Range: bytes=990-"}, 206, data[990:]},
			{[]string{"Range: bytes=-7"}, 206, data[size-7:]},
			{[]string{"Range: bytes=0-0", "If-Range: " + tag}, 206, data[:1]},
			{[]string{"Range: bytes=0-0", `If-Range: "x"`}, 200, data},
			{[]string{"Range: bytes=999999-"}, 416, nil},
			{[]string{"Range: bytes=a-b"}, 416, nil},
			{[]string{"Range: lines=1-2"}, 416, nil},
			{[]string{"Range: bytes=" + strings.Repeat("0-0,", 16) + "1-1"}, 416, nil},
			{[]string{"Range: bytes=" + strings.Repeat("0-,", 3000) + "1-1"}, 416, nil},
			{[]string{"Range: bytes=0-,1-,2-"}, 416, nil},
		} {
			answer, body := s.get("GET", "/r/acme/targets/a", test.headers...)
			if answer.StatusCode != test.status || test.body != nil && !bytes.Equal(body, test.body) {
				t.Errorf("%d bytes, %.60q: expected %d, found %s with %d bytes", size, test.headers, test.status, answer.Status, len(body))
			}
			switch {
			case test.status == 304 && (len(body) > 0 || answer.Header.Get("Etag") != tag || answer.Header.Get("Cache-Control") != "no-cache"):
				t.Errorf("%q: %v, %d bytes", test.headers, answer.Header, len(body))
			case test.status >= 400 && answer.Header.Get("Cache-Control") != "no-store":
				t.Errorf("%d bytes, %.60q: found Cache-Control %q", size, test.headers, answer.Header.Get("Cache-Control"))
			}
		}
		answer, body := s.get("GET", "/r/acme/targets/a", "Range: bytes=0-1,5-6,-3")
		kind, parameters, err := mime.ParseMediaType(answer.Header.Get("Content-Type"))
		if answer.StatusCode != 206 || kind != "multipart/byteranges" || err != nil {
			t.Fatalf("several ranges: found %s, %s, %v", answer.Status, kind, err)
		}
		parts, all := multipart.NewReader(bytes.NewReader(body), parameters["boundary"]), []byte{}
		for {
			part, err := parts.NextPart()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			some, _ := io.ReadAll(part)
			all = append(all, some...)
		}
		if want := append(append(append([]byte{}, data[:2]...), data[5:7]...), data[size-3:]...); !bytes.Equal(all, want) {
			t.Errorf("several ranges: expected %x, found %x", want, all)
		}
	}
}

func TestWhatIsNotServed(t *testing.T) {
	t.Parallel()
	s := open(t, newShelf(t), serve.Config{})
	secret := errors.New("https://internal.example/ refused")
	for name, test := range map[string]struct {
		err    error
		status int
		text   string
		retry  bool
	}{
		"norepo":     {mirror.ErrNoRepository, 404, "no such repository", false},
		"nofile":     {mirror.ErrNoFile, 404, "no such file", false},
		"notcarried": {mirror.ErrNotCarried, 404, "not carried", false},
		"quarantine": {mirror.ErrQuarantined, 404, "quarantine", false},
		"notready":   {mirror.ErrNotReady, 503, "nothing was proven", true},
		"expired":    {mirror.ErrExpired, 503, "expired", true},
		"absent":     {mirror.ErrAbsent, 503, "not held", true},
		"missing":    {storage.ErrMissing, 503, "not held", true},
		"disk":       {storage.ErrDisk, 500, "internal error", false},
	} {
		s.shelf.mu.Lock()
		s.shelf.errs["acme/"+name] = fmt.Errorf("%w: %w", test.err, secret)
		s.shelf.mu.Unlock()
		answer, body := s.get("GET", "/r/acme/"+name)
		if answer.StatusCode != test.status || !strings.Contains(string(body), test.text) || strings.Contains(string(body), "internal.example") {
			t.Errorf("%s: found %s, %q", name, answer.Status, body)
		}
		if (answer.Header.Get("Retry-After") != "") != test.retry {
			t.Errorf("%s: found Retry-After %q", name, answer.Header.Get("Retry-After"))
		}
		expect(t, answer.Header, "Cache-Control", "no-store")
		expect(t, answer.Header, "Content-Type", "text/plain; charset=utf-8")
		expect(t, answer.Header, "Etag", "")
	}
}

// What a disk has spoilt is not served from memory, and never half.
func TestDamagedObjects(t *testing.T) {
	t.Parallel()
	s := open(t, newShelf(t), serve.Config{})
	for _, size := range []int{1000, 100_000} {
		for what, spoil := range map[string]func([]byte) []byte{
			"shorter": func(d []byte) []byte { return d[:len(d)-1] },
			"longer":  func(d []byte) []byte { return append(d, 'x') },
			"other":   func(d []byte) []byte { d[7] ^= 1; return d },
		} {
			if size > 64<<10 && what == "other" {
				continue // it is not hashed on its way: a scrub finds it, and the client
			}
			f := s.shelf.add(t, "acme/targets/"+what, noise(size))
			path := filepath.Join(s.shelf.dir, f.Digests[0].Hex())
			if err := os.WriteFile(path, spoil(noise(size)), 0o600); err != nil {
				t.Fatal(err)
			}
			if answer, body := s.get("GET", "/r/acme/targets/"+what); answer.StatusCode != 503 {
				t.Errorf("%s, %d bytes: found %s, %q", what, size, answer.Status, body)
			}
		}
	}
	if !strings.Contains(s.log.String(), "the object is damaged") {
		t.Errorf("the log says nothing of damage:\n%s", s.log)
	}
}

func TestStatusTellsNoReasons(t *testing.T) {
	t.Parallel()
	shelf := newShelf(t)
	run := &mirror.Run{Outcome: mirror.Partial, Reason: "dial internal.example", Faults: []mirror.Fault{{Path: "a", Reason: "internal.example"}}}
	shelf.status["acme"] = mirror.Status{Schema: mirror.StatusSchema, Repository: "acme", State: mirror.Fresh, LastRun: run}
	s := open(t, shelf, serve.Config{})
	answer, body := s.get("GET", "/r/acme/status.json")
	var status mirror.Status
	if err := json.Unmarshal(body, &status); err != nil || status.State != mirror.Fresh || status.LastRun.Outcome != mirror.Partial || status.LastRun.Faults[0].Path != "a" {
		t.Errorf("found %s, %v", body, err)
	}
	if strings.Contains(string(body), "internal.example") {
		t.Errorf("reasons are for the operator: %s", body)
	}
	if run.Reason == "" || run.Faults[0].Reason == "" {
		t.Error("the library's own status was changed")
	}
	expect(t, answer.Header, "Cache-Control", "no-cache")
	if again, _ := s.get("GET", "/r/acme/status.json", "If-None-Match: "+answer.Header.Get("Etag")); again.StatusCode != 304 {
		t.Errorf("unchanged: found %s", again.Status)
	}
	if other, _ := s.get("GET", "/r/other/status.json"); other.StatusCode != 404 {
		t.Errorf("no repository: found %s", other.Status)
	}
}

func TestAttestations(t *testing.T) {
	t.Parallel()
	s := open(t, newShelf(t), serve.Config{})
	about := artifact.DigestOf(artifact.SHA256, []byte("artifact"))
	path := "/attestations/sha256/" + about.Hex()
	if answer, _ := s.get("GET", path); answer.StatusCode != 404 {
		t.Errorf("none: found %s", answer.Status)
	}
	s.shelf.papers[about] = []mirror.File{s.shelf.add(t, "acme/targets/1", []byte(`{"n":1}`)), s.shelf.add(t, "acme/targets/2", []byte(`{"n":2}`))}
	answer, body := s.get("GET", path)
	if want := `{"attestations":[{"bundle":{"n":1}},{"bundle":{"n":2}}]}` + "\n"; string(body) != want {
		t.Errorf("expected %s, found %s", want, body)
	}
	expect(t, answer.Header, "Content-Type", "application/json")
	for range 100 {
		s.shelf.papers[about] = append(s.shelf.papers[about], s.shelf.papers[about][0])
	}
	_, body = s.get("GET", path)
	if n := bytes.Count(body, []byte("bundle")); n != 64 || !bytes.Contains(body, []byte(`"truncated":true`)) {
		t.Errorf("many: found %d bundles, %.100s", n, body[len(body)-50:])
	}
	s.shelf.papers[about] = []mirror.File{s.shelf.add(t, "acme/targets/3", []byte(`not JSON`))}
	if answer, body := s.get("GET", path); answer.StatusCode != 500 {
		t.Errorf("no JSON: found %s, %s", answer.Status, body)
	}
}

func TestProbes(t *testing.T) {
	t.Parallel()
	shelf, started := newShelf(t), false
	s := open(t, shelf, serve.Config{Started: func() bool { return started }})
	for _, step := range []struct {
		ready                       error
		started                     bool
		live, readyz, startupStatus int
	}{{mirror.ErrNotReady, false, 200, 503, 503}, {nil, true, 200, 200, 200}} {
		shelf.ready, started = step.ready, step.started
		for path, want := range map[string]int{"/livez": step.live, "/readyz": step.readyz, "/startupz": step.startupStatus, "/": 200} {
			if answer, body := s.get("GET", path); answer.StatusCode != want {
				t.Errorf("%s: expected %d, found %s, %q", path, want, answer.Status, body)
			}
		}
	}
}

func TestMethods(t *testing.T) {
	t.Parallel()
	s := open(t, newShelf(t), serve.Config{})
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH", "PROPFIND", "get"} {
		answer, _ := s.get(method, "/r/acme/timestamp.json")
		if answer.StatusCode != 405 {
			t.Errorf("%s: found %s", method, answer.Status)
		}
		expect(t, answer.Header, "Allow", "GET, HEAD")
	}
	for _, request := range []string{"CONNECT a.example:443 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"} {
		if answer := s.raw(request); !strings.HasPrefix(answer, "HTTP/1.1 405 ") {
			t.Errorf("%q: found %.100q", request, answer)
		}
	}
	if asked := s.shelf.took(); len(asked) > 0 {
		t.Errorf("the library was asked for %q", asked)
	}
}

// A panic is the end of one request.
func TestPanics(t *testing.T) {
	t.Parallel()
	s := open(t, newShelf(t), serve.Config{})
	s.shelf.add(t, "acme/timestamp.json", []byte("{}"))
	s.shelf.panics = true
	if answer, body := s.get("GET", "/r/acme/timestamp.json"); answer.StatusCode != 500 || string(body) != "internal error\n" {
		t.Errorf("found %s, %q", answer.Status, body)
	}
	s.shelf.mu.Lock()
	s.shelf.panics = false
	s.shelf.mu.Unlock()
	if answer, _ := s.get("GET", "/r/acme/timestamp.json"); answer.StatusCode != 200 {
		t.Errorf("after a panic: found %s", answer.Status)
	}
	if !strings.Contains(s.log.String(), "the library panics") {
		t.Errorf("the log says nothing of the panic:\n%s", s.log)
	}
}

func TestLogAndCounters(t *testing.T) {
	t.Parallel()
	s := open(t, newShelf(t), serve.Config{})
	s.shelf.add(t, "acme/timestamp.json", []byte("{}"))
	s.shelf.errs["nowhere/x"] = mirror.ErrNoRepository
	s.get("GET", "/r/acme/timestamp.json?secret=hunter2", "Authorization: Bearer hunter2", "X-Request-Id: mine")
	s.get("GET", "/r/acme/none")
	s.get("GET", "/r/nowhere/x")
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if log := s.log.String(); strings.Contains(log, "hunter2") || strings.Contains(log, "mine") || !strings.Contains(log, "repository=acme") {
		t.Errorf("the log:\n%s", log)
	}
	got := map[string]int64{}
	for _, sample := range s.counts.Samples() {
		got[sample.Name+fmt.Sprint(sample.Labels)] = sample.Value
		if strings.Contains(fmt.Sprint(sample), "nowhere") {
			t.Errorf("a client's text is a label: %v", sample)
		}
	}
	for name, want := range map[string]int64{
		"assay_mirror_http_requests_total[repository acme result ok]":        1,
		"assay_mirror_http_requests_total[repository acme result not_found]": 1,
		"assay_mirror_http_requests_total[repository  result not_found]":     1,
		"assay_mirror_http_response_bytes_total[repository acme]":            2 + int64(len("no such file\n")),
		"assay_mirror_http_connections_total[]":                              1,
		"assay_mirror_http_connections_open[]":                               0,
	} {
		if got[name] != want {
			t.Errorf("%s: expected %d, found %d", name, want, got[name])
		}
	}
}

// A stop lets what runs end, and takes nothing new.
func TestGracefulStop(t *testing.T) {
	t.Parallel()
	s := open(t, newShelf(t), serve.Config{})
	s.shelf.add(t, "acme/targets/slow", noise(100))
	s.shelf.wait = make(chan struct{})
	status := make(chan int)
	go func() {
		answer, _ := s.get("GET", "/r/acme/targets/slow")
		status <- answer.StatusCode
	}()
	for s.shelf.openings() == 0 {
		time.Sleep(time.Millisecond)
	}
	ended := make(chan error)
	go func() { ended <- s.stop() }()
	for {
		if r, err := http.Get("http://" + s.address + "/livez"); err != nil {
			break
		} else {
			r.Body.Close()
		}
	}
	close(s.shelf.wait)
	if got := <-status; got != 200 {
		t.Errorf("a request that ran: found %d", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("the stop: %v", err)
	}
}

// After the grace, requests are cut, and the stop says so.
func TestStopAfterGrace(t *testing.T) {
	t.Parallel()
	s := open(t, newShelf(t), serve.Config{Grace: time.Millisecond})
	s.shelf.add(t, "acme/targets/slow", noise(100))
	s.shelf.wait = make(chan struct{})
	failed := make(chan error)
	go func() {
		_, err := s.client.Get("http://" + s.address + "/r/acme/targets/slow")
		failed <- err
	}()
	for s.shelf.openings() == 0 {
		time.Sleep(time.Millisecond)
	}
	if err := s.stop(); err == nil || !strings.Contains(err.Error(), "were cut") {
		t.Errorf("the stop: found %v", err)
	}
	if err := <-failed; err == nil {
		t.Error("a request that was cut: expected an error")
	}
}

func (s *shelf) openings() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}
