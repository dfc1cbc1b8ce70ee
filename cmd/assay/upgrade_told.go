package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// upgradeError is the first failure of several products, in the order of names.
type upgradeError struct {
	failed, all int
	first       *upgrading
}

func (e *upgradeError) Error() string {
	return fmt.Sprintf("%d of %d could not be upgraded, the first: %s: %v", e.failed, e.all, e.first.name.Product, e.first.err)
}

func (e *upgradeError) Unwrap() error { return e.first.err }

// finish says what came of all.
func (u *upgrade) finish(took time.Duration) error {
	if err := u.out.result("upgrade", u.doc); err != nil {
		return err
	}
	var rows [][]string
	var failure *upgradeError
	for i, t := range u.steps {
		rows = append(rows, u.row(t, u.doc.Items[i]))
		if t.err == nil {
			continue
		}
		if failure == nil {
			failure = &upgradeError{all: len(u.steps), first: t}
		}
		failure.failed++
	}
	u.out.plainTable(rows)
	u.sum(took)
	switch {
	case failure != nil:
		return &reported{failure}
	default:
		return context.Cause(u.c.Context)
	}
}

// row is what became of a product.
func (u *upgrade) row(t *upgrading, item upgradedDoc) []string {
	switch {
	case item.Error != nil && item.Version == "":
		return []string{t.name.Product, "not upgraded"}
	case item.Error != nil:
		return []string{t.name.Product, item.Version + ", not upgraded"}
	case item.Held:
		return []string{t.name.Product, item.Version + ", held"}
	case item.Stays != "":
		return []string{t.name.Product, item.Version + ", stays"}
	case !t.wanted:
		return []string{t.name.Product, item.Version + ", as before"}
	}
	return u.installedRow(item.installedDoc)
}

// sum is the last line: how many were upgraded, held or failed, and what it took.
func (u *upgrade) sum(took time.Duration) {
	counts := map[string]int{}
	for _, item := range u.doc.Items {
		switch {
		case item.Error != nil:
			counts["failed"]++
		case item.Held:
			counts["held"]++
		case item.Changed:
			counts["upgraded"]++
		default:
			counts["as before"]++
		}
	}
	if len(u.doc.Items) == 0 {
		u.out.talk("nothing is installed")
		return
	}
	var parts []string
	for _, word := range []string{"upgraded", "as before", "held", "failed"} {
		if n := counts[word]; n > 0 {
			parts = append(parts, humanize.Comma(int64(n))+" "+word)
		}
	}
	if u.doc.DryRun {
		u.out.talk("nothing was changed: --%s; it would be: %s", flagDryRun, strings.Join(parts, ", "))
		return
	}
	if u.moved > 0 {
		parts = append(parts, bytesText(u.moved)+" fetched")
	}
	u.out.talk("%s, in %s", strings.Join(parts, ", "), tookText(took))
	if u.doc.Changed {
		u.warnOfPath(u.store.Bin)
	}
}
