package lockfile

import (
	"fmt"
	"reflect"
	"strings"

	"assay/artifact"
)

const header = `# This file says exactly what ` + "`assay sync --locked`" + ` installs. It was made by
# ` + "`assay lock`" + `, which also brings it up to date: commit it, and do not edit it by hand.

`

// Encode writes a lock file: the same text for the same lock, sorted, one key a line.
// What Decode would not take, or would find something else in, is not written: the
// error is the *Error that says what, with a line of the text that was not written.
func Encode(f File) ([]byte, error) {
	f = f.sorted()
	var w writer
	w.WriteString(header)
	w.text("schema", f.Schema)
	for _, r := range f.Repositories {
		w.repository(r)
	}
	for _, p := range f.Products {
		w.product(p)
	}
	for _, p := range f.Pins {
		w.pin(p)
	}
	const unwritten = "the lock to be written"
	data := []byte(w.String())
	found, err := decode(unwritten, data)
	if err != nil {
		return nil, err
	}
	if !reflect.DeepEqual(found, f) {
		return nil, &Error{File: unwritten, Kind: ErrMalformed, Detail: "expected to find what was to be written, found something else"}
	}
	return data, nil
}

// writer writes TOML.
type writer struct{ strings.Builder }

func (w *writer) repository(r Repository) {
	w.table("[[repository]]")
	w.text("name", r.Name)
	w.number("root", r.Root)
	w.text("root_sha256", r.RootSHA256.Hex())
	w.table("[repository.floors]")
	for _, role := range sortedRoles(r.Floors) {
		w.number(tomlKey(role), r.Floors[role])
	}
}

func (w *writer) product(p Product) {
	w.table("[[product]]")
	w.text("name", p.Name)
	w.text("repository", p.Repository)
	w.text("request", p.Request.String())
	w.text("version", p.Version.String())
	w.text("channel", p.Channel)
	w.text("manifest", p.Manifest.Target)
	w.digests("manifest_", p.Manifest.Digests)
	for _, a := range p.Artifacts {
		w.table("[[product.artifact]]")
		w.text("platform", a.Platform.String())
		w.text("target", a.Target)
		w.number("length", a.Length)
		w.digests("", a.Digests)
		w.list("urls", a.URLs)
		if len(a.Bundles) > 0 {
			w.WriteString("bundles = [\n")
			for _, b := range a.Bundles {
				fmt.Fprintf(w, "  { target = %s", tomlText(b.Target))
				for _, d := range b.Digests {
					fmt.Fprintf(w, ", %s = %s", d.Algorithm(), tomlText(d.Hex()))
				}
				w.WriteString(" },\n")
			}
			w.WriteString("]\n")
		}
	}
}

func (w *writer) pin(p Pin) {
	w.table("[[pin]]")
	w.text("name", p.Name)
	w.list("urls", p.URLs)
	if p.Length != 0 {
		w.number("length", p.Length)
	}
	w.digests("", p.Digests)
	for _, said := range []struct{ key, text string }{{"identity", p.Identity}, {"issuer", p.Issuer}, {"format", p.Format}} {
		if said.text != "" {
			w.text(said.key, said.text)
		}
	}
}

func (w *writer) table(header string) { fmt.Fprintf(w, "\n%s\n", header) }

func (w *writer) text(key, text string) { fmt.Fprintf(w, "%s = %s\n", key, tomlText(text)) }

func (w *writer) number(key string, n int64) { fmt.Fprintf(w, "%s = %d\n", key, n) }

func (w *writer) digests(prefix string, digests artifact.Digests) {
	for _, d := range digests {
		w.text(prefix+string(d.Algorithm()), d.Hex())
	}
}

// list writes a list, each text on a line of its own; none of an empty one.
func (w *writer) list(key string, texts []string) {
	if len(texts) == 0 {
		return
	}
	fmt.Fprintf(w, "%s = [\n", key)
	for _, text := range texts {
		fmt.Fprintf(w, "  %s,\n", tomlText(text))
	}
	w.WriteString("]\n")
}

// tomlKey is a key, in quotes where it needs them.
func tomlKey(name string) string {
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '_' && r != '-' {
			return tomlText(name)
		}
	}
	if name == "" {
		return `""`
	}
	return name
}

// tomlText is a basic string (TOML 1.0.0, section String). What must not stand in one
// is escaped; what is no UTF-8 stays, and is refused when it is read back.
func tomlText(text string) string {
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c < ' ' || c == 0x7f:
			fmt.Fprintf(&b, `\u%04X`, c)
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('"')
	return b.String()
}
