package examples_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// library is what a test needs of Python.
type library struct {
	name, imports string
	packages      []string // that are installed where that is asked for: ASSAY_INTEROP=install
	once          sync.Once
	path, why     string // of a Python that has it; why there is none
}

var (
	pythonTUF = &library{
		name: "python-tuf with securesystemslib[crypto]", imports: "tuf.api.metadata, cryptography, securesystemslib.signer",
		packages: []string{"tuf==7.0.1", "securesystemslib[crypto]==1.6.0"},
	}
	tufOnCI = &library{
		name: "tuf-on-ci-sign", imports: "tuf_on_ci_sign", packages: []string{"tuf-on-ci-sign==0.21.0"},
	}
)

// python puts a Python that has the library first on the path, as python3: that of
// $TUF_PYTHON, the system's, or, where it was asked for, one in a virtual environment.
func (p *place) python(l *library) {
	p.t.Helper()
	l.once.Do(l.find)
	if l.path == "" {
		p.t.Skipf("%s is not here: %s", l.name, l.why)
	}
	p.tool("python3", "exec "+l.path+` "$@"`)
}

// tool puts a script of the shell first on the path.
func (p *place) tool(name, script string) {
	p.t.Helper()
	dir := filepath.Join(p.dir, "bin")
	must(p.t, os.MkdirAll(dir, 0o700))
	must(p.t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o700))
	for i, set := range p.env {
		if rest, ok := strings.CutPrefix(set, "PATH="); ok && !strings.HasPrefix(rest, dir) {
			p.env[i] = "PATH=" + dir + string(filepath.ListSeparator) + rest
		}
	}
}

func (l *library) find() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	for _, path := range []string{os.Getenv("TUF_PYTHON"), "python3"} {
		if path == "" {
			continue
		}
		// By its own path: the tests put a python3 of their own before it.
		out, err := exec.CommandContext(ctx, path, "-c", "import "+l.imports+", sys; print(sys.executable)").Output()
		if err == nil {
			l.path = strings.TrimSpace(string(out))
			return
		}
	}
	if os.Getenv("ASSAY_INTEROP") != "install" {
		l.why = "neither TUF_PYTHON nor python3 has it; ASSAY_INTEROP=install has it installed for the test"
		return
	}
	dir := filepath.Join(filepath.Dir(bin), l.packages[0])
	path := filepath.Join(dir, "bin", "python")
	for _, line := range [][]string{
		{"python3", "-m", "venv", dir},
		append([]string{path, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries=0", "--timeout=5"}, l.packages...),
		{path, "-c", "import " + l.imports},
	} {
		if out, err := exec.CommandContext(ctx, line[0], line[1:]...).CombinedOutput(); err != nil {
			l.why = fmt.Sprintf("%v: %s", err, out[max(0, len(out)-300):])
			return
		}
	}
	l.path = path
}
