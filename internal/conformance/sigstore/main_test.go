package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestCommandLine(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"verify-bundle --bundle B --certificate-identity I --certificate-oidc-issuer U F":                  "",
		"verify-bundle --staging --bundle B --certificate-identity I --certificate-oidc-issuer U F":        "",
		"verify-bundle --bundle B --certificate-identity I --certificate-oidc-issuer U --trusted-root T F": "",
		"verify-bundle --bundle B --key K --trusted-root T sha256:00":                                      "",
		"":                                                       `expected verify-bundle, found ""`,
		"sign-bundle --bundle B F":                               `expected verify-bundle, found "sign-bundle"`,
		"verify-bundle --key K F":                                "needs --bundle",
		"verify-bundle --bundle B F":                             "or --key",
		"verify-bundle --bundle= --key K F":                      "needs --bundle",
		"verify-bundle --bundle B --key K":                       "expected one file or digest, found 0",
		"verify-bundle --bundle B --key K F G":                   "expected one file or digest, found 2",
		"verify-bundle --bundle B --key K F --staging":           "expected one file or digest, found 2",
		"verify-bundle --bundle B --certificate-identity I F":    "or --key",
		"verify-bundle --bundle B --certificate-oidc-issuer U F": "or --key",
		"verify-bundle --bundle B --key K --certificate-identity I --certificate-oidc-issuer U F": "found both",
		"verify-bundle --bundle B --key K --certificate-identity I F":                             "found both",
		"verify-bundle --bundle B --key K --offline F":                                            "not defined: -offline",
	} {
		o, err := parse(strings.Fields(line))
		if want == "" {
			if err != nil || o.bundle != "B" || o.artifact == "" {
				t.Errorf("%s: expected success, found %+v, %v", line, o, err)
			}
			continue
		}
		if !errors.Is(err, errUsage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: expected %q, found %v", line, want, err)
		}
	}
}

func TestMessagesAreBoundedAndHarmless(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	args := []string{"verify-bundle", "--bundle", os.DevNull, "--key", "\x1b[2J\n" + strings.Repeat("x", 1<<20), "F"}
	if code := run(args, os.Getenv, &stderr); code != 1 {
		t.Errorf("expected exit code 1, found %d", code)
	}
	if stderr.Len() > maxMessage+20 || strings.ContainsRune(stderr.String(), '\x1b') || strings.Count(stderr.String(), "\n") != 1 {
		t.Errorf("found %d bytes, %.60q", stderr.Len(), stderr.String())
	}
}
