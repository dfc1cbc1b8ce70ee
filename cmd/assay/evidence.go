package main

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"assay/trust"
	"assay/trust/proof"
)

// checkGroups are the branches of the tree that evidence is shown as, with the
// beginnings of the ids of their checks. A check is in the first that it fits.
var checkGroups = []struct {
	title    string
	prefixes []string
}{
	{"the repository promises it", []string{"tuf."}},
	{"the publisher describes it", []string{"release."}},
	{"others signed it", []string{"signature", "provenance"}},
	{"the bytes are these", []string{"bytes."}},
	{"is it good enough here?", []string{"policy", "proof."}},
}

// evidenceTree prints every check, in groups. What was not checked says why.
func (a *app) evidenceTree(e *trust.Evidence) {
	groups := make([][]trust.Check, len(checkGroups))
	for _, check := range e.Checks {
		i := groupOf(check.ID)
		groups[i] = append(groups[i], check)
	}
	for i, checks := range groups {
		if len(checks) == 0 {
			continue
		}
		a.out.line("%s", a.out.style(a.out.stdout, bold, checkGroups[i].title))
		checks = together(checks)
		for j, check := range checks {
			stem, under := "├─", "│ "
			if j == len(checks)-1 {
				stem, under = "└─", "  "
			}
			mark := a.resultMark(check.Result)
			a.out.hang(styled("  "+stem+" "+string(mark)+" "), "  "+under+strings.Repeat(" ", 13), checkText(check))
		}
	}
}

// together joins neighbours that were not checked for one reason into one line.
func together(checks []trust.Check) []trust.Check {
	var lines []trust.Check
	for _, c := range checks {
		if n := len(lines); n > 0 && c.Result == trust.NotChecked && lines[n-1].Result == trust.NotChecked &&
			c.Why == lines[n-1].Why && c.Of == "" && lines[n-1].Of == "" && c.Found == "" {
			lines[n-1].ID += ", " + c.ID
			continue
		}
		lines = append(lines, c)
	}
	return lines
}

func groupOf(id string) int {
	for i, group := range checkGroups {
		for _, prefix := range group.prefixes {
			if strings.HasPrefix(id, prefix) {
				return i
			}
		}
	}
	return len(checkGroups) - 1
}

func (a *app) resultMark(r trust.Result) styled {
	switch r {
	case trust.Pass:
		return a.out.good("pass       ")
	case trust.Fail:
		return a.out.bad("FAIL       ")
	}
	return a.out.style(a.out.stdout, yellow, "not checked")
}

// checkText is a check in a line: what was found where it passed, what was
// expected as well where it failed, and why where it was not made. Digests are
// cut short; --json has them whole, and what was expected of each check.
func checkText(c trust.Check) string {
	text := c.ID
	if c.Of != "" {
		text += " " + path.Base(c.Of)
	}
	if c.Repository != "" {
		text += " of " + c.Repository
	}
	var parts []string
	switch {
	case c.Result == trust.NotChecked:
		parts = []string{c.Found, c.Why}
	case c.Result == trust.Fail:
		parts = []string{"expected " + c.Expected, "found " + c.Found}
	case c.Found == "" || c.Found == "the same":
		parts = []string{c.Expected}
	case strings.HasPrefix(c.ID, "policy."):
		// Rules are the user's own: what they ask for is as telling as what was found.
		parts = []string{c.Expected + ": " + c.Found}
	default:
		parts = []string{c.Found}
	}
	if told := strings.Join(slices.DeleteFunc(parts, func(part string) bool { return part == "" }), "; "); told != "" {
		text += ": " + told
	}
	return longDigest.ReplaceAllString(text, "$1…")
}

// longDigest is a digest with more digits than a person compares.
var longDigest = regexp.MustCompile(`(sha(?:256|512):[0-9a-f]{12})[0-9a-f]+`)

// proofLines tell in short who built and signed, for commands that do more than
// explain.
func proofLines(e *trust.Evidence) []string {
	var lines []string
	for _, b := range e.Builds {
		lines = append(lines, fmt.Sprintf("%-9s %s from %s", "built", "by "+orUnknown(b.Builder), strings.TrimSpace(orUnknown(b.Source)+" "+b.Ref)))
	}
	if n := len(e.Signatures); n > 0 {
		lines = append(lines, fmt.Sprintf("%-9s %s", "signed", "by "+strings.Join(signersOf(e), ", ")))
	}
	return lines
}

// signersOf names those who signed, each once.
func signersOf(e *trust.Evidence) []string {
	var names []string
	for _, s := range e.Signatures {
		if !slices.Contains(names, s.Signer) {
			names = append(names, s.Signer)
		}
	}
	return names
}

// unchecked counts what was not checked.
func unchecked(e *trust.Evidence) int {
	n := 0
	for _, c := range e.Checks {
		if c.Result == trust.NotChecked {
			n++
		}
	}
	return n
}

// receiptTitle names what a receipt is of, and how the judgement ended.
func receiptTitle(r *proof.Receipt) string {
	what := r.Target
	if r.Product != "" && r.Version != "" {
		what = fmt.Sprintf("%s %s", r.Product, r.Version)
		if r.Channel != "" {
			what += fmt.Sprintf(" (%s, %s)", r.Channel, r.Status)
		}
		if platform := r.Platform.String(); platform != "" {
			what += " for " + platform
		}
	}
	return what + ", of " + r.Repository
}
