package main

import (
	"errors"
	"io"

	"github.com/urfave/cli/v2"

	"assay/cache/audit"
)

const flagHead = "head"

func auditVerifyCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "verify",
		Usage:     "find out whether the audit log was changed",
		ArgsUsage: "[FILE]",
		Description: "Follows the chain of hashes from the first entry to the last, and tells the\n" +
			"first entry that was changed, put in, moved or taken out. That the end was cut\n" +
			"off, or all of it made anew, shows only by --head: the end of the log that an\n" +
			"earlier run printed, and that you wrote down elsewhere, with its 64 digits. With\n" +
			"FILE it checks what `assay audit export` wrote; - is stdin. Exits with 41 where\n" +
			"the log was changed." +
			examples(
				"assay audit verify",
				"assay audit verify --head 12:3a7bd3e2360a3d29…",
				"assay audit verify audit.jsonl"),
		Flags:  []cli.Flag{&cli.StringFlag{Name: flagHead, Usage: "the log must contain `SEQ:HEX`"}},
		Action: a.auditVerify,
	}
}

type auditVerifyDoc struct {
	Entries uint64          `json:"entries"` // that hold
	Head    *audit.Head     `json:"head,omitempty"`
	Broken  *auditBrokenDoc `json:"broken,omitempty"`
}

type auditBrokenDoc struct {
	Seq    uint64 `json:"seq"`
	Reason string `json:"reason"`
}

func (a *app) auditVerify(c *cli.Context) error {
	args, err := operands(c, 0, 1)
	if err != nil {
		return err
	}
	var known audit.Head
	if text := c.String(flagHead); text != "" {
		if known, err = audit.ParseHead(text); err != nil {
			return usagef("--%s: %v", flagHead, err)
		}
	}
	report, err := a.auditReport(c, args, known)
	if err != nil {
		return err
	}
	doc := auditVerifyDoc{Entries: report.Entries}
	if report.Entries > 0 {
		doc.Head = &report.Head
	}
	if broken := report.FirstBroken; broken != nil {
		doc.Broken = &auditBrokenDoc{broken.Seq, broken.Reason}
		return errors.Join(broken, a.out.result("audit.verify", doc))
	}
	switch {
	case report.Entries == 0:
		a.out.line("the audit log is empty")
	case known == (audit.Head{}):
		a.out.line("%d entries hold; the log ends with %v", report.Entries, report.Head)
		a.out.talk("write that end down elsewhere: `assay audit verify --head %v` then tells whether anything was cut off", report.Head)
	default:
		a.out.line("%d entries hold, entry %d as it was written down; the log ends with %v", report.Entries, known.Seq, report.Head)
	}
	return a.out.result("audit.verify", doc)
}

// auditReport verifies the log, or the export that the arguments name.
func (a *app) auditReport(c *cli.Context, args []string, known audit.Head) (audit.Report, error) {
	if len(args) == 0 {
		log, err := a.auditLog(c)
		if err != nil {
			return audit.Report{}, err
		}
		return log.Verify(c.Context, known)
	}
	var from io.Reader = a.stdin
	if args[0] != "-" {
		file, err := openRegular(a.path(args[0]))
		if err != nil {
			return audit.Report{}, fileError(err)
		}
		defer file.Close()
		from = file
	}
	report, err := audit.VerifyExport(from, known)
	return report, mark(errUsage, err)
}
