package main

import (
	"errors"

	"assay/cache"
	"assay/cache/audit"
	"assay/fetch"
	"assay/fetch/pinned"
	"assay/fetch/wire"
	"assay/trust"
)

// verify judges the signatures that were asked for, as assay verify does for a file
// alone. The bytes are in the cache by then, under their digest; they have no name.
func (g *urlGet) verify(blob cache.Blob) error {
	if len(g.c.StringSlice(flagBundle)) == 0 && !g.c.IsSet(flagSignature) {
		return nil
	}
	name := g.name
	if name == "" {
		name = g.source.String()
	}
	v := &alone{app: g.app, c: g.c, file: name, content: blob.Path(), signed: name, evidence: &trust.Evidence{Judged: g.app.now().UTC()}}
	g.doc.Evidence = v.evidence
	err := v.hash(g.c.Context)
	if err == nil && !v.digests.Agree(g.want) { // the disk has lied since
		err = &trust.MismatchError{What: g.source.String(), Expected: g.want.Primary().String(), Found: v.digests.Primary().String()}
	}
	if err == nil {
		v.given = g.list
		err = v.run(g.c.Context)
	}
	if err != nil {
		return v.advise(err)
	}
	return nil
}

// audit writes down that the file was handed out.
func (g *urlGet) audit(detail string) error {
	evidence, err := digestOf(g.doc.Evidence)
	if err != nil {
		return err
	}
	return g.log.note(g.c.Context, audit.Entry{
		Action: audit.Get, Outcome: audit.Done, Detail: detail + ", " + g.proven(), Evidence: evidence, Subject: g.subject(),
	})
}

func (g *urlGet) subject() audit.Subject {
	return audit.Subject{Target: g.source.String(), Digest: g.want.Primary()}
}

// refused writes a refusal into the audit log, and gives it back with its evidence.
// What could not be had is refused by nobody.
func (g *urlGet) refused(err error) error {
	switch code := codeOf(err); {
	case g.source.Kind() == pinned.File && errors.Is(err, wire.ErrSource):
		return mark(fetch.ErrInput, err)
	case code < 10 || code >= 20:
		return err
	}
	evidence := g.doc.Evidence
	if evidence == nil {
		evidence = &trust.Evidence{Judged: g.app.now().UTC()}
	}
	if _, told := evidence.Failed(); !told {
		id := trust.CheckDigest
		if errors.Is(err, wire.ErrTooLong) {
			id = trust.CheckLength
		}
		evidence.Add(trust.Check{ID: id, Result: trust.Fail, Expected: g.want.Primary().String(), Found: clean(err.Error())})
	}
	refusal := &earlyRefusal{err, evidence, asked{target: g.source.String()}}
	if failed := g.log.noteRefused(g.c.Context, g.subject(), refusal); failed != nil {
		g.app.out.warn("the refusal is not in the audit log: %v", failed)
	}
	return refusal
}
