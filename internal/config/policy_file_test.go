package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"assay/trust/policy"
)

const builders = "[[builders]]\nbuilder = 'b'\nsigner = {" + key + "}\nlevel = 2\n"

// The rules of the file stand behind those that there are, whose configuration
// stays what it was. A lock is of no matter: nothing is changed.
func TestWithPolicyFile(t *testing.T) {
	dir, options := tree(t, map[string]string{
		"etc/config.toml": "locked = ['policy', 'builders']\n" + rule + builders,
		"try.toml":        "# tried\n" + builders + "[[policy]]\nproduct = 'hello'\nslsa_level = 2\n",
	})
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "try.toml")
	tried, err := c.WithPolicyFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(tried.Rules) != 2 || len(tried.Builders) != 2 || len(c.Rules) != 1 || len(c.Builders) != 1 {
		t.Fatalf("found %d rules and %d builders tried, %d and %d configured", len(tried.Rules), len(tried.Builders), len(c.Rules), len(c.Builders))
	}
	if got := tried.Rules[1].OriginOf("slsa_level").String(); got != path+":8" {
		t.Errorf("expected %s:8, found %s", path, got)
	}
	if got := value(t, tried, RuleName(1)+".slsa_level"); got.Value != "2" || got.Origin.Line != 8 {
		t.Errorf("found %+v", got)
	}
	for _, v := range c.Values() {
		if strings.HasPrefix(v.Key, "policy.2") || strings.HasPrefix(v.Key, "builders.2") {
			t.Errorf("the configuration itself says %s now", v.Key)
		}
	}
	before, err := c.Policy()
	if err != nil {
		t.Fatal(err)
	}
	after, err := tried.Policy()
	if err != nil {
		t.Fatal(err)
	}
	if before.Digest() == after.Digest() || len(after.Match("r", "hello", "stable")) != 2 || len(before.Match("r", "hello", "stable")) != 1 {
		t.Error("expected one rule more for hello, and another policy")
	}
}

// A file with a project's name is tried as a project's: its rules are a guest's,
// and it may say no more than such a file.
func TestProjectAsPolicyFile(t *testing.T) {
	const tools = "[tools]\nhello = '^1.4'\n"
	dir, options := tree(t, map[string]string{
		"other/assay.toml": tools + rule, "other/rules.toml": rule, "builder/assay.toml": builders, "limits/assay.toml": "[limits]\n",
		"tools/assay.toml": "[tools]\nhello = '@'\n", "tools/rules.toml": tools, "misspelt/assay.toml": "[[polices]]\n",
	})
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	for path, guest := range map[string]bool{"other/assay.toml": true, "other/rules.toml": false} {
		tried, err := c.WithPolicyFile(filepath.Join(dir, filepath.FromSlash(path)))
		if err != nil {
			t.Fatal(err)
		}
		if r := tried.Rules[0]; len(tried.Rules) != 1 || r.Guest != guest || (r.Origin.Kind == Project) != guest || len(tried.Tools) != 0 {
			t.Errorf("%s: expected a guest's rule: %t, found %+v", path, guest, tried.Rules)
		}
	}
	for path, want := range map[string]error{
		"builder/assay.toml": ErrProject, "limits/assay.toml": ErrProject, "tools/assay.toml": ErrValue, "tools/rules.toml": ErrUnknown, "misspelt/assay.toml": ErrUnknown,
	} {
		if _, err := c.WithPolicyFile(filepath.Join(dir, filepath.FromSlash(path))); !errors.Is(err, want) {
			t.Errorf("%s: expected %v, found %v", path, want, err)
		}
	}
}

func TestPolicyFilesThatCannotBe(t *testing.T) {
	for name, test := range map[string]struct {
		text string
		kind error
		says []string
	}{
		"a misspelt key":     {"[[policy]]\nrequire = ['sbom']\ntreshold = 1\n", ErrUnknown, []string{"try.toml:3", `"policy.threshold"`}},
		"a misspelt table":   {"# one\n[[polices]]\n", ErrUnknown, []string{"try.toml:2", `"policy"`}},
		"other tables":       {"[profiles.p]\nkind = 'key'\n", ErrUnknown, []string{"try.toml:1"}},
		"other keys":         {"offline = true\n", ErrUnknown, []string{"try.toml:1"}},
		"one table":          {"[policy]\nrequire = ['sbom']\n", ErrValue, []string{"try.toml:2", "write [[policy]]"}},
		"no TOML":            {"rules\n", nil, []string{"try.toml:1"}},
		"nothing asked":      {"[[policy]]\nproduct = 'hello'\n", ErrValue, []string{"try.toml:2: policy.2: expected something"}},
		"an unknown profile": {"[[policy]]\nsigners = [{" + key + ", profile = 'q'}]\n", ErrUnknown, []string{"try.toml:2: policy.2.signers.0.profile", `did you mean "p"?`}},
		"a bad builder":      {strings.Replace(builders, "level = 2", "level = 9", 1), ErrValue, []string{"try.toml:4: builders.1.level"}},
		"too many rules":     {strings.Repeat(rule, policy.MaxRules), ErrValue, []string{"policy.257: expected at most 256 rules in all"}},
		"too large":          {strings.Repeat("#", maxFile+1), nil, []string{"try.toml", "expected at most 1048576 bytes"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir, options := tree(t, map[string]string{
				"home/assay/config.toml": "[profiles.p]\nkind = 'key'\nkeys = ['a.pem']\n" + rule,
				"try.toml":               test.text,
			})
			c, err := Load(options)
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.WithPolicyFile(filepath.Join(dir, "try.toml"))
			if !errors.Is(err, ErrConfig) || test.kind != nil && !errors.Is(err, test.kind) {
				t.Fatalf("found %v", err)
			}
			for _, want := range test.says {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("expected %q in %v", want, err)
				}
			}
		})
	}
	_, options := tree(t, nil)
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.WithPolicyFile(filepath.Join(t.TempDir(), "none.toml")); !errors.Is(err, ErrConfig) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("expected that there is no file, found %v", err)
	}
}
