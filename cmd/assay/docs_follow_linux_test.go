package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"assay/artifact"
)

// TestDocsAreFollowed follows the pages word by word: each block of `console` in a page is typed
// into one shell, in a home of its own, and must answer as the page says, but for times, sizes
// and digests. `…` in a page stands for any text, and alone for any lines. A block behind
// `<!-- file: NAME -->` is a file that the reader writes at that place.
func TestDocsAreFollowed(t *testing.T) {
	followed := 0
	for name, text := range docPages(t) {
		if steps := readSteps(text); len(steps) > 0 {
			followed++
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				follow(t, steps)
			})
		}
	}
	if followed == 0 {
		t.Error("no page has a block of console: the test looks in the wrong place")
	}
}

// docStep is a command of a page and what it answers, or a file to be written.
type docStep struct {
	line    int
	command string
	answer  []string
	file    string
	text    string
}

var fileMark = regexp.MustCompile(`^<!-- file: (\S+) -->$`)

// readSteps are the commands and files of a page that has commands to follow.
func readSteps(page string) (steps []docStep) {
	fence, file, commands := "", "", 0
	for i, line := range strings.Split(page, "\n") {
		mark, isFence := strings.CutPrefix(line, "```")
		last := len(steps) - 1
		switch {
		case isFence && fence == "":
			if fence = mark + "."; file != "" {
				steps = append(steps, docStep{line: i + 1, file: file})
			}
		case isFence:
			fence, file = "", ""
		case fence == "":
			if found := fileMark.FindStringSubmatch(line); found != nil {
				file = found[1]
			}
		case file != "":
			steps[last].text += line + "\n"
		case fence != "console.":
		case strings.HasPrefix(line, "$ "):
			commands++
			steps = append(steps, docStep{line: i + 1, command: line[2:]})
		case last >= 0 && strings.HasSuffix(steps[last].command, `\`):
			steps[last].command += "\n" + line
		case last >= 0 && strings.TrimSpace(line) != "":
			steps[last].answer = append(steps[last].answer, line)
		}
	}
	if commands == 0 {
		return nil
	}
	return steps
}

// follow types the commands into a shell, one after the other.
func follow(t *testing.T, steps []docStep) {
	home := t.TempDir()
	var script strings.Builder
	for i, step := range steps {
		if step.file != "" {
			text := strings.ReplaceAll(step.text, shownHome, home)
			if err := os.WriteFile(filepath.Join(home, fmt.Sprint("file", i)), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&script, "mv \"$HOME\"/file%d %s\n", i, step.file)
			continue
		}
		fmt.Fprintf(&script, "%s\nprintf '\\n@@%%d@@\\n' $?\n", strings.ReplaceAll(step.command, shownHome, home))
	}
	c := exec.CommandContext(t.Context(), "sh", "-c", script.String())
	c.Dir = home
	c.Env = []string{"HOME=" + home, "PATH=" + filepath.Join(home, ".local", "bin") + ":" + os.Getenv("PATH"), "GORACE=atexit_sleep_ms=0"}
	if artifact.Host().String() != "linux/amd64" {
		c.Env = append(c.Env, "ASSAY_PLATFORM=linux/amd64") // the samples are scripts of a shell
	}
	out, err := c.CombinedOutput()
	if err != nil {
		t.Fatalf("the shell: %v\n%s", err, out)
	}
	answers := regexp.MustCompile(`\n@@(\d+)@@\n`).FindAllSubmatchIndex(out, -1)
	at, next := 0, 0
	for _, step := range steps {
		if step.file != "" {
			continue
		}
		if next == len(answers) {
			t.Fatalf("%d: %s: the shell has ended before it", step.line, step.command)
		}
		said := strings.ReplaceAll(string(out[at:answers[next][0]]), home, shownHome)
		if code, _ := strconv.Atoi(string(out[answers[next][2]:answers[next][3]])); code != 0 {
			said += fmt.Sprintf("\nexit %d", code)
		}
		at, next = answers[next][1], next+1
		if !answersSo(step.answer, said) {
			t.Errorf("%d: $ %s\nexpected\n%s\nfound\n%s", step.line, step.command, strings.Join(step.answer, "\n"), said)
		}
	}
}

// shownHome is where the reader of the pages is at home.
const shownHome = "/home/you"

// varies is what no two runs have alike.
var varies = []struct {
	form *regexp.Regexp
	as   string
}{
	{regexp.MustCompile(`[0-9a-f]{64}`), "HEX"},
	{regexp.MustCompile(`\b[0-9a-f]{12}\b`), "HEX"},
	{regexp.MustCompile(`\d{4}-\d\d-\d\d([T ]\d\d:\d\d:\d\dZ)?`), "DATE"},
	{regexp.MustCompile(`\((now|[^()]* (from now|ago))\)`), "(THEN)"},
	{regexp.MustCompile(`\bin [\d.]+(µ|m)?s\b`), "in TIME"},
	{regexp.MustCompile(`\b[\d.]+ (B|kB|MB|GB)\b`), "SIZE"},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:PORT"},
	{regexp.MustCompile(`\s+`), " "},
}

// answersSo compares what a page says with what was found.
func answersSo(page []string, found string) bool {
	alike := func(text string) string {
		for _, v := range varies {
			text = v.form.ReplaceAllString(text, v.as)
		}
		return strings.TrimSpace(text)
	}
	var want strings.Builder
	for _, line := range page {
		if strings.TrimSpace(line) == "…" {
			want.WriteString(`(.*\n)*`)
			continue
		}
		want.WriteString(strings.ReplaceAll(regexp.QuoteMeta(alike(line)), "…", ".*") + "\n")
	}
	var all strings.Builder
	for line := range strings.Lines(found) {
		if line = alike(line); line != "" {
			all.WriteString(line + "\n")
		}
	}
	return regexp.MustCompile("^" + want.String() + "$").MatchString(all.String())
}

// TestAnswersSo shows what counts as the same answer.
func TestAnswersSo(t *testing.T) {
	for _, test := range []struct {
		page  []string
		found string
		good  bool
	}{
		{[]string{"a  2026-01-02  5 B"}, "a 2027-03-04   777 B\n", true},
		{[]string{"a"}, "a\nb\n", false},
		{[]string{"a", "…"}, "a\nb\nc\n", true},
		{[]string{"a … c"}, "a b c\n", true},
		{[]string{"a"}, "a\nexit 3", false},
		{nil, "a\n", false},
	} {
		if answersSo(test.page, test.found) != test.good {
			t.Errorf("%q, %q: expected %v", test.page, test.found, test.good)
		}
	}
}
