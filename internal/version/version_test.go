package version

import (
	"reflect"
	"runtime"
	"runtime/debug"
	"testing"

	"assay/artifact"
)

func TestRead(t *testing.T) {
	build := &debug.BuildInfo{
		Main: debug.Module{Path: "assay", Version: "v1.4.2-0.20261101000000-8d3f0c1b5a7e"},
		Deps: []*debug.Module{
			{Path: "golang.org/x/text", Version: "v0.42.0", Sum: "h1:x"},
			nil,
			{Path: "a.example/b", Version: "v1.0.0", Replace: &debug.Module{Path: "../b"}},
		},
		Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: "8d3f"}, {Key: "vcs.time", Value: "2026-11-01T02:00:00+02:00"}, {Key: "vcs.modified", Value: "true"},
		},
	}
	modules := []Module{
		{Path: "a.example/b", Version: "v1.0.0", Replace: &Module{Path: "../b"}},
		{Path: "golang.org/x/text", Version: "v0.42.0", Sum: "h1:x"},
	}
	base := Info{Go: runtime.Version(), Platform: artifact.Host(), Modules: []Module{}}
	for _, c := range []struct {
		name  string
		build *debug.BuildInfo
		link  [3]string
		want  func(*Info)
	}{
		{"from build information", build, [3]string{}, func(i *Info) {
			i.Version, i.Commit, i.Date, i.Modified, i.Modules = "1.4.2-0.20261101000000-8d3f0c1b5a7e", "8d3f", "2026-11-01T00:00:00Z", true, modules
		}},
		{"the linker's come first", build, [3]string{"1.4.2", "ffff", "2026-11-02T00:00:00Z"}, func(i *Info) {
			i.Version, i.Commit, i.Date, i.Modified, i.Modules = "1.4.2", "ffff", "2026-11-02T00:00:00Z", true, modules
		}},
		{"no version", &debug.BuildInfo{}, [3]string{}, func(i *Info) { i.Version = "(devel)" }},
		{"a tag for a version", nil, [3]string{"v2.0.0", "", "yesterday"}, func(i *Info) { i.Version, i.Date = "2.0.0", "yesterday" }},
		{"nothing", nil, [3]string{}, func(i *Info) { i.Version = "unknown" }},
	} {
		want := base
		c.want(&want)
		if got := read(c.build, c.link[0], c.link[1], c.link[2]); !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ngot  %+v\nwant %+v", c.name, got, want)
		}
	}
}

func TestReadThisProgram(t *testing.T) {
	if info := Read(); info.Go != runtime.Version() || info.Platform != artifact.Host() || info.Modules == nil {
		t.Errorf("got %+v", info)
	}
}
