package cache

import (
	"bytes"
	"context"
	"strings"

	"go.etcd.io/bbolt"
)

// finder answers one query within a transaction.
type finder struct {
	ctx   context.Context
	tx    *bbolt.Tx
	query Query
	// hits are the artifacts that are meant by what was asked so far, each with the
	// components; nil: all are.
	hits  map[number][]number
	parts map[number]Component // the components that are meant
	steps int
}

// answer asks one thing after the other; what needs a look at the components of
// each artifact comes last, when few are left.
func (f *finder) answer() ([]Match, error) {
	q := f.query
	for _, each := range []struct {
		asked  bool
		bucket []byte
		prefix string
		want   func(string) bool
	}{
		{q.Revision != "", bucketRevisions, strings.ToLower(q.Revision), func(string) bool { return true }},
		{q.Builder != nil, bucketBuilders, "", q.Builder},
		{q.Signer != nil, bucketSigners, "", q.Signer},
	} {
		if !each.asked {
			continue
		}
		listed := map[number]bool{}
		err := f.words(each.bucket, each.prefix, each.want, func(n number) error { listed[n] = true; return nil })
		if err != nil {
			return nil, err
		}
		f.keep(listed)
	}
	if q.Name != "" || q.Keep != nil || q.License != nil {
		if err := f.components(); err != nil {
			return nil, err
		}
	}
	return f.load()
}

// keep leaves the hits that are listed.
func (f *finder) keep(listed map[number]bool) {
	next := map[number][]number{}
	for id := range listed {
		if _, hit := f.hits[id]; hit || f.hits == nil {
			next[id] = nil
		}
	}
	f.hits = next
}

// components finds the artifacts by what they consist of, or by licence.
func (f *finder) components() error {
	f.parts = map[number]Component{}
	q := f.query
	listed := map[number]bool{} // the artifacts that are meant whatever they consist of
	var err error
	switch {
	case q.Name != "":
		err = f.word(bucketNames, strings.ToLower(q.Name), f.component)
	case q.Keep != nil:
		err = f.each(bucketComponents, nil, func(key []byte) error { return f.component(number(key)) })
	default:
		err = f.words(bucketLicenses, "", q.License, func(id number) error { listed[id] = true; return nil })
		if err == nil {
			err = f.words(bucketLicensed, "", q.License, f.component)
		}
	}
	if err != nil {
		return err
	}
	next := map[number][]number{}
	if len(f.parts) == 0 && len(listed) == 0 {
		f.hits = next
		return nil
	}
	look := func(id number) error {
		parts, err := f.partsOf(id)
		if len(parts) > 0 || listed[id] {
			next[id] = parts
		}
		return err
	}
	if f.hits == nil {
		err = f.each(bucketParts, nil, func(key []byte) error { return look(number(key)) })
	}
	for id := range f.hits {
		if err == nil {
			err = look(id)
		}
	}
	f.hits = next
	return err
}

// component takes one that has the name, where it is meant.
func (f *finder) component(n number) error {
	var c Component
	if err := getJSON(f.tx, bucketComponents, n[:], &c); err != nil {
		return err
	}
	if license := f.query.License; license != nil && (c.License == "" || !license(c.License)) {
		return nil
	}
	if f.query.Keep != nil && !f.query.Keep(c) {
		return nil
	}
	f.parts[n] = c
	return nil
}

// partsOf are those components of an artifact that are meant, each once.
func (f *finder) partsOf(id number) ([]number, error) {
	all, err := getParts(f.tx, id[:])
	if err != nil {
		return nil, err
	}
	var meant []number
	seen := map[number]bool{}
	for _, part := range all {
		if _, is := f.parts[part]; is && !seen[part] {
			seen[part] = true
			meant = append(meant, part)
		}
	}
	return meant, nil
}

// word visits the numbers listed under one word.
func (f *finder) word(bucket []byte, word string, visit func(number) error) error {
	return f.words(bucket, word+"\x00", func(found string) bool { return found == word }, visit)
}

// words visits the numbers listed under the wanted words that begin with prefix.
func (f *finder) words(bucket []byte, prefix string, want func(string) bool, visit func(number) error) error {
	last, wanted := []byte(nil), false
	return f.each(bucket, []byte(prefix), func(key []byte) error {
		at := len(key) - suffixLength
		if at < 0 || key[at] != 0 {
			return &corruptEntry{"an entry of a list does not read as one"}
		}
		// The numbers of a word stand together: it is asked about once.
		if last == nil || !bytes.Equal(key[:at+1], last) {
			last, wanted = key[:at+1], want(string(key[:at]))
		}
		if !wanted {
			return nil
		}
		return visit(number(key[at+1:]))
	})
}

// each visits the keys of a bucket that begin with prefix.
func (f *finder) each(bucket, prefix []byte, visit func(key []byte) error) error {
	cursor := f.tx.Bucket(bucket).Cursor()
	for key, _ := cursor.Seek(prefix); key != nil && bytes.HasPrefix(key, prefix); key, _ = cursor.Next() {
		if f.steps++; f.steps%1024 == 0 && f.ctx.Err() != nil {
			return f.ctx.Err()
		}
		if err := visit(key); err != nil {
			return err
		}
	}
	return nil
}

// load makes the answer of the hits.
func (f *finder) load() ([]Match, error) {
	found := make([]Match, 0, len(f.hits))
	for id, parts := range f.hits {
		var core coreRecord
		if err := getJSON(f.tx, bucketArtifacts, id[:], &core); err != nil {
			return nil, err
		}
		match := Match{Facts: core.Facts}
		for _, part := range parts {
			match.Matched = append(match.Matched, f.parts[part])
		}
		found = append(found, match)
	}
	return found, nil
}
