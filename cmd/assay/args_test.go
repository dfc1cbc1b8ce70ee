package main

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/urfave/cli/v2"
)

// sampleTree has each kind of flag, and a command below a command.
func sampleTree(ran func(*cli.Context)) *cli.Command {
	action := func(c *cli.Context) error { ran(c); return nil }
	return &cli.Command{Name: "assay", Flags: sharedFlags(), Subcommands: []*cli.Command{
		{Name: "get", Action: action, Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}},
			&cli.BoolFlag{Name: "dry-run"},
			&cli.StringSliceFlag{Name: "tag"},
		}},
		{Name: "trust", Subcommands: []*cli.Command{{Name: "add", Action: action, Flags: []cli.Flag{&cli.Int64Flag{Name: "number", Value: 1}}}}},
	}}
}

func TestFlagsAnywhere(t *testing.T) {
	for _, line := range []string{
		"--json --offline get hello -o - --dry-run --platform=linux/amd64",
		"get --json hello --offline -o - --platform linux/amd64 --dry-run",
		"get hello --dry-run --output=- --json --platform linux/amd64 --offline",
		"--platform linux/amd64 get -o=- --dry-run=true --json=true --offline -- hello",
		"--platform linux/386 get -o=x --dry-run=false --json --offline --platform linux/amd64 -o - --dry-run hello",
	} {
		ran := false
		tree := sampleTree(func(c *cli.Context) {
			ran = true
			if !c.Bool(flagJSON) || !c.Bool(flagOffline) || !c.Bool("dry-run") || c.Bool(flagQuiet) ||
				c.String("output") != "-" || c.String(flagPlatform) != "linux/amd64" || !c.IsSet(flagPlatform) {
				t.Errorf("%s: flags were lost", line)
			}
			if got := c.Args().Slice(); !slices.Equal(got, []string{"hello"}) {
				t.Errorf("%s: arguments %q", line, got)
			}
		})
		if err := runTree(tree, strings.Fields(line)); err != nil || !ran {
			t.Errorf("%s: ran %v, %v", line, ran, err)
		}
	}
}

// runTree parses and runs a line in a tree of its own.
func runTree(tree *cli.Command, args []string) error {
	var sink bytes.Buffer
	a := &app{tree: tree, out: newPrinter(&sink, &sink, printSettings{})}
	line, err := parseLine(tree, args)
	if err != nil {
		return err
	}
	return a.execute(context.Background(), line)
}

func TestAfterDashesNothingIsAFlag(t *testing.T) {
	var got []string
	tree := sampleTree(func(c *cli.Context) { got = c.Args().Slice() })
	if err := runTree(tree, []string{"get", "a", "--", "--json", "-o", "--", "help"}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a", "--json", "-o", "--", "help"}; !slices.Equal(got, want) {
		t.Errorf("arguments %q, want %q", got, want)
	}
}

func TestCommasAreNotSplit(t *testing.T) {
	var got []string
	tree := sampleTree(func(c *cli.Context) { got = c.StringSlice("tag") })
	if err := runTree(tree, strings.Fields("get --tag a,b --tag c x")); err != nil {
		t.Fatal(err)
	}
	if want := []string{"a,b", "c"}; !slices.Equal(got, want) {
		t.Errorf("tags %q, want %q", got, want)
	}
}

func TestMistakesOnTheLine(t *testing.T) {
	for line, says := range map[string]string{
		"get hello --dryrun":          "--dry-run",
		"get hello --require-sig":     `no flag "--require-sig"`,
		"get --nosuch=secret hello":   `no flag "--nosuch"`,
		"get hello -x":                `no flag "-x"`,
		"get hello -json":             `no flag "-json"`,
		"get hello --o x":             `no flag "--o"`,
		"get hello -qo x":             `no flag "-qo"`,
		"--output x get hello":        `no flag "--output"`,
		"get hello -o":                "-o: expected a value",
		"get hello -o --json":         "-o: expected a value",
		"get hello --output=":         "--output: expected a value, found an empty one",
		"get hello --dry-run=maybe":   "true or false",
		"gte hello":                   "did you mean get",
		"trust ad":                    "did you mean add",
		"trust add --number many":     "many",
		"get hello --color sometimes": "auto, always or never",
	} {
		ran := false
		err := runTree(sampleTree(func(*cli.Context) { ran = true }), strings.Fields(line))
		if !errors.Is(err, errUsage) || ran {
			t.Errorf("%s: ran %v, %v, want errUsage", line, ran, err)
			continue
		}
		if !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %q does not say %q", line, err, says)
		}
	}
}

func TestParseLineKeepsWhatItUnderstood(t *testing.T) {
	line, err := parseLine(sampleTree(nil), strings.Fields("-q get --nothing --json"))
	if err == nil || !line.has(flagJSON) || !line.has(flagQuiet) {
		t.Errorf("%v, %v", maps.Clone(line.shared), err)
	}
}

func TestOperands(t *testing.T) {
	var got error
	tree := sampleTree(func(c *cli.Context) { _, got = operands(c, 1, 1) })
	for line, fine := range map[string]bool{"get a": true, "get": false, "get a b": false} {
		if err := runTree(tree, strings.Fields(line)); err != nil {
			t.Fatal(err)
		}
		if (got == nil) != fine || got != nil && (!errors.Is(got, errUsage) || !strings.Contains(got.Error(), "assay get")) {
			t.Errorf("%s: %v", line, got)
		}
	}
}

// TestHelpAnywhere shows that each way to ask for help prints it, on stdout, and
// that a mistake in it is one.
func TestHelpAnywhere(t *testing.T) {
	for line, want := range map[string]struct {
		code int
		head string
	}{
		"":                        {0, "assay - "},
		"--help":                  {0, "assay - "},
		"help":                    {0, "assay - "},
		"-h trust add":            {0, "assay trust add - "},
		"help trust add":          {0, "assay trust add - "},
		"trust help add":          {0, "assay trust add - "},
		"trust add acme --help":   {0, "assay trust add - "},
		"trust":                   {0, "assay trust - "},
		"--json help trust clock": {0, `{"schema":"assay.help/v1","command":"assay trust clock","help":"assay trust clock - `},
		"help nothing":            {2, ""},
		"trust help nothing":      {2, ""},
		"help --nothing":          {2, ""},
	} {
		var stdout, stderr bytes.Buffer
		code := run(t.Context(), strings.Fields(line), strings.NewReader(""), &stdout, &stderr, nil)
		if code != want.code || !strings.HasPrefix(stdout.String(), want.head) || (stdout.Len() == 0) != (code != 0) {
			t.Errorf("%q: exit code %d, stdout %.60q, stderr %q", line, code, stdout.String(), stderr.String())
		}
	}
}

func TestComplete(t *testing.T) {
	tree := sampleTree(nil)
	for words, want := range map[string]string{
		"":                    "get trust",
		"t":                   "trust",
		"trust ":              "add",
		"--json get --dr":     "--dry-run",
		"get --output ":       "",
		"get -o x --off":      "--offline",
		"trust add -- --js":   "",
		"--platform get tr":   "trust",
		"nothing --no-progre": "--no-progress",
		"--color ":            "auto always never",
		"--color=al":          "--color=always",
		"get -- --color=al":   "",
		"help ":               "get trust errors",
		"help errors 1":       "1 10 11 12 13 14 15 16 17 18 19 125 126 127 130 141 143",
		`trust ""`:            "add",
	} {
		var out bytes.Buffer
		(&app{tree: tree, stdout: &out}).complete(t.Context(), strings.Split(words, " "))
		if got := strings.Join(strings.Fields(out.String()), " "); got != want {
			t.Errorf("%q offers %q, want %q", words, got, want)
		}
	}
}

func TestHelpOfEveryCommand(t *testing.T) {
	a := &app{}
	tree := &cli.Command{Name: "assay", Usage: "for a test", Flags: sharedFlags()}
	for _, construct := range commands() {
		tree.Subcommands = append(tree.Subcommands, construct(a))
	}
	var visit func(path []*cli.Command)
	visit = func(path []*cli.Command) {
		c := path[len(path)-1]
		text := helpText(path)
		if c.Usage == "" && len(path) > 1 {
			t.Errorf("%s has no usage", pathName(path))
		}
		if len(c.Subcommands) == 0 && !strings.Contains(text, "EXAMPLES\n  ") {
			t.Errorf("%s has no examples", pathName(path))
		}
		for line := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 || strings.HasSuffix(strings.TrimSuffix(line, "\n"), " ") {
				t.Errorf("%s: %d columns, or a space at the end: %q", pathName(path), n, line)
			}
		}
		for _, f := range c.Flags {
			for _, shared := range tree.Flags {
				if len(path) > 1 && slices.Contains(shared.Names(), f.Names()[0]) {
					t.Errorf("%s declares the shared flag %s again", pathName(path), f.Names()[0])
				}
			}
		}
		for _, sub := range c.Subcommands {
			visit(append(slices.Clone(path), sub))
		}
	}
	visit([]*cli.Command{tree})
}
