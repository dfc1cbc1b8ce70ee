package testrepo

import (
	"fmt"
	"slices"

	"github.com/theupdateframework/go-tuf/v2/metadata"
)

// DelegatedRole is one delegation, an edge from a parent to a role. The TUF
// specification wants either Paths or PathHashPrefixes; neither is checked.
type DelegatedRole struct {
	Name             string
	Paths            []string // glob patterns, matched per segment
	PathHashPrefixes []string // of the path's SHA-256 in hex
	Terminating      bool
	// Quorum is used where the role does not exist yet; zero means that of
	// Options.
	Quorum Quorum
	// Keys are listed instead of the role's own, for an edge that trusts
	// others. nil means the role's own, also after RotateKey.
	Keys []*Key
	// Threshold is listed instead of the role's own, where it is not 0.
	Threshold int
}

// Bins are the succinct hash bins of TAP 15: 1<<BitLength roles called
// PREFIX-HEX that share their keys, each for the paths whose SHA-256 begins
// with its bits.
type Bins struct {
	Prefix    string
	BitLength int // 1 to 8 here; TAP 15 allows 32
	Quorum    Quorum
}

// Delegate adds a delegation to parent, after those it has. A role that does
// not exist is made, with keys of its own and an empty list of targets; one
// that does gets another parent. Names may hold any character: metadata files
// are named by url.PathEscape.
func (r *Repo) Delegate(parent string, edge DelegatedRole) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.delegate(parent, edge)
}

// delegate is Delegate with r.mu held.
func (r *Repo) delegate(parent string, edge DelegatedRole) error {
	from, err := r.targetsRole(parent)
	if err != nil {
		return err
	}
	if isTopLevel(edge.Name) {
		return fmt.Errorf("%w: %q is the name of a top-level role", ErrConflict, edge.Name)
	}
	if from.bins != nil {
		return fmt.Errorf("%w: role %q delegates to bins, which excludes other delegations", ErrConflict, parent)
	}
	if slices.ContainsFunc(from.edges, func(e DelegatedRole) bool { return e.Name == edge.Name }) {
		return fmt.Errorf("%w: role %q delegates to %q already", ErrConflict, parent, edge.Name)
	}
	if _, ok := r.roles[edge.Name]; !ok {
		quorum := edge.Quorum
		if quorum == (Quorum{}) {
			quorum = r.opts.quorumOf(edge.Name)
		}
		if err := r.addRole(edge.Name, quorum); err != nil {
			return err
		}
	}
	edge.Paths, edge.PathHashPrefixes = slices.Clone(edge.Paths), slices.Clone(edge.PathHashPrefixes)
	from.edges, from.dirty = append(from.edges, edge), true
	return nil
}

// DelegateBins delegates everything to hash bins. Targets are added to the role
// that BinOf names.
func (r *Repo) DelegateBins(parent string, bins Bins) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	from, err := r.targetsRole(parent)
	if err != nil {
		return err
	}
	if bins.BitLength < 1 || bins.BitLength > 8 {
		return fmt.Errorf("%w: bits of bins: expected 1 to 8, found %d", ErrOptions, bins.BitLength)
	}
	if bins.Quorum == (Quorum{}) {
		bins.Quorum = r.opts.Quorum[Delegated]
	}
	if from.bins != nil || len(from.edges) > 0 {
		return fmt.Errorf("%w: role %q delegates already, which excludes bins", ErrConflict, parent)
	}
	for _, name := range bins.names() {
		if _, ok := r.roles[name]; ok {
			return fmt.Errorf("%w: the name of bin %q is taken", ErrConflict, name)
		}
	}
	return r.addBins(from, bins)
}

// addBins is DelegateBins after its checks.
func (r *Repo) addBins(from *role, bins Bins) error {
	shared, err := newKeys(r.opts.Scheme, bins.Quorum.Keys)
	if err != nil {
		return err
	}
	for _, name := range bins.names() {
		r.roles[name] = &role{
			keys: shared, threshold: bins.Quorum.Threshold, expiry: r.opts.expiryOf(name), dirty: true,
			targets: map[string]target{},
		}
		r.order = append(r.order, name)
	}
	from.bins, from.binKeys, from.dirty = &bins, shared, true
	return nil
}

// names are the bins' role names, in order.
func (b Bins) names() []string { return b.succinct(nil).GetRoles() }

// BinOf names the bin, among those with the prefix and number of bits given,
// that a target path belongs to.
func BinOf(bins Bins, path string) string {
	return bins.succinct(nil).GetRolesForTarget(path)[0].Name
}

// succinct is the delegation in its metadata form.
func (b Bins) succinct(keys []*Key) *metadata.SuccinctRoles {
	return &metadata.SuccinctRoles{
		KeyIDs: idsOf(keys), Threshold: b.Quorum.Threshold, BitLength: b.BitLength, NamePrefix: b.Prefix,
	}
}

// delegations builds a role's delegations, nil where it has none. r.mu is held.
func (r *Repo) delegations(from *role) *metadata.Delegations {
	if from.bins == nil && len(from.edges) == 0 {
		return nil
	}
	built := &metadata.Delegations{Keys: map[string]*metadata.Key{}}
	list := func(keys []*Key) {
		for _, key := range keys {
			built.Keys[key.id] = key.public
		}
	}
	if from.bins != nil {
		list(from.binKeys)
		built.SuccinctRoles = from.bins.succinct(from.binKeys)
		return built
	}
	for _, edge := range from.edges {
		keys, threshold := edge.Keys, edge.Threshold
		if keys == nil {
			keys = r.roles[edge.Name].keys
		}
		if threshold == 0 {
			threshold = r.roles[edge.Name].threshold
		}
		list(keys)
		built.Roles = append(built.Roles, metadata.DelegatedRole{
			Name: edge.Name, KeyIDs: idsOf(keys), Threshold: threshold, Terminating: edge.Terminating,
			Paths: edge.Paths, PathHashPrefixes: edge.PathHashPrefixes,
		})
	}
	return built
}

func idsOf(keys []*Key) []string {
	ids := make([]string, len(keys))
	for i, key := range keys {
		ids[i] = key.id
	}
	return ids
}
