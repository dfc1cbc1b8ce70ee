package wire

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// maxNetrc bounds a .netrc, in bytes.
const maxNetrc = 1 << 20

// login is an entry of a .netrc.
type login struct {
	machine        string // a host; empty: the default, for all that have no entry
	user, password string
}

// fromNetrc looks a host up in the user's .netrc. Without the file, or an entry
// in it, there are no credentials.
func (e *Engine) fromNetrc(ctx context.Context, host string) (credentials, error) {
	logins, err := e.netrc.get(ctx, func(context.Context) ([]login, error) { return e.options.readNetrc() })
	if err != nil {
		return credentials{}, err
	}
	for _, name := range []string{strings.ToLower(host), ""} {
		i := slices.IndexFunc(logins, func(l login) bool { return l.machine == name })
		if i >= 0 {
			return credentials{basic(logins[i].user, logins[i].password), "netrc"}, nil
		}
	}
	return credentials{}, nil
}

func (o Options) readNetrc() ([]login, error) {
	path := netrcPath()
	data, err := o.readSecret(path, maxNetrc)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, hostErrorf("netrc: %v", err)
	}
	logins, err := parseNetrc(string(data))
	if err != nil {
		return nil, hostErrorf("netrc: %s: %v", path, err)
	}
	return logins, nil
}

// netrcPath is where curl and git look, too; empty, and so no file: there is no
// home.
func netrcPath() string {
	if path := os.Getenv("NETRC"); path != "" {
		return path
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return ""
	}
	if runtime.GOOS == "windows" {
		return filepath.Join(home, "_netrc")
	}
	return filepath.Join(home, ".netrc")
}

// parseNetrc reads the format of ftp and curl: words, of which machine, default,
// login, password and account take the next as theirs; a word may be in double
// quotes, with \ before what would end it. A macdef goes on to the next empty
// line. Words that are not known are passed over, as curl does. Errors name a
// line, and nothing of it. The libraries there are put words into their errors,
// or panic where the file ends early.
func parseNetrc(text string) ([]login, error) {
	w := words{rest: text, line: 1}
	var logins []login
	for {
		keyword, ok := w.next()
		if w.err != nil {
			return nil, w.err
		}
		if !ok {
			return logins, nil
		}
		switch keyword {
		case "default":
			logins = append(logins, login{})
		case "macdef":
			w.skipMacro()
		case "machine", "login", "password", "account":
			value, ok := w.next()
			if w.err != nil {
				return nil, w.err
			}
			if !ok {
				return nil, fmt.Errorf("line %d: expected a word behind %s, found none", w.line, keyword)
			}
			if keyword == "machine" {
				logins = append(logins, login{machine: strings.ToLower(value)})
				continue
			}
			if len(logins) == 0 {
				return nil, fmt.Errorf("line %d: expected machine or default before %s, found neither", w.line, keyword)
			}
			logins[len(logins)-1].set(keyword, value)
		}
	}
}

func (l *login) set(keyword, value string) {
	switch keyword {
	case "login":
		l.user = value
	case "password":
		l.password = value
	}
}

// words are those of a .netrc.
type words struct {
	rest string
	line int
	err  error
}

// next is the next word; there is none behind an error.
func (w *words) next() (word string, ok bool) {
	for w.err == nil && w.rest != "" {
		switch c := w.rest[0]; {
		case c == '\n':
			w.line++
			w.rest = w.rest[1:]
		case isBlank(rune(c)):
			w.rest = w.rest[1:]
		case c == '#':
			w.rest = w.rest[len(firstLine(w.rest)):]
		case c == '"':
			return w.quoted()
		default:
			end := strings.IndexFunc(w.rest, isBlank)
			if end < 0 {
				end = len(w.rest)
			}
			word, w.rest = w.rest[:end], w.rest[end:]
			return word, true
		}
	}
	return "", false
}

// quoted is a word in quotes, which stays within its line.
func (w *words) quoted() (word string, ok bool) {
	line := firstLine(w.rest)
	var b strings.Builder
	for i := 1; i < len(line); i++ {
		switch {
		case line[i] == '"':
			w.rest = w.rest[i+1:]
			return b.String(), true
		case line[i] == '\\' && i+1 < len(line):
			i++
		}
		b.WriteByte(line[i])
	}
	w.err = fmt.Errorf("line %d: expected a quote that ends, found none", w.line)
	return "", false
}

// skipMacro passes over the lines up to an empty one.
func (w *words) skipMacro() {
	for w.rest != "" {
		line := firstLine(w.rest)
		w.rest = strings.TrimPrefix(w.rest[len(line):], "\n")
		w.line++
		if strings.TrimRight(line, "\r") == "" {
			return
		}
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

func isBlank(r rune) bool { return r == ' ' || r == '\t' || r == '\r' || r == '\n' }
