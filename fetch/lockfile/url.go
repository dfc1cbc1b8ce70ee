package lockfile

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"assay/internal/shown"
)

// urls checks a list of URLs, each by check. A lock file is committed for all to
// read, so that a URL with a secret in it is refused; and no message shows a URL, as
// its query may be one, too.
func (p place) urls(list []string, check func(string) error) error {
	if err := p.count(len(list), 0, maxURLs); err != nil {
		return err
	}
	for _, text := range list {
		switch {
		case text == "" || len(text) > maxURL:
			return p.refuse("expected a URL of 1 to %d bytes, found %d", maxURL, len(text))
		case strings.ContainsFunc(text, func(r rune) bool { return r == ' ' || isUnprintable(r) }):
			return p.refuse("expected a URL without spaces and unprintable characters, found some")
		}
		if err := p.because(check(text)); err != nil {
			return err
		}
	}
	return nil
}

var (
	errSecret = errors.New("expected a URL without a user or a password, found one with: credentials belong into the user's configuration")
	errSigned = errors.New("expected a URL without a key, a token or a signature in its query, found one with: whoever reads the file could use it")
	errNoURL  = errors.New("expected an absolute URL with a host, found something else")
)

// checkArtifactURL asks for what a release manifest may say: https, and http only on
// this machine, where nobody is between.
func checkArtifactURL(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "":
		return errNoURL // not err, which shows the URL
	case u.User != nil:
		return errSecret
	case strings.Contains(text, "#"):
		return errors.New("expected a URL without a fragment, found one with")
	case u.Scheme != "https" && (u.Scheme != "http" || !isLoopback(u.Hostname())):
		return fmt.Errorf("expected an https URL (http on a loopback address only), found the scheme %q", shown.Clip(u.Scheme, 16))
	}
	return nil
}

func isLoopback(host string) bool {
	addr, _ := netip.ParseAddr(host) // what is none is the zero Addr, which is no loopback
	return host == "localhost" || addr.Unmap().IsLoopback()
}

// checkPinURL refuses secrets only. Which sources there are is for package pinned to
// say, that gets them: some are no URLs, such as paths and git@HOST:REPOSITORY.
func checkPinURL(text string) error {
	rest := text
	// git::URL; but in https://[2001:db8::1]/ it is a part of the address.
	if forced, url, is := strings.Cut(text, "::"); is && !strings.ContainsAny(forced, ":/@") {
		rest = url
	}
	scheme, _, is := strings.Cut(rest, "://")
	if !is {
		return nil
	}
	u, err := url.Parse(rest)
	if err != nil {
		return errNoURL
	}
	// ssh asks for a user, who is no secret; to https a user may be a token.
	_, secret := u.User.Password()
	if secret || u.User != nil && !strings.Contains(strings.ToLower(scheme), "ssh") {
		return errSecret
	}
	for part := range strings.FieldsFuncSeq(u.RawQuery, func(r rune) bool { return r == '&' || r == ';' }) {
		name, _, _ := strings.Cut(part, "=")
		if plain, err := url.QueryUnescape(name); err == nil {
			name = plain
		}
		if slices.Contains(secretNames, strings.ReplaceAll(strings.ToLower(name), "-", "_")) {
			return errSigned
		}
	}
	return nil
}

// secretNames are those under which stores and forges take what opens a file that is
// not for all, in lower case and with _ for -.
var secretNames = []string{
	"x_amz_signature", "x_amz_security_token", "x_goog_signature", "signature", "sig", "token", "access_token", "private_token",
	"job_token", "auth_token", "api_key", "apikey", "password", "secret", "client_secret", "sshkey", "aws_access_key_secret", "aws_access_token",
}
