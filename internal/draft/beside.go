package draft

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"assay/artifact"
	"assay/artifact/checksums"
	"assay/trust/sbom"
)

// maxBundleBytes is the most bytes of a bundle that a consumer's assay reads, and
// maxBundles how many of them a list in a manifest may have.
const (
	maxBundleBytes = 4 << 20
	maxBundles     = 16
)

// belongings are the files that belong to others by their name.
type belongings struct {
	bills   map[string]string           // the SBOM of an artifact, by the artifact's name
	bundles map[string][]string         // the bundles over a file, by that one's name
	content map[string][]sbom.Component // of an SBOM, by its name
	left    []LeftOut
}

// LeftOut is a file of goreleaser's that the release does not have.
type LeftOut struct {
	Name string `json:"name"`
	Type string `json:"type"` // as goreleaser calls it
	Why  string `json:"why"`
}

// belong finds out which SBOM and which bundle belongs to which file: the one
// with the longest name that its own begins with.
func (d *dist) belong(list []entry) (*belongings, error) {
	b := &belongings{bills: map[string]string{}, bundles: map[string][]string{}, content: map[string][]sbom.Component{}, left: d.left}
	var artifacts, files []string
	for _, e := range list {
		if e.isArtifact() {
			artifacts = append(artifacts, e.Name)
		}
		if e.Type != typeSignature {
			files = append(files, e.Name)
		}
	}
	for _, e := range list {
		var err error
		switch e.Type {
		case typeSBOM:
			err = d.bill(b, e, artifacts)
		case typeSignature:
			err = d.bundle(b, e, files)
		}
		if err != nil {
			return nil, err
		}
	}
	return b, nil
}

// bill files an SBOM under its artifact. One that assay can't read would be refused
// by whoever installs.
func (d *dist) bill(b *belongings, e entry, artifacts []string) error {
	of := ownerOf(e.Name, artifacts)
	if of == "" {
		b.leave(e, "its name begins with that of no artifact")
		return nil
	}
	if other, twice := b.bills[of]; twice {
		b.leave(e, of+" has "+other+" already")
		return nil
	}
	data, err := d.read(e.local, sbom.MaxBytes)
	if err != nil {
		return err
	}
	document, err := sbom.Parse(data)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrDist, quote(e.Name), err)
	}
	b.bills[of], b.content[e.Name] = e.Name, document.Components
	return nil
}

// bundle files a bundle under what it is over. Other forms of signatures are left
// out, as consumers could not judge by them.
func (d *dist) bundle(b *belongings, e entry, files []string) error {
	of := ownerOf(e.Name, files)
	if of == "" {
		b.leave(e, "its name begins with that of no file of the release")
		return nil
	}
	data, err := d.read(e.local, maxBundleBytes)
	if err != nil {
		return err
	}
	if !isBundle(data) {
		b.leave(e, "it is no Sigstore bundle")
		return nil
	}
	if len(b.bundles[of]) == maxBundles {
		return fmt.Errorf("%w: expected at most %d bundles over %s, found more", ErrDist, maxBundles, quote(of))
	}
	b.bundles[of] = append(b.bundles[of], e.Name)
	return nil
}

func (b *belongings) leave(e entry, why string) {
	b.left = append(b.left, LeftOut{Name: e.Name, Type: e.Type, Why: why})
}

// isBundle reports whether a file says that it is a Sigstore bundle. Whether it is
// a good one is for those who verify it.
func isBundle(data []byte) bool {
	if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		return false
	}
	var claim struct {
		MediaType string `json:"mediaType"`
	}
	return json.Unmarshal(data, &claim) == nil && strings.HasPrefix(claim.MediaType, "application/vnd.dev.sigstore.bundle")
}

// ownerOf is the longest of names that name begins with, followed by a dot; else
// the one whose name without its format it begins with so. Empty: none, or several.
func ownerOf(name string, names []string) string {
	owner, stem, stems := "", "", 0
	for _, other := range names {
		if strings.HasPrefix(name, other+".") && len(other) > len(owner) && other != name {
			owner = other
		}
		short, _, _ := cutFormat(other)
		if short != other && strings.HasPrefix(name, short+".") && other != name {
			stem = other
			stems++
		}
	}
	if owner == "" && stems == 1 {
		return stem
	}
	return owner
}

// cutFormat takes the format off a file's name.
func cutFormat(name string) (stem, format string, ok bool) {
	for _, suffix := range []string{".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.zst", ".tzst", ".tar.bz2", ".tar", ".zip", ".gz", ".deb", ".rpm", ".apk"} {
		if stem, ok := strings.CutSuffix(name, suffix); ok && stem != "" {
			return stem, suffix, true
		}
	}
	return name, "", false
}

// compare holds a file to what the checksums file and goreleaser's list say of it.
// It reports whether one of them speaks of SHA-512.
func (f file) compare(list *checksums.List, e entry) (long bool, err error) {
	agree := func(by string, want artifact.Digest) error {
		found := f.sha256
		if want.Algorithm() == artifact.SHA512 {
			found, long = f.sha512, true
		}
		if found != want {
			return fmt.Errorf("%w: %s: expected %s, as %s says, found %s", ErrMismatch, quote(f.name), want, by, found)
		}
		return nil
	}
	if list != nil {
		digests, _ := list.Lookup(f.name) // not listed: lint says so of artifacts
		for _, want := range digests {
			if err := agree("the checksums file", want); err != nil {
				return false, err
			}
		}
	}
	// Other algorithms say nothing that can be compared.
	if want, err := artifact.ParseDigest(e.more.Checksum); err == nil {
		if err := agree(listName, want); err != nil {
			return false, err
		}
	}
	return long, nil
}
