//go:build unix

package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// locks are the files that lockFile holds, by path.
var locks sync.Map

// systemCommands are script commands that need Unix: daemon, waiting, interrupt, terminate,
// nothingstaged, lock and unlock.
func systemCommands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"interrupt": signalling(syscall.SIGINT), "terminate": signalling(syscall.SIGTERM),
		"daemon": daemonCommand, "bitflip": bitflipCommand, "waiting": waiting, "nothingstaged": nothingStaged, "lock": lockFile, "unlock": unlockFile,
	}
}

// waiting is `waiting CODE COMMAND…`: it runs a command that waits for something
// that never comes, interrupts it, and wants the exit code.
func waiting(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: waiting CODE COMMAND…")
	}
	command := exec.Command(args[1], args[2:]...)
	command.Dir = ts.MkAbs(".")
	command.Env = scriptEnv(ts)
	ts.Check(command.Start())
	time.Sleep(time.Second)
	ts.Check(command.Process.Signal(syscall.SIGINT))
	wantExit(ts, command, args[0])
}

// wantExit waits for a command and compares its exit code.
func wantExit(ts *testscript.TestScript, command *exec.Cmd, code string) {
	want, err := strconv.Atoi(code)
	ts.Check(err)
	got := 0
	if err := command.Wait(); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// signalling makes a script command `NAME CODE REPO COMMAND…`: it runs the
// command until the transfer that REPO holds has come half way, sends the
// signal, and wants the exit code.
func signalling(signal syscall.Signal) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg || len(args) < 3 {
			ts.Fatalf("usage: interrupt CODE REPO COMMAND…")
		}
		command := exec.Command(args[2], args[3:]...)
		command.Dir = ts.MkAbs(".")
		command.Env = scriptEnv(ts)
		ts.Check(command.Start())
		found, _ := scripts.Load(ts)
		select {
		case <-found.(*served).holds[args[1]].Reached:
		case <-time.After(10 * time.Second):
			ts.Fatalf("no transfer came half way")
		}
		ts.Check(command.Process.Signal(signal))
		wantExit(ts, command, args[0])
	}
}

// scriptEnv is the environment of a script for a command that is started here.
func scriptEnv(ts *testscript.TestScript) []string {
	env := []string{"PATH=" + ts.Getenv("PATH")}
	for _, name := range []string{"HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "GORACE", "TMPDIR"} {
		env = append(env, name+"="+ts.Getenv(name))
	}
	return env
}

// nothingStaged wants no partial file in the cache.
func nothingStaged(ts *testscript.TestScript, neg bool, args []string) {
	left, err := filepath.Glob(filepath.Join(ts.Getenv("CACHE"), "staging", "*.part"))
	ts.Check(err)
	if len(left) > 0 {
		ts.Fatalf("left behind: %v", left)
	}
}

// lockFile takes the lock of a database, as another process would have it, and
// unlockFile gives it back.
func lockFile(ts *testscript.TestScript, neg bool, args []string) {
	file, err := os.OpenFile(ts.MkAbs(args[0]), os.O_RDWR, 0)
	ts.Check(err)
	ts.Check(syscall.Flock(int(file.Fd()), syscall.LOCK_EX))
	locks.Store(ts.MkAbs(args[0]), file)
}

func unlockFile(ts *testscript.TestScript, neg bool, args []string) {
	if file, ok := locks.LoadAndDelete(ts.MkAbs(args[0])); ok {
		ts.Check(file.(*os.File).Close())
	}
}
