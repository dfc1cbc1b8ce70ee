package config

import (
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const agreement = "[[agreement]]\npaths = ['hello/**']\nrepositories = ['acme', 'approvals']\n"

func TestAgreementsInOrder(t *testing.T) {
	dir, options := tree(t, map[string]string{
		"etc/config.toml":        agreement,
		"etc/conf.d/10.toml":     "# more\nagreement = [{paths = ['a/*', 'b/**'], repositories = ['x', 'y', 'z'], threshold = 2, terminating = false}]\n",
		"home/assay/config.toml": "offline = false\n" + agreement + "threshold = 1\n",
	})
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	var got []Agreement
	for _, a := range c.Agreements {
		a.Origin, a.lines = Origin{}, nil
		got = append(got, a)
	}
	want := []Agreement{
		{Paths: []string{"hello/**"}, Repositories: []string{"acme", "approvals"}, Threshold: 2, Terminating: true},
		{Paths: []string{"a/*", "b/**"}, Repositories: []string{"x", "y", "z"}, Threshold: 2},
		{Paths: []string{"hello/**"}, Repositories: []string{"acme", "approvals"}, Threshold: 1, Terminating: true},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("expected %+v, found %+v", want, got)
	}
	for key, want := range map[string]string{
		"agreement.1.paths":        "hello/** etc/config.toml:2",
		"agreement.1.threshold":    "2 etc/config.toml:2", // a default, from where the agreement stands
		"agreement.1.terminating":  "true etc/config.toml:2",
		"agreement.2.repositories": "x, y, z etc/conf.d/10.toml:2",
		"agreement.2.terminating":  "false etc/conf.d/10.toml:2",
		"agreement.3.threshold":    "1 home/assay/config.toml:5",
	} {
		v := value(t, c, key)
		if rel, _ := filepath.Rel(dir, v.Origin.String()); v.Value+" "+rel != want || v.Locked {
			t.Errorf("%s: expected %s, found %s %s, locked %v", key, want, v.Value, rel, v.Locked)
		}
	}
}

func TestAgreementsThatCannotBe(t *testing.T) {
	for name, test := range map[string]struct {
		file, text string
		kind       error
		says       []string
	}{
		"in a project":            {"work/assay.toml", agreement, ErrProject, []string{"assay.toml:2", "agreement: a project's file cannot add trust"}},
		"in a project, empty":     {"work/assay.toml", "[[agreement]]\n", ErrProject, []string{"assay.toml:1"}},
		"in a project, as a list": {"work/assay.toml", "agreement = []\n", ErrProject, []string{"assay.toml:1"}},
		"a misspelt key":          {"home/assay/config.toml", agreement + "treshold = 1\n", ErrUnknown, []string{"config.toml:4", "threshold"}},
		"a misspelt table":        {"home/assay/config.toml", "[[agreements]]\npaths = ['a']\n", ErrUnknown, []string{"config.toml:"}},
		"a table for a list":      {"home/assay/config.toml", "# one\n[agreement]\npaths = ['a']\nrepositories = ['x']\n", ErrValue, []string{"config.toml:3: agreement: ", "write [[agreement]], not [agreement]"}},
		"threshold 0":             {"home/assay/config.toml", agreement + "threshold = 0\n", ErrValue, []string{"config.toml:4: agreement.1.threshold: expected 1 to 2", "found 0"}},
		"threshold above":         {"etc/config.toml", agreement + agreement + "threshold = 3\n", ErrValue, []string{"config.toml:7: agreement.2.threshold", "found 3"}},
		"no paths":                {"home/assay/config.toml", "[[agreement]]\nrepositories = ['a']\n", ErrValue, []string{"config.toml:2: agreement.1.paths: expected 1 to 256 patterns, found 0"}},
		"no repositories":         {"home/assay/config.toml", "[[agreement]]\npaths = ['a']\n", ErrValue, []string{"agreement.1.repositories", "found 0"}},
		"the same twice":          {"home/assay/config.toml", "[[agreement]]\npaths = ['a']\nrepositories = ['x', 'x']\n", ErrValue, []string{"config.toml:3: agreement.1.repositories", `"x" twice`}},
		"no name":                 {"home/assay/config.toml", "[[agreement]]\npaths = ['a']\nrepositories = ['X']\n", ErrValue, []string{"config.toml:3"}},
		"a star for everything":   {"home/assay/config.toml", "[[agreement]]\npaths = ['*']\nrepositories = ['x']\n", ErrValue, []string{"config.toml:2: agreement.1.paths", `expected "**" for everything`}},
		"stars in the middle":     {"home/assay/config.toml", "[[agreement]]\npaths = ['a/**/b']\nrepositories = ['x']\n", ErrValue, []string{"alone, or as the last segment"}},
		"a bad pattern":           {"home/assay/config.toml", "[[agreement]]\npaths = ['a[']\nrepositories = ['x']\n", ErrValue, []string{"config.toml:2"}},
		"an absolute path":        {"home/assay/config.toml", "[[agreement]]\npaths = ['/a']\nrepositories = ['x']\n", ErrValue, []string{"clean relative path"}},
		"a path upward":           {"home/assay/config.toml", "[[agreement]]\npaths = ['a/../b']\nrepositories = ['x']\n", ErrValue, []string{"clean relative path"}},
		"a path in place":         {"home/assay/config.toml", "[[agreement]]\npaths = ['a/./b']\nrepositories = ['x']\n", ErrValue, []string{"clean relative path"}},
		"too many paths":          {"home/assay/config.toml", "[[agreement]]\npaths = [" + strings.Repeat("'a',", maxAgreementPaths+1) + "]\nrepositories = ['x']\n", ErrValue, []string{"expected 1 to 256 patterns, found 257"}},
		"too many repositories":   {"home/assay/config.toml", "[[agreement]]\npaths = ['a']\nrepositories = [" + strings.Repeat("'a',", maxAgreementNames+1) + "]\n", ErrValue, []string{"expected 1 to 16 names, found 17"}},
		"too many":                {"home/assay/config.toml", strings.Repeat(agreement, maxAgreements+1), ErrValue, []string{"at most 256"}},
	} {
		_, options := tree(t, map[string]string{test.file: test.text})
		c, err := Load(options)
		if c != nil || !errors.Is(err, ErrConfig) || test.kind != nil && !errors.Is(err, test.kind) {
			t.Errorf("%s: expected %v, found %v", name, test.kind, err)
			continue
		}
		for _, part := range test.says {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: expected %q in %q", name, part, err)
			}
		}
	}
}

// Where the system locks agreements, nobody adds one: one more could let in what
// an open one of the system's keeps out.
func TestAgreementsLocked(t *testing.T) {
	_, options := tree(t, map[string]string{
		"etc/config.toml":        "locked = ['agreement']\n" + agreement,
		"etc/conf.d/10.toml":     agreement,
		"home/assay/config.toml": "offline = false\n",
	})
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	if v := value(t, c, "agreement.2.paths"); len(c.Agreements) != 2 || !v.Locked {
		t.Errorf("expected two locked agreements, found %d, locked %v", len(c.Agreements), v.Locked)
	}
	dir, options := tree(t, map[string]string{
		"etc/config.toml":        "locked = ['agreement']\n",
		"home/assay/config.toml": agreement,
	})
	_, err = Load(options)
	if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "locked by "+filepath.Join(dir, "etc/config.toml")+":1") {
		t.Errorf("expected %v, found %v", ErrLocked, err)
	}
}
