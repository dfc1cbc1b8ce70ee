package main

import (
	"strings"

	"assay/artifact"
)

// projectSelector applies what the project's assay.toml says of a product that
// was named without a selector, and tells so: nobody should wonder why.
func (a *app) projectSelector(s *session, text string, ref artifact.Ref) (artifact.Ref, error) {
	if strings.Contains(text, "@") {
		return ref, nil
	}
	for _, tool := range s.config.Tools {
		if tool.Name != text && tool.Name != ref.Product {
			continue
		}
		selector, err := artifact.ParseSelector(tool.Selector)
		if err != nil {
			return ref, err
		}
		a.out.talk("%s@%s, as %s says", text, tool.Selector, tool.Origin)
		ref.Selector = selector
		return ref, nil
	}
	return ref, nil
}
