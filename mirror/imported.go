package mirror

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
)

// ErrNotWhole: what was brought lacks something that its metadata promises and that
// is not held here, so that nothing of it is published.
var ErrNotWhole = errors.New("what was brought is not whole")

// ErrLeftOut: whoever brought a repository said that this target is not in it, as it
// is in quarantine there.
var ErrLeftOut = errors.New("left out where it was exported")

// mustBeWhole refuses a run whose upstream was brought, and lacks something. What the
// policy of this mirror refuses, or the other mirror had put aside, is in quarantine
// here, as in any run.
func (r *repository) mustBeWhole(faults map[string]error) error {
	if !r.settings.Imported {
		return nil
	}
	var lacking []string
	for _, path := range slices.Sorted(maps.Keys(faults)) {
		switch err := faults[path]; {
		case errors.Is(err, ErrRefused), errors.Is(err, ErrLeftOut):
		case errors.Is(err, fs.ErrNotExist):
			lacking = append(lacking, path)
		default:
			return fmt.Errorf("%w: %w", ErrNotWhole, err)
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	return fmt.Errorf("%s: %w: %d targets are promised, and neither in it nor held here; the first: %.200q", r.settings.Name, ErrNotWhole, len(lacking), lacking[0])
}
