package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"

	"assay/internal/config"
)

func doctorCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "doctor",
		Usage: "find out what is wrong on this machine, and how to mend it",
		Description: "Looks at the configuration, at owners and permissions, at what is stored, at the\n" +
			"file systems and their space, at the clock, PATH, authorities and proxies, and\n" +
			"asks each repository and its mirrors. It changes nothing, but that metadata\n" +
			"which is accepted is kept, as by any refresh; with --offline it asks nobody.\n\n" +
			"Each line is ok, warn, fail or skip, which is not checked here. Exits with 0 if\n" +
			"nothing fails, else with the code of the gravest failure: 41 stored state, 40\n" +
			"disk and permissions, 2 configuration, then what a repository leads to (12, 10\n" +
			"and other refusals, 11 expiry and clock), then 31 busy, 20 network and 21." +
			examples("assay doctor", "assay doctor --offline", "assay doctor --json"),
		Action: a.doctor,
	}
}

// health is what a check came to.
type health string

const (
	healthOK   health = "ok"
	healthWarn health = "warn"
	healthFail health = "fail"
	healthSkip health = "skip"
)

// finding is the outcome of one check.
type finding struct {
	Status health `json:"status"`
	What   string `json:"what"`
	Found  string `json:"found"`
	Mend   string `json:"mend,omitempty"`
	Code   int    `json:"code,omitempty"` // the exit code that a failure leads to
}

// checkup is one run of the doctor.
type checkup struct {
	app      *app
	line     *cli.Context
	config   *config.Config // nil: it can't be read
	session  *session       // nil: the state can't be used
	volumeOf func(path string) (volume, error)
	findings []finding
	gravest  error // of the failures
}

func (u *checkup) ok(what, format string, args ...any) {
	u.findings = append(u.findings, finding{Status: healthOK, What: what, Found: fmt.Sprintf(format, args...)})
}

func (u *checkup) skip(what, why, mend string) {
	u.findings = append(u.findings, finding{Status: healthSkip, What: what, Found: why, Mend: mend})
}

func (u *checkup) warn(what, found, mend string) {
	u.findings = append(u.findings, finding{Status: healthWarn, What: what, Found: found, Mend: mend})
}

// fail files an error; without a mend of its own it is the error's hint.
func (u *checkup) fail(what string, err error, mend string) {
	message, row, hint := describe(err)
	if mend == "" {
		mend = hint
	}
	u.findings = append(u.findings, finding{healthFail, what, message, mend, row.code})
	if u.gravest == nil || gravity(row.code) < gravity(codeOf(u.gravest)) {
		u.gravest = err
	}
}

// gravity orders exit codes, the gravest first: what is stored and can't be had
// again, then this machine, then what was refused, then what may pass by itself.
func gravity(code int) int {
	order := []int{41, 40, 2, 12, 10, 17, 16, 19, 18, 14, 15, 13, 11, 31, 20, 21}
	if i := slices.Index(order, code); i >= 0 {
		return i
	}
	return len(order)
}

type doctorDoc struct {
	Healthy  bool      `json:"healthy"` // nothing failed
	Findings []finding `json:"findings"`
}

func (a *app) doctor(c *cli.Context) error {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	u := &checkup{app: a, line: c, volumeOf: volumeOf}
	for _, check := range []func(context.Context){
		u.checkConfig, u.checkFolders, u.checkDatabases, u.checkStaging, u.checkInstalled, u.checkClock,
		u.checkRepositories, u.checkHosts, u.checkPath, u.checkAuthorities, u.checkProxies, u.checkGit,
	} {
		// Whoever interrupts wants no half of a diagnosis.
		if err := c.Context.Err(); err != nil {
			return err
		}
		check(c.Context)
	}
	a.printCheckup(u.findings)
	if err := a.out.result("doctor", doctorDoc{u.gravest == nil, u.findings}); err != nil || u.gravest == nil {
		return err
	}
	return &reported{u.gravest}
}

// printCheckup prints a line for each finding, how to mend it below, and a line
// for all.
func (a *app) printCheckup(findings []finding) {
	width, count := 0, map[health]int{}
	for _, f := range findings {
		width = max(width, utf8.RuneCountInString(f.What))
		count[f.Status]++
	}
	width = min(width, 24)
	under := strings.Repeat(" ", 4+2+width+2)
	for _, f := range findings {
		status := styled(f.Status)
		if color := map[health]string{healthOK: green, healthWarn: yellow, healthFail: red, healthSkip: dim}[f.Status]; color != "" {
			status = a.out.style(a.out.stdout, color, string(f.Status))
		}
		what := clean(f.What)
		room := max(width-utf8.RuneCountInString(what), 0)
		pad := strings.Repeat(" ", 4-len(f.Status))
		a.out.hang(status+styled(pad+"  "+what+strings.Repeat(" ", room)+"  "), under, f.Found)
		if f.Mend != "" {
			a.out.hang(styled(under+"→ "), under+"  ", f.Mend)
		}
	}
	a.out.line("")
	a.out.line("%d ok, %d to look at, %d failed, %d not checked", count[healthOK], count[healthWarn], count[healthFail], count[healthSkip])
}

// failure is an error of the doctor; kind decides its code.
func failure(kind error, format string, args ...any) error {
	return mark(kind, fmt.Errorf(format, args...))
}
