package pinned_test

import (
	"path/filepath"
	"strings"
	"testing"

	"assay/fetch/pinned"
)

func TestParse(t *testing.T) {
	dir := filepath.FromSlash("/work dir")
	for _, test := range []struct {
		text, shown, name string
		kind              pinned.Kind
	}{
		{"https://h.example/a/tool.tgz", "https://h.example/a/tool.tgz", "tool.tgz", pinned.HTTP},
		{"HTTP://h.example:8080/tool", "http://h.example:8080/tool", "tool", pinned.HTTP},
		{"https://me:hidden@h.example/tool?token=hidden", "https://h.example/tool?…", "tool", pinned.HTTP},
		{"https://h.example/tool?archive=zip&filename=x", "https://h.example/tool?…", "tool", pinned.HTTP},
		{"https://h.example/a%20b", "https://h.example/a%20b", "a b", pinned.HTTP},
		{"https://h.example/download/", "https://h.example/download/", "", pinned.HTTP},
		{"https://h.example", "https://h.example", "", pinned.HTTP},
		{"https://h.example/%2e%2e%2f.profile", "https://h.example/%2e%2e%2f.profile", "", pinned.HTTP},
		{"https://h.example/x::y", "https://h.example/x::y", "", pinned.HTTP},
		{"file:///a/tool", "file:///a/tool", "tool", pinned.File},
		{"file://localhost/a/tool", "file:///a/tool", "tool", pinned.File},
		{"tool", "file:///work%20dir/tool", "tool", pinned.File},
		{"../a//tool?x#y", "file:///a/tool%3Fx%23y", "", pinned.File},
		{"/a/tool", "file:///a/tool", "tool", pinned.File},
		{"git::https://h.example/a/b.git//dir/tool?ref=v1.2.3", "git::https://h.example/a/b.git//dir/tool?ref=v1.2.3", "tool", pinned.Git},
		{"git+https://h.example/a/b.git//tool", "git::https://h.example/a/b.git//tool?ref=HEAD", "tool", pinned.Git},
		{"git::https://me:hidden@h.example/b//tool?ref=a/b", "git::https://h.example/b//tool?ref=a/b", "tool", pinned.Git},
		{"git::http://[::1]:80/b//tool", "git::http://[::1]:80/b//tool?ref=HEAD", "tool", pinned.Git},
		{"git::ssh://git@h.example:22/b.git//tool", "git::ssh://h.example:22/b.git//tool?ref=HEAD", "tool", pinned.Git},
		{"git::git@h.example:a/b.git//dir/tool?ref=main", "git::ssh://h.example/a/b.git//dir/tool?ref=main", "tool", pinned.Git},
		{"git::file:///a/b.git//tool", "git::file:///a/b.git//tool?ref=HEAD", "tool", pinned.Git},
		{"git::ssh://h.example/b.git//tool", "git::ssh://h.example/b.git//tool?ref=HEAD", "tool", pinned.Git},
		{"git+tool", "file:///work%20dir/git+tool", "git+tool", pinned.File},
		{"::x", "file:///work%20dir/::x", "", pinned.File},
		{"s3://my.bucket-1/a//b c%20+", "s3://my.bucket-1/a//b c%20+", "b c%20+", pinned.S3},
		{"gs://my_bucket/a/b", "gs://my_bucket/a/b", "b", pinned.GCS},
	} {
		source, err := pinned.Parse(test.text, dir)
		if err != nil {
			t.Errorf("%s: %v", test.text, err)
			continue
		}
		if source.Kind() != test.kind || source.String() != test.shown || source.Name() != test.name {
			t.Errorf("%s: got %s %s %q", test.text, source.Kind(), source, source.Name())
		}
	}
}

func TestParseRefuses(t *testing.T) {
	long := strings.Repeat("x", 16<<10)
	for name, texts := range map[string][]string{
		"nothing":                  {""},
		"control characters":       {"https://h.example/a\nb", "tool\x1b[2J", "s3://bucket/a\tb"},
		"too long":                 {"https://h.example/" + long},
		"another getter":           {"hg::https://hidden@h.example/r", "s3::https://s3.amazonaws.com/b/k", "http::https://h.example/a", "HG::x", "smb::x", "a-b+c.1::x"},
		"another scheme":           {"ftp://h.example/hidden", "hg://h.example/a", "git://h.example/a//b", "smb://h.example/a", "ext://sh/hidden", "javascript://x"},
		"no URL":                   {"https://h.example/%zz?hidden", "https://[::1/a", "https:// h/hidden", "http:/x://"},
		"no host":                  {"https:///a", "http://:80/a"},
		"fragment":                 {"https://h.example/a#hidden", "file:///a#", "git::https://h.example/a//b#hidden"},
		"a part of an archive":     {"https://h.example/a.zip//b", "file:///a.zip//b", "https://h.example/a%2f/b"},
		"checksum in the URL":      {"https://h.example/a?checksum=sha256:hidden", "https://h.example/a?x=1&checksum=file:hidden", "https://h.example/a?%63hecksum=hidden"},
		"file of another host":     {"file://h.example/a", "file://me@localhost/a", "file://me:hidden@/a"},
		"file with a query":        {"file:///a?hidden", "file:///a?"},
		"no object":                {"s3://bucket", "s3://bucket/", "gs://bucket/dir/", "s3://", "s3:///key", "s3://bucket/" + strings.Repeat("k", 1025)},
		"object with a query":      {"s3://bucket/key?versionId=hidden", "gs://bucket/key#1"},
		"object with dots":         {"s3://bucket/../other/key", "gs://bucket/a/./b", "s3://bucket/.."},
		"no bucket":                {"s3://bu/key", "s3://Bucket/key", "s3://me:hidden@bucket/key", "s3://bucket:80/key", "s3://-bucket/key", "s3://bucket-/key", "s3://a..b/key", "gs://" + strings.Repeat("b", 223) + "/key", "s3://%62ucket/key", "s3://bückét/key"},
		"git without a file":       {"git::https://h.example/r", "git::https://h.example/r//", "git::https://h.example/r//a/", "git::https://h.example//a//b/", "git::https://h.example/r//a//b", "git::https://h.example/r///a", "git::https://h.example/r//../a", "git::https://h.example/r//./a", "git::https://h.example/r//%ff", "git::https://h.example/r//" + strings.Repeat("x", 4097)},
		"git without a repository": {"git::https://h.example//a", "git::https://h.example", "git::file:////a", "git::https:////a"},
		"git's other transports":   {"git::ext::sh -c hidden", "git::ext://sh//a", "git::git://h.example/r//a", "git::ftp://h.example/r//a", "git::https:h.example/r//a", "git::/r//a", "git::r//a", "git::me@h.example:r//a", "git::hg::https://h.example/r//a", "git::"},
		"git's host":               {"git::ssh://-oProxyCommand=x/r//a", "git::https://-x/r//a", "git::https://a b/r//a", "git::https:///r//a", "git::ssh://[fe80::1%25-oProxy]/r//a", "git::ssh://h%0aost/r//a", "git::git@-oProxyCommand=x:r//a"},
		"git's user":               {"git::ssh://-oProxyCommand=x@h.example/r//a", "git::ssh://me:hidden@h.example/r//a", "git::ssh://a%20b@h.example/r//a", "git::file://me@/r//a", "git::file://h.example/r//a"},
		"git's query":              {"git::https://h.example/r//a?sshkey=hidden", "git::https://h.example/r//a?depth=1", "git::https://h.example/r//a?ref=v1&ref=v2", "git::https://h.example/r//a?ref=v1&archive=zip", "git::https://h.example/r//a?checksum=hidden", "git::https://h.example/r//a?ref=%zz", "git::https://h.example/r//a?a;b"},
		"git's revision": {"git::https://h.example/r//a?ref=", "git::https://h.example/r//a?ref=--upload-pack=x", "git::https://h.example/r//a?ref=-x", "git::https://h.example/r//a?ref=a..b", "git::https://h.example/r//a?ref=a:b", "git::https://h.example/r//a?ref=HEAD^", "git::https://h.example/r//a?ref=a~1", "git::https://h.example/r//a?ref=*",
			"git::https://h.example/r//a?ref=@%7b1%7d", "git::https://h.example/r//a?ref=/a", "git::https://h.example/r//a?ref=a/", "git::https://h.example/r//a?ref=a//b", "git::https://h.example/r//a?ref=.a", "git::https://h.example/r//a?ref=a.", "git::https://h.example/r//a?ref=a.lock", "git::https://h.example/r//a?ref=a%20b", "git::https://h.example/r//a?ref=%00", "git::https://h.example/r//a?ref=" + strings.Repeat("a", 256)},
	} {
		for _, text := range texts {
			source, err := pinned.Parse(text, "/")
			if source != nil {
				t.Errorf("%s: %.100q passed as %s", name, text, source)
				continue
			}
			wantError(t, err, pinned.ErrURL, "!hidden", "!\n")
			if len(err.Error()) > 1200 {
				t.Errorf("%s: %d bytes of message", name, len(err.Error()))
			}
		}
	}
}
