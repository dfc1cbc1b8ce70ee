package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

// foreignTools are those whose commands the pages give in the middle of a text.
var foreignTools = []string{"cosign", "curl", "gh", "python3"}

// foreignFlags are flags of other tools that stand there alone, and whose they are.
var foreignFlags = map[string]string{
	"--new-bundle-format": "cosign",
}

// TestDocsNameCommands shows that what README and docs tell to type can be typed: each
// `assay …` in them is a command, with flags that it has and as many arguments as it
// takes. It is read by the program's own parser; what no shell would run is left out.
func TestDocsNameCommands(t *testing.T) {
	checker := newDocChecker()
	commands := 0
	for name, text := range docPages(t) {
		if name == "CHANGELOG.md" {
			continue // it tells of what there was
		}
		found, faults := checker.page(text)
		commands += found
		for _, fault := range faults {
			t.Errorf("%s:%s", name, fault)
		}
	}
	if commands < 200 {
		t.Errorf("expected hundreds of commands, found %d: the test looks in the wrong place", commands)
	}
	for flag, tool := range foreignFlags {
		if !checker.foreign[flag] {
			t.Errorf("%s of %s is named nowhere: take it off the list", flag, tool)
		}
	}
}

// TestDocsCheckerSees shows that mistakes are found, and what is right is not taken for one.
func TestDocsCheckerSees(t *testing.T) {
	for text, want := range map[string]string{
		"    assay get hello --ofline":                                "--ofline",
		"```sh\n$ tool=$(assay get hello --prin path)\n```":           "--prin",
		"Try `assay gett hello`.":                                     `no command "gett"`,
		"Try `--dry-rum`.":                                            "--dry-rum",
		"Try `mirror quarantaine list`.":                              "quarantaine",
		"    assay verify --held             or --sginer":             "--sginer",
		"    near$ assay mirror sync --dryrun | jq .":                 "--dryrun",
		"    $ assay hold":                                            "arguments",
		"    assay trust show acme extra":                             "arguments",
		"    - run: assay sync --lock":                                "--lock",
		"    curl -fsS URL && \\\n      assay get x --nope":           "--nope",
		"A long one, `assay audit\nlits`, over two lines":             `"lits"`,
		"    */5 * * * *  user  assay mirror sync --quit":             "--quit",
		"    assay get hello -z":                                      "-z",
		"    ASSAY_STATE_DIR=/x assay audit lst":                      `"lst"`,
		"    assay get hello -o - | tar xz":                           "",
		"    source <(assay completion bash)   # or zsh":              "",
		"    curl --parallel --nope URL":                              "",
		"    assay rollback hello [--to 1.4.2]    one, or --to":       "",
		"    assay exec [REPO:]PRODUCT[@SELECTOR] [-- ARGUMENT…]":     "",
		"Use `export --inventory far.txt`, or `install -d -m 700`.":   "",
		"    assay get acme PATH PATH… -o DIR":                        "",
		"    assay lint $(find . -name '*.json')":                     "",
		"    hint: the publisher says; `assay trust show acme --off`": "--off",
	} {
		_, faults := newDocChecker().page(text)
		if all := strings.Join(faults, "\n"); (want == "") != (len(faults) == 0) || !strings.Contains(all, want) {
			t.Errorf("%q: expected a fault with %q, found %q", text, want, faults)
		}
	}
}

// docPages are the pages that are written for people, by their path in the repository.
func docPages(t *testing.T) map[string]string {
	t.Helper()
	pages := map[string]string{}
	read := func(path string) {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(repositoryRoot, path)
		if err != nil {
			t.Fatal(err)
		}
		pages[filepath.ToSlash(name)] = string(text)
	}
	top, err := filepath.Glob(filepath.Join(repositoryRoot, "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range top {
		read(path)
	}
	for _, dir := range []string{"docs", "packaging"} {
		err := filepath.WalkDir(filepath.Join(repositoryRoot, dir), func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(path, ".md") {
				read(path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if pages["README.md"] == "" || len(pages) < 10 {
		t.Fatalf("expected README.md and the docs, found %d pages", len(pages))
	}
	return pages
}

// repositoryRoot is where the repository lies, from the folder of this package.
var repositoryRoot = filepath.Join("..", "..")

// docChecker holds pages to the tree of commands.
type docChecker struct {
	tree    *cli.Command
	flags   map[string]bool // of any command, with their dashes
	foreign map[string]bool // of foreignFlags, those that were met
	count   int
	faults  []string
}

func newDocChecker() *docChecker {
	k := &docChecker{tree: (&app{}).grow(), flags: map[string]bool{"--help": true, "--version": true, "-h": true}, foreign: map[string]bool{}}
	each(k.tree, func(c *cli.Command) {
		for _, f := range c.Flags {
			for _, name := range f.Names() {
				k.flags[dashed(name)] = true
			}
		}
	})
	return k
}

// page tells how many commands a page has, and what is wrong with them.
func (k *docChecker) page(text string) (commands int, faults []string) {
	k.count, k.faults = 0, nil
	for _, part := range readMarkdown(text) {
		if part.code {
			k.codeLine(part)
			continue
		}
		for _, span := range inlineCode.FindAllStringSubmatch(part.text, -1) {
			k.span(part.line, strings.ReplaceAll(span[1], `\|`, "|"))
		}
	}
	return k.count, k.faults
}

func (k *docChecker) fault(line int, format string, args ...any) {
	k.faults = append(k.faults, fmt.Sprintf("%d: %s", line, fmt.Sprintf(format, args...)))
}

var (
	inlineCode = regexp.MustCompile("`([^`]+)`")
	// commandAt finds the program's name where a command may begin.
	commandAt = regexp.MustCompile("(^|[\\s\"'(`])(?:\\./cmd/|bin/|/usr/bin/|/usr/local/bin/)?assay ")
	// begins says of what stands before the name that only a command can follow.
	begins   = regexp.MustCompile("(^|[$|;&({`]|^-|\\brun:|\\bgo run|\\bsudo|\\bthen|\\bdo|\\b[A-Z_]+=\\S*)$")
	longFlag = regexp.MustCompile(`(^|[\s(/])(--[a-z][a-z0-9-]*)`)
	// substitution is what another command prints: an argument.
	substitution = regexp.MustCompile(`\$\([^()]*\)`)
	aside        = regexp.MustCompile(`\s{2,}|\s#\s`)
)

// codeLine checks each command of a line in a block of code, and the flags that are named
// in what is said of it behind two spaces or a comment's sign.
func (k *docChecker) codeLine(part docPart) {
	first := -1 // where the first command ends
	for at := 0; ; {
		found := commandAt.FindStringSubmatchIndex(part.text[at:])
		if found == nil {
			return
		}
		before, rest := part.text[:at+found[3]], part.text[at+found[1]:]
		at += found[1]
		said := ""
		if cut := aside.FindStringIndex(rest); cut != nil {
			rest, said = rest[:cut[0]], rest[cut[1]:]
		}
		strict := begins.MatchString(strings.TrimSpace(before)) && (first < 0 || !aside.MatchString(part.text[first:at]))
		words := shellWords(substitution.ReplaceAllString(rest, "X"))
		if !strict && (len(words) == 0 || k.tree.Command(words[0]) == nil) {
			continue // a sentence in which assay does something
		}
		switch {
		case strict:
			k.command(part.line, words, strings.HasSuffix(strings.TrimSpace(before), "$"))
		default: // the sentence goes on behind the command
			k.command(part.line, words[:k.known(words)], false)
		}
		if first < 0 {
			first = at
			k.anyFlags(part.line, said)
		}
	}
}

// known counts the words that name a command, and the flags behind them.
func (k *docChecker) known(words []string) (count int) {
	for here := k.tree; count < len(words) && here != nil; count++ {
		if strings.HasPrefix(words[count], "-") {
			continue
		}
		if here = here.Command(words[count]); here == nil {
			break
		}
	}
	return count
}

// span checks a piece of code in a text: a command; the rest of one that the text
// is about, as `sync --dry-run`; or flags.
func (k *docChecker) span(line int, text string) {
	text = strings.Join(strings.Fields(text), " ")
	if rest, ok := strings.CutPrefix(text, "assay "); ok {
		k.command(line, shellWords(rest), false)
		return
	}
	if commandAt.MatchString(text) {
		k.codeLine(docPart{line: line, text: text})
		return
	}
	words := shellWords(text)
	if len(words) > 0 && slices.Contains(foreignTools, words[0]) {
		return
	}
	if len(words) > 1 && isPlainWord(words[1]) {
		if group := k.tree.Command(words[0]); group != nil && len(group.Subcommands) > 0 {
			k.command(line, words, false)
			return
		}
	}
	k.anyFlags(line, text)
}

// anyFlags expects the flags in a text to be those of some command.
func (k *docChecker) anyFlags(line int, text string) {
	for _, flag := range longFlag.FindAllStringSubmatch(text, -1) {
		switch {
		case foreignFlags[flag[2]] != "":
			k.foreign[flag[2]] = true
		case !k.flags[flag[2]]:
			k.fault(line, "no command has the flag %s", flag[2])
		}
	}
}

// command checks the words of a command, without the program's name. Where it
// stands behind a prompt it has all its arguments.
func (k *docChecker) command(line int, words []string, whole bool) {
	k.count++
	// A text may name a flag, and not its value.
	if last := len(words) - 1; !whole && last >= 0 && strings.HasPrefix(words[last], "-") {
		if parsed, err := parseLine(k.tree, words[:last]); err == nil {
			name := strings.TrimLeft(words[last], "-")
			if f, _ := parsed.find(name, strings.HasPrefix(words[last], "--")); f != nil && takesValue(f) {
				words = append(slices.Clone(words), "x")
			}
		}
	}
	shown := "assay " + strings.Join(words, " ")
	parsed, err := parseLine(k.tree, words)
	switch {
	case err != nil:
		k.fault(line, "%s: %v", shown, err)
	case len(parsed.path) == 1 && !parsed.help && !parsed.version:
		k.fault(line, "%s: expected a command", shown)
	case !parsed.help && !slices.Contains(words, "--") && !takesSo(parsed.command(), len(parsed.args), whole):
		k.fault(line, "%s: expected arguments like %q, found %d", shown, parsed.command().ArgsUsage, len(parsed.args))
	}
}

// takesSo reports whether a command takes so many arguments; where it does not
// stand there whole, fewer will do.
func takesSo(c *cli.Command, count int, whole bool) bool {
	for way := range strings.SplitSeq(c.ArgsUsage, " | ") {
		least, most := 0, 0
		for _, word := range strings.Fields(way) {
			if strings.HasPrefix(strings.TrimLeft(word, "["), "-") {
				break // flags stand behind the arguments
			}
			if !isOptional(word) {
				least++
			}
			if most++; strings.Contains(word, "…") {
				most = 1 << 20
			}
		}
		if count <= most && (count >= least || !whole) {
			return true
		}
	}
	return false
}

// isOptional reports whether all of a word stands in one pair of brackets: [REPO], and not
// [REPO:]PRODUCT[@SELECTOR].
func isOptional(word string) bool {
	depth := 0
	for i, r := range word {
		switch r {
		case '[':
			depth++
		case ']':
			depth--
		}
		if depth == 0 {
			return i == len(word)-1
		}
	}
	return false
}

func isPlainWord(word string) bool { return strings.Trim(word, "abcdefghijklmnopqrstuvwxyz-") == "" }

// shellWords takes a command apart as a shell does, up to the first operator. The brackets of a
// usage are left out, and so is "…" alone.
func shellWords(text string) (words []string) {
	var word strings.Builder
	var quote rune
	begun := false
	end := func() {
		if w := strings.NewReplacer("[", "", "]", "").Replace(word.String()); begun && w != "…" && w != "" {
			words = append(words, w)
		}
		word.Reset()
		begun = false
	}
	for _, r := range text {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote == 0 && (r == '\'' || r == '"'):
			quote, begun = r, true
		case quote == 0 && strings.ContainsRune("|;&)<>`", r):
			end()
			return words
		case quote == 0 && (r == ' ' || r == '\t'):
			end()
		default:
			begun = true
			word.WriteRune(r)
		}
	}
	end()
	return words
}
