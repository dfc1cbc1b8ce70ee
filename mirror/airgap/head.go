package airgap

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"assay/artifact"
	"assay/internal/shown"
	"assay/internal/strictjson"
	"assay/mirror"
)

// The names of the entries of a volume that are no objects.
const (
	headName      = "head.json"
	contentsName  = "contents.txt"
	digestsName   = "digests.txt"
	elsewhereName = "elsewhere.txt"
)

// HeadSchema names the form of a Head.
const HeadSchema = "assay.mirror.export/v1"

// The bounds of a head.
const (
	maxHead    = 8 << 20 // bytes
	MaxVolumes = 10_000
)

// Head is head.json of a volume.
type Head struct {
	Schema     string      `json:"schema"`
	Repository string      `json:"repository"`
	Generation int64       `json:"generation"` // of the exporting mirror
	Published  time.Time   `json:"published"`  // there
	Mode       mirror.Mode `json:"mode"`       // there
	// Roles are versions and expiries, as the exporter read them.
	Roles []mirror.RoleVersion `json:"roles"`
	// Export is the SHA-256 of digests.txt: all objects of the generation.
	Export  artifact.Digest `json:"export"`
	Objects int             `json:"objects"` // of the generation
	Bytes   int64           `json:"bytes"`   // of the generation
	// Since is the export, and Inventory the inventory of the receiver, to which this
	// set is a difference; none: it is whole.
	Since     artifact.Digest `json:"since,omitzero"`
	Inventory artifact.Digest `json:"inventory,omitzero"`
	// Elsewhere is the SHA-256 of elsewhere.txt.
	Elsewhere artifact.Digest `json:"elsewhere"`
	// LeftOut are targets in quarantine at the exporter.
	LeftOut []LeftOut `json:"left_out,omitempty"`
	// Volumes are the SHA-256 of contents.txt of each volume.
	Volumes []artifact.Digest `json:"volumes"`
	// Set is the SHA-256 of this document without it and Volume.
	Set    artifact.Digest `json:"set,omitzero"`
	Volume int             `json:"volume,omitzero"` // from 1
}

// LeftOut is a target that an export does not have.
type LeftOut struct {
	Path   string          `json:"path"`
	Digest artifact.Digest `json:"digest"`
	Reason string          `json:"reason"`
}

func (h Head) encode() ([]byte, error) {
	text, err := json.Marshal(h)
	return append(text, '\n'), err
}

// setID is what Set has to be.
func (h Head) setID() (artifact.Digest, error) {
	h.Set, h.Volume = artifact.Digest{}, 0
	text, err := h.encode()
	return artifact.DigestOf(artifact.SHA256, text), err
}

// last reports whether the volume is the set's last one.
func (h Head) last() bool { return h.Volume == len(h.Volumes) }

// decodeHead reads head.json, which must have the form in which an export writes it.
func decodeHead(text []byte) (Head, error) {
	const depth = 4
	var h Head
	if err := strictjson.Screen(text, strictjson.Limits{Bytes: maxHead, Depth: depth}); err != nil {
		return h, fmt.Errorf("%w: %s: %w", ErrVolume, headName, err)
	}
	if err := json.Unmarshal(text, &h); err != nil {
		return h, fmt.Errorf("%w: %s: %w", ErrVolume, headName, err)
	}
	if err := checkSchema(h.Schema, HeadSchema); err != nil {
		return h, fmt.Errorf("%s: %w", headName, err)
	}
	if again, err := h.encode(); err != nil || !bytes.Equal(again, text) {
		return h, fmt.Errorf("%w: %s: expected it as assay writes it, found something added or left out", ErrVolume, headName)
	}
	return h, h.check()
}

func (h Head) check() error {
	bad := func(what string) error {
		return fmt.Errorf("%w: %s: expected %s, found something else", ErrVolume, headName, what)
	}
	if err := artifact.ValidRepository(h.Repository); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrVolume, headName, err)
	}
	isSum := func(d artifact.Digest) bool { return d.Algorithm() == artifact.SHA256 }
	switch {
	case len(h.Volumes) < 1 || len(h.Volumes) > MaxVolumes || h.Volume < 1 || h.Volume > len(h.Volumes):
		return bad(fmt.Sprintf("a volume from 1 of at most %d", MaxVolumes))
	case !isSum(h.Export) || !isSum(h.Elsewhere) || slices.ContainsFunc(h.Volumes, func(d artifact.Digest) bool { return !isSum(d) }):
		return bad("digests of its lists")
	case h.Generation < 1 || h.Objects < 1 || h.Objects > maxObjects || h.Bytes < 0 || len(h.LeftOut) > mirror.MaxQuarantined:
		return bad("a generation with objects")
	}
	id, err := h.setID()
	if err == nil && id != h.Set {
		err = fmt.Errorf("%w: %s: expected the set's id %s, as the rest of it says, found %s: it was edited", ErrVolume, headName, short(id), short(h.Set))
	}
	return err
}

// checkSchema tells a newer form from something else.
func checkSchema(found, want string) error {
	prefix := strings.TrimSuffix(want, "1")
	version, ours := strings.CutPrefix(found, prefix)
	switch {
	case found == want:
		return nil
	case ours && version != "" && len(version) < 10 && strings.Trim(version, "0123456789") == "":
		return fmt.Errorf("%w: expected %s, found %s", ErrNewer, want, shown.Quote(found, 80))
	}
	return fmt.Errorf("%w: expected the schema %s, found %s", ErrVolume, want, shown.Quote(found, 80))
}
