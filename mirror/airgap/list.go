package airgap

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"

	"assay/artifact"
	"assay/internal/shown"
)

// The bounds of lists, in bytes and lines.
const (
	maxList    = 384 << 20
	maxObjects = 2 << 20
	maxName    = 255 // of a metadata file, in bytes
)

// The folders of objects, in a volume and where it is unpacked.
const (
	metadataFolder = "metadata/"
	blobFolder     = "blobs/"
)

// object is a metadata file or the bytes of targets, and a line of a list.
type object struct {
	name   string // "metadata/3.root.json", "blobs/sha256/HEX"
	digest artifact.Digest
	length int64 // in bytes
}

func blobName(d artifact.Digest) string { return blobFolder + string(d.Algorithm()) + "/" + d.Hex() }

func (o object) isBlob() bool { return strings.HasPrefix(o.name, blobFolder) }

func (o object) line() string {
	return o.name + " " + o.digest.String() + " " + strconv.FormatInt(o.length, 10) + "\n"
}

// encodeList is the text of a list.
func encodeList(list []object) []byte {
	var text bytes.Buffer
	for _, o := range list {
		text.WriteString(o.line())
	}
	return text.Bytes()
}

// parseList reads a list: metadata first, each name once, also where the file system
// does not tell capitals apart, then blobs in ascending order. Anything that encodeList
// would not write is an ErrVolume.
func parseList(what string, text []byte) ([]object, error) {
	var list []object
	var total int64
	names := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		wrong := func(expected string) error {
			return fmt.Errorf("%w: %s, line %d: expected %s, found %s", ErrVolume, what, len(list)+1, expected, shown.Quote(line, 120))
		}
		if len(list) == maxObjects {
			return nil, fmt.Errorf("%w: %s: expected at most %d objects, found more", ErrVolume, what, maxObjects)
		}
		parts := strings.Split(strings.TrimSuffix(line, "\n"), " ")
		if len(parts) != 3 {
			return nil, wrong("NAME DIGEST LENGTH")
		}
		o := object{name: parts[0]}
		digest, err := artifact.ParseDigest(parts[1])
		o.digest = digest
		if o.length, _ = strconv.ParseInt(parts[2], 10, 64); err != nil || o.length < 0 || o.line() != line {
			return nil, wrong("a digest and a length, as assay writes them")
		}
		if o.length > math.MaxInt64-total {
			return nil, wrong("lengths with a sum below 2^63")
		}
		total += o.length
		behind := len(list) > 0 && list[len(list)-1].isBlob()
		switch {
		case o.isBlob() && o.name != blobName(o.digest):
			return nil, wrong("a blob that is named by its digest")
		case o.isBlob() && behind && list[len(list)-1].name >= o.name:
			return nil, wrong("blobs in ascending order, each once")
		case !o.isBlob() && (behind || !validMetadata(o.name) || o.digest.Algorithm() != artifact.SHA256):
			return nil, wrong("metadata before all blobs, with the name of a metadata file")
		case !o.isBlob() && names[strings.ToLower(o.name)]:
			return nil, wrong("each name once, whatever its capitals")
		}
		if !o.isBlob() {
			names[strings.ToLower(o.name)] = true
		}
		list = append(list, o)
	}
	return list, nil
}

// validMetadata wants metadata/NAME.json, where NAME is of printable ASCII without a
// slash, and does not begin with a dot: it becomes the name of a file.
func validMetadata(name string) bool {
	base, ok := strings.CutPrefix(name, metadataFolder)
	if !ok || len(base) > maxName || !strings.HasSuffix(base, ".json") || base[0] == '.' {
		return false
	}
	for _, c := range []byte(base) {
		if c <= ' ' || c > '~' || strings.IndexByte(`/\:*?"<>|`, c) >= 0 {
			return false
		}
	}
	return true
}

// sum is the bytes of a list.
func sum(list []object) (bytes int64) {
	for _, o := range list {
		bytes += o.length
	}
	return bytes
}

// Elsewhere says where an object is that an export leaves out.
type Elsewhere struct {
	Digest artifact.Digest
	// In is the id of the export that has it; with Inventory that of an inventory of
	// the receiver.
	In        artifact.Digest
	Inventory bool
}

const inventoryMark = "inventory:"

func (e Elsewhere) origin() string {
	if e.Inventory {
		return inventoryMark + e.In.String()
	}
	return e.In.String()
}

func (e Elsewhere) where() string {
	switch {
	case e.In.IsZero():
		return "no export that is known of"
	case e.Inventory:
		return "no export: the receiver said that it has them, by the inventory " + short(e.In)
	}
	return "the export " + short(e.In)
}

// parseOrigin reads what origin writes.
func parseOrigin(text string) (e Elsewhere, err error) {
	digest, inventory := strings.CutPrefix(text, inventoryMark)
	e.Inventory = inventory
	e.In, err = artifact.ParseDigest(digest)
	if err == nil && e.origin() != text {
		err = fmt.Errorf("%w: expected a digest as assay writes it", ErrVolume)
	}
	return e, err
}

func encodeElsewhere(list []Elsewhere) []byte {
	var text bytes.Buffer
	for _, e := range list {
		text.WriteString(e.Digest.String() + " " + e.origin() + "\n")
	}
	return text.Bytes()
}

// parseElsewhere reads where the objects are that a set leaves out.
func parseElsewhere(text []byte) (map[artifact.Digest]Elsewhere, error) {
	list := map[artifact.Digest]Elsewhere{}
	for line := range strings.Lines(string(text)) {
		digest, origin, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		e, err := parseOrigin(origin)
		if err == nil {
			e.Digest, err = artifact.ParseDigest(digest)
		}
		if _, twice := list[e.Digest]; err != nil || twice || len(list) == maxObjects {
			return nil, fmt.Errorf("%w: elsewhere.txt, line %d: expected a digest, each once, and an export, found %s", ErrVolume, len(list)+1, shown.Quote(line, 120))
		}
		list[e.Digest] = e
	}
	return list, nil
}
