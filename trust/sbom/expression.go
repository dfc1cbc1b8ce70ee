package sbom

import (
	"slices"
	"strings"
)

// maxParentheses is how deep an expression may nest.
const maxParentheses = 64

// Expression is a licence expression (SPDX 2.3, annex D). The zero value states
// no licence: it satisfies no list, and nothing denies it.
//
// One licence of an expression equals an entry of a list by these rules:
//
//   - Letters count alike in both cases.
//   - "GPL-2.0" is "GPL-2.0-only", and "GPL-2.0+" is "GPL-2.0-or-later"; so for
//     every version of GPL, LGPL, AGPL and GFDL.
//   - "Apache-1.1+" (that version or a later one) equals the entries
//     "Apache-1.1+" and "Apache-1.1".
//   - "GPL-2.0-only WITH Classpath-exception-2.0" equals the entry that names it
//     whole, and the entry "GPL-2.0-only": an exception only adds permissions,
//     and who denies a licence denies it with every exception.
//   - "GPL-3.0-or-later" does not equal "GPL-3.0-only": name both where both are
//     meant.
//
// A text that is no expression is one opaque licence, equal to an entry of the
// same text; as a denied one it also equals an entry that it holds as a word, so
// that a stray bracket does not hide a licence.
type Expression struct {
	text string
	root *node // nil: no expression
}

// nodeOp is what a node of an expression does.
type nodeOp int

const (
	leafNode nodeOp = iota
	andNode
	orNode
)

type node struct {
	op        nodeOp
	id        string // of a leaf, as it was written, with its "+"
	exception string // of a leaf, behind its WITH
	parts     []*node
}

// ParseExpression reads an expression. It never fails: see Valid.
func ParseExpression(text string) Expression {
	text = stated(text)
	if len(text) > maxLicense {
		return Expression{text: text}
	}
	p := expressionParser{words: splitExpression(text)}
	root := p.either(0)
	if root == nil || p.at < len(p.words) {
		return Expression{text: text}
	}
	return Expression{text: text, root: root}
}

// String is the text that the expression was read from; empty where that was
// NONE or NOASSERTION.
func (e Expression) String() string { return e.text }

// IsZero reports whether no licence is stated.
func (e Expression) IsZero() bool { return e.text == "" }

// Valid reports whether the text was an expression in form. Whether its ids
// stand on SPDX's list is not asked.
func (e Expression) Valid() bool { return e.root != nil }

// IDs lists the licence ids in the expression, each once, in the order of the
// text and in its spelling; exceptions are none. A text that is no expression is
// its one id; where a component has several licences, and only some are
// expressions, each of the others is.
func (e Expression) IDs() []string {
	var ids []string
	seen := map[string]bool{}
	add := func(id string) {
		if key := strings.ToLower(id); !seen[key] {
			seen[key] = true
			ids = append(ids, id)
		}
	}
	if e.root != nil {
		e.root.each(func(leaf *node) { add(leaf.id) })
		return ids
	}
	for _, part := range splitLicenses(e.text) {
		if one := ParseExpression(part); one.root != nil {
			one.root.each(func(leaf *node) { add(leaf.id) })
		} else if one.text != "" {
			add(one.text)
		}
	}
	return ids
}

// Satisfies reports whether the licences in allow are enough: of an OR one side,
// of an AND both.
func (e Expression) Satisfies(allow []string) bool {
	if e.root == nil {
		return e.text != "" && slices.ContainsFunc(allow, e.isText)
	}
	entries := normalizeAll(allow)
	return e.root.holds(func(leaf *node) bool { return leaf.equalsAny(entries) })
}

// Mentions reports whether a licence in deny stands in the way: the expression
// can't be satisfied without one. "MIT OR AGPL-3.0-only" can, as MIT may be
// chosen.
func (e Expression) Mentions(deny []string) bool {
	if e.root == nil {
		return e.text != "" && slices.ContainsFunc(deny, func(entry string) bool { return e.isText(entry) || e.hasWord(entry) })
	}
	entries := normalizeAll(deny)
	return !e.root.holds(func(leaf *node) bool { return !leaf.equalsAny(entries) })
}

// Within reports whether the expression can be satisfied by licences of which none
// is in deny, and each is in every list of allow: one choice that suits all who
// have a say. A text that is no expression is never within, as nobody can tell
// what it asks for.
func (e Expression) Within(deny []string, allow ...[]string) bool {
	if e.root == nil {
		return false
	}
	denied := normalizeAll(deny)
	var allowed []map[string]bool
	for _, list := range allow {
		allowed = append(allowed, normalizeAll(list))
	}
	return e.root.holds(func(leaf *node) bool {
		lacks := func(entries map[string]bool) bool { return !leaf.equalsAny(entries) }
		return lacks(denied) && !slices.ContainsFunc(allowed, lacks)
	})
}

// Licenses lists the licence ids in an expression, as Expression.IDs does.
func Licenses(expression string) []string { return ParseExpression(expression).IDs() }

func (e Expression) isText(entry string) bool {
	return strings.EqualFold(e.text, strings.TrimSpace(entry))
}

// hasWord reports whether an opaque text holds the entry as a word.
func (e Expression) hasWord(entry string) bool {
	entry = normalizeID(entry)
	return slices.ContainsFunc(splitExpression(e.text), func(word string) bool {
		id := normalizeID(strings.Trim(word, `,;/|&"'[]{}`))
		return id == entry || strings.TrimSuffix(id, "+") == entry
	})
}

// each calls f for every licence, from left to right.
func (n *node) each(f func(*node)) {
	if n.op == leafNode {
		f(n)
		return
	}
	for _, part := range n.parts {
		part.each(f)
	}
}

// holds works out the expression where accepts says which licences hold.
func (n *node) holds(accepts func(*node) bool) bool {
	switch n.op {
	case andNode:
		return !slices.ContainsFunc(n.parts, func(part *node) bool { return !part.holds(accepts) })
	case orNode:
		return slices.ContainsFunc(n.parts, func(part *node) bool { return part.holds(accepts) })
	}
	return accepts(n)
}

// equalsAny compares a licence with entries, as the type's comment says.
func (n *node) equalsAny(entries map[string]bool) bool {
	id := normalizeID(n.id)
	bare := strings.TrimSuffix(id, "+")
	if entries[id] || entries[bare] {
		return true
	}
	with := " with " + strings.ToLower(n.exception)
	return entries[id+with] || entries[bare+with]
}

func normalizeAll(list []string) map[string]bool {
	all := map[string]bool{}
	for _, entry := range list {
		words := strings.Fields(entry)
		if len(words) == 3 && strings.EqualFold(words[1], "with") {
			all[normalizeID(words[0])+" with "+strings.ToLower(words[2])] = true
		} else {
			all[normalizeID(entry)] = true
		}
	}
	return all
}

// normalizeID lowers the case and spells the GNU licences as SPDX does since
// version 3 of its list.
func normalizeID(id string) string {
	id = strings.ToLower(strings.TrimSpace(id))
	family, version, ok := strings.Cut(id, "-")
	if !ok || family != "gpl" && family != "lgpl" && family != "agpl" && family != "gfdl" {
		return id
	}
	number, later := strings.CutSuffix(version, "+")
	if number == "" || strings.Trim(number, "0123456789.") != "" {
		return id
	}
	if later {
		return family + "-" + number + "-or-later"
	}
	return id + "-only"
}
