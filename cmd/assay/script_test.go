package main

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"assay/artifact"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"assay": main, "bareget": bareGet, "publisher": publisherMain})
}

// TestScript runs testdata/script/*.txtar. Beside testscript's own commands
// there are `exits CODE COMMAND…`, which runs a command and wants its exit
// code; `userconfig LINE…`, which writes the user's configuration, and
// `configure FILE…`, which does so from files; `damage FILE`, which spoils the
// cache's copy; `rested DAYS`, after which nothing in the cache was used for so
// long; `spoil receipt TARGET`, which spoils what is remembered of a target; and
// `repo`, `signed`, `site` and `pack`, which repo_script_test.go, signed_script_test.go,
// site_script_test.go and dist_script_test.go explain. Each script has a home of its own, and no
// network but loopback.
func TestScript(t *testing.T) {
	cmds := map[string]func(*testscript.TestScript, bool, []string){
		"exits":      exitsCommand,
		"repo":       repoCommand,
		"rested":     restedCommand,
		"signed":     signedCommand,
		"site":       siteCommand,
		"pack":       packCommand,
		"configure":  configureCommand,
		"dist":       distCommand,
		"damage":     damageCommand,
		"spoil":      spoilCommand,
		"userconfig": userConfig,
	}
	maps.Copy(cmds, systemCommands())
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			env.Setenv("HOME", home)
			env.Setenv("XDG_CONFIG_HOME", filepath.Join(home, "config"))
			env.Setenv("XDG_CACHE_HOME", filepath.Join(home, "cache"))
			env.Setenv("XDG_STATE_HOME", filepath.Join(home, "state"))
			env.Setenv("XDG_DATA_HOME", filepath.Join(home, "data"))
			env.Setenv("XDG_BIN_HOME", filepath.Join(home, "bin"))
			env.Setenv("DATA", filepath.Join(home, "data", "assay"))
			env.Setenv("BIN", filepath.Join(home, "bin"))
			env.Setenv("STATE", filepath.Join(home, "state", "assay"))
			env.Setenv("CACHE", filepath.Join(home, "cache", "assay"))
			// The samples are scripts of a shell, which the others run as well.
			if artifact.Host().String() != "linux/amd64" {
				env.Setenv("ASSAY_PLATFORM", "linux/amd64")
			}
			// A program built with -race waits a second at its exit, each time.
			env.Setenv("GORACE", "atexit_sleep_ms=0")
			// Whoever tests behind a proxy must not have loopback go through it.
			for _, name := range []string{"http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"} {
				env.Setenv(name, "")
			}
			return os.MkdirAll(home, 0o700)
		},
		Cmds: cmds,
	})
}

// exitsCommand runs a command and compares its exit code; stdout and stderr can then
// be matched as after exec.
func exitsCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		var exit *exec.ExitError
		if !errors.As(err, &exit) {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("%s: exit code %d, want %d", strings.Join(args[1:], " "), got, want)
	}
}

// userConfig writes its arguments, one a line, to the user's configuration.
func userConfig(ts *testscript.TestScript, neg bool, args []string) {
	dir := filepath.Join(ts.Getenv("XDG_CONFIG_HOME"), "assay")
	ts.Check(os.MkdirAll(dir, 0o700))
	ts.Check(os.WriteFile(filepath.Join(dir, "config.toml"), []byte(strings.Join(args, "\n")+"\n"), 0o600))
}
