package interop_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"assay/artifact"
	"assay/internal/testrepo"
)

// pythonTUF is the version of python-tuf that is installed where that is asked for:
// with ASSAY_INTEROP=install, as tests reach for nothing beyond this machine by
// themselves.
const pythonTUF = "tuf==7.0.1"

// madePython is a Python that has python-tuf, made once for all tests.
var madePython struct {
	once sync.Once
	path string // empty: there is none
	why  string // in words
	dir  string // to be removed
}

func TestMain(m *testing.M) {
	code := m.Run()
	if madePython.dir != "" {
		os.RemoveAll(madePython.dir)
	}
	os.Exit(code)
}

// python finds a Python with python-tuf: that of $TUF_PYTHON, the system's, or, where
// it was asked for, one in a virtual environment into which python-tuf is installed.
func python(t *testing.T) string {
	t.Helper()
	madePython.once.Do(makePython)
	if madePython.path == "" {
		t.Skipf("python-tuf is not here: %s", madePython.why)
	}
	return madePython.path
}

func makePython() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	candidates := []string{os.Getenv("TUF_PYTHON"), "python3"}
	for _, path := range candidates {
		if path != "" && exec.CommandContext(ctx, path, "-c", "import tuf.ngclient").Run() == nil {
			madePython.path = path
			return
		}
	}
	if os.Getenv("ASSAY_INTEROP") != "install" {
		madePython.why = "neither TUF_PYTHON nor python3 has it; ASSAY_INTEROP=install has it installed for the test"
		return
	}
	dir, err := os.MkdirTemp("", "assay-python")
	if err != nil {
		madePython.why = err.Error()
		return
	}
	madePython.dir = dir
	path := filepath.Join(dir, "bin", "python")
	for _, line := range [][]string{
		{"python3", "-m", "venv", dir},
		{path, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries=0", "--timeout=5", pythonTUF},
		{path, "-c", "import tuf.ngclient"},
	} {
		if out, err := exec.CommandContext(ctx, line[0], line[1:]...).CombinedOutput(); err != nil {
			madePython.why = err.Error() + ": " + string(out[max(0, len(out)-300):])
			return
		}
	}
	madePython.path = path
}

func TestPythonTUFTakesAllFromTheMirror(t *testing.T) {
	t.Parallel()
	python := python(t)
	each(t, func(t *testing.T, repo *testrepo.Repo, s *site, paths []string) {
		dir := t.TempDir()
		root := filepath.Join(dir, "root.json")
		must(t, os.WriteFile(root, repo.RootBytes(1), 0o600))
		task, err := json.Marshal(map[string]any{"url": s.url, "root": root, "dir": filepath.Join(dir, "work"), "targets": paths})
		must(t, err)
		command := exec.CommandContext(t.Context(), python, filepath.Join("testdata", "ngclient.py"))
		var out, failed bytes.Buffer
		command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(task), &out, &failed
		if err := command.Run(); err != nil {
			t.Fatalf("python-tuf: %v\n%s", err, failed.Bytes())
		}
		var got map[string]string
		must(t, json.Unmarshal(out.Bytes(), &got))
		for _, path := range paths {
			data, _ := repo.Target(path)
			if want := artifact.DigestOf(artifact.SHA256, data).Hex(); got[path] != want {
				t.Errorf("%s: expected sha256 %s, found %q", path, want, got[path])
			}
		}
	})
}
