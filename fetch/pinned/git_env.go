package pinned

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"os"
	"strings"
)

// passed are the variables of the process that git gets: where programs lie, the
// way out, the agent of ssh's keys, and what Windows can't do without. HOME is not
// among them: there may be a netrc in it.
var passed = []string{
	"PATH", "USER", "LOGNAME", "SSH_AUTH_SOCK",
	"http_proxy", "https_proxy", "all_proxy", "no_proxy", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
	"SYSTEMROOT", "SYSTEMDRIVE", "PATHEXT", "COMSPEC", "USERPROFILE",
}

// gitEnv is all the environment that git has, for one repository and within one
// private folder. There is one remote, "origin": its URL stands here, and in no
// file, and on no command line of ours.
func gitEnv(process []string, dir string, repository *url.URL) []string {
	env := []string{
		"GIT_DIR=" + dir + "/repository",
		"HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "TMPDIR=" + dir, "TEMP=" + dir, "TMP=" + dir,
		"LC_ALL=C",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_SYSTEM=" + os.DevNull, "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_ATTR_NOSYSTEM=1",
		"GIT_TEMPLATE_DIR=",       // no hooks of any template
		"GIT_LITERAL_PATHSPECS=1", // no pattern in a path
		"GIT_OPTIONAL_LOCKS=0", "GIT_PROTOCOL_FROM_USER=0",
		"GIT_ALLOW_PROTOCOL=" + repository.Scheme, // and no ext::, whatever leads to it
		"GIT_TERMINAL_PROMPT=0", "GIT_ASKPASS=", "SSH_ASKPASS=", "SSH_ASKPASS_REQUIRE=never",
		// ssh by itself, not by a shell. It has no terminal to ask on, so that a host
		// which is not known is refused.
		"GIT_SSH=ssh", "GIT_SSH_VARIANT=ssh",
	}
	for _, entry := range process {
		name, value, _ := strings.Cut(entry, "=")
		for _, wanted := range passed {
			if name == wanted {
				env = append(env, entry)
			}
		}
		switch { // as the rest of the program has it
		case name == "SSL_CERT_FILE" && value != "":
			env = append(env, "GIT_SSL_CAINFO="+value)
		case name == "SSL_CERT_DIR" && value != "" && !strings.Contains(value, ":"):
			env = append(env, "GIT_SSL_CAPATH="+value)
		}
	}
	return append(env, gitConfig(repository)...)
}

// gitConfig is all the configuration that git has, beside the few lines that it
// writes into the repository itself. It goes by the environment: command lines can
// be read by every user of the machine.
func gitConfig(repository *url.URL) []string {
	remote := *repository
	settings := [][2]string{
		{"core.hooksPath", os.DevNull},
		{"core.fsmonitor", "false"},
		{"core.askPass", ""},
		{"core.bigFileThreshold", "16m"}, // what is larger is streamed, not held in memory
		{"core.symlinks", "false"},
		{"credential.helper", ""},
		{"protocol.version", "2"},
		{"fetch.recurseSubmodules", "false"},
		{"submodule.recurse", "false"},
		{"transfer.bundleURI", "false"}, // nothing from where the server says
		{"gc.auto", "0"},
		{"maintenance.auto", "false"},
		// A redirect could lead to this machine, or take a password elsewhere.
		{"http.followRedirects", "false"},
		{"http.lowSpeedLimit", "1024"}, // bytes a second, over
		{"http.lowSpeedTime", "30"},    // seconds
	}
	if remote.Scheme != "ssh" && remote.User != nil {
		password, _ := remote.User.Password()
		basic := base64.StdEncoding.EncodeToString([]byte(remote.User.Username() + ":" + password))
		settings = append(settings, [2]string{"http.extraHeader", "Authorization: Basic " + basic})
		remote.User = nil // git would hand it to its helper on a command line
	}
	settings = append(settings, [2]string{"remote.origin.url", remote.String()})
	env := []string{fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(settings))}
	for i, setting := range settings {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, setting[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, setting[1]))
	}
	return env
}
