package proof

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"assay/trust"
	"assay/trust/provenance"
	"assay/trust/sbom"
)

// bind asks whether a signed statement speaks of this artifact by name, too. Its
// digest was compared when the signature was verified; but the digest of another
// platform's or version's file is a right one as well, under another name.
func (h *hearing) bind(b advertised, signed provenance.Signed) error {
	if signed.Statement == nil {
		h.unchecked(trust.CheckSubject, b.path, "a signature over the bytes alone names nothing; the digest is right: "+signed.Artifact.String())
		return nil
	}
	expected := fmt.Sprintf("a subject named %s, %s", b.of, signed.Artifact)
	var named, anywhere, unnamed bool
	var others, rivals []string
	for _, subject := range signed.Statement.Subjects {
		ours := subject.Digests.Agree(b.digests) || slices.Contains(subject.Digests, signed.Artifact)
		fits := h.fits(b, subject.Name)
		switch {
		case ours && fits && h.anyPlatform(subject.Name):
			anywhere = true
		case ours && fits:
			named = true
		case ours && subject.Name == "":
			unnamed = true
		case ours:
			others = append(others, subject.Name)
		case fits && len(subject.Digests) > 0:
			rivals = append(rivals, subject.Digests.Primary().String())
		}
	}
	switch {
	case named:
		h.pass(trust.CheckSubject, b.path, expected, "the same")
	case anywhere:
		h.unchecked(trust.CheckSubject, b.path, "the statement names product and version, and not the platform; the digest is right: "+signed.Artifact.String())
	case len(rivals) > 0:
		return h.disagree(trust.CheckSubject, b.path, expected, rivals[0]+" under that name")
	case len(others) > 0:
		return h.disagree(trust.CheckSubject, b.path, expected, fmt.Sprintf("the digest under the name %s", clip(strings.Join(others, ", "))))
	case unnamed:
		h.unchecked(trust.CheckSubject, b.path, "the statement gives its subject no name; the digest is right: "+signed.Artifact.String())
	}
	return nil
}

// fits reports whether a subject's name is the file's: its base name, with or
// without folders before it, or a package URL of the product and version and,
// where it says so, of the platform.
func (h *hearing) fits(b advertised, name string) bool {
	if !strings.HasPrefix(name, "pkg:") {
		return name != "" && path.Base(name) == b.of
	}
	if !b.whole || h.item.Release == nil {
		return false
	}
	purl, err := sbom.ParsePURL(name)
	if err != nil || purl.Name != h.item.Product || strings.TrimPrefix(purl.Version, "v") != h.item.Version.String() {
		return false
	}
	for key, want := range map[string]string{"os": h.item.Artifact.OS, "arch": h.item.Artifact.Arch} {
		if said := qualifier(name, key); said != "" && said != want {
			return false
		}
	}
	return true
}

// anyPlatform reports whether a name that fits would fit another artifact of the
// release as well: a package URL without a platform.
func (h *hearing) anyPlatform(name string) bool {
	return strings.HasPrefix(name, "pkg:") && len(h.item.Release.Artifacts) > 1 && (qualifier(name, "os") == "" || qualifier(name, "arch") == "")
}

// qualifier is the value of a package URL's qualifier, empty if it has none.
func qualifier(purl, key string) string {
	purl, _, _ = strings.Cut(purl, "#")
	_, query, _ := strings.Cut(purl, "?")
	values, err := url.ParseQuery(query)
	if err != nil {
		return ""
	}
	return values.Get(key)
}

// clip keeps text of a document short, and fit for a terminal.
func clip(text string) string {
	const most = 200
	if len(text) > most {
		text = text[:most] + "…"
	}
	return strings.ToValidUTF8(text, "�")
}
