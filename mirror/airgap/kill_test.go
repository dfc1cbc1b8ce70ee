package airgap

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"assay/internal/testrepo"
)

// childVariable has the test's program import volumes and kill itself at the n-th step:
// folder|root|now|n|volumes…
const childVariable = "ASSAY_GAP_CHILD"

// TestMain is also the other process.
func TestMain(m *testing.M) {
	if job := os.Getenv(childVariable); job != "" {
		if err := importAndDie(strings.Split(job, "|")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if job := os.Getenv(treeVariable); job != "" {
		if err := publishAndDie(strings.Split(job, "|")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func importAndDie(job []string) error {
	root, err := base64.StdEncoding.DecodeString(job[1])
	now, err2 := time.Parse(time.RFC3339Nano, job[2])
	left, err3 := strconv.Atoi(job[3])
	if err := errors.Join(err, err2, err3); err != nil {
		return err
	}
	step := func(string) {
		if left--; left == 0 {
			self, err := os.FindProcess(os.Getpid())
			if err == nil {
				err = self.Kill()
			}
			fmt.Fprintln(os.Stderr, err)
			select {}
		}
	}
	opts := takeOptions()
	opts.Progress = func(int64, int64) { step("") }
	_, err = farNode(job[0], root, func() time.Time { return now }).bringBy(context.Background(), opts, step, job[4:]...)
	return err
}

// TestKilled kills an import after each of its steps; the next one goes on, up to the
// end.
func TestKilled(t *testing.T) {
	g := newGap(t, testrepo.Options{})
	near, far := g.near(), g.far()
	sets := g.export(near, ExportOptions{VolumeSize: 130_000})
	kills := 0
	for n := 1; ; n += 7 { // every seventh object that is left
		child := exec.Command(os.Args[0])
		job := append([]string{far.dir, base64.StdEncoding.EncodeToString(far.root), g.now.Format(time.RFC3339Nano), strconv.Itoa(n)}, sets.Volumes...)
		child.Env = append(os.Environ(), childVariable+"="+strings.Join(job, "|"))
		out, err := child.CombinedOutput()
		if err == nil {
			break
		}
		if child.ProcessState.ExitCode() >= 0 {
			t.Fatalf("expected it to be killed, found %v: %s", err, out)
		}
		if kills++; n > sets.Objects+100 {
			t.Fatal("it never comes to an end")
		}
		// What is published is nothing, or all.
		if p, err := os.ReadFile(filepath.Join(far.dir, "storage", "documents", "current+acme")); err == nil {
			g.holds(near, far)
			if len(p) == 0 {
				t.Error("expected a document, found an empty one")
			}
		}
	}
	if kills < 5 {
		t.Errorf("expected it to be killed at several steps, found %d", kills)
	}
	g.holds(near, far)
	g.untouched(far, 1)
	for n := range 4 { // behind the last volume, once more: take, complete, run, done
		must(t, os.RemoveAll(far.dir))
		child := exec.Command(os.Args[0])
		steps := sets.Objects + len(sets.Volumes) + n
		job := append([]string{far.dir, base64.StdEncoding.EncodeToString(far.root), g.now.Format(time.RFC3339Nano), strconv.Itoa(steps)}, sets.Volumes...)
		child.Env = append(os.Environ(), childVariable+"="+strings.Join(job, "|"))
		out, err := child.CombinedOutput()
		if killed := n < 3; killed != (child.ProcessState.ExitCode() < 0) {
			t.Fatalf("step %d: expected it to be killed: %v, found %v: %s", steps, killed, err, out)
		}
		_, err = far.bring(t.Context(), sets.Volumes...)
		must(t, err)
		g.holds(near, far)
		g.untouched(far, 1)
	}
}
