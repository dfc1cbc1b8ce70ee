package testrepo

import (
	"fmt"
	"strings"
)

// Approve has r promise, by its top-level targets role, every target of another
// repository whose path begins with prefix: the same length and, by r's own
// algorithms, the digests of the same bytes. That is how an organisation
// approves of a release ("hello/1.5.0/") or of one file. What the other one
// changes afterwards is not followed. ErrUnknown where there is no such target.
func (r *Repo) Approve(other *Repo, prefix string) error {
	approved := other.contents(prefix)
	if len(approved) == 0 {
		return fmt.Errorf("%w target that begins with %q", ErrUnknown, prefix)
	}
	for path, c := range approved {
		if err := r.addContent(path, c, nil); err != nil {
			return err
		}
	}
	return nil
}

// contents are the targets under a prefix, each as the first role has it.
func (r *Repo) contents(prefix string) map[string]content {
	r.mu.RLock()
	defer r.mu.RUnlock()
	found := map[string]content{}
	for _, name := range r.order {
		for path, t := range r.roles[name].targets {
			if _, earlier := found[path]; !earlier && strings.HasPrefix(path, prefix) {
				found[path] = t.content
			}
		}
	}
	return found
}
