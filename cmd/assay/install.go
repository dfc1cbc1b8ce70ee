package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dustin/go-humanize"
	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/cache/audit"
	"assay/fetch"
	"assay/fetch/install"
)

func installCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "install",
		Usage:     "install proven releases",
		ArgsUsage: "[REPO:]PRODUCT[@SELECTOR]…",
		Description: "Fetches the release for this platform, proves it, unpacks it into a folder of\n" +
			"its own and links its programs into bin_dir. All that are named are proven\n" +
			"before any of them is installed. What ran before stays, for `assay rollback`.\n\n" +
			"The selector is remembered: `assay upgrade` goes by it. Nothing needs root, and\n" +
			"no program of the release is run." +
			examples(
				"assay install hello              the newest release in stable",
				"assay install hello@candidate    and follow that channel from now on",
				"assay install hello@1.4.2 ferry  this version of one, the newest of another",
				"assay install hello --dry-run    what would be installed"),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: flagDryRun, Usage: "install nothing; tell what would be"},
			&cli.StringFlag{Name: flagFormat, Usage: "choose the `FORMAT` (tar.gz, zip, …) where a platform has several"},
			nowFlag(),
		},
		Action: func(c *cli.Context) error { return a.install(c) },
	}
}

// flagNow skips waiting for a staged rollout: a wish of the publisher, no proof.
const flagNow = "now"

func nowFlag() cli.Flag {
	return &cli.BoolFlag{Name: flagNow, Usage: "don't wait for a staged rollout to reach this machine"}
}

// wish is a product to be installed, and what was found for it.
type wish struct {
	text     string // as it was asked for
	ref      artifact.Ref
	request  string
	platform artifact.Platform // zero: that of the configuration
	held     fetch.Held
	release  install.Release
	before   install.Generation // what runs; Number is 0: nothing
	frozen   bool               // what runs is held
	revoked  string             // why what runs is revoked; empty: it is not, or nobody asked
}

// installedDoc tells of one release.
type installedDoc struct {
	Changed    bool             `json:"changed"` // another release runs than before, or it follows another request, or links were mended
	Repository string           `json:"repository"`
	Product    string           `json:"product"`
	Version    string           `json:"version"`
	Before     string           `json:"before,omitempty"` // the version that ran before
	Channel    string           `json:"channel,omitempty"`
	Request    string           `json:"request"`            // the selector that upgrades go by
	Followed   string           `json:"followed,omitempty"` // the one that they went by before, where it is another
	Platform   string           `json:"platform"`
	Target     string           `json:"target"`
	Digests    artifact.Digests `json:"digests"`
	Folder     string           `json:"folder,omitempty"`   // of the files
	Links      []string         `json:"links,omitempty"`    // the programs, as they are called
	Mended     []string         `json:"mended,omitempty"`   // links that were lost, of a release that ran before
	Unlinked   []string         `json:"unlinked,omitempty"` // links that went, in a folder that was bin_dir before
	Moved      int64            `json:"moved"`              // bytes that came over a source
	Proof      []string         `json:"proof"`              // in words
	Warnings   []string         `json:"warnings,omitempty"`

	was install.Generation // what ran before; Number is 0: nothing
}

// elsewhere reports whether the release is for another platform than what ran before.
func (d installedDoc) elsewhere() bool {
	return d.was.Number != 0 && d.was.Platform.String() != d.Platform
}

// mendedOnly reports whether the same release runs as before, and only links changed.
func (d installedDoc) mendedOnly() bool {
	return len(d.Mended)+len(d.Unlinked) > 0 && d.was.Number != 0 && d.Folder == d.was.Tree() && d.was.Request == d.Request
}

// installDoc is the result of install and of whatever else switches releases.
type installDoc struct {
	Changed bool           `json:"changed"`
	DryRun  bool           `json:"dry_run,omitempty"`
	Items   []installedDoc `json:"items"`
}

func (a *app) install(c *cli.Context) error {
	args, err := operands(c, 1, -1)
	if err != nil {
		return err
	}
	if c.IsSet(flagFormat) && len(args) > 1 {
		return usagef("--%s is for one product: expected one argument, found %d", flagFormat, len(args))
	}
	list, err := parseWanted(args)
	if err != nil {
		return err
	}
	s, err := a.asking(c)
	if err != nil {
		return err
	}
	store, err := a.installer(s)
	if err != nil {
		return err
	}
	began := a.now()
	for _, w := range list {
		if err := a.findWanted(c, s, store, w); err != nil {
			return err
		}
	}
	return a.installAll(c, s, store, list, began)
}

// parseWanted reads the arguments, each product once. Without a repository a product
// may turn out to be any of its name.
func parseWanted(args []string) ([]*wish, error) {
	var list []*wish
	seen := map[string][]*wish{} // by product
	for _, text := range args {
		ref, err := artifact.ParseRef(text)
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(seen[ref.Product], func(w *wish) bool { return w.text == text }) {
			continue
		}
		for _, other := range seen[ref.Product] {
			if other.ref.Repo == ref.Repo || other.ref.Repo == "" || ref.Repo == "" {
				return nil, usagef("%s and %s are of one product: expected it once", clip(other.text), clip(text))
			}
		}
		w := &wish{text: text, ref: ref}
		seen[ref.Product] = append(seen[ref.Product], w)
		list = append(list, w)
	}
	return list, nil
}

// findWanted finds out what runs of a product, and by which request the new one is
// looked for. A product that is installed is that of the repository which it came
// from, unless another one is named.
func (a *app) findWanted(c *cli.Context, s *session, store *install.Store, w *wish) (err error) {
	if w.ref.Repo == "" {
		name, err := installedName(store, w.ref.Product)
		switch {
		case err == nil:
			w.ref.Repo = name.Repository
		case !errors.Is(err, install.ErrMissing):
			return err
		}
	}
	if w.ref, err = a.projectSelector(s, w.text, w.ref); err != nil {
		return err
	}
	w.request = w.ref.Selector.String()
	if w.ref.Repo == "" {
		return nil
	}
	w.before, err = store.Current(install.Name{Repository: w.ref.Repo, Product: w.ref.Product})
	if errors.Is(err, install.ErrMissing) {
		return nil
	}
	if err != nil {
		a.out.warn("%v", err)
		return nil
	}
	w.frozen = store.Held(nameOf(w.before))
	return nil
}

// installAll proves all that is wanted, and then installs one after the other.
func (a *app) installAll(c *cli.Context, s *session, store *install.Store, list []*wish, began time.Time) error {
	if err := a.proveAll(c, s, list); err != nil {
		return err
	}
	a.progress.close()
	doc := installDoc{DryRun: c.Bool(flagDryRun), Items: []installedDoc{}}
	var log *auditor
	var failed error
	for _, w := range list {
		item, err := a.installOne(c, s, store, w, &log)
		if err != nil {
			failed = errors.Join(fmt.Errorf("%s: %w", w.text, err), notReached(len(list)-len(doc.Items)-1))
			break
		}
		doc.Changed = doc.Changed || item.Changed
		doc.Items = append(doc.Items, item)
	}
	if err := a.out.result("install", doc); err != nil {
		return errors.Join(failed, err)
	}
	a.tellInstalled(store, doc, a.now().Sub(began), failed)
	return failed
}

// notReached tells how many products were not come to.
func notReached(n int) error {
	if n == 0 {
		return nil
	}
	return fmt.Errorf("%d more were proven, and not installed", n)
}

// proveAll selects, fetches and proves, all at once. What is not good enough, of any,
// is an error, and nothing is installed.
func (a *app) proveAll(c *cli.Context, s *session, list []*wish) error {
	errs := make([]error, len(list))
	var all sync.WaitGroup
	for i, w := range list {
		all.Go(func() { errs[i] = a.proveOne(c, s, w) })
	}
	all.Wait()
	for i, err := range errs {
		if err != nil {
			w := list[i]
			what := asked{repository: w.ref.Repo, product: w.ref.Product}
			return a.noteRefusal(c.Context, s, what, err)
		}
	}
	return nil
}

func (a *app) proveOne(c *cli.Context, s *session, w *wish) error {
	selection, err := s.client.Resolve(c.Context, w.fetchRequest(c, s))
	if err == nil {
		err = w.refuseHeld(selection)
	}
	if err != nil {
		return err
	}
	return a.proveSelected(c, s, w, selection)
}

// fetchRequest is what is asked of the repositories for a wish.
func (w *wish) fetchRequest(c *cli.Context, s *session) fetch.Request {
	request := fetch.Request{Ref: w.ref, Platform: w.platform, Format: c.String(flagFormat), Now: c.Bool(flagNow)}
	if w.platform == (artifact.Platform{}) {
		request.Platform = s.config.Platform
	}
	return request
}

// proveSelected fetches and proves what was chosen for a wish; with --dry-run it
// proves as far as that goes without the bytes.
func (a *app) proveSelected(c *cli.Context, s *session, w *wish, selection fetch.Selection) (err error) {
	if err := s.refuseForeign(w, selection.Platform); err != nil {
		return err
	}
	if c.Bool(flagDryRun) {
		err = s.client.Judge(c.Context, &selection)
		w.held = fetch.Held{Selection: selection}
	} else {
		w.held, err = s.client.GetSelected(c.Context, selection)
	}
	if err != nil {
		return err
	}
	w.release, err = s.releaseOf(c.Context, w.held, w.request)
	if err == nil {
		err = w.about(w.release.Fit())
	}
	return err
}

// installOne switches to a proven release.
func (a *app) installOne(c *cli.Context, s *session, store *install.Store, w *wish, log **auditor) (installedDoc, error) {
	if c.Bool(flagDryRun) { // else they were told when it was proven
		for _, warning := range w.held.Warnings {
			a.out.warn("%s", warning)
		}
	}
	if text := goesBack(w, c.Bool(flagDryRun)); text != "" {
		a.out.warn("%s", text)
	} else if w.before.Number != 0 && w.before.Request != w.request {
		a.out.talk("%s %s", w.held.Product, w.followsText(c.Bool(flagDryRun)))
	}
	if c.Bool(flagDryRun) {
		done := install.Outcome{Generation: install.Generation{Release: w.release}, Before: w.before}
		done.Changed = w.before.Number == 0 || !w.before.Digests.Agree(w.release.Digests) || w.before.Request != w.release.Request
		return newInstalledDoc(w.held, done), nil
	}
	if err := s.refuseForeign(w, w.release.Platform); err != nil {
		return installedDoc{}, err
	}
	if *log == nil { // what can't be written down must not be done
		var err error
		if *log, err = a.auditor(c.Context, s); err != nil {
			return installedDoc{}, err
		}
	}
	meter := a.progress.Start(w.held.Target.Name()+" (unpacking)", 0)
	done, err := store.Install(c.Context, w.release, w.held.Blob, install.Options{Progress: meter, Since: &w.before})
	meter.Done(err)
	a.progress.close()
	if err != nil {
		return installedDoc{}, w.about(err)
	}
	if done.Changed {
		if err := (*log).noteInstall(c.Context, audit.Install, w.held, done); err != nil {
			return installedDoc{}, err
		}
	}
	return newInstalledDoc(w.held, done), nil
}

// followsText says that a product follows another request than before, or would.
func (w *wish) followsText(dryRun bool) string {
	before, now := requestText(w.before.Request), requestText(w.request)
	if dryRun {
		return fmt.Sprintf("follows %s, and would follow %s from then on", before, now)
	}
	return fmt.Sprintf("followed %s, and follows %s from now on", before, now)
}

// goesBack says that a release is older than the one it takes, or would take, the place
// of, and why.
func goesBack(w *wish, dryRun bool) string {
	before, err := artifact.ParseVersion(w.before.Version)
	if w.before.Number == 0 || err != nil || w.held.Version.Compare(before) >= 0 {
		return ""
	}
	verb := "goes"
	if dryRun {
		verb = "would go"
	}
	text := fmt.Sprintf("%s %s back from %s to %s", w.held.Product, verb, w.before.Version, w.held.Version)
	if w.revoked != "" {
		text += ", as " + w.revoked
	} else if w.before.Request != w.request {
		text += ": it " + w.followsText(dryRun)
	} else {
		text += ": " + w.held.Why
	}
	return text
}

func newInstalledDoc(held fetch.Held, done install.Outcome) installedDoc {
	doc := installedDoc{
		Changed: done.Changed, Repository: done.Repository, Product: done.Product, Version: done.Version, Before: done.Before.Version,
		Channel: done.Channel, Request: done.Request, Platform: done.Platform.String(), Target: done.Target, Digests: done.Digests,
		Links: done.Links, Mended: done.Mended, Unlinked: done.Unlinked, Moved: held.Moved, Proof: proofWords(held), Warnings: held.Warnings, was: done.Before,
	}
	if done.Before.Number != 0 && done.Before.Request != done.Request {
		doc.Followed = done.Before.Request
	}
	if done.Number != 0 {
		doc.Folder = done.Tree()
	}
	return doc
}

// proofWords say in a word each what speaks for an artifact beside the repository's
// signed metadata.
func proofWords(held fetch.Held) []string {
	words := []string{"metadata"}
	if len(held.Evidence.Signatures) > 0 {
		words = append(words, "signature")
	}
	if len(held.Evidence.Builds) > 0 {
		words = append(words, "provenance")
	}
	if len(held.Agreed) > 0 {
		words = append(words, "agreement")
	}
	return words
}

// tellInstalled prints a line for each release, and one for all. What has failed is
// told by its error: beside it there was something to do.
func (a *app) tellInstalled(store *install.Store, doc installDoc, took time.Duration, failed error) {
	changed, mended, moved := 0, 0, int64(0)
	var rows [][]string
	for _, item := range doc.Items {
		if moved += item.Moved; item.Changed {
			changed++
		}
		if item.mendedOnly() {
			mended++
		}
		rows = append(rows, a.installedRow(item))
	}
	a.out.plainTable(rows)
	a.tellUnlinked(doc.Items...)
	if doc.DryRun {
		a.out.talk("nothing was installed: --%s", flagDryRun)
		return
	}
	if changed == 0 {
		if failed == nil {
			a.out.talk("nothing to do, in %s", tookText(took))
		}
		return
	}
	fetched := "held already"
	if moved > 0 {
		fetched = bytesText(moved) + " fetched"
	}
	if changed == mended {
		a.out.talk("%s linked anew, in %s", humanize.Comma(int64(mended)), tookText(took))
		a.warnOfPath(store.Bin)
		return
	}
	a.out.talk("%s installed, %s, in %s", humanize.Comma(int64(changed)), fetched, tookText(took))
	a.warnOfPath(store.Bin)
}

// tellUnlinked tells which links went with a folder that bin_dir is not any more.
func (a *app) tellUnlinked(items ...installedDoc) {
	for _, item := range items {
		if len(item.Unlinked) > 0 {
			a.out.talk("%s: no longer linked at %s: bin_dir is another folder now", item.Product, a.whereOf(item.Unlinked))
		}
	}
}

// installedRow is what became of a product: from where to where, why it is believed,
// and where it lies.
func (a *app) installedRow(item installedDoc) []string {
	versions := item.Version
	switch {
	case item.Before == "":
	case item.Before != item.Version:
		versions = item.Before + " → " + item.Version
	case !item.Changed:
		versions += ", as before"
	case item.was.Request != item.Request || item.was.Channel != item.Channel:
		versions += ", now by " + item.Request
	case item.mendedOnly():
		versions += ", linked anew"
	case !item.elsewhere():
		versions += ", installed anew"
	}
	if item.elsewhere() {
		versions += ", now for " + item.Platform
	}
	where := ""
	if len(item.Links) > 0 {
		where = a.whereOf(item.Links)
	}
	return []string{item.Product, versions, "proven by " + strings.Join(item.Proof, ", "), where}
}
