package serve

import (
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"assay/artifact"
	"assay/mirror"
)

// Values of headers that are the same each time, in the form that http.Header has.
// Nobody changes them.
var (
	valueJSON        = []string{"application/json"}
	valueBytes       = []string{"application/octet-stream"}
	valueText        = []string{"text/plain; charset=utf-8"}
	valueNoSniff     = []string{"nosniff"}
	valueNoCache     = []string{"no-cache"}
	valueNoStore     = []string{"no-store"}
	valueImmutable   = []string{"public, max-age=31536000, immutable"}
	valueRanges      = []string{"bytes"}
	valueAllow       = []string{"GET, HEAD"}
	valueClose       = []string{"close"}
	valueBearer      = []string{`Bearer realm="mirror"`}
	valueDescription = `; rel="describedby"; type="application/json"`
)

// fixed are the headers that follow from an object's digests and length.
type fixed struct {
	etag, digest, length []string
}

func fixedOf(f *mirror.File) *fixed {
	primary := f.Digests.Primary()
	return &fixed{
		etag:   []string{`"` + string(primary.Algorithm()) + "-" + primary.Hex() + `"`},
		digest: []string{reprDigest(f.Digests)},
		length: []string{strconv.FormatInt(f.Length, 10)},
	}
}

// reprDigest is the Repr-Digest field (RFC 9530, section 3) of all digests.
func reprDigest(digests artifact.Digests) string {
	var b strings.Builder
	for i, d := range digests {
		name := map[artifact.Algorithm]string{artifact.SHA256: "sha-256", artifact.SHA512: "sha-512"}[d.Algorithm()]
		sum, err := hex.DecodeString(d.Hex())
		if name == "" || err != nil {
			continue // no Digest is so
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(name + "=:" + base64.StdEncoding.EncodeToString(sum) + ":")
	}
	return b.String()
}

// setFile writes the headers of a file, but for its length.
func setFile(h http.Header, f *mirror.File, known *fixed) {
	h["Content-Type"] = valueBytes
	if !f.Target {
		h["Content-Type"] = valueJSON
	}
	h["Cache-Control"] = valueNoCache
	if f.Immutable {
		h["Cache-Control"] = valueImmutable
	}
	h["Etag"] = known.etag
	h["Repr-Digest"] = known.digest
	h["Accept-Ranges"] = valueRanges
	if links := linksOf(f); links != "" {
		h["Link"] = []string{links}
	}
}

// maxLinks bounds the sources that are told of.
const maxLinks = 16

// linksOf are the places that have the same bytes (RFC 6249, section 3.1), and
// where attestations about them are.
func linksOf(f *mirror.File) string {
	if !f.Attested && len(f.Sources) == 0 {
		return ""
	}
	var b strings.Builder
	link := func(url, rest string) {
		if b.Len() > 0 {
			b.WriteString(", ")
		}
		b.WriteString("<" + url + ">" + rest)
	}
	for _, source := range f.Sources[:min(len(f.Sources), maxLinks)] {
		if fitsLink(source) {
			link(source, "; rel=duplicate")
		}
	}
	if digest, ok := f.Digests.Of(artifact.SHA256); ok && f.Attested {
		link("/attestations/sha256/"+digest.Hex(), valueDescription)
	}
	return b.String()
}

// fitsLink refuses what would end the URL or the header.
func fitsLink(url string) bool {
	for i := range len(url) {
		if c := url[i]; c <= ' ' || c >= 0x7f || c == '<' || c == '>' || c == '"' {
			return false
		}
	}
	return len(url) <= 2048
}
