package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/urfave/cli/v2"

	"assay/artifact"
	"assay/artifact/release"
	"assay/fetch"
	"assay/fetch/install"
)

func upgradeCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "upgrade",
		Usage:     "bring what is installed up to date",
		ArgsUsage: "[[REPO:]PRODUCT[@SELECTOR]…]",
		Description: "Installs what the remembered request of each product chooses today, from the\n" +
			"repository that it came from: of all products, or of those that are named. With\n" +
			"a selector the product follows that from now on. What is held is passed over.\n\n" +
			"It never goes back, but from a release that is revoked: then the one that may be\n" +
			"chosen takes its place, even if it is older. A product that fails does not stop\n" +
			"the others; the exit code is that of the first failure, in the order of names." +
			examples(
				"assay upgrade                    all that is installed",
				"assay upgrade hello --dry-run    what would be installed",
				"assay upgrade hello@candidate    and follow that channel from now on",
				"assay upgrade --now              without waiting for staged rollouts"),
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: flagDryRun, Usage: "install nothing; tell what would be"},
			nowFlag(),
		},
		Action: func(c *cli.Context) error { return a.upgrade(c) },
	}
}

// upgradedDoc tells of one product.
type upgradedDoc struct {
	installedDoc
	Held    bool       `json:"held,omitempty"`    // it was passed over
	Revoked string     `json:"revoked,omitempty"` // why what ran, or still runs, is revoked
	Stays   string     `json:"stays,omitempty"`   // why an older release, that would be chosen, was not
	Error   *errorPart `json:"error,omitempty"`   // why it could not be upgraded
}

// upgradeDoc is the result of upgrade.
type upgradeDoc struct {
	Changed bool          `json:"changed"`
	DryRun  bool          `json:"dry_run,omitempty"`
	Items   []upgradedDoc `json:"items"`
}

// upgrading is a product that may be upgraded, and what becomes of it.
type upgrading struct {
	wish
	name   install.Name
	wanted bool // there is something to be installed
	stays  string
	err    error
}

// upgrade is one run of the command.
type upgrade struct {
	*app
	c     *cli.Context
	s     *session
	store *install.Store
	steps []*upgrading
	log   *auditor
	doc   upgradeDoc
	moved int64
}

func (a *app) upgrade(c *cli.Context) error {
	args, err := operands(c, 0, -1)
	if err != nil {
		return err
	}
	s, err := a.asking(c)
	if err != nil {
		return err
	}
	u := &upgrade{app: a, c: c, s: s, doc: upgradeDoc{DryRun: c.Bool(flagDryRun), Items: []upgradedDoc{}}}
	if u.store, err = a.installer(s); err != nil {
		return err
	}
	if u.steps, err = stepsOf(u.store, args); err != nil {
		return err
	}
	began := a.now()
	var all sync.WaitGroup
	for _, t := range u.steps {
		if t.err == nil {
			all.Go(func() { t.err = u.prove(t) })
		}
	}
	all.Wait()
	a.progress.close()
	if err := context.Cause(c.Context); err != nil {
		return err
	}
	for _, t := range u.steps {
		u.take(t)
	}
	return u.finish(a.now().Sub(began))
}

// stepsOf are the products that are named, none of them held, or all that are
// installed.
func stepsOf(store *install.Store, args []string) ([]*upgrading, error) {
	steps, err := lookAt(store, args)
	if err != nil {
		return nil, err
	}
	for _, t := range steps {
		if len(args) > 0 && t.frozen {
			return nil, withHint(usagef("%s is held at %s: expected a product that is not", t.name.Product, t.before.Version), unholdHint(t.name.Product))
		}
	}
	return steps, nil
}

// lookAt are the products that are named, with the selector of each, or all that are
// installed.
func lookAt(store *install.Store, args []string) ([]*upgrading, error) {
	if len(args) == 0 {
		names, err := installedNames(store)
		var steps []*upgrading
		for _, name := range names {
			steps = append(steps, newStep(store, name, name.Product))
		}
		return steps, err
	}
	var steps []*upgrading
	seen := map[install.Name]string{}
	for _, text := range args {
		ref, err := artifact.ParseRef(text)
		if err != nil {
			return nil, err
		}
		plain, _, selected := strings.Cut(text, "@")
		name, err := installedName(store, plain)
		if err != nil {
			return nil, err
		}
		if other, twice := seen[name]; twice {
			if other == text {
				continue
			}
			return nil, usagef("%s and %s are of one product: expected it once", clip(other), clip(text))
		}
		seen[name] = text
		t := newStep(store, name, text)
		if selected && t.err == nil {
			t.ref.Selector, t.request = ref.Selector, ref.Selector.String()
		}
		steps = append(steps, t)
	}
	return steps, nil
}

// newStep reads what runs of a product, and what was asked for.
func newStep(store *install.Store, name install.Name, text string) *upgrading {
	t := &upgrading{name: name, wish: wish{text: text, ref: artifact.Ref{Repo: name.Repository, Product: name.Product}}}
	if t.before, t.err = store.Current(name); t.err != nil {
		return t
	}
	t.request, t.frozen = t.before.Request, store.Held(name)
	t.ref.Selector, t.err = artifact.ParseSelector(t.request)
	return t
}

// installed is what runs, as it was proven.
func (t *upgrading) installed(version artifact.Version) fetch.Installed {
	return fetch.Installed{Version: version, Target: t.before.Target, Digests: t.before.Digests}
}

// prove finds out what there is for a product, and proves it, if it is to be
// installed.
func (u *upgrade) prove(t *upgrading) error {
	ctx := u.c.Context
	if t.platform = t.before.Platform; u.c.IsSet(flagPlatform) {
		t.platform = u.s.config.Platform
	}
	before, err := artifact.ParseVersion(t.before.Version)
	if err != nil {
		return fmt.Errorf("%w: %w", install.ErrRecord, err)
	}
	outlook, err := u.s.client.Outlook(ctx, t.fetchRequest(u.c, u.s), t.installed(before))
	if outlook.Status == release.StatusRevoked {
		t.revoked = revokedText(t.before.Version, outlook)
	}
	if t.frozen {
		return nil // whatever there is
	}
	var selection fetch.Selection
	if err == nil {
		selection, err = u.s.client.Resolve(ctx, t.fetchRequest(u.c, u.s))
	}
	if err == nil && !t.isUpgrade(before, selection) {
		t.held.Selection = selection
		return nil
	}
	if err == nil {
		t.wanted = true
		err = u.proveSelected(u.c, u.s, &t.wish, selection)
	}
	if err != nil && ctx.Err() == nil {
		t.wanted = false
		err = u.noteRefusal(ctx, u.s, asked{repository: t.name.Repository, product: t.name.Product}, t.wayOut(err))
	}
	return err
}

// revokedText says that what runs is revoked, and why.
func revokedText(version string, o fetch.Outlook) string {
	text := fmt.Sprintf("%s is revoked since %s", version, o.Since.UTC().Format(time.DateOnly))
	if o.Reason != "" {
		text += ": " + o.Reason
	}
	if o.Advisory != "" {
		text += " (" + o.Advisory + ")"
	}
	return text
}

// isUpgrade reports whether what was found takes the place of what runs: something
// newer, or something that is asked for otherwise. What is older does only where what
// runs is revoked, as nothing holds a machine on that.
func (t *upgrading) isUpgrade(before artifact.Version, found fetch.Selection) bool {
	switch order := found.Version.Compare(before); {
	case order > 0:
		return true
	case order == 0:
		return t.request != t.before.Request || found.Platform != t.before.Platform || !found.Target.Digests().Agree(t.before.Digests)
	case t.revoked != "":
		return true
	}
	verb := "chooses"
	if t.ref.Selector.Kind == artifact.ByChannel {
		verb = "has"
	}
	t.stays = fmt.Sprintf("%s %s %s; %s stays at %s", requestText(t.request), verb, found.Version, t.name.Product, t.before.Version)
	if t.request != t.before.Request {
		t.stays += fmt.Sprintf(", and goes on following %s", requestText(t.before.Request))
	}
	t.stays += fmt.Sprintf("; `assay install %s@%s` goes back", t.name.Product, t.request)
	return false
}

// wayOut is the error with what helps where a product was asked for so exactly that
// nothing can take the place of what is revoked.
func (t *upgrading) wayOut(err error) error {
	if kind := t.ref.Selector.Kind; t.revoked != "" && kind != artifact.ByChannel {
		return withHint(err, fmt.Sprintf("`assay upgrade %s@%s` takes what that channel has in its place", t.name.Product, artifact.DefaultChannel))
	}
	return err
}

// take installs what was proven for a product, and tells what there is to know.
func (u *upgrade) take(t *upgrading) {
	item := upgradedDoc{Held: t.frozen, Revoked: t.revoked, Stays: t.stays}
	if t.revoked != "" {
		u.out.warn("%s %s", t.name.Product, t.revoked)
	}
	if t.stays != "" {
		u.out.talk("%s", t.stays)
	}
	if t.err == nil && t.wanted {
		item.installedDoc, t.err = u.installOne(u.c, u.s, u.store, &t.wish, &u.log)
	}
	if t.err != nil || !t.wanted {
		item.installedDoc = u.asItIs(t)
		for _, warning := range item.Warnings {
			u.out.warn("%s", warning)
		}
	}
	if t.err != nil {
		u.tellFailed(t)
		item.Error = partOf(t.err)
	}
	u.doc.Changed, u.moved = u.doc.Changed || item.Changed, u.moved+item.Moved
	u.doc.Items = append(u.doc.Items, item)
}

// asItIs tells of a product that was left as it is.
func (u *upgrade) asItIs(t *upgrading) installedDoc {
	doc := installedDoc{Repository: t.name.Repository, Product: t.name.Product, Proof: []string{}}
	if t.err == nil {
		doc.Warnings = t.held.Warnings // of what was looked for
	}
	if g := t.before; g.Number != 0 {
		doc.Version, doc.Before, doc.Channel, doc.Request = g.Version, g.Version, g.Channel, g.Request
		doc.Platform, doc.Target, doc.Digests = g.Platform.String(), g.Target, g.Digests
		doc.Folder, doc.Links = g.Tree(), u.store.Links(g)
	}
	return doc
}

func (u *upgrade) tellFailed(t *upgrading) {
	message, _, hint := describe(t.err)
	if !strings.Contains(message, t.name.Product) {
		message = t.name.Product + ": " + message
	}
	if hint != "" {
		message += "\n  hint: " + hint
	}
	u.out.tell(string(u.out.style(u.out.stderr, red, "assay:")) + " " + message)
}
