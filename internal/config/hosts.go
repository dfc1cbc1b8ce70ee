package config

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The bounds of hosts.
const (
	maxHosts       = 256
	maxHostName    = 253 + len(":65535")
	maxCommandArgs = 64
)

// Host is what a file says of one host: how to ask it, and who asks. A system's
// or a user's file declares it whole. Files that it names are read where they
// are used.
type Host struct {
	Name         string   // host, host:port or *.domain, in lower case
	TokenFile    string   // absolute path; empty: see TokenCommand
	TokenCommand []string // a program and its arguments; empty: there is no token
	Netrc        bool     // user and password from .netrc; not with a token
	Certificate  string   // absolute path of a client certificate, with Key
	Key          string   // absolute path
	CA           string   // absolute path of authorities that count for it, too
	Connections  int64    // at once; 0: those of Transfer
	Origin       Origin

	place place
}

// hostDocument is a host as files spell it.
type hostDocument struct {
	TokenFile    string   `toml:"token_file"`
	TokenCommand []string `toml:"token_command"`
	Netrc        bool     `toml:"netrc"`
	Certificate  string   `toml:"certificate"`
	Key          string   `toml:"key"`
	CA           string   `toml:"ca"`
	Connections  *int64   `toml:"connections"`
}

// host takes a host over from a file. As with repositories, the same again is
// fine, anything else an error that names both files.
func (b *builder) host(name string, doc hostDocument, f *file) error {
	key := KeyHosts + "." + name
	h := Host{
		Name: name, TokenFile: f.beside(doc.TokenFile), TokenCommand: doc.TokenCommand, Netrc: doc.Netrc,
		Certificate: f.beside(doc.Certificate), Key: f.beside(doc.Key), CA: f.beside(doc.CA), place: place{f, key},
	}
	h.Origin = h.place.origin("")
	if doc.Connections != nil {
		h.Connections = *doc.Connections
	}
	if bad, err := h.check(doc); err != nil {
		return &Error{Origin: h.place.origin(bad), Key: strings.TrimSuffix(key+"."+bad, "."), Kind: ErrValue, Err: err}
	}
	if program := h.TokenCommand; len(program) > 0 && filepath.Base(program[0]) != program[0] {
		h.TokenCommand = slices.Concat([]string{f.beside(program[0])}, program[1:])
	}
	before, twice := b.hosts[name]
	same := twice && before.same(h)
	if err := b.checkLock(key, same, h.Origin); err != nil {
		return err
	}
	switch {
	case twice && !same:
		return &Error{
			Origin: h.Origin, Key: key, Kind: ErrValue,
			Detail: fmt.Sprintf("this host is declared otherwise in %s; a host is declared once", before.Origin),
		}
	case !twice && len(b.hosts) >= maxHosts:
		return &Error{Origin: h.Origin, Key: key, Kind: ErrValue, Detail: fmt.Sprintf("expected at most %d hosts, found more", maxHosts)}
	case !twice:
		b.hosts[name] = h
	}
	return nil
}

// same reports whether two declarations say the same, wherever they stand.
func (h Host) same(other Host) bool {
	return h.TokenFile == other.TokenFile && slices.Equal(h.TokenCommand, other.TokenCommand) && h.Netrc == other.Netrc &&
		h.Certificate == other.Certificate && h.Key == other.Key && h.CA == other.CA && h.Connections == other.Connections
}

// check names the key that err is about; empty: the whole.
func (h Host) check(doc hostDocument) (bad string, err error) {
	if err := checkHostName(h.Name); err != nil {
		return "", err
	}
	if n := len(h.TokenCommand); doc.TokenCommand != nil && (n == 0 || n > maxCommandArgs || h.TokenCommand[0] == "") {
		return "token_command", fmt.Errorf("expected a program and its arguments, at most %d words, found %d", maxCommandArgs, n)
	}
	ways := []string{}
	for _, way := range []struct {
		key  string
		said bool
	}{{"token_file", h.TokenFile != ""}, {"token_command", len(h.TokenCommand) > 0}, {"netrc", h.Netrc}} {
		if way.said {
			ways = append(ways, way.key)
		}
	}
	for _, file := range []struct{ key, path string }{
		{"token_file", doc.TokenFile}, {"certificate", doc.Certificate}, {"key", doc.Key}, {"ca", doc.CA},
	} {
		if file.path == "" && h.place.has(file.key) {
			return file.key, errors.New("expected the path of a file, found an empty text")
		}
	}
	ceiling := MaxTransfer()
	switch {
	case len(ways) > 1:
		return ways[1], fmt.Errorf("expected one of token_file, token_command and netrc, found %s", strings.Join(ways, " and "))
	case h.Certificate != "" && h.Key == "":
		return "certificate", errors.New("expected a key with the certificate, found none")
	case h.Key != "" && h.Certificate == "":
		return "key", errors.New("expected a certificate with the key, found none")
	case doc.Connections != nil && (h.Connections < 1 || h.Connections > ceiling.Connections):
		return "connections", fmt.Errorf("expected a whole number from 1 to %d, found %d", ceiling.Connections, h.Connections)
	}
	return "", nil
}

// hostForm is a name, or an address in brackets, and maybe a port.
var hostForm = regexp.MustCompile(`^((\*\.)?[a-z0-9][a-z0-9._-]*|\[[0-9a-f:.]+\])(:[1-9][0-9]{0,4})?$`)

// checkHostName wants a name as URLs have it, in the one form that it is
// compared in.
func checkHostName(name string) error {
	u := url.URL{Host: name}
	host, port := u.Hostname(), u.Port()
	n, err := strconv.Atoi(port)
	switch {
	case len(name) > maxHostName || !hostForm.MatchString(name) || strings.HasSuffix(host, "."):
	case port != "" && (err != nil || n > 65535):
	default:
		return nil
	}
	return fmt.Errorf("expected a host in lower case, like \"dl.example.com\", \"dl.example.com:8443\", \"*.example.com\" or \"[2001:db8::1]\", found %q", clip(name))
}

// values are what was set, with keys that begin below the host's name. Of a
// command only the program is shown, as its arguments may be secret.
func (h Host) values() []Value {
	command := ""
	if len(h.TokenCommand) > 0 {
		if command = h.TokenCommand[0]; len(h.TokenCommand) > 1 {
			command += " …"
		}
	}
	texts := []struct{ key, text string }{
		{"token_file", h.TokenFile}, {"token_command", command}, {"netrc", strconv.FormatBool(h.Netrc)}, {"certificate", h.Certificate},
		{"key", h.Key}, {"ca", h.CA}, {"connections", strconv.FormatInt(h.Connections, 10)},
	}
	var list []Value
	for _, said := range texts {
		if h.place.has(said.key) {
			list = append(list, Value{Key: said.key, Value: said.text, Origin: h.place.origin(said.key)})
		}
	}
	return list
}
