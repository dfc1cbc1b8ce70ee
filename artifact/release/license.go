package release

import (
	"errors"
	"fmt"
	"strings"
)

// errLicense is wrapped by every error about the form of a licence.
var errLicense = errors.New("not an SPDX licence expression")

// checkLicense checks the syntax of an SPDX licence expression (SPDX 2.3, annex
// D). Whether an identifier is on SPDX's list is not looked up: the list grows.
// Operators may also be in lower case, as SPDX 3.0.1 allows.
func checkLicense(text string) error {
	p := licenseParser{words: licenseWords(text)}
	if err := p.expression(0); err != nil {
		return err
	}
	if len(p.words) > 0 {
		return fmt.Errorf("%w: expected AND, OR or WITH, found %s", errLicense, quote(p.words[0]))
	}
	return nil
}

// maxLicenseDepth is the most parentheses within each other; real expressions
// have two or three.
const maxLicenseDepth = 32

// licenseWords splits at blanks, and around parentheses.
func licenseWords(text string) []string {
	return strings.Fields(strings.NewReplacer("(", " ( ", ")", " ) ").Replace(text))
}

type licenseParser struct{ words []string }

func (p *licenseParser) peek() string {
	if len(p.words) == 0 {
		return ""
	}
	return p.words[0]
}

func (p *licenseParser) next() string {
	word := p.peek()
	if word != "" {
		p.words = p.words[1:]
	}
	return word
}

// expression reads operands joined by AND and OR. Which of them binds tighter
// makes no difference to whether the form is right.
func (p *licenseParser) expression(depth int) error {
	for {
		if err := p.operand(depth); err != nil {
			return err
		}
		if word := p.peek(); !isOperator(word, "AND") && !isOperator(word, "OR") {
			return nil
		}
		p.next()
	}
}

func (p *licenseParser) operand(depth int) error {
	if p.peek() == "(" {
		if depth >= maxLicenseDepth {
			return fmt.Errorf("%w: expected at most %d parentheses within each other, found more", errLicense, maxLicenseDepth)
		}
		p.next()
		if err := p.expression(depth + 1); err != nil {
			return err
		}
		if word := p.next(); word != ")" {
			return fmt.Errorf("%w: expected a closing parenthesis, found %s", errLicense, describeText(word))
		}
		return nil
	}
	word := p.next()
	if !isLicenseID(strings.TrimSuffix(word, "+")) && !isLicenseRef(word, "LicenseRef-") {
		return fmt.Errorf("%w: expected an identifier like Apache-2.0, found %s", errLicense, describeText(word))
	}
	if !isOperator(p.peek(), "WITH") {
		return nil
	}
	p.next()
	if word := p.next(); !isLicenseID(word) && !isLicenseRef(word, "AdditionRef-") {
		return fmt.Errorf("%w: expected an exception behind WITH, found %s", errLicense, describeText(word))
	}
	return nil
}

func isOperator(word, operator string) bool {
	return word == operator || word == strings.ToLower(operator)
}

// isLicenseID reports whether a word can be an identifier of SPDX's lists.
func isLicenseID(word string) bool {
	for _, reserved := range []string{"AND", "OR", "WITH"} {
		if isOperator(word, reserved) {
			return false
		}
	}
	for _, prefix := range []string{"LicenseRef-", "AdditionRef-", "DocumentRef-"} {
		if strings.HasPrefix(word, prefix) {
			return false
		}
	}
	return word != "" && word != "NONE" && word != "NOASSERTION" && isPlainID(word)
}

// isLicenseRef reports whether a word refers to a text of one's own, in this
// document or in another one.
func isLicenseRef(word, prefix string) bool {
	if document, ok := strings.CutPrefix(word, "DocumentRef-"); ok {
		name, rest, _ := strings.Cut(document, ":")
		if name == "" || !isPlainID(name) {
			return false
		}
		word = rest
	}
	id, ok := strings.CutPrefix(word, prefix)
	return ok && id != "" && isPlainID(id)
}

// isPlainID reports whether a word is made of what SPDX's identifiers are.
func isPlainID(word string) bool {
	for i := range len(word) {
		c := word[i]
		if c != '.' && c != '-' && (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}
