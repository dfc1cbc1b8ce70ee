package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"assay/cache/state"
	"assay/internal/config"
	"assay/internal/testrepo"
	"assay/trust"
)

// patient is an app whose doctor is asked, with folders of its own.
type patient struct {
	*testing.T
	app    *app
	stdout bytes.Buffer
	stderr bytes.Buffer
}

func newPatient(t *testing.T) *patient {
	home := t.TempDir()
	p := &patient{T: t}
	p.app = &app{
		stdin: strings.NewReader(""), stdout: &p.stdout, stderr: &p.stderr, systemDir: filepath.Join(home, "etc"), now: time.Now,
		dirs: config.Dirs{Config: filepath.Join(home, "config"), Cache: filepath.Join(home, "cache"), State: filepath.Join(home, "state"), Data: filepath.Join(home, "data"), Bin: filepath.Join(home, ".local", "bin")},
		env:  []string{"PATH=" + filepath.Join(home, "bin"), "HOME=" + home},
	}
	return p
}

// asks runs a command and wants an exit code and lines that begin with a status
// and contain the rest.
func (p *patient) asks(code int, args string, lines ...string) string {
	p.Helper()
	p.stdout.Reset()
	p.stderr.Reset()
	if got := p.app.run(p.Context(), strings.Fields(args)); got != code {
		p.Errorf("%s: exit %d, want %d: %s", args, got, code, p.stderr.String())
	}
	for _, want := range lines {
		status, part, _ := strings.Cut(want, " ")
		found := false
		for line := range strings.Lines(p.stdout.String()) {
			found = found || strings.HasPrefix(line, status+" ") && strings.Contains(line, part)
		}
		if !found {
			p.Errorf("%s: expected a line of %s with %q, found\n%s", args, status, part, p.stdout.String())
		}
	}
	return p.stdout.String()
}

func (p *patient) write(path, text string, mode fs.FileMode) {
	p.Helper()
	err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), mode), os.Chmod(path, mode))
	if err != nil {
		p.Fatal(err)
	}
}

// TestDoctorKnowsTheTime: what is held runs out, and clocks stand wrong, either way.
func TestDoctorKnowsTheTime(t *testing.T) {
	repo, server, err := testrepo.ServeSample(testrepo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	p := newPatient(t)
	p.asks(0, "trust add acme "+server.URL+" --root-sha256 "+repo.RootSHA256())
	p.asks(0, "doctor --offline", "ok clock", "ok acme")
	for name, test := range map[string]struct {
		ahead time.Duration
		code  int
		lines []string
	}{
		"soon":                {23*time.Hour + 30*time.Minute, 0, []string{"ok clock", "warn timestamp expires soon"}},
		"past":                {48 * time.Hour, 11, []string{"fail expired"}},
		"the clock is behind": {-48 * time.Hour, 11, []string{"fail it shows", "fail acme"}},
	} {
		p.app.now = func() time.Time { return time.Now().Add(test.ahead) }
		if out := p.asks(test.code, "doctor --offline", test.lines...); !strings.Contains(out, "→ ") {
			t.Errorf("%s: nothing says how to mend it: %s", name, out)
		}
	}
}

// TestDoctorLeavesNoTrace: without the network it writes nothing at all.
func TestDoctorLeavesNoTrace(t *testing.T) {
	repo, server, err := testrepo.ServeSample(testrepo.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	p := newPatient(t)
	p.asks(0, "trust add acme "+server.URL+" --root-sha256 "+repo.RootSHA256())
	p.asks(0, "versions hello")
	p.write(filepath.Join(p.app.dirs.Cache, "assay", "staging", "sha256-00.part"), "half", 0o600)
	home := filepath.Dir(p.app.dirs.State)
	before := traces(t, home)
	server.ResetCounters()
	p.asks(0, "doctor --offline", "ok 1 transfers that were cut")
	after := traces(t, home)
	for path, trace := range after {
		if before[path] != trace {
			t.Errorf("%s has changed", path)
		}
	}
	if len(before) != len(after) || len(server.Requests()) > 0 {
		t.Errorf("%d files became %d; requests: %v", len(before), len(after), server.Requests())
	}
	old := time.Now().Add(-2 * staleStaging)
	if err := os.Chtimes(filepath.Join(p.app.dirs.Cache, "assay", "staging", "sha256-00.part"), old, old); err != nil {
		t.Fatal(err)
	}
	p.asks(0, "doctor --offline", "warn 1 of them for more than a week")
}

// TestDoctorReadsTheSystemsFiles: each file of conf.d, those that are passed over too.
func TestDoctorReadsTheSystemsFiles(t *testing.T) {
	p := newPatient(t)
	confD := filepath.Join(p.app.systemDir, "conf.d")
	p.write(filepath.Join(p.app.systemDir, "config.toml"), "offline = true\n", 0o644)
	p.write(filepath.Join(confD, "10-a.toml"), "region = \"eu\"\n", 0o644)
	p.asks(0, "doctor", "ok "+filepath.Join(p.app.systemDir, "config.toml")+", "+filepath.Join(confD, "10-a.toml"))
	p.write(filepath.Join(confD, "20-b.conf"), "", 0o644)
	p.asks(0, "doctor", "warn 20-b.conf is not read: expected a name that ends in .toml")
	p.write(filepath.Join(confD, "30-c.toml"), "regoin = \"eu\"\n", 0o644)
	p.asks(2, "doctor", "fail 30-c.toml:1", "skip repositories")
	if runtime.GOOS == "windows" {
		return
	}
	p.write(filepath.Join(confD, "30-c.toml"), "", 0o644)
	p.write(filepath.Join(confD, "10-a.toml"), "", 0o662)
	p.asks(40, "doctor", "fail 10-a.toml: expected a mode without write for others, found 0662")
}

// TestDoctorLooksAtPath: the folder of links is in PATH, is not, or is anybody's.
func TestDoctorLooksAtPath(t *testing.T) {
	p := newPatient(t)
	home := getenv(p.app.env, "HOME")
	p.asks(0, "doctor", "warn lacks "+filepath.Join(home, ".local", "bin"), "skip git")
	p.app.env = append(p.app.env, "ASSAY_BIN_DIR="+filepath.Join(home, "bin"))
	p.asks(0, "doctor", "ok has "+filepath.Join(home, "bin"))
	if runtime.GOOS == "windows" {
		return
	}
	p.write(filepath.Join(home, "bin", "git"), "", 0o600)
	p.asks(0, "doctor", "skip git")
	p.write(filepath.Join(home, "bin", "git"), "", 0o700)
	p.asks(0, "doctor", "ok "+filepath.Join(home, "bin", "git"))
	if err := os.Chmod(filepath.Join(home, "bin"), 0o777); err != nil {
		t.Fatal(err)
	}
	p.asks(40, "doctor", "fail they could put programs there")
}

func TestProxyHost(t *testing.T) {
	for value, want := range map[string]string{
		"http://u:p@h.example:3128/x": "h.example:3128",
		"h.example:3128":              "h.example:3128",
		"u:p@h.example:3128":          "h.example:3128",
		"socks5://h.example":          "h.example",
		"http://%zz:secret@h":         "(not a URL)",
	} {
		if got := proxyHost(value); got != want {
			t.Errorf("%s: found %q, want %q", value, got, want)
		}
	}
}

// TestGravestDecides shows that the order of the checks does not.
func TestGravestDecides(t *testing.T) {
	kinds := []error{state.ErrDamaged, fs.ErrPermission, errUsage, trust.ErrRollback, trust.ErrExpired, trust.ErrNoAnswer}
	for i, gravest := range kinds {
		for _, other := range kinds[i:] {
			for _, order := range [][]error{{gravest, other}, {other, gravest}} {
				u := &checkup{}
				for _, err := range order {
					u.fail("x", err, "")
				}
				if codeOf(u.gravest) != codeOf(gravest) {
					t.Errorf("%v: exit %d, want %d", order, codeOf(u.gravest), codeOf(gravest))
				}
			}
		}
	}
	seen := map[int]bool{}
	for _, row := range exits() {
		if seen[gravity(row.code)] && gravity(row.code) < gravity(-1) {
			t.Errorf("exit %d is as grave as another", row.code)
		}
		seen[gravity(row.code)] = true
	}
}
