package main

import (
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"assay/cache/audit"
)

func auditCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "audit",
		Usage: "who decided what, when",
		Description: "The audit log is a chain: each entry holds the hash of the one before, so that\n" +
			"an entry can't be changed, taken out or moved unnoticed.",
		Subcommands: []*cli.Command{auditListCommand(a), auditVerifyCommand(a), auditExportCommand(a)},
	}
}

const (
	flagSince      = "since"
	flagUntil      = "until"
	flagAction     = "action"
	flagProduct    = "product"
	flagRepository = "repository"
	flagUser       = "user"
	flagLimit      = "limit"
)

func auditListCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:  "list",
		Usage: "list entries of the audit log, the newest first",
		Description: "A DATE is like 2026-03-04 or 2026-03-04T05:06:07Z, in UTC; --until leaves that\n" +
			"moment out. An ACTION is like trust.add, or trust for all of them." +
			examples("assay audit list --limit 20", "assay audit list --action trust --since 2026-03-01", "assay audit list --product hello --json"),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: flagSince, Usage: "from `DATE` on"},
			&cli.StringFlag{Name: flagUntil, Usage: "before `DATE`"},
			&cli.StringFlag{Name: flagAction, Usage: "only `ACTION`"},
			&cli.StringFlag{Name: flagProduct, Usage: "only about `PRODUCT`"},
			&cli.StringFlag{Name: flagRepository, Usage: "only about `REPO`"},
			&cli.StringFlag{Name: flagUser, Usage: "only by the user `NAME`"},
			&cli.IntFlag{Name: flagLimit, Usage: "at most `N` entries"},
		},
		Action: a.auditList,
	}
}

type auditListDoc struct {
	Entries []audit.Entry `json:"entries"`
}

func (a *app) auditList(c *cli.Context) error {
	if _, err := operands(c, 0, 0); err != nil {
		return err
	}
	filter, err := auditFilter(c)
	if err != nil {
		return err
	}
	log, err := a.auditLog(c)
	if err != nil {
		return err
	}
	doc, rows := auditListDoc{Entries: []audit.Entry{}}, [][]string{}
	for e, err := range log.List(c.Context, filter) {
		if err != nil {
			return err
		}
		doc.Entries = append(doc.Entries, e)
		rows = append(rows, []string{e.Time.Format("2006-01-02 15:04:05Z"), e.User, e.Action, e.Outcome, auditText(e)})
	}
	if len(rows) == 0 {
		a.out.talk("the audit log has no such entry: %s", log.Path())
	} else {
		a.out.table([]string{"TIME", "USER", "ACTION", "OUTCOME", "WHAT"}, rows)
	}
	return a.out.result("audit.list", doc)
}

func auditFilter(c *cli.Context) (f audit.Filter, err error) {
	f = audit.Filter{
		Action: c.String(flagAction), Product: c.String(flagProduct), Repository: c.String(flagRepository),
		User: c.String(flagUser), Limit: c.Int(flagLimit),
	}
	if c.IsSet(flagLimit) && f.Limit < 1 {
		return f, usagef("--%s: expected 1 or more, found %d", flagLimit, f.Limit)
	}
	for name, into := range map[string]*time.Time{flagSince: &f.Since, flagUntil: &f.Until} {
		if text := c.String(name); text != "" {
			if *into, err = parseDate(text); err != nil {
				return f, usagef("--%s: %v", name, err)
			}
		}
	}
	return f, nil
}

// parseDate reads a day, which begins at midnight UTC, or a moment.
func parseDate(text string) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, nil
	}
	moment, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return time.Time{}, usagef("expected a date like 2026-03-04 or 2026-03-04T05:06:07Z, found %q", clip(text))
	}
	return moment.UTC(), nil
}

// auditText says in a line what an entry is about.
func auditText(e audit.Entry) string {
	s := e.Subject
	what := s.Target
	if s.Product != "" {
		what = strings.Join(strings.Fields(s.Product+" "+s.Version+" "+s.Platform), " ")
	}
	if s.Repository != "" && what != "" {
		what = s.Repository + ":" + what
	} else if what == "" {
		what = s.Repository
	}
	if !s.Digest.IsZero() {
		what = strings.TrimSpace(what + " " + short(s.Digest.Hex()))
	}
	if e.Detail == "" {
		return what
	}
	return strings.TrimPrefix(what+": "+e.Detail, ": ")
}
