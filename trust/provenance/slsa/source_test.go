package slsa

import (
	"strings"
	"testing"
)

func TestParseSource(t *testing.T) {
	tool := "https://github.com/acme/tool"
	for _, test := range []struct {
		uri  string
		want Source
	}{
		{"", Source{}},
		{"https://github.com/acme/tool", Source{Repository: tool}},
		{"https://github.com/acme/tool.git", Source{Repository: tool}},
		{"https://github.com/acme/tool/", Source{Repository: tool}},
		{"https://github.com/acme/tool.git/", Source{Repository: tool}},
		{"HTTPS://GitHub.com:443/acme/tool", Source{Repository: tool}},
		{"https://user:secret@github.com/acme/tool", Source{Repository: tool}},
		{"git+https://github.com/acme/tool@refs/tags/v1", Source{Repository: tool, Ref: "refs/tags/v1"}},
		{"git+https://github.com/acme/tool.git@refs/tags/@acme/tool@1.2.3", Source{Repository: tool, Ref: "refs/tags/@acme/tool@1.2.3"}},
		{"git+https://github.com/acme/tool@refs/heads/a@refs/tags/v1", Source{Repository: tool, Ref: "refs/heads/a@refs/tags/v1"}},
		{"git+https://github.com/acme/tool@v1.0", Source{Repository: tool, Ref: "v1.0"}},
		{"https://github.com/acme/tool.git@" + commit, Source{Repository: tool, Revision: commit}},
		{"https://github.com/acme/tool.git#refs/tags/v1", Source{Repository: tool, Ref: "refs/tags/v1"}},
		{"https://github.com/acme/tool.git#refs/tags/v1:sub/dir", Source{Repository: tool, Ref: "refs/tags/v1"}},
		{"https://github.com/acme/tool.git#0123456789ABCDEF0123456789abcdef01234567", Source{Repository: tool, Revision: commit}},
		{"https://github.com/acme/tool.git@" + strings.Repeat("a", 64), Source{Repository: tool, Revision: strings.Repeat("a", 64)}},
		{"https://github.com/acme/tool.git@abcdef01", Source{Repository: tool, Ref: "abcdef01"}},
		{"https://github.com/acme/tool.git@" + strings.Repeat("g", 40), Source{Repository: tool, Ref: strings.Repeat("g", 40)}},
		{"https://github.com/acme/tool.git#main", Source{Repository: tool, Ref: "main"}},
		{"git+ssh://git@github.com/acme/tool.git", Source{Repository: tool}},
		{"ssh://git@github.com:22/acme/tool.git", Source{Repository: tool}},
		{"git://github.com:9418/acme/tool.git", Source{Repository: tool}},
		{"git@github.com:acme/tool.git", Source{Repository: tool}},
		{"git@github.com:/acme/tool.git", Source{Repository: tool}},
		{"github:acme/tool", Source{Repository: tool}},
		{"gitlab:acme/sub/tool", Source{Repository: "https://gitlab.com/acme/sub/tool"}},
		{"bitbucket:acme/tool#v1", Source{Repository: "https://bitbucket.org/acme/tool", Ref: "v1"}},
		{"git+https://gitlab.com/acme/sub/tool@refs/heads/main", Source{Repository: "https://gitlab.com/acme/sub/tool", Ref: "refs/heads/main"}},

		// What must stay different.
		{"https://github.com@evil.example/acme/tool", Source{Repository: "https://evil.example/acme/tool"}},
		{"https://evil.example/https://github.com/acme/tool", Source{Repository: "https://evil.example/https://github.com/acme/tool"}},
		{"https://github.com/Acme/tool", Source{Repository: "https://github.com/Acme/tool"}},
		{"https://github.com:8443/acme/tool", Source{Repository: "https://github.com:8443/acme/tool"}},
		{"ssh://github.com:443/acme/tool", Source{Repository: "https://github.com:443/acme/tool"}},
		{"http://github.com:80/acme/tool", Source{Repository: "http://github.com/acme/tool"}},
		{"https://github.com/acme/tool?a=b", Source{Repository: "https://github.com/acme/tool?a=b"}},
		{"https://github.com/acme/tools", Source{Repository: "https://github.com/acme/tools"}},
		{"https://github.com/acme/tool/../other", Source{Repository: "https://github.com/acme/tool/../other"}},
		{"https://git.example/@acme/tool", Source{Repository: "https://git.example/@acme/tool"}},
		{"https://git.example/@acme", Source{Repository: "https://git.example/@acme"}},
		{"https://github.com", Source{Repository: "https://github.com"}},
		{"file:///src", Source{Repository: "file:///src"}},

		// What is no address of a repository.
		{"pkg:npm/tool@1", Source{Repository: "pkg:npm/tool@1"}},
		{"acme/tool", Source{Repository: "acme/tool"}},
		{"a tool", Source{Repository: "a tool"}},
		{"C:/git@x:y", Source{Repository: "C:/git@x:y"}},
		{"dir/git@x:y", Source{Repository: "dir/git@x:y"}},
	} {
		if got := ParseSource(test.uri); got != test.want {
			t.Errorf("%s: got %+v, want %+v", test.uri, got, test.want)
		}
	}
}
