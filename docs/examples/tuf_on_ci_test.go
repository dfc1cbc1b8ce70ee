package examples_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// tuf-on-ci without a forge: a bare repository stands for it, and what its workflows run
// is run here. The signers' half is installed as python-tuf is; the repository's half is
// no package, and comes from a checkout of tuf-on-ci, named by TUF_ON_CI.
func TestTUFOnCI(t *testing.T) {
	t.Parallel()
	p := newPlace(t)
	p.python(tufOnCI)
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("git is not here")
	}
	p.signers()
	p.runs("clone", "tuf-on-ci/release.sh", "init")
	p.delegates("channel-stable", "hello")

	checkout := os.Getenv("TUF_ON_CI")
	if checkout == "" {
		t.Skip("went as far as the roles and their paths: TUF_ON_CI, a checkout of tuf-on-ci, has the half that publishes")
	}
	p.workflows(checkout)
	p.event("sign/init")
	for _, step := range []struct {
		part, event string
		then        func()
	}{
		{"first", "sign/hello-1.0.0", p.begins},
		{"next", "sign/hello-1.1.0", p.follows},
		{"revoke", "sign/revoke-hello-1.1.0", p.withdraws},
	} {
		p.runs("clone", "tuf-on-ci/release.sh", step.part)
		p.env = append(p.env, "EVENT="+step.event)
		p.runs("ci", "tuf-on-ci/ci.sh", "event") // lists what changed in the roles
		p.runs("clone", "tuf-on-ci/release.sh", "sign")
		p.event(step.event)
		step.then()
	}
}

// event lets a signing event be judged, merged and published; who is not content ends it.
func (p *place) event(name string) {
	p.t.Helper()
	p.env = append(p.env, "EVENT="+name)
	for _, part := range []string{"event", "merge", "publish"} {
		p.runs("ci", "tuf-on-ci/ci.sh", part)
	}
}

// signers makes the repository that stands for the forge, a signer's clone of it with the
// configuration of the example, and the signer's tools with keys in files.
func (p *place) signers() {
	p.t.Helper()
	stand, err := filepath.Abs("tuf-on-ci/testdata/signer.py")
	must(p.t, err)
	keys := filepath.Join(p.dir, "keys")
	must(p.t, os.Mkdir(keys, 0o700))
	for _, tool := range []string{"delegate", "sign"} {
		p.tool("tuf-on-ci-"+tool, "exec python3 "+stand+" "+keys+" "+tool+` "$@"`)
	}
	settings := "[user]\n\tname = Release\n\temail = release@hello.example\n[init]\n\tdefaultBranch = main\n"
	must(p.t, os.WriteFile(filepath.Join(p.home, ".gitconfig"), []byte(settings), 0o600))
	for _, line := range [][]string{
		{"git", "init", "--quiet", "--bare", "forge.git"},
		{"git", "clone", "--quiet", "forge.git", "clone"},
		{"git", "-C", "clone", "commit", "--quiet", "--allow-empty", "-m", "begin"},
		{"git", "-C", "clone", "push", "--quiet", "origin", "HEAD:main"},
		{"git", "clone", "--quiet", "forge.git", "ci"},
		{"ln", "-s", "../files", "clone/files"},
	} {
		if out, err := p.command("", line...); err != nil {
			p.t.Fatalf("%v: %v\n%s", line, err, out)
		}
	}
	config, err := os.ReadFile("tuf-on-ci/tuf-on-ci-sign.ini")
	must(p.t, err)
	config = append(config, "pykcs11lib = none\n"...) // there is no token
	must(p.t, os.WriteFile(filepath.Join(p.dir, "clone", ".tuf-on-ci-sign.ini"), config, 0o600))
}

// workflows makes the commands of tuf-on-ci's repository half.
func (p *place) workflows(checkout string) {
	p.t.Helper()
	for tool, function := range map[string]string{
		"update-targets": "update_targets", "status": "status", "online-sign": "online_sign", "build-repository": "build_repository",
	} {
		p.tool("tuf-on-ci-"+tool, "PYTHONPATH='"+filepath.Join(checkout, "repo", "src")+
			"' exec python3 -c 'from tuf_on_ci import "+function+"; "+function+`()' "$@"`)
	}
}

// delegates wants the roles that tuf-on-ci made to have the paths that the page tells.
func (p *place) delegates(roles ...string) {
	p.t.Helper()
	out, err := p.command("clone", "git", "show", "origin/sign/init:metadata/targets.json")
	must(p.t, err)
	var targets struct {
		Signed struct {
			Delegations struct {
				Roles []struct {
					Name        string
					Paths       []string
					Terminating bool
				}
			}
		}
	}
	must(p.t, json.Unmarshal([]byte(out), &targets))
	found := targets.Signed.Delegations.Roles
	if len(found) != len(roles) {
		p.t.Fatalf("expected the roles %v, found %+v", roles, found)
	}
	for i, role := range roles {
		want := []string{role + "/*", role + "/*/*", role + "/*/*/*", role + "/*/*/*/*"}
		if found[i].Name != role || !found[i].Terminating || !slices.Equal(found[i].Paths, want) {
			p.t.Errorf("expected role %s to end the search for %v, found %+v", role, want, found[i])
		}
	}
}
