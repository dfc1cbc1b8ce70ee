package wire

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"assay/trust"
)

// raw is a server that answers every request with the same bytes, and hangs up.
// It tells the heads of the requests it had.
func raw(t *testing.T, answer string) (url string, heads <-chan http.Header) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	asked := make(chan http.Header, 100)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if request, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
				asked <- request.Header
			}
			io.WriteString(conn, answer)
			conn.Close()
		}
	}()
	return "http://" + listener.Addr().String(), asked
}

// direct is an engine without a proxy.
func direct(o Options) *Engine {
	o.Proxy = noProxy
	return New(o)
}

// read opens a request for a configured URL, and reads the answer whole.
func read(t *testing.T, e *Engine, r Request) (string, *Answer, error) {
	t.Helper()
	return readWithin(t.Context(), e, r)
}

func readWithin(ctx context.Context, e *Engine, r Request) (string, *Answer, error) {
	r.Reach = ReachOf(r.URL)
	a, err := e.Open(ctx, r)
	if err != nil {
		return "", nil, err
	}
	defer a.Body.Close()
	data, err := io.ReadAll(a.Body)
	if err != nil {
		err = a.Broken(ctx, err)
	}
	return string(data), a, err
}

func TestPartOfAFile(t *testing.T) {
	t.Parallel()
	const ten = "0123456789"
	head := func(status, headers, body string) string {
		return "HTTP/1.1 " + status + "\r\n" + strings.ReplaceAll(headers, "\n", "\r\n") + "Connection: close\r\n\r\n" + body
	}
	for name, test := range map[string]struct {
		from, to int64
		answer   string
		says     string // of an error; empty: there is none
		kind     error
		data     string
		found    [3]int64 // From, To, Total
	}{
		"as asked":                {2, 5, head("206 Partial Content", "Content-Range: bytes 2-4/10\nContent-Length: 3\n", "234"), "", nil, "234", [3]int64{2, 5, 10}},
		"the rest":                {7, 0, head("206 Partial Content", "Content-Range: bytes 7-9/10\nContent-Length: 3\n", "789"), "", nil, "789", [3]int64{7, 10, 10}},
		"of unknown length":       {2, 5, head("206 Partial Content", "Content-Range: bytes 2-4/*\nContent-Length: 3\n", "234"), "", nil, "234", [3]int64{2, 5, -1}},
		"less, at the end":        {8, 20, head("206 Partial Content", "Content-Range: bytes 8-9/10\nContent-Length: 2\n", "89"), "", nil, "89", [3]int64{8, 10, 10}},
		"without a length":        {2, 5, head("206 Partial Content", "Content-Range: bytes 2-4/10\n", "234"), "", nil, "234", [3]int64{2, 5, 10}},
		"the whole":               {2, 5, head("200 OK", "Content-Length: 10\n", ten), "", nil, ten, [3]int64{0, 10, 10}},
		"the whole, no length":    {2, 5, head("200 OK", "", ten), "", nil, ten, [3]int64{0, 0, -1}},
		"another start":           {2, 5, head("206 Partial Content", "Content-Range: bytes 1-3/10\nContent-Length: 3\n", "123"), `expected the bytes from 2 to 4, found Content-Range "bytes 1-3/10" and 3 bytes`, ErrRange, "", [3]int64{}},
		"more than asked":         {2, 5, head("206 Partial Content", "Content-Range: bytes 2-5/10\nContent-Length: 4\n", "2345"), "from 2 to 4, found", ErrRange, "", [3]int64{}},
		"beyond its own total":    {7, 0, head("206 Partial Content", "Content-Range: bytes 7-9/9\nContent-Length: 3\n", "789"), "from 7 to the end, found", ErrRange, "", [3]int64{}},
		"backwards":               {2, 5, head("206 Partial Content", "Content-Range: bytes 2-1/10\nContent-Length: 0\n", ""), "found Content-Range", ErrRange, "", [3]int64{}},
		"without Content-Range":   {2, 5, head("206 Partial Content", "Content-Length: 3\n", "234"), `Content-Range ""`, ErrRange, "", [3]int64{}},
		"two of them":             {2, 5, head("206 Partial Content", "Content-Range: bytes 2-4/10\nContent-Range: bytes 3-5/10\nContent-Length: 3\n", "234"), "found Content-Range", ErrRange, "", [3]int64{}},
		"of other units":          {2, 5, head("206 Partial Content", "Content-Range: lines 2-4/10\nContent-Length: 3\n", "234"), "found Content-Range", ErrRange, "", [3]int64{}},
		"without units":           {2, 5, head("206 Partial Content", "Content-Range: 2-4/10\nContent-Length: 3\n", "234"), "found Content-Range", ErrRange, "", [3]int64{}},
		"unsatisfied":             {2, 5, head("206 Partial Content", "Content-Range: bytes */10\nContent-Length: 3\n", "234"), "found Content-Range", ErrRange, "", [3]int64{}},
		"another length":          {2, 5, head("206 Partial Content", "Content-Range: bytes 2-4/10\nContent-Length: 4\n", "2345"), "and 4 bytes", ErrRange, "", [3]int64{}},
		"shorter than announced":  {2, 5, head("206 Partial Content", "Content-Range: bytes 2-4/10\nContent-Length: 3\n", "23"), "broke off", io.ErrUnexpectedEOF, "23", [3]int64{2, 5, 10}},
		"shorter, no length":      {2, 5, head("206 Partial Content", "Content-Range: bytes 2-4/10\n", "23"), "broke off", io.ErrUnexpectedEOF, "23", [3]int64{2, 5, 10}},
		"longer, no length":       {2, 5, head("206 Partial Content", "Content-Range: bytes 2-4/10\n", "2345"), "expected its end, found more bytes", ErrRange, "234", [3]int64{2, 5, 10}},
		"several parts":           {2, 5, head("206 Partial Content", "Content-Type: Multipart/ByteRanges; boundary=x\nContent-Range: bytes 2-4/10\nContent-Length: 3\n", "--x"), "found Content-Range", ErrRange, "", [3]int64{}},
		"packed":                  {2, 5, head("206 Partial Content", "Content-Range: bytes 2-4/10\nContent-Length: 3\nContent-Encoding: gzip\n", "234"), `found Content-Encoding "gzip"`, nil, "", [3]int64{}},
		"packed, in two lines":    {0, 0, head("200 OK", "Content-Length: 3\nContent-Encoding: identity\nContent-Encoding: br\n", "234"), `found Content-Encoding "br"`, nil, "", [3]int64{}},
		"as it is":                {0, 0, head("200 OK", "Content-Length: 10\nContent-Encoding: Identity\n", ten), "", nil, ten, [3]int64{0, 10, 10}},
		"not to be satisfied":     {20, 0, head("416 Range Not Satisfiable", "Content-Range: bytes */10\n", ""), "416 Requested Range Not Satisfiable", ErrRange, "", [3]int64{}},
		"416 to a whole":          {0, 0, head("416 Range Not Satisfiable", "", ""), "expected 200 OK, found 416", nil, "", [3]int64{}},
		"a part of what is whole": {0, 0, head("206 Partial Content", "Content-Range: bytes 0-9/10\nContent-Length: 10\n", ten), "expected 200 OK, found 206", nil, "", [3]int64{}},
		"without an encoding":     {0, 0, head("200 OK", "Content-Length: 10\nContent-Encoding: \n", ten), "", nil, ten, [3]int64{0, 10, 10}},
		"forbidden":               {0, 0, head("403 Forbidden", "", ""), "403 Forbidden", fs.ErrNotExist, "", [3]int64{}},
		"gone":                    {0, 0, head("410 Gone", "", ""), "410 Gone", fs.ErrNotExist, "", [3]int64{}},
		"none":                    {2, 5, head("404 Not Found", "", ""), "404 Not Found", fs.ErrNotExist, "", [3]int64{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			where, _ := raw(t, test.answer)
			data, a, err := read(t, direct(Options{}), Request{URL: parsed(t, where), From: test.from, To: test.to})
			if data != test.data {
				t.Errorf("expected %q, found %q", test.data, data)
			}
			if a != nil && ([3]int64{a.From, a.To, a.Total}) != test.found {
				t.Errorf("expected %v, found %d, %d, %d", test.found, a.From, a.To, a.Total)
			}
			if test.says == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.says) || !errors.Is(err, ErrSource) || errors.Is(err, trust.ErrNoAnswer) {
				t.Fatalf("expected a failure of the source that says %q, found %v", test.says, err)
			}
			if test.kind != nil && !errors.Is(err, test.kind) || errors.Is(err, ErrRange) != (test.kind == ErrRange) {
				t.Errorf("expected %v, found %v", test.kind, err)
			}
		})
	}
}

func TestPartThatCannotBe(t *testing.T) {
	t.Parallel()
	where, heads := raw(t, "HTTP/1.1 200 OK\r\n\r\n")
	for _, r := range []Request{{From: -1}, {To: -1}, {From: 5, To: 5}, {From: 6, To: 5}} {
		r.URL = parsed(t, where)
		if _, _, err := read(t, direct(Options{}), r); !errors.Is(err, ErrSource) || !strings.Contains(err.Error(), "expected to be asked for a part") {
			t.Errorf("%d to %d: found %v", r.From, r.To, err)
		}
	}
	if len(heads) > 0 {
		t.Error("the source was asked")
	}
}

func TestWhatIsAskedFor(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		request         Request
		ranges, ifRange string
	}{
		"whole":             {Request{}, "", ""},
		"whole, known":      {Request{Validator: `"v1"`}, "", ""},
		"first":             {Request{To: 1}, "bytes=0-0", ""},
		"middle":            {Request{From: 2, To: 5}, "bytes=2-4", ""},
		"rest":              {Request{From: 7}, "bytes=7-", ""},
		"rest of the same":  {Request{From: 7, Validator: `"v1"`}, "bytes=7-", `"v1"`},
		"rest, weak":        {Request{From: 7, Validator: `W/"v1"`}, "", ""},
		"rest, of two":      {Request{From: 7, Validator: `"v1", "v2"`}, "", ""},
		"rest, of nonsense": {Request{From: 7, Validator: "\"v1\r\nX: y\""}, "", ""},
	} {
		where, heads := raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
		test.request.URL = parsed(t, where)
		if _, _, err := read(t, direct(Options{}), test.request); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		head := <-heads
		if head.Get("Range") != test.ranges || head.Get("If-Range") != test.ifRange {
			t.Errorf("%s: expected %q if %q, found %q if %q", name, test.ranges, test.ifRange, head.Get("Range"), head.Get("If-Range"))
		}
		if head.Get("Accept-Encoding") != "identity" || head.Get("User-Agent") != "assay" || head.Get("Authorization") != "" {
			t.Errorf("%s: found %v", name, head)
		}
	}
}

func TestValidatorThatIsKept(t *testing.T) {
	t.Parallel()
	long := `"` + strings.Repeat("x", maxValidator-2) + `"`
	for tag, kept := range map[string]bool{
		`"v1"`: true, `""`: true, `"a-b/c+d=="`: true, long: true,
		`W/"v1"`: false, `v1`: false, `"v1`: false, `v1"`: false, `"`: false, ``: false, `"a"b"`: false, `"a b"`: false,
		"\"a\u00e9\"": false, `"x` + long[1:]: false,
	} {
		where, _ := raw(t, "HTTP/1.1 200 OK\r\nETag: "+tag+"\r\nContent-Length: 0\r\n\r\n")
		_, a, err := read(t, direct(Options{}), Request{URL: parsed(t, where)})
		if err != nil {
			t.Fatal(err)
		}
		if (a.Validator == tag) != (kept || tag == "") || !kept && a.Validator != "" {
			t.Errorf("%s: expected to be kept: %v, found %q", tag, kept, a.Validator)
		}
	}
}

func TestPartOfALocalFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "ten")
	if err := os.WriteFile(path, []byte("0123456789"), 0o600); err != nil {
		t.Fatal(err)
	}
	u := parsed(t, "file://"+filepath.ToSlash(path))
	for _, test := range []struct {
		from, to int64
		data     string
		end      int64
	}{{0, 0, "0123456789", 10}, {2, 5, "234", 5}, {7, 0, "789", 10}, {8, 20, "89", 10}, {0, 10, "0123456789", 10}} {
		data, a, err := read(t, direct(Options{}), Request{URL: u, From: test.from, To: test.to})
		if err != nil || data != test.data || a.From != test.from || a.To != test.end || a.Total != 10 {
			t.Errorf("%d to %d: expected %q up to %d, found %q, %+v, %v", test.from, test.to, test.data, test.end, data, a, err)
		}
	}
	if data, _, err := read(t, direct(Options{}), Request{URL: parsed(t, "file://localhost"+u.Path)}); err != nil || len(data) != 10 {
		t.Errorf("by the name of this machine: found %q, %v", data, err)
	}
	empty := parsed(t, "file://"+filepath.ToSlash(write(t, "empty", "")))
	if data, a, err := read(t, direct(Options{}), Request{URL: empty}); err != nil || data != "" || a.Total != 0 {
		t.Errorf("an empty one: found %q, %v", data, err)
	}
	for what, folder := range map[string]string{"a folder": filepath.Dir(path), "none": path + "x"} {
		folder := parsed(t, "file://"+filepath.ToSlash(folder))
		if _, _, err := read(t, direct(Options{}), Request{URL: folder}); !errors.Is(err, fs.ErrNotExist) || !errors.Is(err, ErrSource) {
			t.Errorf("%s: expected %v, found %v", what, fs.ErrNotExist, err)
		}
	}
	for _, from := range []int64{10, 11, math.MaxInt64} {
		if _, _, err := read(t, direct(Options{}), Request{URL: u, From: from}); !errors.Is(err, ErrRange) || !errors.Is(err, ErrSource) {
			t.Errorf("from %d: expected %v, found %v", from, ErrRange, err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"": 0, "0": 0, "120": 2 * time.Minute, "86400": day, "86401": day, "99999999999999999999999": day, "4294967296": day,
		"-1": 0, "+5": 0, "1.5": 0, "soon": 0, "1e3": 0, " ": 0,
		"Sat, 21 Nov 2026 12:01:00 GMT": time.Minute, "Sat, 21 Nov 2026 11:59:00 GMT": 0, "Fri, 31 Dec 9999 23:59:59 GMT": day,
		"Saturday, 21-Nov-26 12:01:00 GMT": time.Minute,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: expected %s, found %s", text, want, got)
		}
	}
	where, _ := raw(t, "HTTP/1.1 503 x\r\nRetry-After: 120\r\nContent-Length: 0\r\n\r\n")
	_, _, err := read(t, direct(Options{}), Request{URL: parsed(t, where)})
	var status *StatusError
	if !errors.As(err, &status) || status.Code != 503 || status.After != 2*time.Minute || !Temporary(err) {
		t.Errorf("expected 503 with 2 minutes, found %v, %+v", err, status)
	}
}

func TestTemporary(t *testing.T) {
	t.Parallel()
	for code, want := range map[int]bool{408: true, 429: true, 500: true, 502: true, 503: true, 504: true, 401: false, 416: false, 501: false, 505: false} {
		where, _ := raw(t, fmt.Sprintf("HTTP/1.1 %d x\r\nContent-Length: 0\r\n\r\n", code))
		if _, _, err := read(t, direct(Options{}), Request{URL: parsed(t, where)}); err == nil || Temporary(err) != want {
			t.Errorf("%d: expected %v, found %v of %v", code, want, Temporary(err), err)
		}
	}
	where, _ := raw(t, "") // hangs up
	if _, _, err := read(t, direct(Options{}), Request{URL: parsed(t, where)}); !errors.Is(err, trust.ErrNoAnswer) || !Temporary(err) {
		t.Errorf("no answer: found %v", err)
	}
	where, _ = raw(t, "HTTP/1.1 200 OK\r\nX: y\r\n")
	if _, _, err := read(t, direct(Options{}), Request{URL: parsed(t, where)}); !errors.Is(err, trust.ErrNoAnswer) || !Temporary(err) {
		t.Errorf("half a head: found %v", err)
	}
	where, _ = raw(t, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
	if _, _, err := read(t, direct(Options{}), Request{URL: parsed(t, where)}); !errors.Is(err, io.ErrUnexpectedEOF) || !Temporary(err) {
		t.Errorf("broken off: found %v", err)
	}
	where, _ = raw(t, "what?\r\n\r\n")
	if _, _, err := read(t, direct(Options{}), Request{URL: parsed(t, where)}); err == nil || Temporary(err) || errors.Is(err, trust.ErrNoAnswer) {
		t.Errorf("no HTTP: found %v", err)
	}
}

func TestExactBodyKeepsErrors(t *testing.T) {
	t.Parallel()
	boom := errors.New("boom")
	b := &exactBody{io.NopCloser(failing{boom}), 5}
	if _, err := io.ReadAll(b); !errors.Is(err, boom) {
		t.Errorf("expected %v, found %v", boom, err)
	}
}

// What parses is one way to write the numbers, and they come back.
func FuzzParseRange(f *testing.F) {
	for _, seed := range []string{"bytes 0-0/1", "bytes 2-4/*", "bytes */10", "bytes 1-2/3/4", "bytes *-4/10", "bytes 2-*/10", "bytes 2", "bytes 2-4", "2-4/10", "bytes --1-2/3", "bytes 9223372036854775807-9223372036854775807/9223372036854775807", "bytes 18446744073709551615-1/2", ""} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		first, last, total, ok := parseRange(text)
		if !ok {
			if first != 0 || last != 0 || total != 0 {
				t.Errorf("%q: refused, but found %d, %d, %d", text, first, last, total)
			}
			return
		}
		if first < 0 || last < 0 || total < -1 {
			t.Errorf("%q: found %d, %d, %d", text, first, last, total)
		}
		size := "*"
		if total >= 0 {
			size = fmt.Sprint(total)
		}
		again := fmt.Sprintf("bytes %d-%d/%s", first, last, size)
		if a, b, c, ok := parseRange(again); !ok || a != first || b != last || c != total {
			t.Errorf("%q: is not what %q is", again, text)
		}
	})
}

// However it is written, nobody waits longer than a day, or into the past.
func FuzzRetryAfter(f *testing.F) {
	for _, seed := range []string{"120", "-5", "Sat, 21 Nov 2026 12:01:00 GMT", "Mon, 01 Jan 0001 00:00:00 GMT", "99999999999999999999"} {
		f.Add(seed)
	}
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		if d := retryAfter(text, now); d < 0 || d > 24*time.Hour {
			t.Errorf("%q: found %s", text, d)
		}
	})
}
