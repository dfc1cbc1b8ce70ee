package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"assay/cache/audit"
	"assay/fetch"
	"assay/internal/config"
	"assay/trust"
)

const (
	flagRoot        = "root"
	flagRootSHA256  = "root-sha256"
	flagRootVersion = "root-version"
	flagMetadataURL = "metadata-url"
	flagTargetsURL  = "targets-url"
)

func trustAddCommand(a *app) *cli.Command {
	return &cli.Command{
		Name:      "add",
		Usage:     "trust a repository, beginning with a given root",
		ArgsUsage: "NAME [URL]",
		Description: "The root is given by file, or by digest and fetched, or both in one URL that\n" +
			"ends in #root=N&sha256=HEX. Get it from the publisher by another way than the\n" +
			"repository itself. Nothing is added unless the repository proves itself by it.\n" +
			"The name sigstore needs no URL: the root of the public-good Sigstore repository\n" +
			"ships with assay." +
			examples(
				"assay trust add acme https://tuf.acme.example --root acme.root.json",
				"assay trust add acme https://tuf.acme.example --root-sha256 9f2c…",
				"assay trust add acme 'https://tuf.acme.example/#root=1&sha256=9f2c…'",
				"assay trust add sigstore",
			),
		Flags: []cli.Flag{
			&cli.StringFlag{Name: flagRoot, Usage: "the root is in `FILE`"},
			&cli.StringFlag{Name: flagRootSHA256, Usage: "the root has the SHA-256 digest `HEX`"},
			&cli.Int64Flag{Name: flagRootVersion, Usage: "the digest is that of root `N`", Value: 1},
			&cli.StringFlag{Name: flagMetadataURL, Usage: "metadata lies under `URL`, not at the repository's or in metadata/"},
			&cli.StringFlag{Name: flagTargetsURL, Usage: "targets lie under `URL`, not in targets/"},
		},
		Action: a.trustAdd,
	}
}

func (a *app) trustAdd(c *cli.Context) error {
	args, err := operands(c, 1, 2)
	if err != nil {
		return err
	}
	add, err := newAddition(c, args)
	if err != nil {
		return err
	}
	s, err := a.store(c)
	if err != nil {
		return err
	}
	if declared, ok := s.config.Repository(add.Name); ok {
		return withHint(usagef("%s: declared in %s already; it is changed there", add.Name, declared.Origin), "`assay trust show "+add.Name+"` tells what is held of it")
	}
	if lock, locked := s.config.LockedBy(config.KeyRepositories + "." + add.Name); locked {
		return withHint(usagef("%s: expected a repository that the system's configuration declares, found none of that name, and no other may be added: %s locks them", add.Name, lock),
			"whoever looks after this machine declares it in "+lock.File)
	}
	if add.file != "" {
		if add.raw, err = readRoot(add.file, add.digest, limitsOf(s.config).Root); err != nil {
			return notAdded(fmt.Errorf("%s: %w", add.Name, err))
		}
	}
	if add.raw != nil {
		if err := add.checkRoot(limitsOf(s.config)); err != nil {
			return notAdded(err)
		}
	}
	// What is there already is only compared: no request, and no new floors.
	held, found, err := s.state.CheckRepository(c.Context, add.Repository)
	if err != nil {
		return err
	}
	if found {
		add.Added, add.RootVersion = held.Added, held.RootVersion
		return a.printAddition(add, nil, false)
	}
	writer, err := a.auditor(c.Context, s)
	if err != nil {
		return notAdded(err)
	}
	view, entries, err := a.prove(c.Context, s, add)
	if err != nil {
		return notAdded(err)
	}
	changed, err := s.state.AddRepository(c.Context, add.Repository, entries)
	if err != nil {
		return err
	}
	if changed {
		err = writer.note(c.Context, audit.Entry{
			Action: audit.TrustAdd, Outcome: audit.Done, Subject: audit.Subject{Repository: add.Name},
			Detail: fmt.Sprintf("%s, root %d, sha256 %s", add.URL, add.RootVersion, add.RootSHA256),
		})
	}
	return errors.Join(err, a.printAddition(add, view, changed))
}

// notAdded gives an error the hint that fits where nothing is held yet.
func notAdded(err error) error {
	var own *hinted
	var limit *trust.LimitError
	_, hint := exitOf(err)
	switch {
	case errors.As(err, &own):
		return err
	case errors.As(err, &limit): // whose hint fits
	case errors.Is(err, trust.ErrRotations):
		hint = "raise limits.root_rotations in the user's configuration, or begin with a newer root of the publisher's"
	case errors.Is(err, trust.ErrExpired):
		hint = "the repository has to publish anew; then add it again"
	case errors.Is(err, trust.ErrMalformed), errors.Is(err, trust.ErrSignature):
		hint = "get the root from the publisher again, and tell them if it stays so"
	case errors.Is(err, trust.ErrNoMetadata):
		hint = "check the URL: timestamp.json lies there, or in metadata/ under it"
	case errors.Is(err, fetch.ErrSource), errors.Is(err, trust.ErrNoAnswer):
		hint = "check the URL, the network and the proxy, then add it again"
	}
	return withHint(err, strings.TrimSuffix("nothing was added; "+hint, "; "))
}

// prove refreshes the repository in memory. What it gives is stored in one
// transaction, or, if anything fails, not at all. Offline a root from a file is
// taken as it is, to be refreshed later.
func (a *app) prove(ctx context.Context, s *session, add *addition) (*trust.View, map[string][]byte, error) {
	limits := limitsOf(s.config)
	where := a.sourceOf(s, add.Name)
	where.URL, where.MetadataURL, where.TargetsURL = add.URL, add.MetadataURL, add.TargetsURL
	where.Remember = func(_ context.Context, layout string) error { add.Layout = layout; return nil }
	source, err := fetch.NewSource(s.engine, where)
	if err != nil {
		return nil, nil, mark(errUsage, err)
	}
	if add.raw == nil {
		if s.config.Offline {
			return nil, nil, withHint(fmt.Errorf("%s: %w: the root has to be fetched by its digest", add.Name, trust.ErrNotHeld), "give the root with --root FILE, or leave --offline out")
		}
		add.raw, err = source.ReadRoot(ctx, add.RootVersion, add.digest)
		if errors.Is(err, trust.ErrMismatch) {
			err = mark(trust.ErrRootChain, err)
		}
		if err != nil {
			return nil, nil, fmt.Errorf("%s: root %d: %w", add.Name, add.RootVersion, err)
		}
		if err := add.checkRoot(limits); err != nil {
			return nil, nil, err
		}
	}
	var memory trust.MemStore
	r, err := trust.Open(trust.Config{Name: add.Name, Root: add.raw, Store: &memory, Remote: source, Now: a.now, Limits: limits})
	if err != nil {
		return nil, nil, err
	}
	if s.config.Offline {
		// There is no complete set yet, and must not be: only the root is kept.
		if _, err := r.Offline(ctx); err != nil && !errors.Is(err, trust.ErrNotHeld) {
			return nil, nil, err
		}
		return nil, memory.Entries(), nil
	}
	view, err := r.Refresh(ctx)
	if err != nil {
		return nil, nil, err
	}
	return view, memory.Entries(), nil
}

type additionDoc struct {
	Changed     bool        `json:"changed"`
	Repository  string      `json:"repository"`
	URL         string      `json:"url"`
	RootVersion int64       `json:"root_version"`
	RootSHA256  string      `json:"root_sha256"`
	RootExpires *time.Time  `json:"root_expires,omitempty"`
	Signers     int         `json:"signers,omitempty"`
	Quorum      int         `json:"quorum,omitempty"`
	Roles       []roleState `json:"roles,omitempty"`
}

func (a *app) printAddition(add *addition, view *trust.View, changed bool) error {
	doc := additionDoc{
		Changed: changed, Repository: add.Name, URL: add.URL, RootVersion: add.RootVersion, RootSHA256: add.RootSHA256,
		Signers: len(add.info.Signers), Quorum: add.info.Quorum,
	}
	if changed {
		a.out.line("%s: added %s", add.Name, add.URL)
	} else {
		a.out.line("%s: is trusted already, nothing changed", add.Name)
	}
	a.out.line("  root %d, sha256 %s", add.RootVersion, add.RootSHA256)
	if !add.info.Expires.IsZero() {
		doc.RootExpires = &add.info.Expires
		a.out.line("  expires %s; %d of %d keys sign the next root", a.moment(add.info.Expires), add.info.Quorum, len(add.info.Signers))
	}
	if view != nil {
		doc.Roles = roleStates(view)
		if now := doc.Roles[0].Version; now != add.RootVersion {
			a.out.line("  the chain of roots leads to root %d", now)
		}
		expires, role := view.Expires()
		a.out.line("  metadata is fresh; %s expires first, %s", role, a.moment(expires))
	}
	switch {
	case changed && view == nil:
		a.out.talk("next: assay trust refresh %s", add.Name)
	default:
		a.out.talk("next: assay products %s", add.Name)
	}
	return a.out.result("trust.add", doc)
}
