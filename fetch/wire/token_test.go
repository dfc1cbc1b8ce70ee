package wire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"assay/trust"
)

// TestMain lets this program be the command that gives a token, or fails to.
func TestMain(m *testing.M) {
	if len(os.Args) < 2 || os.Args[1] != "token" {
		os.Exit(m.Run())
	}
	switch os.Args[2] {
	case "good":
		log, err := os.OpenFile(os.Args[3], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err == nil {
			_, err = log.WriteString("x")
		}
		if err != nil {
			os.Exit(9)
		}
		fmt.Fprintln(os.Stderr, "a word of advice")
		fmt.Println("t0ken" + os.Getenv("ASSAY_TEST_TOKEN"))
	case "fails":
		fmt.Println("hunter2")
		fmt.Fprintln(os.Stderr, "no such account\x1b[2J\nmore of it")
		os.Exit(3)
	case "mute":
		os.Exit(4)
	case "long":
		fmt.Print(strings.Repeat("x", maxToken+1))
	case "complains":
		fmt.Fprint(os.Stderr, strings.Repeat("x", 1<<20))
		fmt.Println("t0ken")
	case "hangs":
		time.Sleep(time.Minute)
	}
	os.Exit(0)
}

// program is this one, as the command that gives a token.
func program(t *testing.T, args ...string) []string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return append([]string{path, "token"}, args...)
}

func TestTokenCommandRunsOnce(t *testing.T) {
	t.Setenv("ASSAY_TEST_TOKEN", "-of-the-user")
	var s seen
	server := serve(t, s.handler(nil))
	log := filepath.Join(t.TempDir(), "log")
	e := direct(Options{Hosts: []Host{{Name: hostPort(t, server), TokenCommand: program(t, "good", log)}}})
	if _, err := os.Stat(log); !errors.Is(err, fs.ErrNotExist) {
		t.Error("it ran before it was needed")
	}
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			if _, _, err := read(t, e, Request{URL: parsed(t, server.URL+"/x")}); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if found, _ := s.get("/x"); found != "Bearer t0ken-of-the-user" {
		t.Errorf("found %q", found)
	}
	if runs, err := os.ReadFile(log); err != nil || string(runs) != "x" {
		t.Errorf("expected it to run once, found %q, %v", runs, err)
	}
}

func TestTokenThatCannotBeHad(t *testing.T) {
	t.Parallel()
	pipe := t.TempDir()
	for name, test := range map[string]struct {
		host Host
		says string
	}{
		"no file":        {Host{TokenFile: filepath.Join(pipe, "none")}, "token_file: stat "},
		"a folder":       {Host{TokenFile: pipe}, "expected a regular file"},
		"empty":          {Host{TokenFile: write(t, "t", " \n")}, "token_file: expected a token of one line, without blanks, found something else"},
		"two lines":      {Host{TokenFile: write(t, "t", "hunter2\nhunter2\n")}, "expected a token of one line"},
		"a header":       {Host{TokenFile: write(t, "t", "hunter2\r\nX-Evil: y")}, "expected a token of one line"},
		"not ASCII":      {Host{TokenFile: write(t, "t", "hunter2é")}, "expected a token of one line"},
		"a long file":    {Host{TokenFile: write(t, "t", strings.Repeat("x", maxToken+1))}, "expected at most 16384 bytes, found more"},
		"no program":     {Host{TokenCommand: []string{"no-such-program", "hunter2"}}, `token_command: exec: "no-such-program"`},
		"it fails":       {Host{TokenCommand: program(t, "fails", "hunter2")}, "exit status 3: no such account\uFFFD[2J"},
		"it says nought": {Host{TokenCommand: program(t, "mute", "hunter2")}, "exit status 4"},
		"a long answer":  {Host{TokenCommand: program(t, "long")}, "expected at most 16384 bytes, found more"},
		"it hangs":       {Host{TokenCommand: program(t, "hangs")}, "token_command: expected a token within 1s, found none"},
		"no answer":      {Host{TokenCommand: program(t, "?")}, "expected a token of one line"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var s seen
			server := serve(t, s.handler(nil))
			test.host.Name = hostPort(t, server)
			limit := time.Minute
			if name == "it hangs" {
				limit = time.Second
			}
			e := direct(Options{Token: limit, Hosts: []Host{test.host}})
			for range 2 { // it stays so
				_, _, err := read(t, e, Request{URL: parsed(t, server.URL+"/x")})
				if !errors.Is(err, ErrHost) || !errors.Is(err, ErrSource) || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), password) {
					t.Errorf("expected %q, found %v", test.says, err)
				}
				// Neither "there is none" nor silence: those have consequences.
				if errors.Is(err, fs.ErrNotExist) || errors.Is(err, trust.ErrNoAnswer) || Temporary(err) || err != nil && strings.ContainsAny(err.Error(), "\x1b\n") {
					t.Errorf("found %v", err)
				}
			}
			if _, asked := s.get("/x"); asked {
				t.Error("the source was asked")
			}
		})
	}
}

func TestTokenCommandThatComplains(t *testing.T) {
	t.Parallel()
	data, err := runToken(t.Context(), program(t, "complains"), time.Minute)
	if err != nil || strings.TrimSpace(string(data)) != "t0ken" {
		t.Errorf("found %q, %v", data, err)
	}
	interrupt := errors.New("interrupted by the user")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(interrupt)
	if _, err := runToken(ctx, program(t, "hangs"), time.Minute); !errors.Is(err, interrupt) {
		t.Errorf("expected %v, found %v", interrupt, err)
	}
}

// Who gives up while a command runs gets the cause of that alone, and the next
// one runs it anew.
func TestGivingUpWhileACommandRuns(t *testing.T) {
	t.Parallel()
	interrupt := errors.New("interrupted by the user")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(50*time.Millisecond, func() { cancel(interrupt) })
	e := direct(Options{Hosts: []Host{{Name: "127.0.0.1:1", TokenCommand: program(t, "hangs")}}})
	if _, _, err := readWithin(ctx, e, Request{URL: parsed(t, "http://127.0.0.1:1")}); !errors.Is(err, interrupt) || errors.Is(err, ErrSource) {
		t.Errorf("expected %v alone, found %v", interrupt, err)
	}
	if e.hosts[0].token.done {
		t.Error("the failure is remembered")
	}
}

func TestTokenFileAtItsLongest(t *testing.T) {
	t.Parallel()
	data, err := readSmall(write(t, "t", strings.Repeat("x", maxToken)), maxToken)
	if err != nil || len(data) != maxToken {
		t.Errorf("found %d bytes, %v", len(data), err)
	}
}

func TestSecretThatOthersCanRead(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no such modes")
	}
	server := serve(t, (&seen{}).handler(nil))
	for mode, warned := range map[os.FileMode]int{0o600: 0, 0o400: 0, 0o640: 1, 0o604: 1, 0o644: 1} {
		token := write(t, "token", "t0ken")
		if err := os.Chmod(token, mode); err != nil {
			t.Fatal(err)
		}
		var said []string
		e := direct(Options{Warn: func(text string) { said = append(said, text) }, Hosts: []Host{{Name: hostPort(t, server), TokenFile: token}}})
		for range 2 {
			if _, _, err := read(t, e, Request{URL: parsed(t, server.URL)}); err != nil {
				t.Error(err)
			}
		}
		if len(said) != warned || warned > 0 && !strings.Contains(said[0], token+": other users of this machine can read it") {
			t.Errorf("%o: expected %d warnings, found %q", mode, warned, said)
		}
	}
	// Nobody need listen.
	if _, err := (Options{}).readSecret(write(t, "t", "x"), 1); err != nil {
		t.Error(err)
	}
}
