package release

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// arrange sorts findings by where their fields stand in the document, and fills
// in the lines. raw is the document; without one that can be read the order
// stays, and no line is known.
func arrange(findings []Finding, raw []byte) []Finding {
	if len(findings) == 0 || screenDocument(raw) != nil {
		return findings
	}
	fields := offsets(raw)
	place := func(f Finding) int {
		for field := f.Field; field != ""; field = parentOf(field) {
			if offset, ok := fields[field]; ok {
				return offset
			}
		}
		return 0
	}
	type placed struct {
		Finding
		offset int
	}
	list := make([]placed, len(findings))
	for i, f := range findings {
		list[i] = placed{f, place(f)}
	}
	slices.SortStableFunc(list, func(a, b placed) int { return cmp.Compare(a.offset, b.offset) })
	sorted := make([]Finding, len(findings))
	line, from := 1, 0
	for i, p := range list {
		line += bytes.Count(raw[from:p.offset], []byte{'\n'})
		from = p.offset
		sorted[i] = p.Finding
		sorted[i].Line = line
	}
	return sorted
}

func lineAt(raw []byte, offset int) int {
	return 1 + bytes.Count(raw[:min(max(offset, 0), len(raw))], []byte{'\n'})
}

// parentOf is the field that holds a field; empty for one at the top.
func parentOf(field string) string {
	return field[:max(strings.LastIndexAny(field, ".["), 0)]
}

// offsets maps each field of a screened document, spelled as fieldPath does, to
// the offset of its key, or of its value in a list.
func offsets(raw []byte) map[string]int {
	found := map[string]int{}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	walkOffsets(decoder, "", found)
	return found
}

// walkOffsets reads the next value, and reports whether there was one; in a
// screened document there always is. The screening bounds its depth, too.
func walkOffsets(decoder *json.Decoder, path string, found map[string]int) bool {
	token, _ := decoder.Token() // nil is an error: null was refused
	if _, known := found[path]; !known && path != "" {
		found[path] = int(decoder.InputOffset())
	}
	switch token {
	case json.Delim('{'):
		for decoder.More() && walkMember(decoder, path, found) {
		}
		token, _ = decoder.Token() // the closing bracket
	case json.Delim('['):
		for i := 0; decoder.More() && walkOffsets(decoder, path+"["+strconv.Itoa(i)+"]", found); i++ {
		}
		token, _ = decoder.Token()
	}
	return token != nil
}

func walkMember(decoder *json.Decoder, path string, found map[string]int) bool {
	token, _ := decoder.Token()
	key, _ := token.(string)
	inner := joinField(path, key)
	found[inner] = int(decoder.InputOffset())
	return walkOffsets(decoder, inner, found)
}

// joinField is fieldPath, one step at a time.
func joinField(path, key string) string {
	step := fieldPath([]string{key})
	if path == "" || step[0] == '[' {
		return path + step
	}
	return path + "." + step
}
