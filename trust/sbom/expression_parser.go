package sbom

import "strings"

// expressionParser reads the words of an expression. Each method gives nil where
// the words are no expression. WITH binds tightest, then AND, then OR (SPDX 2.3,
// annex D.4.5); the words are taken in any case.
type expressionParser struct {
	words []string
	at    int
}

// splitExpression splits a text at white space and around brackets.
func splitExpression(text string) []string {
	return strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text))
}

// next takes the next word if it is the given one.
func (p *expressionParser) next(word string) bool {
	if p.at < len(p.words) && strings.EqualFold(p.words[p.at], word) {
		p.at++
		return true
	}
	return false
}

// either reads parts that are joined by OR.
func (p *expressionParser) either(depth int) *node {
	return p.joined("OR", orNode, func() *node {
		return p.joined("AND", andNode, func() *node { return p.single(depth) })
	})
}

func (p *expressionParser) joined(word string, op nodeOp, read func() *node) *node {
	first := read()
	if first == nil {
		return nil
	}
	parts := []*node{first}
	for p.next(word) {
		part := read()
		if part == nil {
			return nil
		}
		parts = append(parts, part)
	}
	if len(parts) == 1 {
		return first
	}
	return &node{op: op, parts: parts}
}

// single reads an expression in brackets, or one licence with its exception.
func (p *expressionParser) single(depth int) *node {
	if p.next("(") {
		if depth >= maxParentheses {
			return nil
		}
		inner := p.either(depth + 1)
		if !p.next(")") {
			return nil
		}
		return inner
	}
	id, ok := p.id(true)
	if !ok {
		return nil
	}
	leaf := &node{id: id}
	if p.next("WITH") {
		if leaf.exception, ok = p.id(false); !ok {
			return nil
		}
	}
	return leaf
}

// id reads an id: letters, digits, "-" and ".", for a licence also
// "DocumentRef-…:" before it and one "+" behind it.
func (p *expressionParser) id(license bool) (string, bool) {
	if p.at >= len(p.words) {
		return "", false
	}
	word := p.words[p.at]
	body := word
	if license {
		body = strings.TrimSuffix(body, "+")
		if rest, ok := strings.CutPrefix(body, "DocumentRef-"); ok {
			body = strings.Replace(rest, ":", "-", 1)
		}
	}
	if body == "" || isOperator(body) || license && stated(body) == "" {
		return "", false // SPDX has NONE and NOASSERTION alone, and not within an expression
	}
	for i := range len(body) {
		c := body[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '-' || c == '.') {
			return "", false
		}
	}
	p.at++
	return word, true
}

func isOperator(word string) bool {
	return strings.EqualFold(word, "AND") || strings.EqualFold(word, "OR") || strings.EqualFold(word, "WITH")
}
