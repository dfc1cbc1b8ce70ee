package config

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"assay/artifact"
)

// The bounds of agreements, those of package trust's maps.
const (
	maxAgreements     = 256
	maxAgreementPaths = 256
	maxAgreementNames = 16
)

// Agreement says which repositories must promise the same before a target under
// some paths is believed (TAP 4, one mapping). Their order counts: those of the
// system's files, then the user's, each in the order of its file.
type Agreement struct {
	Paths        []string // patterns; "**" is every path, "hello/**" all below hello
	Repositories []string // the first is the one whose catalog and channels count
	Threshold    int      // how many must promise the same; default: all of them
	Terminating  bool     // no later agreement is asked where these fail; default: true
	Origin       Origin

	lines map[string]int
}

// agreementDocument is an agreement as files spell it.
type agreementDocument struct {
	Paths        []string `toml:"paths"`
	Repositories []string `toml:"repositories"`
	Threshold    *int     `toml:"threshold"`
	Terminating  *bool    `toml:"terminating"`
}

var agreementKeys = []string{"paths", "repositories", "threshold", "terminating"}

// agree takes the agreements of a file, behind those of the files before.
func (b *builder) agree(docs []agreementDocument, f *file) error {
	if f.agreesInOneTable() {
		return &Error{Origin: f.origin(KeyAgreement), Key: KeyAgreement, Kind: ErrValue, Detail: "expected a list of tables, found one table: write [[agreement]], not [agreement]"}
	}
	for i, doc := range docs {
		a := f.agreement(i, doc)
		key := agreementKey(len(b.agreements))
		if err := b.checkLock(KeyAgreement, false, a.Origin); err != nil {
			return err
		}
		if len(b.agreements) == maxAgreements {
			return &Error{Origin: a.Origin, Key: key, Kind: ErrValue, Detail: fmt.Sprintf("expected at most %d agreements in all, found more", maxAgreements)}
		}
		if bad, err := a.check(); err != nil {
			return &Error{Origin: a.OriginOf(bad), Key: key + "." + bad, Kind: ErrValue, Err: err}
		}
		b.agreements = append(b.agreements, a)
	}
	return nil
}

// agreesInOneTable reports whether the file has [agreement] for [[agreement]]. The
// decoder takes both; but who writes the one may think that a second one adds to
// it, or that it has a name. In a list a number stands before each key.
func (f *file) agreesInOneTable() bool {
	return slices.ContainsFunc(agreementKeys, func(key string) bool { return f.lines[KeyAgreement+"."+key] > 0 })
}

// agreementKey is how an agreement is called in messages and by `config show`:
// by its place among all, from 1.
func agreementKey(i int) string { return KeyAgreement + "." + strconv.Itoa(i+1) }

// agreement is the i-th of a file, with its defaults.
func (f *file) agreement(i int, doc agreementDocument) Agreement {
	key := KeyAgreement + "." + strconv.Itoa(i)
	a := Agreement{
		Paths: doc.Paths, Repositories: doc.Repositories, Threshold: len(doc.Repositories), Terminating: true,
		Origin: f.origin(key), lines: map[string]int{},
	}
	if a.Origin.Line == 0 {
		a.Origin.Line = f.lines[KeyAgreement]
	}
	if doc.Threshold != nil {
		a.Threshold = *doc.Threshold
	}
	if doc.Terminating != nil {
		a.Terminating = *doc.Terminating
	}
	for _, part := range agreementKeys {
		a.lines[part] = f.origin(key + "." + part).Line
	}
	return a
}

// OriginOf says where one of its keys is set: where the agreement stands, for a
// default.
func (a Agreement) OriginOf(key string) Origin {
	origin := a.Origin
	if line := a.lines[key]; line > 0 {
		origin.Line = line
	}
	return origin
}

// check names the key that err is about.
func (a Agreement) check() (bad string, err error) {
	if n := len(a.Paths); n == 0 || n > maxAgreementPaths {
		return "paths", fmt.Errorf("expected 1 to %d patterns, found %d", maxAgreementPaths, n)
	}
	for _, pattern := range a.Paths {
		if err := checkPattern(pattern); err != nil {
			return "paths", err
		}
	}
	if n := len(a.Repositories); n == 0 || n > maxAgreementNames {
		return "repositories", fmt.Errorf("expected 1 to %d names, found %d", maxAgreementNames, n)
	}
	for i, name := range a.Repositories {
		if err := artifact.ValidRepository(name); err != nil {
			return "repositories", err
		}
		if slices.Contains(a.Repositories[:i], name) {
			return "repositories", fmt.Errorf("expected each repository once, found %q twice", name)
		}
	}
	if a.Threshold < 1 || a.Threshold > len(a.Repositories) {
		return "threshold", fmt.Errorf("expected 1 to %d, the number of repositories, found %d", len(a.Repositories), a.Threshold)
	}
	return "", nil
}

// checkPattern refuses what would cover less than whoever wrote it thinks.
func checkPattern(pattern string) error {
	const everything = "**"
	switch pattern {
	case everything:
		return nil
	case "*":
		// TAP 4's own examples mean everything by it.
		return errors.New(`"*" covers only targets without a folder: expected "**" for everything, or a folder as in "hello/**"`)
	}
	stem, _ := strings.CutSuffix(pattern, "/"+everything)
	for segment := range strings.SplitSeq(stem, "/") {
		if segment == "" || segment == "." || segment == ".." {
			return fmt.Errorf("expected a pattern of a clean relative path, found %q", clip(pattern))
		}
		if strings.Contains(segment, everything) {
			return fmt.Errorf("%q: expected %q alone, or as the last segment", clip(pattern), everything)
		}
		if _, err := path.Match(strings.ReplaceAll(segment, "[!", "[^"), ""); err != nil {
			return fmt.Errorf("expected a pattern, found %q: %w", clip(pattern), err)
		}
	}
	return nil
}

// values are what holds, with keys below the agreement's: one without a threshold,
// or without terminating, has them from where it stands.
func (a Agreement) values() []Value {
	texts := map[string]string{
		"paths": strings.Join(a.Paths, ", "), "repositories": strings.Join(a.Repositories, ", "),
		"threshold": strconv.Itoa(a.Threshold), "terminating": strconv.FormatBool(a.Terminating),
	}
	var list []Value
	for _, key := range agreementKeys {
		list = append(list, Value{Key: key, Value: texts[key], Origin: a.OriginOf(key)})
	}
	return list
}
