package config

import (
	"errors"
	"fmt"
	"strings"
)

// maxAdvisories bounds the documents of all files.
const maxAdvisories = 64

// Advisories is a document that tells what is known to be wrong with components:
// a file, or a target of a repository. Those of the system's files stand before
// the user's. They are for both alone, as a document may also say that a
// component is not affected.
type Advisories struct {
	File       string // absolute path; empty: see Repository
	Repository string
	Target     string
	Origin     Origin

	place place
}

// advisoriesDocument is one as files spell it.
type advisoriesDocument struct {
	File       string `toml:"file"`
	Repository string `toml:"repository"`
	Target     string `toml:"target"`
}

// advise takes the advisories of a file, behind those of the files before.
func (b *builder) advise(docs []advisoriesDocument, f *file) error {
	if err := f.checkList(KeyAdvisories); err != nil {
		return err
	}
	for i, doc := range docs {
		a := Advisories{File: f.beside(doc.File), Repository: doc.Repository, Target: doc.Target, place: f.at(KeyAdvisories, i)}
		a.Origin = a.place.origin("")
		key := numbered(KeyAdvisories, len(b.advisories))
		if err := b.checkLock(KeyAdvisories, false, a.Origin); err != nil {
			return err
		}
		if len(b.advisories) == maxAdvisories {
			return &Error{Origin: a.Origin, Key: key, Kind: ErrValue, Detail: fmt.Sprintf("expected at most %d advisories in all, found more", maxAdvisories)}
		}
		if bad, err := a.check(); err != nil {
			return &Error{Origin: a.place.origin(bad), Key: strings.TrimSuffix(key+"."+bad, "."), Kind: ErrValue, Err: err}
		}
		b.advisories = append(b.advisories, a)
	}
	return nil
}

func (a Advisories) check() (bad string, err error) {
	target := a.Repository != "" || a.Target != ""
	switch {
	case a.File != "" && target:
		return "file", errors.New("expected a file, or a repository and target, found both")
	case a.File == "" && !target:
		return "", errors.New("expected a file, or a repository and target, found neither")
	case target:
		return checkTarget(a.Repository, a.Target)
	}
	return "", nil
}

func (a Advisories) values() []Value {
	var list []Value
	for _, said := range []struct{ key, text string }{{"file", a.File}, {"repository", a.Repository}, {"target", a.Target}} {
		if said.text != "" {
			list = append(list, Value{Key: said.key, Value: said.text, Origin: a.place.origin(said.key)})
		}
	}
	return list
}
