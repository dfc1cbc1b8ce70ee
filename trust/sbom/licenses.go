package sbom

import (
	"strings"

	cyclonedx "github.com/CycloneDX/cyclonedx-go"
)

// and joins the licences of a component that has several.
const and = " AND "

// joinLicenses makes one expression of a component's licences. Several of them
// count as all needed: the document does not say that there is a choice, and a
// denied one must not hide beside another. One that is no expression stands in
// quotes, which no expression has: what can't be judged alone can't be judged
// beside another either.
func joinLicenses(choices cyclonedx.Licenses) string {
	var all []string
	isStated := false
	for _, choice := range choices {
		text := choice.Expression
		if text == "" && choice.License == nil {
			continue
		}
		if choice.License != nil && text == "" {
			if text = choice.License.ID; text == "" {
				text = choice.License.Name
			}
		}
		if text = stated(plain(text)); text == "" {
			text = noAssertion
		} else {
			isStated = true
		}
		all = append(all, text)
	}
	switch {
	case !isStated:
		return ""
	case len(all) == 1:
		return all[0]
	}
	for i, text := range all {
		if expression := ParseExpression(text); !expression.Valid() {
			all[i] = quoteOf + strings.ReplaceAll(text, quoteOf, "'") + quoteOf
		} else if expression.root.op != leafNode {
			all[i] = "(" + text + ")"
		}
	}
	return strings.Join(all, and)
}

const quoteOf = `"`

// splitLicenses gives the parts that joinLicenses has joined where one of them is
// no expression, without their quotes; a text of any other form is its one part.
func splitLicenses(text string) []string {
	var parts []string
	for rest := text; rest != ""; {
		var part string
		if quoted, ok := strings.CutPrefix(rest, quoteOf); ok {
			end := strings.Index(quoted, quoteOf)
			if end < 0 {
				return []string{text}
			}
			part, rest = quoted[:end], quoted[end+1:]
			if next, ok := strings.CutPrefix(rest, and); ok {
				rest = next
			} else if rest != "" {
				return []string{text}
			}
		} else if before, _, ok := strings.Cut(rest, and+quoteOf); ok {
			part, rest = before, rest[len(before)+len(and):]
		} else {
			part, rest = rest, ""
		}
		parts = append(parts, part)
	}
	return parts
}
