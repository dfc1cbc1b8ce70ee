package main

import (
	"embed"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// The texts that licences are known by: NAME.txt, or NAME.WHAT.txt for another wording.
// [[words]] may be missing, <<words>> are some others, a name mostly.
//
//go:embed licenses/*.txt
var texts embed.FS

// maxLicense is the most bytes of a licence file: the longest have 40 KB.
const maxLicense = 1 << 20

// wording is one of the texts, as a pattern over plain words.
type wording struct {
	license string
	pattern *regexp.Regexp
}

// wordings are all of the texts, in the order of their files.
var wordings = readWordings()

func readWordings() []wording {
	entries, err := texts.ReadDir("licenses")
	if err != nil {
		panic(err) // they are in the program
	}
	var list []wording
	for _, entry := range entries {
		data, err := texts.ReadFile("licenses/" + entry.Name())
		if err != nil {
			panic(err)
		}
		license := strings.TrimSuffix(strings.TrimSuffix(entry.Name(), ".txt"), ".notice")
		list = append(list, wording{license, compile(string(data))})
	}
	return list
}

var mark = regexp.MustCompile(`(?s)\[\[(.*?)\]\]|<<.*?>>`)

// compile is the pattern of a text with marks. Each word is followed by one space.
func compile(text string) *regexp.Regexp {
	var pattern strings.Builder
	pattern.WriteString("^")
	at := 0
	for _, found := range mark.FindAllStringSubmatchIndex(text, -1) {
		pattern.WriteString(regexp.QuoteMeta(plainWords(text[at:found[0]])))
		if at = found[1]; found[2] >= 0 {
			pattern.WriteString("(?:" + regexp.QuoteMeta(plainWords(text[found[2]:found[3]])) + ")?")
		} else {
			pattern.WriteString("(?:[^ ]+ ){1,12}?")
		}
	}
	pattern.WriteString(regexp.QuoteMeta(plainWords(text[at:])))
	return regexp.MustCompile(pattern.String())
}

// plainWords are the words of a text in lower case without punctuation, with one space
// behind each.
func plainWords(text string) string {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	if len(words) == 0 {
		return ""
	}
	return strings.Join(words, " ") + " "
}

// A copyright line says whose the work is, and nothing of its licence. No sentence of a
// licence has a line that looks like one.
var copyrightLine = regexp.MustCompile(`(?mi)^.*(?:copyright[ \t]*(?:\(c\)|©)|^[^a-z\n]*copyright[ \t]+(?:[0-9]{4}|\[yyyy\]|\{yyyy\})).*$|^[^a-z\n]*all rights reserved\.?[ \t]*$`)

// identify names the licences that a file consists of, as an SPDX expression; or it
// says NOASSERTION, where anything is left that is of none of the texts.
func identify(text string) string {
	rest := plainWords(copyrightLine.ReplaceAllString(text, ""))
	var found []string
	for rest != "" {
		matched := ""
		for _, w := range wordings {
			if m := w.pattern.FindString(rest); m != "" {
				matched = m
				found = append(found, w.license)
				break
			}
		}
		if matched == "" {
			return noAssertion
		}
		rest = rest[len(matched):]
	}
	if len(found) == 0 {
		return noAssertion
	}
	slices.Sort(found)
	return strings.Join(slices.Compact(found), " AND ")
}

// licenseReader looks licences up in a module cache.
type licenseReader struct {
	modules string
}

// folder is where a module lies in the cache: capital letters are written with an
// exclamation mark, for file systems that don't tell them apart (golang.org/ref/mod#module-cache).
func (l licenseReader) folder(path, version string) string {
	return filepath.Join(l.modules, filepath.FromSlash(escapeCapitals(path)+"@"+escapeCapitals(version)))
}

func escapeCapitals(text string) string {
	var escaped strings.Builder
	for _, r := range text {
		if unicode.IsUpper(r) {
			escaped.WriteByte('!')
		}
		escaped.WriteRune(unicode.ToLower(r))
	}
	return escaped.String()
}

// of is the licence of a module; NOASSERTION where it isn't in the cache, has no file of
// a licence, or several.
func (l licenseReader) of(path, version string) string {
	files, err := licenseFiles(l.folder(path, version))
	if err != nil || len(files) != 1 {
		return noAssertion
	}
	text, err := readText(files[0])
	if err != nil {
		return noAssertion
	}
	return identify(text)
}

// licenseFiles are the files in a folder that hold licences by their names, sorted.
func licenseFiles(dir string) ([]string, error) {
	return namedFiles(dir, "license", "licence", "copying", "unlicense")
}

func namedFiles(dir string, names ...string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var files []string
	for _, entry := range entries {
		base, ext, _ := strings.Cut(strings.ToLower(entry.Name()), ".")
		if entry.Type().IsRegular() && slices.Contains(names, base) && ext != "go" {
			files = append(files, filepath.Join(dir, entry.Name()))
		}
	}
	return files, nil
}

func readText(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := readAll(f, maxLicense)
	if err != nil {
		return "", fmt.Errorf("%s: %w", file, err)
	}
	return string(data), nil
}
