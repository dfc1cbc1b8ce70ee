//go:build unix

package main

import (
	"bufio"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
)

// daemonCommand is `daemon VERB NAME ARGS…`:
//
//	daemon start m FILE     run `assay mirror serve --config FILE` until it listens; sets m_URL to …/r
//	daemon hup m TEXT       have it read its configuration anew, and wait for TEXT in its log
//	daemon stop m CODE      end it by SIGTERM, and want the exit code; its log becomes m.log
//	daemon kill m           end it as a crash does
func daemonCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: daemon VERB NAME ARGS…")
	}
	key := daemonKey{ts, args[1]}
	if args[0] == "start" {
		startDaemon(ts, key, args[2])
		return
	}
	found, ok := daemons.LoadAndDelete(key)
	if !ok {
		ts.Fatalf("no daemon %s", args[1])
	}
	d := found.(*daemon)
	switch args[0] {
	case "hup":
		daemons.Store(key, d)
		ts.Check(d.command.Process.Signal(syscall.SIGHUP))
		d.log.waitFor(args[2])
	case "stop":
		ts.Check(d.command.Process.Signal(syscall.SIGTERM))
		wantExit(ts, d.command, args[2])
		ts.Check(os.WriteFile(ts.MkAbs(args[1]+".log"), []byte(d.log.String()), 0o600))
	case "kill":
		ts.Check(d.command.Process.Kill())
		_ = d.command.Wait() // it was killed
	default:
		ts.Fatalf("no verb %s", args[0])
	}
}

// bitflipCommand is `bitflip FOLDER`: it flips a bit of the first archive that a mirror's
// storage holds, as a bad disk does.
func bitflipCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: bitflip FOLDER")
	}
	found := ""
	ts.Check(filepath.WalkDir(ts.MkAbs(args[0]), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil || !bytes.HasPrefix(data, []byte{0x1f, 0x8b}) {
			return err
		}
		data[len(data)/2] ^= 1
		found = path
		if err := errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, data, 0o600)); err != nil {
			return err
		}
		return fs.SkipAll
	}))
	if found == "" {
		ts.Fatalf("no archive in %s", args[0])
	}
}

type daemonKey struct {
	ts   *testscript.TestScript
	name string
}

// daemons are those at work; scripts run at once.
var daemons sync.Map // daemonKey → *daemon

type daemon struct {
	command *exec.Cmd
	log     *watched
}

func startDaemon(ts *testscript.TestScript, key daemonKey, file string) {
	d := &daemon{command: exec.Command("assay", "mirror", "serve", "--config", ts.MkAbs(file)), log: newWatched()}
	for _, dir := range strings.Split(ts.Getenv("PATH"), string(os.PathListSeparator)) {
		if path := dir + "/assay"; isFile(path) {
			d.command.Path = path
			break
		}
	}
	d.command.Err = nil // it was looked for in this process's own path
	d.command.Dir, d.command.Env, d.command.Stderr = ts.MkAbs("."), scriptEnv(ts), d.log
	stdout, err := d.command.StdoutPipe()
	ts.Check(err)
	ts.Check(d.command.Start())
	ts.Defer(func() {
		if _, there := daemons.LoadAndDelete(key); there {
			_ = d.command.Process.Kill()
			_ = d.command.Wait()
		}
	})
	line, err := bufio.NewReader(stdout).ReadString('\n')
	url, found := strings.CutPrefix(line, "listening on ")
	if err != nil || !found {
		_ = d.command.Wait()
		ts.Fatalf("it does not listen: %q, %v\n%s", line, err, d.log.String())
	}
	url, _, _ = strings.Cut(url, "/REPO/")
	ts.Setenv(key.name+"_URL", url)
	daemons.Store(key, d)
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}

// watched is a log that somebody waits for.
type watched struct {
	mu   sync.Mutex
	more *sync.Cond
	text bytes.Buffer
}

func newWatched() *watched {
	w := &watched{}
	w.more = sync.NewCond(&w.mu)
	return w
}

func (w *watched) Write(text []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	defer w.more.Broadcast()
	return w.text.Write(text)
}

func (w *watched) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.String()
}

// waitFor waits until the log has a text; the test's own time limit ends it.
func (w *watched) waitFor(text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for !strings.Contains(w.text.String(), text) {
		w.more.Wait()
	}
}
