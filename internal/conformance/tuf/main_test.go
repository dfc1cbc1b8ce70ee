package main

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
)

func TestCommandLine(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"--metadata-dir D init ROOT":                "",
		"--metadata-dir D --metadata-url U refresh": "",
		"-metadata-url=U --metadata-dir=D refresh":  "",
		"":                          "expected init, refresh or download",
		"update":                    `found "update"`,
		"init ROOT":                 "init needs --metadata-dir",
		"--metadata-dir D init":     "init takes one file, found 0",
		"--metadata-dir D init A B": "init takes one file, found 2",
		"--metadata-dir D refresh":  "refresh needs --metadata-url",
		"--metadata-dir D --metadata-url U refresh x":                                                    `refresh takes no arguments, found "x"`,
		"--metadata-dir D --metadata-url U init R":                                                       "init takes no --metadata-url",
		"--metadata-dir D --metadata-url U download":                                                     "download needs --target-dir",
		"--metadata-dir D --metadata-uri U refresh":                                                      "not defined: -metadata-uri",
		"--metadata-dir D refresh --metadata-url U":                                                      "refresh needs --metadata-url",
		"--target-name P --metadata-dir D init R":                                                        "init takes no --target-name",
		"--metadata-dir D --target-dir T --target-base-url B --metadata-url U download":                  "download needs --target-name",
		"--metadata-dir D --target-dir T --target-base-url B --metadata-url U --target-name -x download": "",
	} {
		o, err := parse(strings.Fields(line))
		if want == "" {
			if err != nil || o.metadataDir != "D" {
				t.Errorf("%s: expected success, found %v", line, err)
			}
			continue
		}
		if !errors.Is(err, errUsage) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: expected %q, found %v", line, want, err)
		}
	}
}

func TestTargetNamesKeepOrderAndCommas(t *testing.T) {
	t.Parallel()
	o, err := parse([]string{
		"--metadata-dir", "D", "--target-dir", "T", "--target-base-url", "B", "--metadata-url", "U",
		"--target-name", "b,c", "--target-name", "a b", "--target-name", "b,c", "download",
	})
	must(t, err)
	if strings.Join(o.targets, "|") != "b,c|a b|b,c" {
		t.Errorf("found %q", o.targets)
	}
}

func TestMessagesAreBoundedAndHarmless(t *testing.T) {
	t.Parallel()
	var stderr bytes.Buffer
	if code := run(t.Context(), []string{"--metadata-dir", os.DevNull, "init", "\x1b[2J" + strings.Repeat("x", 1<<20)}, &stderr); code != 1 {
		t.Errorf("expected exit code 1, found %d", code)
	}
	if stderr.Len() > maxMessage+20 || strings.ContainsRune(stderr.String(), '\x1b') {
		t.Errorf("found %d bytes, %.60q", stderr.Len(), stderr.String())
	}
}
