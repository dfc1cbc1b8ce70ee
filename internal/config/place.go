package config

import (
	"strconv"
	"strings"
)

// place is a table of a file, for the lines of what it holds.
type place struct {
	file *file
	key  string // as in file.lines: an index counts from 0
}

// at is the i-th table of a list of tables in the file.
func (f *file) at(key string, i int) place {
	return place{f, key + "." + strconv.Itoa(i)}
}

// origin says where a field of the table is set; else where what the field is a
// part of stands, and in the end the table itself.
// What is built in stands nowhere.
func (p place) origin(field string) Origin {
	if p.file == nil {
		return Origin{}
	}
	key := p.key
	if field != "" {
		key += "." + field
	}
	for {
		origin := p.file.origin(key)
		dot := strings.LastIndexByte(key, '.')
		if origin.Line > 0 || dot < 0 {
			return origin
		}
		key = key[:dot]
	}
}

// has reports whether the table sets a field.
func (p place) has(field string) bool { return p.file.lines[p.key+"."+field] > 0 }

// checkList refuses [key] for [[key]]. The decoder takes both; but who writes
// the one may think that a second one adds to it, or that it has a name. In a
// list a number stands before each key.
func (f *file) checkList(key string) error {
	first := 0
	for name, line := range f.lines {
		rest, below := strings.CutPrefix(name, key+".")
		index, _, _ := strings.Cut(rest, ".")
		if _, err := strconv.Atoi(index); below && err != nil && (first == 0 || line < first) {
			first = line
		}
	}
	if first == 0 {
		return nil
	}
	return &Error{
		Origin: Origin{Kind: f.kind, File: f.path, Line: first}, Key: key, Kind: ErrValue,
		Detail: "expected a list of tables, found one table: write [[" + key + "]], not [" + key + "]",
	}
}

// numbered is how the i-th of all tables of a list is called in messages and by
// `config show`: by its place, from 1.
func numbered(key string, i int) string { return key + "." + strconv.Itoa(i+1) }
