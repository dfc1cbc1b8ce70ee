package testrepo_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"assay/internal/testrepo"
)

// faulty is a server whose one target holds 1000 bytes, and the target's URL.
func faulty(t *testing.T) (r *testrepo.Repo, s *testrepo.Server, data []byte, url string) {
	t.Helper()
	r, err := testrepo.New(testrepo.Options{})
	must(t, err)
	data = bytes.Repeat([]byte("0123456789"), 100)
	must(t, r.AddTarget("dir/file", data))
	must(t, r.Publish())
	s, err = testrepo.Serve(r)
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return r, s, data, s.URL + "/" + fileOf(t, r, "dir/file")
}

func TestHonestServer(t *testing.T) {
	_, s, data, url := faulty(t)
	if a := get(t, url); a.status != 200 || a.length != 1000 || !bytes.Equal(a.body, data) || a.err != nil {
		t.Errorf("GET: %d, %d bytes, %v", a.status, a.length, a.err)
	}
	head, err := client().Head(url)
	must(t, err)
	head.Body.Close()
	if head.StatusCode != 200 || head.ContentLength != 1000 {
		t.Errorf("HEAD: %d, %d bytes", head.StatusCode, head.ContentLength)
	}
	if n := s.BytesServed(); n != 1000 {
		t.Errorf("expected 1000 bytes served, found %d", n)
	}
	request, err := http.NewRequest(http.MethodGet, url, nil)
	must(t, err)
	request.Header.Set("Range", "bytes=995-")
	partial, err := client().Do(request)
	must(t, err)
	body, err := io.ReadAll(partial.Body)
	must(t, errors.Join(err, partial.Body.Close()))
	if partial.StatusCode != 206 || string(body) != "56789" {
		t.Errorf("range: %d, %q", partial.StatusCode, body)
	}
	post, err := client().Post(url, "text/plain", strings.NewReader("x"))
	must(t, err)
	post.Body.Close()
	if post.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("POST: %d", post.StatusCode)
	}
	if a := get(t, s.URL+"/nothing?x=1"); a.status != 404 {
		t.Errorf("missing file: %d", a.status)
	}
	path := strings.TrimPrefix(url, s.URL)
	if want := []string{path, path, path, path, "/nothing"}; !slices.Equal(s.Requests(), want) {
		t.Errorf("requests: expected %q, found %q", want, s.Requests())
	}
	s.ResetCounters()
	if len(s.Requests()) != 0 || s.BytesServed() != 0 {
		t.Error("counters were not reset")
	}
	must(t, s.Close())
	if a := get(t, url); a.err == nil {
		t.Error("a closed server answered")
	}
}

func TestFaults(t *testing.T) {
	flipped := func(data []byte) []byte { data = bytes.Clone(data); data[500] ^= 1; return data }
	for name, c := range map[string]struct {
		set   func(s *testrepo.Server)
		check func(a answer, data []byte) bool
	}{
		"flip": {func(s *testrepo.Server) { s.FlipByte("file") }, func(a answer, data []byte) bool {
			return a.status == 200 && a.err == nil && bytes.Equal(a.body, flipped(data))
		}},
		"truncate": {func(s *testrepo.Server) { s.Truncate("file") }, func(a answer, data []byte) bool {
			return a.status == 200 && a.err == nil && a.length == 500 && bytes.Equal(a.body, data[:500])
		}},
		"extend": {func(s *testrepo.Server) { s.Extend("file") }, func(a answer, data []byte) bool {
			return a.status == 200 && a.err == nil && a.length == 2024 && len(a.body) == 2024 && bytes.HasPrefix(a.body, data)
		}},
		"flip and extend": {func(s *testrepo.Server) { s.FlipByte("file"); s.Extend("") }, func(a answer, data []byte) bool {
			return a.status == 200 && a.err == nil && a.length == 2024 && bytes.HasPrefix(a.body, flipped(data))
		}},
		"replace": {func(s *testrepo.Server) { s.Replace("file", []byte("other")) }, func(a answer, _ []byte) bool {
			return a.status == 200 && a.err == nil && a.length == 5 && string(a.body) == "other"
		}},
		"wrong length": {func(s *testrepo.Server) { s.WrongLength("file") }, func(a answer, data []byte) bool {
			return a.status == 200 && a.length == 1001 && bytes.Equal(a.body, data) && errors.Is(a.err, io.ErrUnexpectedEOF)
		}},
		"html": {func(s *testrepo.Server) { s.HTML() }, func(a answer, _ []byte) bool {
			return a.status == 200 && a.err == nil && strings.HasPrefix(a.header.Get("Content-Type"), "text/html") && bytes.HasPrefix(a.body, []byte("<!DOCTYPE"))
		}},
		"status": {func(s *testrepo.Server) { s.Status("file", 503) }, func(a answer, _ []byte) bool {
			return a.status == 503 && a.err == nil
		}},
		"newest answer wins": {func(s *testrepo.Server) { s.Status("file", 503); s.Status("file", 410) }, func(a answer, _ []byte) bool {
			return a.status == 410
		}},
		"redirect": {func(s *testrepo.Server) { s.Redirect("file", s.URL+"/timestamp.json") }, func(a answer, _ []byte) bool {
			return a.status == 200 && bytes.Contains(a.body, []byte("snapshot.json"))
		}},
		"redirect loop": {func(s *testrepo.Server) { s.RedirectLoop("file") }, func(a answer, _ []byte) bool {
			return a.err != nil && strings.Contains(a.err.Error(), "stopped after 10 redirects")
		}},
		"cut": {func(s *testrepo.Server) { s.Cut("file", 123) }, func(a answer, data []byte) bool {
			return a.status == 200 && a.length == 1000 && bytes.Equal(a.body, data[:123]) && errors.Is(a.err, io.ErrUnexpectedEOF)
		}},
		"endless": {func(s *testrepo.Server) { s.Endless("file") }, func(a answer, data []byte) bool {
			return a.status == 200 && a.err == nil && a.length == -1 && len(a.body) == bodyLimit && bytes.HasPrefix(a.body, append(data, 0))
		}},
		"gzip bomb": {func(s *testrepo.Server) { s.Gzip("file") }, func(a answer, _ []byte) bool {
			return a.status == 200 && a.err == nil && len(a.body) == bodyLimit && bytes.Count(a.body, []byte{0}) == bodyLimit
		}},
		"drip": {func(s *testrepo.Server) { s.Drip("file", 20000) }, func(a answer, data []byte) bool {
			return a.status == 200 && a.err == nil && a.length == 1000 && bytes.Equal(a.body, data)
		}},
		"another path": {func(s *testrepo.Server) { s.FlipByte("other"); s.Status("/root", 500) }, func(a answer, data []byte) bool {
			return a.status == 200 && bytes.Equal(a.body, data)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, s, data, url := faulty(t)
			c.set(s)
			if a := get(t, url); !c.check(a, data) {
				t.Errorf("status %d, length %d, %d bytes that begin with %.20q, error %v", a.status, a.length, len(a.body), a.body, a.err)
			}
			s.Clear()
			if a := get(t, url); a.status != 200 || !bytes.Equal(a.body, data) {
				t.Errorf("after Clear: status %d, %d bytes, %v", a.status, len(a.body), a.err)
			}
		})
	}
}

func TestHeadMovesNoBytes(t *testing.T) {
	_, s, _, url := faulty(t)
	s.HTML()
	response, err := client().Head(url)
	must(t, err)
	must(t, response.Body.Close())
	if response.StatusCode != 200 || s.BytesServed() != 0 {
		t.Errorf("status %d, %d bytes", response.StatusCode, s.BytesServed())
	}
}

func TestFaultsOnMissingFiles(t *testing.T) {
	_, s, _, _ := faulty(t)
	s.FlipByte("")
	s.Truncate("")
	for name, set := range map[string]func(){
		"cut": func() { s.Cut("", 1) }, "drip": func() { s.Drip("", 1) }, "hold": func() { s.Hold("") },
		"wrong length": func() { s.WrongLength("") },
	} {
		set()
		if a := get(t, s.URL+"/2.root.json"); a.status != 404 || a.err != nil {
			t.Errorf("%s: expected 404, found %d, %v", name, a.status, a.err)
		}
	}
	s.Endless("root")
	if a := get(t, s.URL+"/2.root.json"); a.status != 200 || len(a.body) != bodyLimit {
		t.Errorf("endless: expected more than 4 MiB, found %d, %v", len(a.body), a.err)
	}
}

func TestFlippedByteIsTheSameInARange(t *testing.T) {
	_, s, data, url := faulty(t)
	s.FlipByte("file")
	for _, from := range []int{0, 499, 500, 501} {
		request, err := http.NewRequest(http.MethodGet, url, nil)
		must(t, err)
		request.Header.Set("Range", fmt.Sprintf("bytes=%d-", from))
		response, err := client().Do(request)
		must(t, err)
		body, err := io.ReadAll(response.Body)
		must(t, errors.Join(err, response.Body.Close()))
		want := bytes.Clone(data)
		want[500] ^= 1
		if response.StatusCode != 206 || !bytes.Equal(body, want[from:]) {
			t.Errorf("from %d: status %d, wrong bytes", from, response.StatusCode)
		}
	}
}

// TestGzipBombUnpacks counts the whole bomb once.
func TestGzipBombUnpacks(t *testing.T) {
	_, s, _, url := faulty(t)
	s.Gzip("file")
	request, err := http.NewRequest(http.MethodGet, url, nil)
	must(t, err)
	request.Header.Set("Accept-Encoding", "identity")
	response, err := client().Do(request)
	must(t, err)
	defer response.Body.Close()
	if response.Header.Get("Content-Encoding") != "gzip" {
		t.Fatal("not gzip, as it should be though nobody asked for it")
	}
	packed, err := io.ReadAll(response.Body)
	must(t, err)
	if len(packed) > 2<<20 {
		t.Errorf("the bomb weighs %d bytes", len(packed))
	}
	z, err := gzip.NewReader(bytes.NewReader(packed[:len(packed)/64]))
	must(t, err)
	if n, err := io.Copy(io.Discard, z); n != 16<<20 || err != nil {
		t.Errorf("a 64th unpacks to %d bytes, %v", n, err)
	}
}

// idle waits until the server has nothing to answer any more.
func idle(t *testing.T, s *testrepo.Server) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); s.Pending() > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("a request goes on although its client is gone")
		}
	}
}

func TestSilent(t *testing.T) {
	_, s, _, url := faulty(t)
	s.Silent()
	c := client()
	c.Timeout = 100 * time.Millisecond
	if _, err := c.Get(url); err == nil || !isTimeout(err) {
		t.Fatalf("expected a timeout, found %v", err)
	}
	if len(s.Requests()) != 1 {
		t.Errorf("expected 1 request, found %d", len(s.Requests()))
	}
	idle(t, s)
}

func TestDripIsSlow(t *testing.T) {
	_, s, _, url := faulty(t)
	s.Drip("file", 200)
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	must(t, err)
	response, err := client().Do(request)
	must(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if !errors.Is(err, context.DeadlineExceeded) || len(body) < 10 || len(body) > 100 {
		t.Errorf("expected some 60 of 1000 bytes in 0.3 s, found %d, %v", len(body), err)
	}
}

func TestDripEndsWithItsClient(t *testing.T) {
	_, s, _, url := faulty(t)
	s.Drip("file", 1) // a byte now, the next in a second
	response, err := client().Get(url)
	must(t, err)
	begun := time.Now()
	must(t, response.Body.Close())
	idle(t, s)
	if waited := time.Since(begun); waited > 700*time.Millisecond {
		t.Errorf("the answer went on for %v", waited)
	}
}

func TestHold(t *testing.T) {
	for name, letGo := range map[string]func(*testrepo.Server, *testrepo.Holding){
		"release": func(_ *testrepo.Server, h *testrepo.Holding) { h.Release(); h.Release() },
		"clear":   func(s *testrepo.Server, _ *testrepo.Holding) { s.Clear() },
	} {
		t.Run(name, func(t *testing.T) {
			_, s, data, url := faulty(t)
			hold := s.Hold("file")
			response, err := client().Get(url)
			must(t, err)
			defer response.Body.Close()
			half := make([]byte, 500)
			_, err = io.ReadFull(response.Body, half)
			must(t, err)
			<-hold.Reached
			if n := s.BytesServed(); n != 500 {
				t.Errorf("expected 500 bytes before the release, found %d", n)
			}
			letGo(s, hold)
			rest, err := io.ReadAll(response.Body)
			must(t, err)
			if !bytes.Equal(append(half, rest...), data) {
				t.Error("wrong bytes")
			}
		})
	}
}

func TestHoldEndsWithItsClient(t *testing.T) {
	_, s, _, url := faulty(t)
	hold := s.Hold("file")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	must(t, err)
	response, err := client().Do(request)
	must(t, err)
	defer response.Body.Close()
	<-hold.Reached
	cancel()
	if _, err := io.ReadAll(response.Body); !errors.Is(err, context.Canceled) {
		t.Errorf("expected an interrupted client, found %v", err)
	}
	idle(t, s)
}

func TestFreezeAndRollBack(t *testing.T) {
	r, s, _, _ := faulty(t)
	version := func() int64 {
		t.Helper()
		tm, err := verify(overHTTP(t, s.URL), time.Now())
		must(t, err)
		return tm.Timestamp.Signed.Version
	}
	s.Freeze()
	must(t, r.RotateKey("timestamp"))
	must(t, r.Publish())
	if v := version(); v != 1 {
		t.Errorf("frozen: expected timestamp 1, found %d", v)
	}
	if a := get(t, s.URL+"/2.root.json"); a.status != 404 {
		t.Errorf("frozen: the newer root is served with status %d", a.status)
	}
	s.Thaw()
	if v := version(); v != 2 {
		t.Errorf("thawed: expected timestamp 2, found %d", v)
	}
	s.ServeGeneration(1)
	if v := version(); v != 1 {
		t.Errorf("rolled back: expected timestamp 1, found %d", v)
	}
	s.ServeGeneration(9)
	if a := get(t, s.URL+"/timestamp.json"); a.status != 404 {
		t.Errorf("a generation that does not exist: status %d", a.status)
	}
	s.ServeGeneration(0)
	if v := version(); v != 2 {
		t.Errorf("newest: expected timestamp 2, found %d", v)
	}
}
