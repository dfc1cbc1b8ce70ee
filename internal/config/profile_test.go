package config

import (
	"errors"
	"strings"
	"testing"

	"assay/trust/provenance"
)

// The public-good instance needs no declaration; one of a file wins over it.
func TestBuiltInProfile(t *testing.T) {
	_, options := tree(t, map[string]string{"home/assay/config.toml": "[repositories.acme]\nprofiles = ['public-good']\n"})
	c, err := Load(options)
	if err != nil {
		t.Fatal(err)
	}
	p, ok := c.Profile("public-good")
	if !ok || p.Kind != provenance.PublicGood || p.Repository != "sigstore" || p.Target != "trusted_root.json" {
		t.Errorf("found %+v", p)
	}
	_, options = tree(t, map[string]string{"home/assay/config.toml": "[profiles.public-good]\nkind = 'public-good'\ntrusted_root = 'root.json'\n"})
	if c, err = Load(options); err != nil {
		t.Fatal(err)
	}
	if p, _ := c.Profile("public-good"); p.Repository != "" || p.TrustedRoot == "" || len(c.Profiles) != 1 {
		t.Errorf("expected the declared one, found %+v", c.Profiles)
	}
}

// Only a project's rules are marked as guests.
func TestGuests(t *testing.T) {
	_, options := tree(t, map[string]string{"etc/config.toml": rule, "home/assay/config.toml": rule, "work/assay.toml": rule})
	c, err := Load(options)
	if err != nil || len(c.Rules) != 3 {
		t.Fatalf("found %v", err)
	}
	for i, want := range []bool{false, false, true} {
		if c.Rules[i].Guest != want {
			t.Errorf("rule %d of %s: found %v", i, c.Rules[i].Origin, c.Rules[i].Guest)
		}
	}
}

// A project's file must not keep the program busy before it does anything.
func TestManyPatterns(t *testing.T) {
	list := strings.Repeat("'https://git.example/x',", 250)
	text := "[[policy]]\nsource = [" + list + "]\nref = [" + list + "]\nbuilder = [" + list + "]\n"
	_, options := tree(t, map[string]string{"work/assay.toml": text + "[[policy]]\nsource = [" + list + "]\n"})
	var wrong *Error
	if _, err := Load(options); !errors.As(err, &wrong) || !strings.Contains(err.Error(), "expected at most 1000 names and patterns in a file's rules, found 1006") {
		t.Errorf("found %v", err)
	}
}
