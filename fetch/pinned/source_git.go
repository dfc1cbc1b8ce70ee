package pinned

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode/utf8"

	getter "github.com/hashicorp/go-getter/v2"

	"assay/fetch/wire"
)

// gitForm is the one form of a git source.
const gitForm = "git::https://HOST/REPO//FILE?ref=REVISION, or the same with ssh, http or file, or git::git@HOST:REPO//FILE?ref=REVISION"

// parseGit reads what stands behind git::.
func parseGit(text string) (*Source, error) {
	if !strings.Contains(text, "://") {
		found, _, _ := new(getter.GitDetector).Detect(text, "") // nothing, of what is none: it has no host
		text = strings.TrimPrefix(found, "git::")
	}
	u, err := parseURL(text)
	if err != nil {
		return nil, err
	}
	s := &Source{kind: Git, url: u, ref: "HEAD"}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: expected %s", ErrURL, wire.Shown(u), gitForm)
	}
	for key, values := range query {
		if key != "ref" || len(values) != 1 {
			return nil, fmt.Errorf("%w: %s: expected %s, found %.40q in its query", ErrURL, wire.Shown(u), gitForm, key)
		}
		s.ref = values[0]
	}
	u.RawQuery, u.ForceQuery = "", false
	repository, inside, _ := strings.Cut(u.Path, "//")
	u.Path, u.RawPath, s.inside = repository, "", inside
	if !isInside(inside) {
		return nil, fmt.Errorf("%w: %s: expected %s, found no path of one file behind //", ErrURL, wire.Shown(u), gitForm)
	}
	if !isRevision(s.ref) {
		return nil, fmt.Errorf("%w: %s: expected a branch, a tag or a whole commit in ref=, found %.80q", ErrURL, wire.Shown(u), s.ref)
	}
	if err := checkRemote(u); err != nil {
		return nil, err
	}
	return s, nil
}

// checkRemote takes only what git can't take for anything else: an option, a
// command of ssh, a transport of another name.
func checkRemote(u *url.URL) error {
	bad := func(what string) error {
		return fmt.Errorf("%w: %s: expected %s, found %s", ErrURL, wire.Shown(u), gitForm, what)
	}
	switch u.Scheme {
	case "https":
	case "http":
		if u.User != nil && !isLoopback(u.Hostname()) {
			return bad("a user or a password over http, which everybody on the way would read: expected https")
		}
	case "ssh":
		if user := u.User.Username(); user != "" && !isPlain(user) {
			return bad("another user's name than of a-z 0-9 . _ -")
		}
		if _, has := u.User.Password(); has {
			return bad("a password, which ssh takes from nobody")
		}
	case "file":
		if u.Host != "" || u.User != nil {
			return bad("a host")
		}
	default:
		return bad(fmt.Sprintf("%.20q", u.Scheme+"://"))
	}
	switch {
	case u.Scheme != "file" && !isHost(u.Hostname()):
		return bad("no host of a-z 0-9 . _ -")
	case strings.Trim(u.Path, "/") == "":
		return bad("no path of a repository")
	}
	return nil
}

// isLoopback reports whether a host is this machine, by an address.
func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.Unmap().IsLoopback()
}

// isPlain lets words pass that no program takes for an option.
func isPlain(word string) bool {
	return word != "" && word[0] != '-' && only(word, letters+"._-")
}

// isHost lets names pass, and addresses without a zone, which may be any text.
func isHost(host string) bool {
	address, err := netip.ParseAddr(host)
	return isPlain(host) || err == nil && address.Zone() == ""
}

// isInside reports whether a path names one entry of a tree: git has no "", "."
// and ".." there.
func isInside(p string) bool {
	if !utf8.ValidString(p) || len(p) > 4096 || hasDots(p) {
		return false
	}
	for segment := range strings.SplitSeq(p, "/") {
		if segment == "" {
			return false
		}
	}
	return true
}

// isRevision lets names of branches, of tags and whole commits pass (git
// check-ref-format, and no more of it than that): no option, no way through the
// history as in A..B, A^ or A@{1}, no pattern, no refspec.
func isRevision(ref string) bool {
	return ref != "" && len(ref) <= 255 && only(ref, letters+"._-/+@") && strings.Trim(ref, "/.") == ref && ref[0] != '-' &&
		!strings.Contains(ref, "..") && !strings.Contains(ref, "//") && !strings.HasSuffix(ref, ".lock")
}
