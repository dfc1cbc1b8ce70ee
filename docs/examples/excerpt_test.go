// Package examples_test runs what docs/publishing.md shows: each example makes a
// repository, publishes a release, a newer one and a revocation, and assay follows it
// over a server on loopback. What a test needs and this machine lacks has it skip, and
// say so.
package examples_test

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the examples' text into the page")

const page = "../publishing.md"

// excerpt is a part of an example's file, between a line `doc: NAME` and one `doc: end`,
// each in a comment, without the indentation that its lines share. Parts of one name
// follow one another.
func excerpt(t testing.TB, file, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(file))
	must(t, err)
	var parts []string
	var part []string
	inside := false
	for _, line := range strings.Split(string(data), "\n") {
		marker := markers.FindStringSubmatch(line)
		switch {
		case marker == nil && inside:
			part = append(part, line)
		case marker != nil && marker[1] == "end" && inside:
			parts, part, inside = append(parts, outdented(part)), nil, false
		case marker != nil && marker[1] == name:
			inside = true
		}
	}
	if len(parts) == 0 || inside {
		t.Fatalf("%s: expected a part from `doc: %s` to `doc: end`", file, name)
	}
	return strings.Join(parts, "\n")
}

var markers = regexp.MustCompile(`^\s*(?://|#) doc: ([a-z-]+)$`)

func outdented(lines []string) string {
	indent := -1
	for _, line := range lines {
		if text := strings.TrimLeft(line, " \t"); text != "" && (indent < 0 || len(line)-len(text) < indent) {
			indent = len(line) - len(text)
		}
	}
	for i, line := range lines {
		lines[i] = line[min(max(indent, 0), len(line)):]
	}
	return strings.Trim(strings.Join(lines, "\n"), "\n") + "\n"
}

// quoted is a block of the page that is an example's text, or all of a file.
var quoted = regexp.MustCompile("(?s)<!-- examples/(\\S+?)(?:: ([a-z-]+))? -->\n```[a-z]*\n(.*?)```\n")

// What the page shows is what the tests ran, and every part that they ran is shown.
func TestThePageShowsWhatIsRun(t *testing.T) {
	data, err := os.ReadFile(page)
	must(t, err)
	text, shown := string(data), map[string]bool{}
	for _, block := range quoted.FindAllStringSubmatchIndex(text, -1) {
		at := func(i int) string {
			if block[2*i] < 0 {
				return ""
			}
			return text[block[2*i]:block[2*i+1]]
		}
		file, name := at(1), at(2)
		shown[file+": "+name] = true
		want := ""
		if name == "" {
			whole, err := os.ReadFile(filepath.FromSlash(file))
			must(t, err)
			want = string(whole)
		} else {
			want = excerpt(t, file, name)
		}
		if at(3) == want {
			continue
		}
		if !*update {
			t.Errorf("%s: %s: %s: expected\n%s\nfound\n%s\n`go test ./docs/examples -run Page -update` writes it", page, file, name, want, at(3))
			continue
		}
		current, err := os.ReadFile(page)
		must(t, err)
		block := strings.TrimSuffix(at(0), at(3)+"```\n")
		must(t, os.WriteFile(page, []byte(strings.Replace(string(current), at(0), block+want+"```\n", 1)), 0o644))
	}
	for _, pattern := range []string{"*.sh", "*/*.sh", "*/*.go", "*/*.py"} {
		files, err := filepath.Glob(pattern)
		must(t, err)
		for _, file := range files {
			for _, name := range parts(t, file) {
				if key := filepath.ToSlash(file) + ": " + name; !shown[key] {
					t.Errorf("%s: expected a block of it in %s", key, page)
				}
			}
		}
	}
}

// parts names those of a file, each once.
func parts(t testing.TB, file string) []string {
	t.Helper()
	data, err := os.ReadFile(file)
	must(t, err)
	var names []string
	for _, line := range strings.Split(string(data), "\n") {
		if marker := markers.FindStringSubmatch(line); marker != nil && marker[1] != "end" && !slices.Contains(names, marker[1]) {
			names = append(names, marker[1])
		}
	}
	return names
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
