package main

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

// docPart is a line of a block of code, or a paragraph of text.
type docPart struct {
	line int // 1 is the first
	code bool
	text string
}

// readMarkdown takes a page apart, as far as these pages use Markdown: fenced and indented
// blocks of code, and everything else. A row of a table is a paragraph; a line of code
// that ends in a backslash goes on in the next.
func readMarkdown(text string) (parts []docPart) {
	fenced, blank, block, joined := false, true, false, false
	paragraph := false
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		if strings.HasPrefix(trimmed, "```") {
			fenced, paragraph, joined = !fenced, false, false
			continue
		}
		indented := strings.HasPrefix(line, "    ") || strings.HasPrefix(line, "\t")
		block = indented && (blank || block) || block && trimmed == ""
		blank = trimmed == ""
		switch {
		case blank:
			paragraph, joined = false, false
		case fenced || block:
			goesOn := strings.HasSuffix(trimmed, `\`)
			trimmed = strings.TrimSpace(strings.TrimSuffix(trimmed, `\`))
			if last := len(parts) - 1; joined {
				parts[last].text += " " + trimmed
			} else {
				parts = append(parts, docPart{i + 1, true, trimmed})
			}
			joined, paragraph = goesOn, false
		case paragraph && !strings.HasPrefix(trimmed, "|"):
			parts[len(parts)-1].text += " " + trimmed
		default:
			parts = append(parts, docPart{i + 1, false, trimmed})
			paragraph = !strings.HasPrefix(trimmed, "|") && !strings.HasPrefix(trimmed, "#")
		}
	}
	return parts
}

var (
	inlineLink = regexp.MustCompile(`\]\(<?([^()\s>]+)>?(?: "[^"]*")?\)`)
	definition = regexp.MustCompile(`^\[[^\]]+\]: (\S+)`)
	attribute  = regexp.MustCompile(`\b(?:src|srcset|href)="([^"]+)"`)
	outside    = regexp.MustCompile(`^(https?|mailto):`)
	anchorID   = regexp.MustCompile(`<a (?:id|name)="([^"]+)"`)
	// namedPath is a path of this repository that a page names: what lies in packaging is
	// for people to take away.
	namedPath = regexp.MustCompile(`(?:^|[\s(\[\x60])((?:packaging|docs|cmd|internal)/[\w./-]*)`)
)

// TestDocsLinksResolve shows that each link from one page to another leads to a file, and
// to a heading that is there; that a path of the repository that is named is there, too; and each
// target of make.
func TestDocsLinksResolve(t *testing.T) {
	pages := docPages(t)
	makefile, err := os.ReadFile(filepath.Join(repositoryRoot, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	links := 0
	for name, text := range pages {
		for _, part := range readMarkdown(text) {
			for _, found := range namedPath.FindAllStringSubmatch(part.text, -1) {
				named := strings.TrimRight(found[1], "./")
				if _, err := os.Stat(filepath.Join(repositoryRoot, filepath.FromSlash(named))); err != nil {
					t.Errorf("%s:%d: names %s, which is not there", name, part.line, named)
				}
			}
			for _, target := range makeTargets(part) {
				if !regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(target) + `:`).Match(makefile) {
					t.Errorf("%s:%d: make has no target %s", name, part.line, target)
				}
			}
			if part.code {
				continue
			}
			for _, link := range linksOf(part.text) {
				links++
				if fault := resolve(pages, name, link); fault != "" {
					t.Errorf("%s:%d: %s: %s", name, part.line, link, fault)
				}
			}
		}
	}
	if links < 30 {
		t.Errorf("expected dozens of links, found %d: the test looks in the wrong place", links)
	}
}

// TestDocsLinksSeen shows which links are found to lead nowhere.
func TestDocsLinksSeen(t *testing.T) {
	pages := map[string]string{"a.md": "# One `two`, three\n\n## Again\n\n## Again\n", "docs/b.md": "# B\n"}
	for link, good := range map[string]bool{
		"a.md": false, "../a.md": true, "../a.md#one-two-three": true, "../a.md#again-1": true, "../a.md#again-2": false,
		"#b": true, "#c": false, "../README.md": true, "../nowhere.md": false, "../../README.md": false, "/a.md": false,
	} {
		if fault := resolve(pages, "docs/b.md", link); good != (fault == "") {
			t.Errorf("%s: expected %v, found %q", link, good, fault)
		}
	}
	if found := linksOf(`[a](x.md) ![b](y.svg "c") [d]: <img src="z.svg"> [e](https://e.example)`); strings.Join(found, " ") != "x.md y.svg z.svg" {
		t.Errorf("found %q", found)
	}
}

// linksOf are the links of a paragraph that do not lead out of the repository.
func linksOf(text string) (links []string) {
	text = inlineCode.ReplaceAllString(text, "`…`")
	for _, form := range []*regexp.Regexp{inlineLink, definition, attribute} {
		for _, found := range form.FindAllStringSubmatch(text, -1) {
			if !outside.MatchString(found[1]) {
				links = append(links, found[1])
			}
		}
	}
	return links
}

// resolve says why a link of a page leads nowhere, or nothing.
func resolve(pages map[string]string, page, link string) string {
	file, anchor, _ := strings.Cut(link, "#")
	to := page
	if file != "" {
		if to = path.Join(path.Dir(page), file); path.IsAbs(file) || strings.HasPrefix(to, "..") {
			return "leads out of the repository"
		}
	}
	text, isPage := pages[to]
	if !isPage {
		if _, err := os.Stat(filepath.Join(repositoryRoot, filepath.FromSlash(to))); err != nil {
			return "there is no " + to
		}
	}
	if anchor != "" && !anchorsOf(text)[anchor] {
		return to + " has no heading #" + anchor
	}
	return ""
}

// anchorsOf are the names by which the headings of a page can be linked to, as GitHub
// and GitLab make them.
func anchorsOf(text string) map[string]bool {
	anchors := map[string]bool{}
	for _, part := range readMarkdown(text) {
		if part.code {
			continue
		}
		for _, id := range anchorID.FindAllStringSubmatch(part.text, -1) {
			anchors[id[1]] = true
		}
		title, ok := strings.CutPrefix(strings.TrimLeft(part.text, "#"), " ")
		if !ok || !strings.HasPrefix(part.text, "#") {
			continue
		}
		slug := strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case r == '-' || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
				return unicode.ToLower(r)
			}
			return -1
		}, regexp.MustCompile(`\]\([^)]*\)`).ReplaceAllString(title, ""))
		for i, name := 1, slug; ; i++ {
			if !anchors[name] {
				anchors[name] = true
				break
			}
			name = slug + "-" + string(rune('0'+i))
		}
	}
	return anchors
}

var makeCommand = regexp.MustCompile(`(?:^|\x60|\$ )make ([a-z][a-z0-9-]*)`)

// makeTargets are the targets of make that a paragraph or a line of code names as code.
func makeTargets(part docPart) (targets []string) {
	text := part.text
	if !part.code {
		text = strings.Join(inlineCode.FindAllString(text, -1), " ")
	}
	for _, found := range makeCommand.FindAllStringSubmatch(text, -1) {
		targets = append(targets, found[1])
	}
	return targets
}
