package assay

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// How a release is built is written in goreleaser.yaml, which nothing runs between two
// releases but `make release-check`. These tests hold it to the tree meanwhile.

func recipe(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	// What is only said about it does not count.
	return regexp.MustCompile(`(?m)^\s*#.*$`).ReplaceAllString(string(data), "")
}

// TestRecipeNamesFilesThatExist covers sources of contents, scripts, container files and
// hooks. What packaging/prepare.sh makes is looked up in that script.
func TestRecipeNamesFilesThatExist(t *testing.T) {
	prepare, err := os.ReadFile("packaging/prepare.sh")
	if err != nil {
		t.Fatal(err)
	}
	text := recipe(t)
	var named []string
	for _, found := range regexp.MustCompile(`(?:src|postinstall|preremove|postremove|dockerfile): "?([^\s",}]+)`).FindAllStringSubmatch(text, -1) {
		named = append(named, found[1])
	}
	named = append(named, regexp.MustCompile(`packaging/[\w./-]+`).FindAllString(text, -1)...)
	if len(named) < 30 {
		t.Fatalf("expected some forty files to be named, found %q", named)
	}
	for _, name := range named {
		if made, ok := strings.CutPrefix(name, "bin/release/"); ok {
			first, _, _ := strings.Cut(made, "/")
			if !strings.Contains(string(prepare), "$out/"+first) {
				t.Errorf("goreleaser.yaml names %s, which packaging/prepare.sh does not make", name)
			}
			continue
		}
		if found, err := filepath.Glob(name); err != nil || len(found) == 0 {
			t.Errorf("goreleaser.yaml names %s, which is not in the tree", name)
		}
	}
}

// TestRecipeSetsVariablesThatExist: the linker says nothing about one that does not.
func TestRecipeSetsVariablesThatExist(t *testing.T) {
	source, err := os.ReadFile("internal/version/version.go")
	if err != nil {
		t.Fatal(err)
	}
	set := regexp.MustCompile(`-X assay/internal/version\.(\w+)=`).FindAllStringSubmatch(recipe(t), -1)
	if len(set) != 3 {
		t.Fatalf("expected three variables to be set, found %q", set)
	}
	for _, one := range set {
		if !regexp.MustCompile(`(?m)^\s+` + one[1] + `\s+string`).Match(source) {
			t.Errorf("goreleaser.yaml sets %s, which internal/version does not have", one[1])
		}
	}
}

// TestPackageFitsItsUnit: the unit starts what the package installs, with the configuration
// that the package has, as the user whom it makes.
func TestPackageFitsItsUnit(t *testing.T) {
	unit, err := os.ReadFile("packaging/systemd/assay-mirror.service")
	if err != nil {
		t.Fatal(err)
	}
	text := recipe(t)
	start := regexp.MustCompile(`(?m)^ExecStart=(\S+)/assay mirror serve --config (\S+)$`).FindSubmatch(unit)
	if start == nil {
		t.Fatal("the unit has no ExecStart= of the form that is expected here")
	}
	for _, want := range []string{"bindir: " + string(start[1]) + "\n", "dst: " + string(start[2]) + ", type: config|noreplace}"} {
		if !strings.Contains(text, want) {
			t.Errorf("expected goreleaser.yaml to have %q, as the unit asks for it", want)
		}
	}
	user := regexp.MustCompile(`(?m)^User=(\S+)$`).FindSubmatch(unit)
	for _, file := range []string{"packaging/systemd/assay-mirror.sysusers", "packaging/deb/postinst", "packaging/rpm/post", "packaging/apk/post-install"} {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if user == nil || !strings.Contains(string(data), string(user[1])) {
			t.Errorf("%s: expected the unit's user %s", file, user)
		}
	}
}

func TestScriptsParse(t *testing.T) {
	shell, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash here")
	}
	var scripts []string
	for _, pattern := range []string{"packaging/*.sh", "packaging/check/*.sh", "packaging/deb/p*", "packaging/rpm/*", "packaging/apk/*"} {
		found, err := filepath.Glob(pattern)
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: no scripts, %v", pattern, err)
		}
		scripts = append(scripts, found...)
	}
	for _, script := range slices.Compact(scripts) {
		if says, err := exec.Command(shell, "-n", script).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", script, err, says)
		}
	}
}

// TestSign runs packaging/sign.sh with a cosign that tells what it was asked.
func TestSign(t *testing.T) {
	shell, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh here")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "cosign"), []byte("#!/bin/sh\necho cosign \"$@\"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		env  []string
		code int
		want string
	}{
		{nil, 2, "expected one of ASSAY_SIGN_KEY and ASSAY_SIGN_KEYLESS to be set"},
		{[]string{"ASSAY_SIGN_KEY=k", "ASSAY_SIGN_KEYLESS=1"}, 2, "expected one of ASSAY_SIGN_KEY and ASSAY_SIGN_KEYLESS to be set"},
		{[]string{"ASSAY_SIGN_KEY=a key"}, 0, "cosign sign-blob --yes --key a key --bundle sums.sigstore.json sums\n"},
		{[]string{"ASSAY_SIGN_KEYLESS=1"}, 0, "cosign sign-blob --yes --bundle sums.sigstore.json sums\n"},
	} {
		run := exec.Command(shell, "packaging/sign.sh", "sums", "sums.sigstore.json")
		run.Env = append(c.env, "PATH="+dir+string(os.PathListSeparator)+os.Getenv("PATH"))
		says, err := run.CombinedOutput()
		if code := run.ProcessState.ExitCode(); code != c.code || !strings.Contains(string(says), c.want) {
			t.Errorf("%q: expected exit %d and %q, found %d, %q, %v", c.env, c.code, c.want, code, says, err)
		}
	}
}
