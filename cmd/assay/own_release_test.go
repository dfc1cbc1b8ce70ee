package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"assay/artifact"
)

// TestOwnRelease runs testdata/own/*.txtar on a release of assay itself: DIST is the
// folder that goreleaser really wrote, of which DRAFTED is a tree of targets; VERSION is
// the one that it has. `make release-check` makes both.
func TestOwnRelease(t *testing.T) {
	dist, drafted := os.Getenv("ASSAY_OWN_DIST"), os.Getenv("ASSAY_OWN_DRAFT")
	if dist == "" || drafted == "" {
		t.Skip("ASSAY_OWN_DIST and ASSAY_OWN_DRAFT name no release: make release-check sets them")
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "own"),
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			home := filepath.Join(env.WorkDir, "home")
			host := artifact.Host()
			for name, value := range map[string]string{
				"HOME": home, "BIN": filepath.Join(home, ".local", "bin"),
				"DIST": dist, "DRAFTED": drafted, "VERSION": os.Getenv("ASSAY_OWN_VERSION"), "HOST": host.OS + "_" + host.Arch,
				// Whoever tests behind a proxy must not have loopback go through it.
				"http_proxy": "", "https_proxy": "", "HTTP_PROXY": "", "HTTPS_PROXY": "",
			} {
				env.Setenv(name, value)
			}
			return os.MkdirAll(home, 0o700)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"dist": distCommand, "repo": repoCommand},
	})
}
