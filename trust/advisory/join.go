package advisory

import (
	"slices"
	"strings"

	"assay/trust/sbom"
)

// join makes one finding of those of one component that share a name.
func join(found []Finding, c *sbom.Component) []Finding {
	at := map[string]int{} // names → found
	for i := range found {
		names := append([]string{found[i].ID}, found[i].Aliases...)
		found[i].Aliases = names
		target := i
		for _, name := range names {
			have, ok := at[name]
			if !ok || have == target {
				continue
			}
			// The one with more names keeps its place, so that few are moved.
			from := target
			if len(found[have].Aliases) < len(found[target].Aliases) {
				from, have = have, target
			}
			moved := found[from].Aliases
			found[have] = mergeTwo(found[have], found[from], c)
			found[from].ID, target = "", have
			for _, name := range moved {
				at[name] = have
			}
		}
		for _, name := range names {
			at[name] = target
		}
	}
	var joined []Finding
	for _, one := range found {
		if one.ID != "" {
			one.ID, one.Aliases = nameOf(one.Aliases)
			joined = append(joined, one)
		}
	}
	return joined
}

// mergeTwo joins two findings, whose Aliases hold all their names; a has the more.
func mergeTwo(a, b Finding, c *sbom.Component) Finding {
	names := append(a.Aliases, b.Aliases...)
	if b.State.weight() > a.State.weight() {
		a, b = b, a
	}
	a.Aliases = names
	if a.Summary == "" {
		a.Summary = b.Summary
	}
	if a.Severity == "" {
		a.Severity = b.Severity
	}
	if a.State == b.State && a.Why == "" {
		a.Why = b.Why
	}
	if b.Modified.After(a.Modified) {
		a.Modified = b.Modified
	}
	if a.Fixed == "" || b.Fixed != "" && isBefore(kindOf(c), a.Fixed, b.Fixed) {
		a.Fixed = b.Fixed
	}
	if a.State == b.State {
		a.By = joinText(a.By, b.By)
	}
	a.Source = joinText(a.Source, b.Source)
	return a
}

func kindOf(c *sbom.Component) string {
	key, _ := sbom.KeyOf(c.PURL)
	return kindOfKey(key)
}

// nameOf chooses the name by which most people know a vulnerability, its CVE, and
// lists the others, each once. Addresses of pages are no names where others are.
func nameOf(names []string) (id string, aliases []string) {
	slices.SortFunc(names, func(a, b string) int {
		if order := rank(a) - rank(b); order != 0 {
			return order
		}
		return strings.Compare(a, b)
	})
	names = slices.Compact(names)
	return names[0], slices.Clip(names[1:])
}

func rank(name string) int {
	switch {
	case strings.HasPrefix(name, "CVE-"):
		return 0
	case strings.Contains(name, "://"):
		return 2
	}
	return 1
}

// joinText lists a and b, each once.
func joinText(a, b string) string {
	switch {
	case a == "" || a == b:
		return b
	case b == "" || slices.Contains(strings.Split(a, ", "), b):
		return a
	}
	return a + ", " + b
}
