package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"syscall"
	"unicode"
	"unicode/utf16"

	"assay/fetch"
	"assay/trust"
)

// printSettings are what the user asked for.
type printSettings struct {
	json  bool
	quiet bool
	color string // auto, always or never; empty is auto
	plain bool   // the environment asks for no colour
}

// printer prints: results to stdout, everything else to stderr. With --json
// stdout gets one document, at the end. It is safe for several goroutines.
type printer struct {
	printSettings

	mu      sync.Mutex
	stdout  io.Writer
	stderr  io.Writer
	columns func(io.Writer) int // of a terminal, 0 if it is none
	above   io.Writer           // in place of stderr while bars are shown; nil: none are
	failed  error               // the first failed write to stdout
	doc     json.RawMessage     // the result of --json
	schema  string
}

func newPrinter(stdout, stderr io.Writer, settings printSettings) *printer {
	return &printer{printSettings: settings, stdout: stdout, stderr: stderr, columns: columnsOf}
}

// line prints one line of the result; with --json it prints nothing.
func (p *printer) line(format string, args ...any) {
	if p.json {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.write(fmt.Sprintf(format, cleanArgs(args)...) + "\n")
}

// raw prints text of our own as it is; with --json it prints nothing.
func (p *printer) raw(text string) {
	if p.json {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.write(text)
}

// write puts text on stdout and remembers the first failure. p.mu is held.
func (p *printer) write(text string) {
	if _, err := io.WriteString(p.stdout, text); err != nil && p.failed == nil {
		p.failed = outputError(fmt.Errorf("standard output: %w", err))
	}
}

// broken is the error of the first write to stdout that failed, nil if none did.
func (p *printer) broken() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.failed
}

// outputError files the failure of a write to stdout.
func outputError(err error) error {
	if errors.Is(err, syscall.EPIPE) {
		return mark(errReaderGone, err)
	}
	return mark(fetch.ErrOutput, err)
}

// result is what --json prints: v, which must encode as an object, with the
// schema assay.NAME/v1 as its first field. A later call replaces an earlier one.
func (p *printer) result(name string, v any) error {
	if !p.json {
		return nil
	}
	raw, err := encodeJSON(v)
	if err != nil {
		return fmt.Errorf("encode the result: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.doc, p.schema = raw, "assay."+name+"/v1"
	return nil
}

// encodeJSON leaves < > & as they are: this is for terminals and programs, not
// for web pages.
func encodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(v)
	return escapeFormat(bytes.TrimSpace(b.Bytes())), err
}

// escapeFormat writes characters that a terminal acts upon, or that turn the
// direction of text, as \uXXXX. In JSON they can only stand in strings.
func escapeFormat(data []byte) []byte {
	acts := func(r rune) bool {
		return r >= 0x7f && (unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp))
	}
	if bytes.IndexFunc(data, acts) < 0 {
		return data
	}
	var b bytes.Buffer
	for _, r := range string(data) {
		if !acts(r) {
			b.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&b, `\u%04x`, unit)
		}
	}
	return b.Bytes()
}

// talk tells of progress on stderr; --quiet silences it.
func (p *printer) talk(format string, args ...any) {
	if !p.quiet {
		p.tell(fmt.Sprintf(format, cleanArgs(args)...))
	}
}

// warn tells what the user has to know, although it is no error.
func (p *printer) warn(format string, args ...any) {
	p.tell(string(p.style(p.stderr, yellow, "assay: warning:")) + " " + fmt.Sprintf(format, cleanArgs(args)...))
}

// fail tells of an error, with the hint of its cause.
func (p *printer) fail(err error) {
	message, _, hint := describe(err)
	text := string(p.style(p.stderr, red, "assay:")) + " " + message
	if hint != "" {
		text += "\n  hint: " + hint
	}
	p.tell(text)
}

// tell writes to stderr. That stderr fails has nowhere to be told.
func (p *printer) tell(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.above != nil {
		if _, err := io.WriteString(p.above, text+"\n"); err == nil {
			return
		}
		// The bars have ended just now.
	}
	_, _ = io.WriteString(p.stderr, text+"\n")
}

// divert has what is told written above the bars; nil ends it.
func (p *printer) divert(above io.Writer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.above = above
}

// describe turns an error into what is printed of it.
func describe(err error) (message string, row exit, hint string) {
	row, hint = exitOf(err)
	// errors.Join puts a line break between its errors.
	return clean(strings.ReplaceAll(err.Error(), "\n", "; ")), row, clean(hint)
}

// errorDoc is the document of --json for a command that failed.
type errorDoc struct {
	Schema   string          `json:"schema"`
	Error    errorPart       `json:"error"`
	Result   json.RawMessage `json:"result,omitempty"`   // what was found all the same
	Evidence *trust.Evidence `json:"evidence,omitempty"` // of an artifact that was refused
}

type errorPart struct {
	Code    int    `json:"code"`
	Name    string `json:"name"`
	Check   string `json:"check,omitempty"` // the id of the check that failed
	Message string `json:"message"`
	Hint    string `json:"hint,omitempty"`
}

// finish prints the error or the JSON document, and gives the exit code.
func (p *printer) finish(err error) int {
	if err == nil && p.json {
		p.mu.Lock()
		p.write(string(p.withSchema()) + "\n")
		p.mu.Unlock()
	}
	if err == nil {
		err = p.broken()
	}
	if err == nil || errors.Is(err, errReaderGone) {
		return codeOf(err)
	}
	if _, done := err.(*reported); !done {
		p.fail(err)
	}
	if p.json {
		message, row, hint := describe(err)
		doc := errorDoc{Schema: "assay.error/v1", Error: errorPart{row.code, row.name, failedCheck(err), message, hint}}
		if p.doc != nil {
			doc.Result = p.withSchema()
		} else {
			doc.Evidence = evidenceOf(err)
		}
		if raw, err := encodeJSON(doc); err == nil {
			p.mu.Lock()
			p.write(string(raw) + "\n")
			p.mu.Unlock()
		}
	}
	return codeOf(err)
}

// withSchema is the result with its schema before the other fields.
func (p *printer) withSchema() json.RawMessage {
	if p.doc == nil {
		return json.RawMessage(`{"schema":"assay.nothing/v1"}`)
	}
	head := fmt.Sprintf(`{"schema":%q`, p.schema)
	if rest := bytes.TrimSpace(p.doc[1:]); len(rest) > 1 {
		return json.RawMessage(head + "," + string(rest))
	}
	return json.RawMessage(head + "}")
}
