package airgap

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"assay/artifact"
	"assay/internal/shown"
	"assay/mirror"
	"assay/mirror/storage"
)

// InventorySchema names the form of an inventory.
const InventorySchema = "assay.mirror.inventory/v1"

// Inventory is what a mirror holds of what it serves: a line of JSON, and a digest in
// each other one, in ascending order.
type Inventory struct {
	Schema       string        `json:"schema"`
	Repositories []Inventoried `json:"repositories"`
	Objects      int           `json:"objects"`

	id   artifact.Digest
	held map[artifact.Digest]bool
}

// Inventoried is one repository of an inventory.
type Inventoried struct {
	Repository string               `json:"repository"`
	Generation int64                `json:"generation"` // 0: nothing was published yet
	Roles      []mirror.RoleVersion `json:"roles,omitempty"`
}

// TakeInventory writes what is held of repositories. The same state gives the same
// bytes. Objects are looked for, and not hashed.
func TakeInventory(ctx context.Context, store *storage.Reader, repositories []string, w io.Writer) (*Inventory, error) {
	inv := &Inventory{Schema: InventorySchema, held: map[artifact.Digest]bool{}}
	for _, name := range repositories {
		p, err := mirror.ReadPublished(ctx, store, name)
		if errors.Is(err, mirror.ErrNotReady) {
			inv.Repositories = append(inv.Repositories, Inventoried{Repository: name})
			continue
		}
		if err != nil {
			return nil, err
		}
		inv.Repositories = append(inv.Repositories, Inventoried{name, p.Number, p.Roles})
		list, _ := objectsOf(p)
		for _, o := range list {
			length, err := store.Stat(ctx, o.digest)
			switch {
			case err == nil && length == o.length:
				inv.held[o.digest] = true
			case err != nil && !errors.Is(err, storage.ErrMissing):
				return nil, err
			}
		}
	}
	inv.Objects = len(inv.held)
	head, err := json.Marshal(inv)
	if err != nil {
		return nil, err
	}
	lines := make([]string, 0, len(inv.held))
	for d := range inv.held {
		lines = append(lines, d.String()+"\n")
	}
	slices.Sort(lines)
	out := bufio.NewWriter(w)
	_, err = out.Write(append(head, '\n'))
	for _, line := range lines {
		if err == nil {
			_, err = out.WriteString(line)
		}
	}
	return inv, errors.Join(err, out.Flush())
}

// ReadInventory reads an inventory: ErrVolume where it is none.
func ReadInventory(r io.Reader) (*Inventory, error) {
	inv := &Inventory{held: map[artifact.Digest]bool{}}
	hash := artifact.SHA256.New()
	lines, err := readHeaded(io.TeeReader(r, hash), "an inventory", InventorySchema, inv, func() string { return inv.Schema })
	if err != nil {
		return nil, err
	}
	if inv.Objects != len(lines) {
		return nil, fmt.Errorf("%w: expected an inventory of %d objects, found %d", ErrVolume, inv.Objects, len(lines))
	}
	for i, line := range lines {
		d, err := artifact.ParseDigest(line)
		if err != nil || d.String() != line || i > 0 && strings.Compare(lines[i-1], line) >= 0 {
			return nil, fmt.Errorf("%w: expected digests in ascending order in an inventory, found %s", ErrVolume, shown.Quote(line, 120))
		}
		inv.held[d] = true
	}
	inv.id = artifact.SumOf(artifact.SHA256, hash)
	return inv, nil
}

// carries reports whether a repository is in the inventory.
func (inv *Inventory) carries(repository string) bool {
	return slices.ContainsFunc(inv.Repositories, func(one Inventoried) bool { return one.Repository == repository })
}
