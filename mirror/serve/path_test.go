package serve_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"assay/mirror/serve"
)

// How clients name files, and what the library is asked for.
func TestNamesOfFiles(t *testing.T) {
	t.Parallel()
	s := open(t, newShelf(t), serve.Config{})
	for _, test := range []struct {
		path string
		want []string
	}{
		{"/r/acme/timestamp.json", []string{"acme/timestamp.json"}},
		{"/r/acme/timestamp.json?x=1", []string{"acme/timestamp.json"}},
		// go-tuf and python-tuf escape a role's name once, each as it likes.
		{"/r/acme/2.a%2Fb.json", []string{"acme/2.a%2Fb.json"}},
		{"/r/acme/2.a%2fb.json", []string{"acme/2.a%2Fb.json"}},
		{"/r/acme/2.a%2Bb%40c.json", []string{"acme/2.a+b@c.json"}},
		{"/r/acme/2.a%20b.json", []string{"acme/2.a%20b.json"}},
		{"/r/acme/2.%C3%A9.json", []string{"acme/2.%C3%A9.json"}},
		{"/r/acme/%2Fslash.json", []string{"acme/%2Fslash.json"}},
		// The name of the file, escaped once more; or a role with a % in it.
		{"/r/acme/2.a%252Fb.json", []string{"acme/2.a%252Fb.json", "acme/2.a%2Fb.json"}},
		{"/r/acme/2.100%25.json", []string{"acme/2.100%25.json"}},
		{"/r/acme/targets/a/b", []string{"acme/targets/a/b"}},
		{"/r/acme/targets/a%20b/c", []string{"acme/targets/a b/c", "acme/targets/a%20b/c"}},
		{"/r/acme/targets/a%2Fb", []string{"acme/targets/a/b", "acme/targets/a%2Fb"}},
		{"/r/acme/targets/a%252Fb", []string{"acme/targets/a%2Fb", "acme/targets/a%252Fb"}},
		{"/r/acme/targets/...", []string{"acme/targets/..."}},
		{"http://elsewhere.example/r/acme/x.json", []string{"acme/x.json"}}, // absolute form
	} {
		answer := s.raw("GET " + test.path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if asked := s.shelf.took(); !slices.Equal(asked, test.want) || !strings.HasPrefix(answer, "HTTP/1.1 404 ") {
			t.Errorf("%s: expected %q, found %q, %.40q", test.path, test.want, asked, answer)
		}
	}
}

// Which of two readings is there decides.
func TestNamesThatMayMeanTwo(t *testing.T) {
	t.Parallel()
	s := open(t, newShelf(t), serve.Config{})
	s.shelf.add(t, "acme/2.a%2Fb.json", []byte("role a/b"))
	s.shelf.add(t, "acme/targets/50%25off", []byte("a target with an escape in its name"))
	for path, want := range map[string]string{
		"/r/acme/2.a%2Fb.json": "role a/b", "/r/acme/2.a%252Fb.json": "role a/b",
		"/r/acme/targets/50%25off": "a target with an escape in its name", "/r/acme/targets/50%2525off": "a target with an escape in its name",
	} {
		if answer, body := s.get("GET", path); string(body) != want {
			t.Errorf("%s: found %s, %q", path, answer.Status, body)
		}
	}
}

// Nothing of these reaches the library.
func TestPathTricks(t *testing.T) {
	t.Parallel()
	s := open(t, newShelf(t), serve.Config{})
	long := strings.Repeat("a", 8<<10)
	for path, want := range map[string]int{
		"/r/acme/../secret":                       400,
		"/r/acme/./timestamp.json":                400,
		"/r/acme/..":                              400,
		"/r/acme/%2e%2e/secret":                   400,
		"/r/acme/%2E%2e":                          400,
		"/r/acme/.%2e/x":                          400,
		"/r/acme/%2e":                             400,
		"/r/acme/..%2fsecret":                     400,
		"/r/acme/..%5csecret":                     400,
		`/r/acme/..\secret`:                       400,
		"/r/acme/targets/../../x":                 400,
		"/r/acme/targets/%2e%2e/%2e%2e/x":         400,
		"/r/acme/targets/a%2f..%2f..%2fx":         400,
		"/r/acme/targets/a%2f%2fb":                400,
		"/r/acme/targets/a%2f":                    400,
		"/r/acme/targets/%2fetc%2fpasswd":         400,
		"/r/acme/timestamp.json%00":               400,
		"/r/acme/targets/a%00.b":                  400,
		"/r/acme/targets/a%0d%0aX-Evil:%201":      400,
		"/r/acme/targets/a%7f":                    400,
		"/r/acme/targets/a%5cb":                   400,
		"/r/acme/targets/a%2":                     400,
		"/r/acme/targets/a%zz":                    400,
		"//r/acme/timestamp.json":                 400,
		"/r//acme/timestamp.json":                 400,
		"/r/acme//timestamp.json":                 400,
		"/r/acme/targets//a":                      400,
		"//elsewhere.example/r/acme/x":            400,
		"/r/acme/targets/a/":                      404,
		"/r/acme/targets/":                        404,
		"/r/acme/a/b.json":                        404,
		"/r/acme/metadata/timestamp.json":         404,
		"/r/acme/":                                404,
		"/r/acme":                                 404,
		"/r/":                                     404,
		"/r/ACME/timestamp.json":                  404,
		"/r/a%63me/timestamp.json":                404,
		"/R/acme/timestamp.json":                  404,
		"/livez/":                                 404,
		"/blobs/":                                 404,
		"/blobs/sha256/":                          404,
		"/blobs/sha256/12":                        404,
		"/blobs/sha512/" + long[:128]:             404,
		"/blobs/sha256/" + long[:63] + "/":        404,
		"/blobs/sha256/" + long[:62] + "%61%61":   404,
		"/attestations/sha256/" + long[:64] + "/": 404,
		"/etc/passwd":                             404,
		"/r/acme/targets/" + long:                 414,
		"/" + long:                                414,
		"r/acme/timestamp.json":                   400,
		"http://":                                 400,
		"?":                                       400,
	} {
		answer := s.raw("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
		if !strings.HasPrefix(answer, fmt.Sprintf("HTTP/1.1 %d ", want)) {
			t.Errorf("%.80s: expected %d, found %.100q", path, want, answer)
		}
		if strings.Contains(strings.ToLower(answer), "evil") {
			t.Errorf("%.80s: the answer repeats it: %q", path, answer)
		}
	}
	if asked := s.shelf.took(); len(asked) > 0 {
		t.Errorf("the library was asked for %q", asked)
	}
}
