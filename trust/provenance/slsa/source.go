package slsa

import (
	"encoding/hex"
	"strings"
)

// ParseSource reads the address of a source as provenance, package.json and
// people write it, so that two spellings of one repository are equal:
//
//	git+https://github.com/acme/tool.git@refs/tags/v1    a ref after "@"
//	https://github.com/acme/tool.git#refs/tags/v1        or after "#"
//	git+https://gitlab.com/acme/tool@COMMIT              or a commit
//	git+ssh://git@github.com/acme/tool.git, git://…, git@github.com:acme/tool.git
//	github:acme/tool, gitlab:acme/tool, bitbucket:acme/tool
//
// All of them have the repository https://HOST/acme/tool: ssh and git become
// https, the host is in lower case, and a user, a password, a standard port and a
// ".git" are dropped. The path keeps its case. Text of any other form is the
// repository as it is.
func ParseSource(uri string) Source {
	text, fragment, _ := strings.Cut(strings.TrimPrefix(uri, "git+"), "#")
	scheme, rest, found := strings.Cut(text, "://")
	if !found {
		scheme, rest = "https", shorthand(text)
		if rest == "" {
			return Source{Repository: uri}
		}
	}
	host, path, _ := strings.Cut(rest, "/")
	path, at := cutRef(path)
	if at == "" {
		// BuildKit appends the directory that it built: #REF:DIR.
		at, _, _ = strings.Cut(fragment, ":")
	}
	var source Source
	if isRevision(at) {
		source.Revision = strings.ToLower(at)
	} else {
		source.Ref = at
	}
	scheme, host = address(strings.ToLower(scheme), host)
	source.Repository = strings.TrimSuffix(scheme+"://"+host+"/"+path, "/")
	return source
}

// shorthand is HOST/PATH for the forms without "://", empty for what is neither.
func shorthand(text string) string {
	before, after, found := strings.Cut(text, ":")
	if !found || before == "" || after == "" {
		return ""
	}
	switch before {
	case "github":
		return "github.com/" + after
	case "gitlab":
		return "gitlab.com/" + after
	case "bitbucket":
		return "bitbucket.org/" + after
	}
	if user, host, found := strings.Cut(before, "@"); found && user != "" && host != "" && !strings.Contains(before, "/") {
		return host + "/" + strings.TrimPrefix(after, "/")
	}
	return ""
}

// cutRef splits a path at the "@" before a ref. A ref may have an "@" and a "/"
// in it (refs/tags/@acme/tool@1.2.3); one that does not begin with refs/ is taken
// for a ref only in the last segment.
func cutRef(path string) (before, ref string) {
	if before, after, found := strings.Cut(path, "@refs/"); found {
		return trimPath(before), "refs/" + after
	}
	path = trimPath(path)
	last := path[strings.LastIndexByte(path, '/')+1:]
	if last == "" {
		return path, ""
	}
	// An "@" that begins the segment is a part of the name.
	if at := strings.IndexByte(last[1:], '@') + 1; at > 0 {
		return trimPath(path[:len(path)-len(last)+at]), last[at+1:]
	}
	return path, ""
}

func trimPath(path string) string {
	for {
		trimmed := strings.TrimSuffix(strings.TrimRight(path, "/"), ".git")
		if trimmed == path {
			return path
		}
		path = trimmed
	}
}

// standardPorts are those that an address need not name.
var standardPorts = map[string]string{"https": ":443", "http": ":80", "ssh": ":22", "git": ":9418"}

// address gives one spelling to a scheme and a host.
func address(scheme, host string) (string, string) {
	host = strings.ToLower(host[strings.LastIndexByte(host, '@')+1:])
	host = strings.TrimSuffix(host, standardPorts[scheme])
	if scheme == "ssh" || scheme == "git" {
		scheme = "https"
	}
	return scheme, host
}

// isRevision reports whether text is a whole commit id, SHA-1 or SHA-256.
func isRevision(text string) bool {
	if len(text) != 40 && len(text) != 64 {
		return false
	}
	_, err := hex.DecodeString(text)
	return err == nil
}

// claimed is a source as one field names it, before its commit was looked up.
type claimed struct {
	Source
	path    string
	digests map[string]string
}

// resource reads a source that is written as {uri, digest}.
func (f fields) resource() claimed {
	return claimed{Source: ParseSource(f.text("uri")), path: f.at("digest"), digests: f.digests("digest")}
}

// source finds what was built, and by which recipe, among the external
// parameters of v1. Each type of build has names of its own for it: workflow is
// GitHub's (also npm's), sourceToBuild and buildConfigSource are Google Cloud
// Build's, configSource is BuildKit's, and source is GitLab's (a text) and that of
// slsa-github-generator's container builder. Values of another type than expected
// are parameters that happen to have that name. Beside a runSpec, as Tekton
// writes it, buildConfigSource is where the pipeline comes from, and tells
// nothing of what it built.
func (f fields) source() (source claimed, entryPoint string) {
	config := f.maybeObject("buildConfigSource")
	if f.raw("runSpec") != nil {
		config = fields{failure: f.failure}
	}
	for _, object := range []fields{
		f.maybeObject("workflow"), f.maybeObject("sourceToBuild"), config, f.maybeObject("configSource"), f.maybeObject("source"),
	} {
		source = object.claim()
		if source.Repository == "" {
			continue
		}
		recipes := []string{object.maybeText("path"), config.maybeText("path"), f.maybeText("configPath"), f.maybeText("entryPoint")}
		for _, recipe := range recipes {
			if recipe != "" {
				return source, recipe
			}
		}
		return source, ""
	}
	if text := f.maybeText("source"); text != "" {
		return claimed{Source: ParseSource(text), path: f.at("source")}, f.maybeText("entryPoint")
	}
	return claimed{}, ""
}

// claim reads a source that is written as {repository, ref} or as {uri, digest}.
func (f fields) claim() claimed {
	c := claimed{Source: ParseSource(f.maybeText("uri")), path: f.at("digest"), digests: f.maybeObject("digest").digestSet()}
	if repository := f.maybeText("repository"); repository != "" {
		c.Source = ParseSource(repository)
	}
	if ref := f.maybeText("ref"); ref != "" {
		c.Ref = ref
	}
	return c
}

// resolve completes a source by the input of the build that is the same
// repository: that has the commit, and perhaps the ref.
func (c claimed) resolve(inputs []input, failed *failure) Source {
	source := c.Source
	if source.Repository == "" {
		return Source{}
	}
	source.learn(c.path, "", c.digests, failed)
	for _, in := range inputs {
		named := ParseSource(in.uri)
		if named.Repository != source.Repository || named.Ref != "" && source.Ref != "" && named.Ref != source.Ref {
			continue // another repository, or the same one at another point
		}
		if source.Ref == "" {
			source.Ref = named.Ref
		}
		source.learn(in.path, named.Revision, in.digests, failed)
	}
	return source
}

// learn takes the commit from the digests of the source, and refuses a second
// one that differs.
func (s *Source) learn(path, revision string, digests map[string]string, failed *failure) {
	found := []string{revision}
	for _, algorithm := range []string{"gitCommit", "sha1", "sha256"} {
		value := digests[algorithm]
		switch {
		case value == "":
		case algorithm == "sha256" && len(value) != 40:
			// A digest of an archive. GitLab's runner calls a commit sha256.
		case !isRevision(value):
			failed.set(malformed(path, "a commit in hex", quote(value)))
		default:
			found = append(found, strings.ToLower(value))
		}
	}
	for _, commit := range found {
		if commit == "" {
			continue
		}
		if s.Revision != "" && s.Revision != commit {
			failed.set(malformed(path, "one commit of the source, "+s.Revision, commit))
		}
		s.Revision = commit
	}
}
