package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// checkPath looks whether programs that are installed would be found.
func (u *checkup) checkPath(context.Context) {
	if u.config == nil {
		u.skip("PATH", "where links to programs go is not known, as the configuration can't be read", "")
		return
	}
	dir := u.config.BinDir
	if dir == "" {
		u.warn("PATH", "nothing tells where links to programs go", "set HOME, XDG_BIN_HOME or ASSAY_BIN_DIR")
		return
	}
	info, err := os.Stat(dir)
	if err == nil && info.IsDir() && hasModes && info.Mode().Perm()&0o022 != 0 {
		u.fail("PATH", failure(fs.ErrPermission, "%s: expected a mode without write for others, found %04o: they could put programs there", dir, info.Mode().Perm()), "look who wrote what is in it, then chmod go-w "+quoted(dir))
		return
	}
	if slices.Contains(pathEntries(u.app.env), dir) {
		u.ok("PATH", "has %s, where links to programs go", dir)
		return
	}
	u.warn("PATH", "lacks "+dir+", where links to programs go", "put export PATH="+quoted(dir)+":\"$PATH\" into your shell's profile")
}

func pathEntries(env []string) (dirs []string) {
	for _, dir := range filepath.SplitList(getenv(env, "PATH")) {
		dirs = append(dirs, filepath.Clean(dir))
	}
	return dirs
}

// checkGit looks for what URLs of git repositories need.
func (u *checkup) checkGit(context.Context) {
	name := "git"
	if runtime.GOOS == "windows" {
		name = "git.exe"
	}
	for _, dir := range pathEntries(u.app.env) {
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && (!hasModes || info.Mode().Perm()&0o111 != 0) {
			u.ok("git", "%s", path)
			return
		}
	}
	u.skip("git", "not in PATH; only git:: URLs of `assay get` need it", "install git, if you use such URLs")
}

// checkProxies only says which are set, without what may be a password in them.
func (u *checkup) checkProxies(context.Context) {
	var set []string
	for _, name := range []string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy"} {
		value := getenv(u.app.env, name)
		if value == "" {
			continue
		}
		if !strings.EqualFold(name, "NO_PROXY") {
			value = proxyHost(value)
		}
		set = append(set, name+"="+clip(value))
	}
	if len(set) == 0 {
		u.ok("proxy", "none is set")
		return
	}
	u.ok("proxy", "%s", strings.Join(set, ", "))
}

// proxyHost is the host of a proxy's URL, which may lack its scheme.
func proxyHost(value string) string {
	if !strings.Contains(value, "://") {
		value = "http://" + value
	}
	if parsed, err := url.Parse(value); err == nil && parsed.Host != "" {
		return parsed.Host
	}
	return "(not a URL)"
}

// maxAuthorities bounds a file of authorities, in bytes.
const maxAuthorities = 64 << 20

// checkAuthorities looks whether there are authorities that servers can be
// certified by.
func (u *checkup) checkAuthorities(context.Context) {
	const what = "authorities"
	if file := getenv(u.app.env, "SSL_CERT_FILE"); file != "" && runtime.GOOS == "linux" {
		if err := readAuthorities(file); err != nil {
			u.fail(what, err, "have SSL_CERT_FILE name a PEM file of certificates, or unset it")
			return
		}
		u.ok(what, "%s, by SSL_CERT_FILE", file)
		return
	}
	pool, err := x509.SystemCertPool()
	switch {
	case err != nil:
		u.fail(what, mark(errUsage, err), "install the system's package of authorities, mostly called ca-certificates")
	case runtime.GOOS == "linux" && pool.Equal(x509.NewCertPool()):
		u.warn(what, "the system has none, so no https server can be asked", "install the system's package of authorities, mostly called ca-certificates")
	default:
		u.ok(what, "those of the system")
	}
}

// readAuthorities reads a PEM file, which must have a certificate at least.
func readAuthorities(path string) error {
	file, err := openRegular(path)
	if err != nil {
		return mark(errUsage, err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxAuthorities+1))
	switch {
	case err != nil:
		return mark(errUsage, err)
	case len(data) > maxAuthorities:
		return usagef("%s: expected at most %d bytes, found more", path, maxAuthorities)
	case !x509.NewCertPool().AppendCertsFromPEM(data):
		return usagef("%s: expected certificates in PEM, found none", path)
	}
	return nil
}

// checkHosts looks at the files that the hosts of the configuration need.
func (u *checkup) checkHosts(context.Context) {
	if u.config == nil || len(u.config.Hosts) == 0 {
		return
	}
	fine := true
	for _, host := range u.config.Hosts {
		secrets := []string{host.TokenFile, host.Key}
		if host.Netrc {
			secrets = append(secrets, netrcPath(u.app.env))
		}
		for _, path := range secrets {
			fine = path == "" || u.checkSecret("host "+host.Name, path) && fine
		}
		if host.CA == "" {
			continue
		}
		if err := readAuthorities(host.CA); err != nil {
			u.fail("host "+host.Name, err, "name a PEM file of certificates as its ca")
			fine = false
		}
	}
	if fine {
		u.ok("hosts", "%d configured; what they need can be read", len(u.config.Hosts))
	}
}

// netrcPath is where curl and git look, too.
func netrcPath(env []string) string {
	if path := getenv(env, "NETRC"); path != "" {
		return path
	}
	if home := getenv(env, "HOME"); home != "" {
		return filepath.Join(home, ".netrc")
	}
	return ""
}

// checkSecret looks whether a file of credentials can be read, by this user alone.
// What is in it is not looked at.
func (u *checkup) checkSecret(what, path string) bool {
	file, err := openRegular(path)
	if err == nil {
		defer file.Close()
		var info fs.FileInfo
		if info, err = file.Stat(); err == nil && hasModes && info.Mode().Perm()&0o077 != 0 {
			u.warn(what, fmt.Sprintf("%s: expected mode 0600, found %04o: others can use what is in it", path, info.Mode().Perm()), "chmod 600 "+quoted(path)+", and have the credentials replaced if others may have read it")
			return false
		}
	}
	if err != nil {
		u.fail(what, mark(errUsage, err), "name the right file in the configuration, or make it readable for you")
		return false
	}
	return true
}
