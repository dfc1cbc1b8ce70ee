package config

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
)

// daemon takes the table of the mirror daemon from a file. A second file that has
// it is an error: half of one and half of another is what nobody has written.
func (b *builder) daemon(doc *daemonDocument, f *file) error {
	if doc == nil {
		return nil
	}
	p := place{f, KeyMirror}
	if err := b.checkLock(KeyMirror, false, p.origin("")); err != nil {
		return err
	}
	if b.mirrored != nil {
		return &Error{
			Origin: p.origin(""), Key: KeyMirror, Kind: ErrValue,
			Detail: fmt.Sprintf("expected the mirror daemon in one file, found it in %s, too", b.mirrored.Origin),
		}
	}
	d := DefaultDaemon()
	d.place, d.Origin = p, p.origin("")
	for _, step := range []func(*daemonDocument) (string, error){d.takeDir, d.takeListen, d.takeAdmin, d.takeFiles, d.takeCollector, d.takeAmounts} {
		if bad, err := step(doc); err != nil {
			return p.wrong(bad, err)
		}
	}
	if n := len(doc.Upstreams); n > maxUpstreams {
		return p.wrong(keyUpstreams, fmt.Errorf("expected at most %d upstreams, found %d", maxUpstreams, n))
	}
	for _, name := range sortedKeys(doc.Upstreams) {
		at := place{f, KeyMirror + "." + keyUpstreams + "." + name}
		u, bad, err := at.upstream(name, doc.Upstreams[name])
		if err != nil {
			return at.wrong(bad, err)
		}
		d.Upstreams = append(d.Upstreams, u)
	}
	b.mirrored = &d
	return nil
}

// wrong is the error about a field of the table; without one, about the table.
func (p place) wrong(field string, err error) error {
	return &Error{Origin: p.origin(field), Key: strings.TrimSuffix(p.key+"."+field, "."), Kind: ErrValue, Err: err}
}

func (d *Daemon) takeDir(doc *daemonDocument) (bad string, err error) {
	if !filepath.IsAbs(doc.Dir) {
		return "dir", fmt.Errorf("expected an absolute path, found %q", clip(doc.Dir))
	}
	d.Dir = filepath.Clean(doc.Dir)
	return "", nil
}

func (d *Daemon) takeListen(doc *daemonDocument) (bad string, err error) {
	if !d.place.has("listen") {
		return "", nil
	}
	if n := len(doc.Listen); n == 0 || n > maxListen {
		return "listen", fmt.Errorf("expected 1 to %d addresses, found %d", maxListen, n)
	}
	d.Listen = doc.Listen
	for _, address := range doc.Listen {
		if err := checkAddress(address); err != nil {
			return "listen", err
		}
	}
	return "", nil
}

// takeAdmin wants a socket, which the system guards, or tokens.
func (d *Daemon) takeAdmin(doc *daemonDocument) (bad string, err error) {
	path, socket := strings.CutPrefix(doc.Admin, unixPrefix)
	switch {
	case !d.place.has("admin"):
		path, socket = socketIn(d.Dir), true
	case socket && !filepath.IsAbs(path):
		return "admin", fmt.Errorf("expected the absolute path of a socket behind %q, found %q", unixPrefix, clip(path))
	}
	switch {
	case socket && len(path) > maxSocket:
		return "admin", fmt.Errorf("expected a socket with a path of at most %d bytes, as systems take no longer one, found %d: name one by admin = \"unix:/…\"", maxSocket, len(path))
	case socket && doc.AdminTokens != "":
		return "admin_token_file", errors.New("expected no tokens with a socket, which only its owner can open, found a file of them")
	case socket:
		d.AdminSocket = filepath.Clean(path)
		return "", nil
	}
	if checkAddress(doc.Admin) != nil {
		return "admin", fmt.Errorf("expected \"unix:/PATH\", or ADDRESS:PORT like \"127.0.0.1:9090\", found %q", clip(doc.Admin))
	}
	if doc.AdminTokens == "" {
		return "admin", errors.New("expected admin_token_file beside an address, as whoever reaches it could stop the mirror else, found none")
	}
	d.Admin = doc.Admin
	return "", nil
}

func (d *Daemon) takeFiles(doc *daemonDocument) (bad string, err error) {
	for _, file := range []struct {
		key, path string
		into      *string
	}{
		{"admin_token_file", doc.AdminTokens, &d.AdminTokens}, {"tls_certificate", doc.Certificate, &d.Certificate},
		{"tls_key", doc.Key, &d.Key}, {"client_ca", doc.ClientCA, &d.ClientCA}, {"tokens_file", doc.Tokens, &d.Tokens},
	} {
		if file.path == "" && d.place.has(file.key) && file.key != "admin_token_file" {
			return file.key, errors.New("expected the path of a file, found an empty text")
		}
		*file.into = d.place.file.beside(file.path)
	}
	switch {
	case d.Certificate != "" && d.Key == "":
		return "tls_certificate", errors.New("expected a tls_key with the certificate, found none")
	case d.Key != "" && d.Certificate == "":
		return "tls_key", errors.New("expected a tls_certificate with the key, found none")
	case d.ClientCA != "" && d.Certificate == "":
		return "client_ca", errors.New("expected tls_certificate and tls_key with it, as only TLS asks clients for certificates, found none")
	}
	return "", nil
}

// takeCollector wants a URL that holds no secret: these come by the environment, as
// OTEL_EXPORTER_OTLP_HEADERS.
func (d *Daemon) takeCollector(doc *daemonDocument) (bad string, err error) {
	if !d.place.has(keyOTLP) {
		return "", nil
	}
	u, err := url.Parse(doc.OTLP)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		// What was found is not shown, as it may hold a password.
		return keyOTLP, errors.New("expected a URL like \"http://127.0.0.1:4318\", without user, query and fragment, found something else")
	}
	d.OTLP = doc.OTLP
	return "", nil
}

func (d *Daemon) takeAmounts(doc *daemonDocument) (bad string, err error) {
	for _, a := range daemonAmounts {
		said := a.said(doc)
		if said == nil {
			continue
		}
		if *a.field(d), err = a.parse(said); err != nil {
			return a.key, err
		}
	}
	switch {
	case d.Rate == 0 && d.Burst > 0:
		return "burst", errors.New("expected a rate beside it, found none")
	case d.Rate > 0 && d.Burst == 0:
		d.Burst = min(2*d.Rate, 1_000_000)
	}
	if d.Connections > d.MaxConnections {
		// Only what was set is the operator's mistake.
		if d.place.has("connections") && d.place.has("max_connections") {
			return "connections", fmt.Errorf("expected at most max_connections, %d, found %d", d.MaxConnections, d.Connections)
		}
		if d.place.has("connections") {
			d.MaxConnections = d.Connections
		} else {
			d.Connections = d.MaxConnections
		}
	}
	return "", nil
}

// checkAddress wants ADDRESS:PORT, or :PORT for all of this machine's. A name is
// none: what it stands for may change. Port 0 is any that is free.
func checkAddress(text string) error {
	whole := text
	if strings.HasPrefix(text, ":") {
		whole = "0.0.0.0" + text
	}
	if _, err := netip.ParseAddrPort(whole); err != nil {
		return fmt.Errorf("expected ADDRESS:PORT like \"127.0.0.1:8080\" or \"[::1]:8080\", or \":8080\", found %q", clip(text))
	}
	return nil
}

// checkUpstreams wants each upstream to be a repository that is declared.
func (b *builder) checkUpstreams() error {
	if b.mirrored == nil {
		return nil
	}
	for _, u := range b.mirrored.Upstreams {
		if _, there := b.repositories[u.Name]; !there {
			return u.place.wrong("", fmt.Errorf("expected a repository that is declared in [repositories.%s], with its root, found none%s", u.Name, suggest(u.Name, sortedKeys(b.repositories))))
		}
	}
	return nil
}
