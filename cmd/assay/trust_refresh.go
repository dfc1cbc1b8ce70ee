package main

import (
	"context"
	"errors"
	"time"

	"github.com/urfave/cli/v2"

	"assay/trust"
)

func trustRefreshCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "refresh",
		Usage:     "ask repositories for newer metadata",
		ArgsUsage: "[NAME…]",
		Description: "Asks all repositories, or those named. One that fails does not stop the others;\n" +
			"the exit code is that of the first failure." +
			examples("assay trust refresh", "assay trust refresh acme"),
		Action: a.trustRefresh,
	}
}

// refreshDoc tells of one repository. Behind an error there is neither freshness
// nor checked, and changed without changes says that something was accepted and
// kept before it.
type refreshDoc struct {
	Repository string          `json:"repository"`
	Changed    bool            `json:"changed"`
	Changes    []trust.Change  `json:"changes"`
	Freshness  trust.Freshness `json:"freshness,omitempty"`
	Checked    time.Time       `json:"checked,omitzero"` // when all was last asked for and accepted
	Error      *errorPart      `json:"error,omitempty"`
}

func (a *app) trustRefresh(c *cli.Context) error {
	names, err := operands(c, 0, -1)
	if err != nil {
		return err
	}
	s, err := a.session(c, names...)
	if err != nil {
		return err
	}
	if s.config.Offline {
		return withHint(mark(trust.ErrNotHeld, errors.New("a refresh takes the network, which --offline forbids")), "`assay trust show NAME --offline` shows what is held")
	}
	chosen := s.repositories
	if len(names) > 0 {
		chosen = nil
		for _, name := range names {
			r, err := s.find(name)
			if err != nil {
				return err
			}
			chosen = append(chosen, r)
		}
	}
	if len(chosen) == 0 {
		a.out.talk("no repository is trusted yet; next: assay trust add NAME URL --root-sha256 HEX")
	}
	docs, changed := []refreshDoc{}, false
	var first error
	for _, r := range chosen {
		doc, err := a.refreshOne(c.Context, s, r)
		docs, changed = append(docs, doc), changed || doc.Changed
		if first == nil {
			first = err
		}
	}
	err = a.out.result("trust.refresh", struct {
		Changed      bool         `json:"changed"`
		Repositories []refreshDoc `json:"repositories"`
	}{changed, docs})
	if first != nil {
		return &reported{first}
	}
	return err
}

// refreshOne refreshes a repository and prints what came of it, failure too.
func (a *app) refreshOne(ctx context.Context, s *session, r *repository) (refreshDoc, error) {
	doc := refreshDoc{Repository: r.name, Changes: []trust.Change{}}
	view, err := s.client.View(ctx, r.name)
	if err != nil {
		message, row, hint := describe(err)
		doc.Error, doc.Changed = &errorPart{row.code, row.name, failedCheck(err), message, hint}, r.store.stored.Load()
		a.out.fail(err)
		if doc.Changed {
			a.out.line("%s: not everything; what was accepted before the error is kept", r.name)
		}
		return doc, err
	}
	doc.Freshness, doc.Checked = view.Freshness(), view.Checked().UTC()
	if doc.Freshness == trust.Grace {
		doc.Changed = r.store.stored.Load()
		text := "nothing changed"
		if doc.Changed {
			text = "what was accepted before it fell silent is kept"
		}
		a.out.line("%s: no source answers; %s", r.name, text)
		return doc, nil
	}
	if changes := view.Changes(); len(changes) > 0 {
		doc.Changes, doc.Changed = changes, true
	}
	if !doc.Changed {
		a.out.line("%s: fresh, nothing new", r.name)
	}
	for i, change := range doc.Changes {
		if i == mostRoles {
			a.out.line("%s: and %d more roles; --json lists them all", r.name, len(doc.Changes)-i)
			break
		}
		if change.From == 0 { // nothing was held, or what was is forgotten as its keys changed
			a.out.line("%s: %s is now %d", r.name, change.Role, change.To)
			continue
		}
		a.out.line("%s: %s %d → %d", r.name, change.Role, change.From, change.To)
	}
	return doc, nil
}
