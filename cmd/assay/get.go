package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/fetch"
	"assay/trust"
)

const (
	flagOutput = "output"
	flagPrint  = "print"
	flagDryRun = "dry-run"
	flagFormat = "format"
)

func getCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "get",
		Usage:     "fetch a release and prove it",
		ArgsUsage: "[REPO:]PRODUCT[@SELECTOR] | REPO TARGET/PATH… | URL --sha256 HEX",
		Description: "Fetches the artifact for this platform into ./NAME and prints where it is. Bytes\n" +
			"get their name only after length and digests are those that signed metadata\n" +
			"promises. SELECTOR is a channel (stable if none is given), a version or a range\n" +
			"within stable, or sha256:HEX.\n\n" +
			"With two arguments it fetches a target of any TUF repository by its path, with\n" +
			"more of them several targets at once: REPO and a path each, or all lines of a\n" +
			"file. They are written to ./NAME each, or below an existing folder with -o. One\n" +
			"that fails does not stop the others; the exit code is that of the first failure\n" +
			"in the order asked. A path that is named twice is got once.\n\n" +
			"With a URL it fetches one file from outside of any repository, whose digest must\n" +
			"be given by --sha256, --sha512 or a --checksums file. A URL is https://, http://\n" +
			"(what proves the bytes is their digest, whoever sends them), file://, a path,\n" +
			"s3://BUCKET/KEY, gs://BUCKET/OBJECT, git::https://HOST/REPO//FILE?ref=REVISION,\n" +
			"with ssh and file as well. Credentials for buckets come from where the stores'\n" +
			"own tools look. With --bundle or --signature the file must be signed, too, as\n" +
			"`assay verify` has it." +
			examples(
				"assay get hello                    the newest release in stable",
				"assay get hello@1.4.2 -o h.tgz     a version, into a file",
				"assay get hello@^1.4 --dry-run     what would be chosen, and why",
				"assay get hello -o - | tar xz      to a pipe, once it is proven",
				"assay get hello --print path       leave it in the cache, print where",
				"assay get sigstore rekor.pub       a target by its path",
				"assay get acme a/x.tgz b/y.tgz -o DIR",
				"assay get acme --paths-from LIST --print path",
				"assay get https://h.example/t.tgz --sha256 HEX",
				"assay get s3://bucket/dir/t.tgz --checksums SHA256SUMS -o t.tgz",
				"assay get 'git::https://h.example/r.git//dir/t.sh?ref=v1.2' --sha256 HEX",
				"assay get https://h.example/t.tgz --sha256 HEX --bundle t.sigstore.json \\",
				"    --key release.pem"),
		Flags: append([]cli.Flag{
			&cli.StringFlag{Name: flagOutput, Aliases: []string{"o"}, Usage: "write to `FILE`, replacing it; - is stdout; of several targets, the folder"},
			&cli.StringFlag{Name: flagPrint, Usage: "leave it in the cache and print only its `WHAT`: path, digest, version or evidence"},
			&cli.StringFlag{Name: flagPathsFrom, Usage: "get the target paths that `FILE` has, one a line; - is stdin"},
			&cli.BoolFlag{Name: flagDryRun, Usage: "fetch no artifact; tell what would be chosen, and why"},
			&cli.StringFlag{Name: flagFormat, Usage: "choose the `FORMAT` (tar.gz, zip, …) where a platform has several"},
		}, urlFlags()...),
		Action: func(c *cli.Context) error { return a.get(c) },
	}
}

// getDoc is the result of get.
type getDoc struct {
	Changed    bool             `json:"changed"` // a file was written, or bytes were moved into the cache
	DryRun     bool             `json:"dry_run,omitempty"`
	Repository string           `json:"repository"`
	Product    string           `json:"product,omitempty"`
	Version    string           `json:"version,omitempty"`
	Channel    string           `json:"channel,omitempty"`
	Status     string           `json:"status,omitempty"`
	Platform   string           `json:"platform,omitempty"`
	Target     string           `json:"target"`
	URLs       []string         `json:"urls,omitempty"`
	Length     int64            `json:"length"` // in bytes
	Digests    artifact.Digests `json:"digests"`
	File       string           `json:"file,omitempty"` // where it was written
	Blob       string           `json:"blob,omitempty"` // where the cache has it
	Moved      int64            `json:"moved"`          // bytes that came over a source
	From       string           `json:"from,omitempty"`
	Why        string           `json:"why"`
	Passed     []fetch.Passed   `json:"passed,omitempty"`
	Warnings   []string         `json:"warnings,omitempty"`
	Agreed     []string         `json:"agreed,omitempty"` // the repositories that promise it alike, where several must
	Evidence   *trust.Evidence  `json:"evidence"`
}

func (a *app) get(c *cli.Context) error {
	args, err := operands(c, 1, -1)
	if err != nil {
		return err
	}
	if n := len(slices.DeleteFunc(slices.Clone(args), func(arg string) bool { return !isURL(arg) })); n > 0 && len(args) > 1 {
		return usagef("a URL is got by itself, as each has a digest of its own: expected one argument, found %d", len(args))
	}
	if len(args) > 2 || c.IsSet(flagPathsFrom) {
		return a.getMany(c, args)
	}
	if err := a.checkGetFlags(c, args); err != nil {
		return err
	}
	if namesURL(c, args) {
		return a.getURL(c, args[0])
	}
	if err := refuseURLFlags(c); err != nil {
		return err
	}
	s, selection, err := a.selectArtifact(c, args)
	if err != nil && s != nil && !c.Bool(flagDryRun) {
		err = a.noteRefusal(c.Context, s, s.askedFor(args), err)
	}
	if err != nil {
		return err
	}
	if c.Bool(flagDryRun) {
		return a.dryRun(c, s, selection)
	}
	if c.IsSet(flagPrint) || c.String(flagOutput) == "-" {
		return a.getHeld(c, s, args, selection)
	}
	return a.getFile(c, s, args, selection)
}

// getHeld brings an artifact into the cache and tells of it, or writes it to
// standard output, once it is proven.
func (a *app) getHeld(c *cli.Context, s *session, args []string, selection fetch.Selection) error {
	began := a.now()
	held, err := s.client.GetSelected(c.Context, selection)
	if err != nil {
		return a.noteRefusal(c.Context, s, s.askedFor(args), err)
	}
	took := a.now().Sub(began)
	log, err := a.auditor(c.Context, s)
	if err != nil {
		return err
	}
	doc := newHeldDoc(held)
	if !c.IsSet(flagPrint) {
		a.progress.close()
		err := s.client.WriteTo(c.Context, held, a.stdout)
		if errors.Is(err, fetch.ErrOutput) {
			err = outputError(err)
		}
		if err != nil {
			return err
		}
		a.tellOf(held, true, took)
		return log.noteGet(c.Context, held, "to standard output")
	}
	if doc.Changed {
		if err := log.noteGet(c.Context, held, "into the cache"); err != nil {
			return err
		}
	}
	text := map[string]string{"path": doc.Blob, "digest": held.Blob.Digest().String(), "version": doc.Version}[c.String(flagPrint)]
	if c.String(flagPrint) == "evidence" {
		evidence, err := encodeJSON(held.Evidence)
		if err != nil {
			return fmt.Errorf("encode the evidence: %w", err)
		}
		text = string(evidence)
	}
	a.out.line("%s", text)
	return a.out.result("get", doc)
}

// checkGetFlags refuses flags that contradict each other, or that would have no
// effect, before any request.
func (a *app) checkGetFlags(c *cli.Context, args []string) error {
	switch what := c.String(flagPrint); {
	case what != "" && !slices.Contains([]string{"path", "digest", "version", "evidence"}, what):
		return usagef("--print: expected path, digest, version or evidence, found %q", clip(what))
	case what != "" && c.IsSet(flagOutput):
		return usagef("--print leaves the artifact in the cache, -o writes it: expected one of them")
	case c.Bool(flagDryRun) && c.IsSet(flagOutput):
		return usagef("--dry-run fetches no artifact, -o writes it: expected one of them")
	case c.Bool(flagDryRun) && what != "":
		return usagef("--dry-run fetches no artifact, --print tells of the one that is held: expected one of them")
	case len(args) == 2 && c.IsSet(flagFormat):
		return usagef("--format chooses among the artifacts of a product: expected none with REPO TARGET/PATH")
	case strings.HasSuffix(c.String(flagOutput), string(filepath.Separator)):
		return usagef("-o: expected a file, found the folder %q", clip(c.String(flagOutput)))
	case c.String(flagOutput) == "-" && a.out.json:
		return usagef("-o - and --json both want stdout: expected one of them")
	}
	return nil
}

// selectArtifact understands both forms of arguments.
func (a *app) selectArtifact(c *cli.Context, args []string) (*session, fetch.Selection, error) {
	if len(args) == 2 {
		s, err := a.asking(c, args[0])
		if err != nil {
			return nil, fetch.Selection{}, err
		}
		selection, err := s.client.SelectTarget(c.Context, args[0], args[1])
		return s, selection, err
	}
	ref, err := artifact.ParseRef(args[0])
	if err != nil {
		return nil, fetch.Selection{}, err
	}
	s, err := a.asking(c, ref.Repo)
	if err != nil {
		return nil, fetch.Selection{}, err
	}
	if ref, err = a.projectSelector(s, args[0], ref); err != nil {
		return nil, fetch.Selection{}, err
	}
	selection, err := s.client.Resolve(c.Context, fetch.Request{Ref: ref, Platform: s.config.Platform, Format: c.String(flagFormat)})
	return s, selection, err
}

func newGetDoc(selection fetch.Selection) getDoc {
	return getDoc{
		Repository: selection.Repository, Product: selection.Product, Version: selection.Version.String(),
		Channel: selection.Channel, Status: string(selection.Status), Platform: selection.Platform.String(),
		Target: selection.Target.Path(), URLs: selection.Target.URLs(), Length: selection.Target.Length(),
		Digests: selection.Target.Digests(), Why: selection.Why, Passed: selection.Passed,
		Warnings: selection.Warnings, Agreed: selection.Agreed, Evidence: selection.Evidence,
	}
}

// newHeldDoc tells of what was got.
func newHeldDoc(held fetch.Held) getDoc {
	doc := newGetDoc(held.Selection)
	doc.Blob, doc.Moved, doc.From, doc.Changed = held.Blob.Path(), held.Moved, held.From, held.Moved > 0
	return doc
}

// title names what was chosen, in a line.
func title(selection fetch.Selection) string {
	if selection.Product == "" {
		return fmt.Sprintf("%s of %s", selection.Target.Path(), selection.Repository)
	}
	return fmt.Sprintf("%s %s (%s) for %s, of %s", selection.Product, selection.Version, selection.Channel, selection.Platform, selection.Repository)
}

func (a *app) dryRun(c *cli.Context, s *session, selection fetch.Selection) error {
	refusal := s.client.Judge(c.Context, &selection)
	a.progress.close()
	a.out.line("%s", title(selection))
	a.out.line("  %-9s %s", "why", selection.Why)
	for _, passed := range selection.Passed {
		a.out.line("  %-9s %s: %s", "not", passed.Version, passed.Reason)
	}
	if len(selection.Agreed) > 0 {
		a.out.line("  %-9s %s", "agreed", strings.Join(selection.Agreed, ", "))
	}
	a.out.line("  %-9s %s", "target", selection.Target.Path())
	for _, url := range selection.Target.URLs() {
		a.out.line("  %-9s %s", "at", url)
	}
	a.out.line("  %-9s %s", "length", bytesText(selection.Target.Length()))
	for _, digest := range selection.Target.Digests() {
		a.out.line("  %-9s %s", digest.Algorithm(), digest.Hex())
	}
	for _, warning := range selection.Warnings {
		a.out.warn("%s", warning)
	}
	for _, line := range proofLines(selection.Evidence) {
		a.out.line("  %s", line)
	}
	doc := newGetDoc(selection)
	doc.DryRun = true
	if err := a.out.result("get", doc); err != nil {
		return err
	}
	return refusal
}

// getFile writes an artifact to the file that was asked for, or to ./NAME, as it
// comes.
func (a *app) getFile(c *cli.Context, s *session, args []string, selection fetch.Selection) error {
	file, replace := c.String(flagOutput), true
	if file == "" {
		name := selection.Target.Name()
		if err := artifact.ValidFileName(name); err != nil {
			return withHint(usagef("the target's name is not fit for a file here: %v", err), "name one with -o FILE")
		}
		file, replace = "."+string(filepath.Separator)+name, false
	}
	began := a.now()
	held, wrote, err := s.client.GetInto(c.Context, selection, a.path(file), replace)
	if err != nil {
		return a.noteRefusal(c.Context, s, s.askedFor(args), err)
	}
	took := a.now().Sub(began)
	a.progress.close()
	log, err := a.auditor(c.Context, s)
	if err != nil {
		return err
	}
	doc := newHeldDoc(held)
	doc.File, doc.Changed = file, doc.Changed || wrote
	if doc.Changed {
		if err := log.noteGet(c.Context, held, "into "+file); err != nil {
			return err
		}
	}
	a.tellOf(held, wrote, took)
	a.out.line("%s", file)
	return a.out.result("get", doc)
}

// tellOf says on stderr what was got, and how.
func (a *app) tellOf(held fetch.Held, wrote bool, took time.Duration) {
	a.out.talk("%s", title(held.Selection))
	a.out.talk("%s", howItCame(held, wrote, took))
	for _, line := range proofLines(held.Evidence) {
		a.out.talk("%s", line)
	}
}

// path is a file that was named on the command line, as seen from the working
// directory.
func (a *app) path(name string) string {
	if filepath.IsAbs(name) || a.workDir == "" {
		return name
	}
	return filepath.Join(a.workDir, name)
}

// howItCame tells what a get has done: moved, found, written, and what of it is
// proven.
func howItCame(held fetch.Held, wrote bool, took time.Duration) string {
	var parts []string
	if held.Moved > 0 {
		parts = append(parts, fmt.Sprintf("%s fetched in %s", bytesText(held.Moved), tookText(took)))
	} else {
		parts = append(parts, fmt.Sprintf("%s held already", bytesText(held.Target.Length())))
	}
	if !wrote {
		parts = append(parts, "the file is there already")
	}
	parts = append(parts, "proven: "+string(held.Target.Digests().Primary().Algorithm())+" "+held.Target.Digests().Primary().Hex()[:12]+"…")
	if len(held.Agreed) > 0 {
		parts = append(parts, "agreed by "+strings.Join(held.Agreed, ", "))
	}
	if stale := staleness(held.Evidence); stale != "" {
		parts = append(parts, stale)
	}
	return strings.Join(parts, ", ")
}
