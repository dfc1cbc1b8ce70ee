package airgap

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"assay/internal/testrepo"
	"assay/mirror/storage"
)

// treeVariable has the test's program publish a tree, pruned, or export, and kill itself
// at the n-th step: tree|storage|folder|now|n, or export|storage|file|now|n.
const treeVariable = "ASSAY_TREE_CHILD"

func publishAndDie(job []string) error {
	now, err := time.Parse(time.RFC3339Nano, job[3])
	n, err2 := strconv.Atoi(job[4])
	store, err3 := storage.OpenReader(job[1])
	if err := errors.Join(err, err2, err3); err != nil {
		return err
	}
	ctx := &dying{context.Background(), n}
	if job[0] == "export" {
		_, err = Export(ctx, store, "acme", ExportOptions{File: job[2]})
		return err
	}
	_, err = Publish(ctx, store, "acme", TreeOptions{Folder: job[2], Prune: true, Now: func() time.Time { return now }})
	return err
}

// dying ends the process when it is asked for the n-th time whether to go on.
type dying struct {
	context.Context
	left int
}

func (d *dying) Err() error {
	if d.left--; d.left == 0 {
		if self, err := os.FindProcess(os.Getpid()); err == nil && self.Kill() == nil {
			select {}
		}
	}
	return nil
}

// killed runs a child; false: it came to its end.
func (g *gap) killed(near *node, kind, to string, n int) bool {
	g.t.Helper()
	command := exec.Command(os.Args[0])
	job := []string{kind, filepath.Join(near.dir, "storage"), to, near.now().Format(time.RFC3339Nano), strconv.Itoa(n)}
	command.Env = append(os.Environ(), treeVariable+"="+strings.Join(job, "|"))
	out, err := command.CombinedOutput()
	if err != nil && command.ProcessState.ExitCode() >= 0 {
		g.t.Fatalf("%q: expected it to be killed, found %v: %.500s", job, err, out)
	}
	return err != nil
}

// TestTreeKilled kills a publication at its steps. Whoever reads the tree gets what was
// published before, or the next generation, whole; the next call comes to its end.
func TestTreeKilled(t *testing.T) {
	g := newGap(t, testrepo.Options{})
	near := g.near()
	_, err := near.run(t.Context())
	must(t, err)
	www := filepath.Join(g.dir, "www")
	kills := 0
	for n := 1; g.killed(near, "tree", www, n); n += 61 {
		kills++
		if _, err := os.Stat(filepath.Join(www, "timestamp.json")); err == nil {
			g.sameAsTree(near, "file://"+www)
		}
	}
	g.sameAsTree(near, "file://"+www)
	first := string(read(t, filepath.Join(www, "timestamp.json")))
	// The next generation is small, so that each of its last steps is met: the metadata,
	// the timestamp, the note, and what goes.
	must(t, g.repo.SetStatus("hello", "stable", "1.5.0", "revoked", "test", ""))
	must(t, g.repo.Publish())
	_, err = near.run(t.Context())
	must(t, err)
	before, after := 0, 0
	for n := 1; g.killed(near, "tree", www, n); n += 5 {
		kills++
		if string(read(t, filepath.Join(www, "timestamp.json"))) != first {
			after++
			continue
		}
		if before++; before%12 == 1 {
			g.readable(near, "file://"+www)
		}
	}
	if kills < 15 || before < 5 || after < 2 {
		t.Errorf("expected kills before and after the timestamp, found %d, of them %d before the second and %d behind it", kills, before, after)
	}
	g.sameAsTree(near, "file://"+www)
	// What kills have left goes by the next pruning.
	left, err := filepath.Glob(filepath.Join(www, ".*.tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("expected no temporary file, found %q, %v", left, err)
	}
}

// TestExportKilled kills an export at its steps: nothing that is cut off has a name.
func TestExportKilled(t *testing.T) {
	g := newGap(t, testrepo.Options{})
	near, far := g.near(), g.far()
	_, err := near.run(t.Context())
	must(t, err)
	to := filepath.Join(g.dir, "x.tar")
	kills := 0
	for n := 1; g.killed(near, "export", to, n); n += 41 {
		kills++
		if _, err := os.Stat(to + recordSuffix); err == nil {
			t.Fatalf("step %d: expected no record of what is not whole, found one", n)
		}
		if _, err := os.Stat(to); err == nil {
			t.Fatalf("step %d: expected no volume, found one", n)
		}
	}
	if kills < 5 {
		t.Errorf("expected it to be killed at several steps, found %d", kills)
	}
	_, err = far.bring(t.Context(), to)
	must(t, err)
	g.holds(near, far)
}
