package release

import (
	"net/netip"
	"net/url"
	"path"
	"strings"

	"assay/artifact"
)

// cleanPath reports whether p is a relative path that means the same to every
// reader: no empty, "." or ".." segment, and no backslash or colon, which Windows
// takes for more separators. Control characters are the schema's to refuse.
func cleanPath(p string) bool {
	return p != "" && p == path.Clean(p) && p[0] != '/' && !strings.ContainsAny(p, `\:`) &&
		p != "." && p != ".." && !strings.HasPrefix(p, "../")
}

// checkBeside holds the path of a target to the directory of its manifest.
func checkBeside(field, target, dir string) *problem {
	if !cleanPath(target) {
		return malformed(field, "a path without backslash, colon, and empty, '.' or '..' segments", quote(target))
	}
	name, ok := strings.CutPrefix(target, dir)
	if !ok || strings.Contains(name, "/") || name == manifestName {
		return &problem{Field: field, Expected: "a file beside the manifest, in " + quote(dir), Found: quote(target), Err: ErrBinding}
	}
	if err := artifact.ValidFileName(name); err != nil {
		return malformed(field, "a safe file name at its end", err.Error())
	}
	return nil
}

// checkSource holds one of an artifact's urls to what may be asked: https, and
// http only on this machine, where nobody is between. Nothing of a URL may be a
// secret or be lost on the way, so neither user nor fragment are taken.
func checkSource(field, text string) *problem {
	u, p := parseURL(field, text)
	if p != nil {
		return p
	}
	if u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())) {
		return malformed(field, "an https URL (http on a loopback address only)", quote(text))
	}
	if _, err := urlFileName(text); err != nil {
		return malformed(field, "a safe file name at the end of the path", err.Error())
	}
	return nil
}

// checkMirror holds the base URL of a mirror to https, and away from addresses
// that mean this machine or its own link: a repository must not be able to send
// requests there. A name that leads there is for the dialler to refuse.
func checkMirror(field, text string) *problem {
	u, p := parseURL(field, text)
	if p != nil {
		return p
	}
	if u.Scheme != "https" {
		return malformed(field, "an https URL", quote(text))
	}
	if u.RawQuery != "" || u.ForceQuery {
		return malformed(field, "a URL without a query, to which paths are added", quote(text))
	}
	if isLocal(u.Hostname()) {
		return malformed(field, "a host that is neither loopback nor link-local", quote(u.Hostname()))
	}
	return nil
}

func parseURL(field, text string) (*url.URL, *problem) {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "":
		return nil, malformed(field, "an absolute URL with a host", quote(text))
	case u.User != nil:
		return nil, malformed(field, "a URL without a user or a password", quote(u.Redacted()))
	case strings.Contains(text, "#"):
		return nil, malformed(field, "a URL without a fragment", quote(text))
	}
	return u, nil
}

// urlFileName is the last segment of a URL's path, unescaped, if that is a safe
// file name.
func urlFileName(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", err
	}
	escaped := u.EscapedPath()
	name, err := url.PathUnescape(escaped[strings.LastIndexByte(escaped, '/')+1:])
	if err != nil {
		return "", err
	}
	return name, artifact.ValidFileName(name)
}

func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.Unmap().IsLoopback()
}

// isLocal reports whether a host means this machine or its link. A last label
// that begins with a digit makes a number of the whole host for some resolvers
// (127.1, 0x7f000001), so such a host must be a plain address.
func isLocal(host string) bool {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if addr, err := netip.ParseAddr(name); err == nil {
		addr = addr.Unmap()
		return addr.IsLoopback() || addr.IsLinkLocalUnicast() || addr.IsMulticast() || addr.IsUnspecified() || addr.Zone() != ""
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || last == "" || last[0] >= '0' && last[0] <= '9'
}

// withoutBuild is a version's text up to its build metadata. Strict versions
// have one spelling, so equal texts are equal precedence.
func withoutBuild(v artifact.Version) string {
	core, _, _ := strings.Cut(v.String(), "+")
	return core
}
