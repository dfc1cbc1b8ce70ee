package backup

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"assay/cache/audit"
	"assay/mirror/storage"
)

// childVariable has the test's program do something and kill itself at the n-th step:
// restore|from|folder|n, or backup|file|the mirror's folder|n.
const childVariable = "ASSAY_BACKUP_CHILD"

// TestMain is also the other process.
func TestMain(m *testing.M) {
	if job := strings.Split(os.Getenv(childVariable), "|"); len(job) == 4 {
		n, err := strconv.Atoi(job[3])
		if err == nil {
			err = child(&dying{context.Background(), n}, job)
		}
		if err != nil {
			os.Stderr.WriteString(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func child(ctx context.Context, job []string) error {
	if job[0] == "restore" {
		_, err := Restore(ctx, job[1], job[2])
		return err
	}
	store, err := storage.OpenReader(filepath.Join(job[2], "storage"))
	if err == nil {
		_, err = Write(ctx, job[1], Source{Dir: job[2], State: filepath.Join(job[2], "state"), Storage: store})
	}
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
func killed(t *testing.T, job ...string) bool {
	t.Helper()
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childVariable+"="+strings.Join(job, "|"))
	out, err := command.CombinedOutput()
	if err != nil && command.ProcessState.ExitCode() >= 0 {
		t.Fatalf("%q: expected it to be killed, found %v: %s", job, err, out)
	}
	return err != nil
}

// TestRestoreKilled kills a restore at each of its steps. No mirror begins in what it
// leaves, and the next one comes to its end.
func TestRestoreKilled(t *testing.T) {
	path, _ := made(t)
	kills := 0
	for n := 1; ; n++ {
		dir := filepath.Join(t.TempDir(), "new")
		if !killed(t, "restore", path, dir, strconv.Itoa(n)) {
			break
		}
		kills++
		entries, err := os.ReadDir(dir)
		if err == nil && len(entries) > 0 && !errors.Is(Unfinished(dir), ErrUnfinished) {
			t.Errorf("step %d: expected a folder that is known to be unfinished, found %v", n, entries)
		}
		_, err = Restore(t.Context(), path, dir)
		must(t, err)
		whole(t, dir)
	}
	if kills < 10 {
		t.Errorf("expected it to be killed at several steps, found %d", kills)
	}
}

// whole expects all of the backup that made made, and nothing of the restore.
func whole(t *testing.T, dir string) {
	t.Helper()
	must(t, Unfinished(dir))
	log, err := audit.Open(filepath.Join(dir, "state"), audit.Options{})
	must(t, err)
	if report, err := log.Verify(t.Context(), audit.Head{}); err != nil || report.Head.Seq != 3 {
		t.Errorf("expected a chain of 3 entries, found %+v, %v", report, err)
	}
	store, err := storage.OpenReader(filepath.Join(dir, "storage"))
	must(t, err)
	if names, err := store.Documents(t.Context(), ""); err != nil || len(names) != 1 || names[0] != "quarantine/acme" {
		t.Errorf("expected the quarantine alone, found %q, %v", names, err)
	}
	for _, name := range []string{"state/state.db", "restored/*-mirror.toml", "restored/*-cert.pem"} {
		if found, err := filepath.Glob(filepath.Join(dir, name)); err != nil || len(found) != 1 {
			t.Errorf("expected %s, found %q, %v", name, found, err)
		}
	}
}

// TestBackupKilled kills a backup at each of its steps: the one of before stays.
func TestBackupKilled(t *testing.T) {
	path, src := made(t)
	before, err := os.ReadFile(path)
	must(t, err)
	kills := 0
	for n := 1; killed(t, "backup", path, src.Dir, strconv.Itoa(n)); n++ {
		kills++
		if now, err := os.ReadFile(path); err != nil || string(now) != string(before) {
			t.Fatalf("step %d: expected the backup of before, found another, %v", n, err)
		}
	}
	if kills < 5 {
		t.Errorf("expected it to be killed at several steps, found %d", kills)
	}
	_, err = Restore(t.Context(), path, filepath.Join(t.TempDir(), "new"))
	must(t, err)
}

// TestRestoreInPlace: the folder stays the same one, where the file system has something
// of its own, and only its owner may enter.
func TestRestoreInPlace(t *testing.T) {
	path, _ := made(t)
	dir := t.TempDir()
	must(t, os.Mkdir(filepath.Join(dir, "lost+found"), 0o700))
	must(t, os.Chmod(dir, 0o750))
	before, err := os.Stat(dir)
	must(t, err)
	_, err = Restore(t.Context(), path, dir)
	must(t, err)
	whole(t, dir)
	if after, err := os.Stat(dir); err != nil || !os.SameFile(before, after) || after.Mode().Perm() != 0o700 {
		t.Errorf("expected the same folder with mode 0700, found %v for %v, %v", after, before, err)
	}
}

// TestRestoreTogether: the second one is told, and harms nothing; nor does one where a
// mirror has begun.
func TestRestoreTogether(t *testing.T) {
	path, _ := made(t)
	dir := t.TempDir()
	lock, err := takeLock(filepath.Join(dir, restoreLock))
	must(t, err)
	if _, err := Restore(t.Context(), path, dir); !errors.Is(err, ErrBusy) {
		t.Errorf("expected %v, found %v", ErrBusy, err)
	}
	must(t, lock.Close())
	must(t, os.WriteFile(filepath.Join(dir, unfinished), nil, 0o600))
	mirror, err := storage.Open(filepath.Join(dir, "storage"), storage.Options{})
	must(t, err)
	if _, err := Restore(t.Context(), path, dir); !errors.Is(err, storage.ErrInUse) {
		t.Errorf("expected %v, found %v", storage.ErrInUse, err)
	}
	must(t, mirror.Close())
}

// TestReplaced: a backup takes the place of one, and of nothing else.
func TestReplaced(t *testing.T) {
	path, src := made(t)
	dir := t.TempDir()
	other := filepath.Join(dir, "mirror.toml")
	must(t, os.WriteFile(other, []byte("[mirror]\n"), 0o600))
	link := filepath.Join(dir, "link")
	must(t, os.Symlink(path, link))
	for _, to := range []string{other, link, dir} {
		if _, err := Write(t.Context(), to, src); !errors.Is(err, ErrOther) {
			t.Errorf("%s: expected %v, found %v", to, ErrOther, err)
		}
	}
	if text, err := os.ReadFile(other); err != nil || string(text) != "[mirror]\n" {
		t.Errorf("expected the file as it was, found %.40q, %v", text, err)
	}
	must(t, os.WriteFile(filepath.Join(dir, "empty"), nil, 0o600))
	_, err := Write(t.Context(), filepath.Join(dir, "empty"), src)
	must(t, err)
	if left, _ := filepath.Glob(filepath.Join(dir, ".*")); len(left) > 0 {
		t.Errorf("expected no temporary file, found %q", left)
	}
}

// TestPasswords: those in URLs are masked, and told; the rest of the file is saved.
func TestPasswords(t *testing.T) {
	_, src := made(t)
	dir := t.TempDir()
	toml := filepath.Join(dir, "mirror.toml")
	must(t, os.WriteFile(toml, []byte(`url = "https://reader:ses:ame@a.example/x@y"
mirrors = ["https://gh_token@b.example", 'http://c.example:80/p']
mail = "mailto:me@d.example" # https://e.example
`), 0o600))
	src.Config = []string{toml}
	path := filepath.Join(dir, "b.tar")
	head, err := Write(t.Context(), path, src)
	must(t, err)
	if len(head.LeftOut) != 2 || head.LeftOut[0] != (LeftOut{"a password in a URL of " + toml, "it is a secret"}) {
		t.Errorf("expected to be told of the password, found %+v", head.LeftOut)
	}
	_, err = Restore(t.Context(), path, filepath.Join(dir, "new"))
	must(t, err)
	want := `url = "https://reader:xxxxx@a.example/x@y"
mirrors = ["https://xxxxx@b.example", 'http://c.example:80/p']
mail = "mailto:me@d.example" # https://e.example
`
	if text, err := os.ReadFile(filepath.Join(dir, "new", "restored", "0-mirror.toml")); err != nil || string(text) != want {
		t.Errorf("expected\n%s\nfound\n%s, %v", want, text, err)
	}
}
