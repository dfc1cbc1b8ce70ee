package examples_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// bin holds assay, and the go-tuf example as publish.
var bin string

func TestMain(m *testing.M) {
	run := func() int {
		dir, err := os.MkdirTemp("", "assay-examples")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		bin = filepath.Join(dir, "bin")
		for name, pkg := range map[string]string{"assay": "assay/cmd/assay", "publish": "assay/docs/examples/go-tuf"} {
			if out, err := exec.Command("go", "build", "-o", filepath.Join(bin, name), pkg).CombinedOutput(); err != nil {
				fmt.Fprintf(os.Stderr, "build %s: %v\n%s", pkg, err, out)
				return 1
			}
		}
		return m.Run()
	}
	os.Exit(run())
}

// place is a publisher's folder, with the repository in repo/, and a consumer's home.
type place struct {
	t         testing.TB
	dir, home string
	env       []string
	url       string // where repo/ is served
}

func newPlace(t testing.TB) *place {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("the examples' steps are for a shell")
	}
	dir := t.TempDir()
	p := &place{t: t, dir: filepath.Join(dir, "publisher"), home: filepath.Join(dir, "home")}
	files, err := filepath.Abs("files")
	must(t, err)
	for _, folder := range []string{p.dir, p.home} {
		must(t, os.MkdirAll(folder, 0o700))
	}
	must(t, os.Symlink(files, filepath.Join(p.dir, "files")))
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(p.dir, "repo"))))
	t.Cleanup(server.Close)
	p.url = server.URL
	// Nothing of who runs the test: no settings, no cache, no proxy before loopback.
	p.env = []string{
		"HOME=" + p.home, "PATH=" + bin + string(filepath.ListSeparator) + os.Getenv("PATH"), "TMPDIR=" + os.TempDir(), "GORACE=atexit_sleep_ms=0",
		"GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C.UTF-8", "URL=" + p.url,
	}
	return p
}

// runs a part of an example's script as a shell does, in a folder below the
// publisher's, and returns what it wrote.
func (p *place) runs(folder, file, name string) string {
	p.t.Helper()
	out, err := p.command(folder, "sh", "-eu", "-c", excerpt(p.t, file, name))
	if err != nil {
		p.t.Fatalf("%s: %s: %v\n%s", file, name, err, out)
	}
	return out
}

func (p *place) command(folder string, args ...string) (string, error) {
	p.t.Helper()
	command := exec.CommandContext(p.t.Context(), args[0], args[1:]...)
	command.Dir, command.Env = filepath.Join(p.dir, folder), p.env
	if args[0] == "assay" {
		command.Path, command.Err = filepath.Join(bin, "assay"), nil
	}
	var out bytes.Buffer
	command.Stdout, command.Stderr = &out, &out
	err := command.Run()
	return out.String(), err
}

// refused wants a command to fail with an exit code and a text.
func (p *place) refused(code int, text string, args ...string) {
	p.t.Helper()
	out, err := p.command("", args...)
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != code || !strings.Contains(out, text) {
		p.t.Fatalf("%s: expected exit %d and %q, found %v\n%s", strings.Join(args, " "), code, text, err, out)
	}
}

// says wants what the installed program says.
func (p *place) says(want string) {
	p.t.Helper()
	out, err := exec.CommandContext(p.t.Context(), filepath.Join(p.home, ".local", "bin", "hello")).CombinedOutput()
	if err != nil || strings.TrimSpace(string(out)) != want {
		p.t.Fatalf("the installed program: expected %q, found %q, %v", want, out, err)
	}
}

// begins has the consumer trust the repository by its first root, install from it, and
// find what it says in order.
func (p *place) begins() {
	p.t.Helper()
	root, err := os.ReadFile(filepath.Join(p.dir, "repo", "metadata", "1.root.json"))
	must(p.t, err)
	sum := sha256.Sum256(root)
	p.env = append(p.env, "ROOT_SHA256="+hex.EncodeToString(sum[:]))
	p.runs("", "consumer.sh", "trust")
	p.says("hello 1.0.0")
	p.runs("", "consumer.sh", "lint")
	for _, path := range []string{"catalog.json", "channel-stable/hello.json", "hello/1.0.0/release.json"} {
		p.lints(path)
	}
}

// lints wants nothing to mend but what the page says of the examples: nothing is signed
// but the metadata.
func (p *place) lints(path string) {
	p.t.Helper()
	out, err := p.command("", "assay", "lint", "acme", path, "--json")
	must(p.t, err)
	var report struct {
		Findings []struct{ Rule, Message string }
	}
	var whole struct{ Documents []json.RawMessage }
	must(p.t, json.Unmarshal([]byte(out), &whole))
	if len(whole.Documents) == 0 {
		p.t.Fatalf("%s: expected a document, found %s", path, out)
	}
	must(p.t, json.Unmarshal(whole.Documents[0], &report))
	for _, finding := range report.Findings {
		if finding.Rule != "release.signed" {
			p.t.Errorf("%s: %s [%s]", path, finding.Message, finding.Rule)
		}
	}
}

// follows has the consumer take the newer release up.
func (p *place) follows() {
	p.t.Helper()
	p.runs("", "consumer.sh", "upgrade")
	p.says("hello 1.1.0")
	p.lints("hello/1.1.0/release.json")
	p.lints("channel-stable/hello.json")
}

// withdraws has the consumer leave the revoked release, which nobody gets any more.
func (p *place) withdraws() {
	p.t.Helper()
	out := p.runs("", "consumer.sh", "upgrade")
	if want := "1.1.0 is revoked"; !strings.Contains(out, want) {
		p.t.Fatalf("expected %q, found %s", want, out)
	}
	p.says("hello 1.0.0")
	p.refused(16, "revoked: hello 1.1.0", "assay", "install", "hello@1.1.0")
	p.says("hello 1.0.0")
	p.lints("channel-stable/hello.json")
}
