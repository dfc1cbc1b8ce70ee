package main

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"assay/internal/config"
)

// TestVolumes: file systems that other machines share are known by their number,
// also where it is negative as a signed one.
func TestVolumes(t *testing.T) {
	for name, test := range map[string]struct {
		magic int64
		want  volume
	}{
		"ext4":           {0xef53, volume{}},
		"btrfs":          {0x9123683e, volume{}},
		"tmpfs":          {0x01021994, volume{}},
		"overlay":        {0x794c7630, volume{}},
		"nfs":            {0x6969, volume{kind: "nfs", network: true}},
		"cifs":           {0xff534d42, volume{kind: "cifs", network: true}},
		"cifs, negative": {-0xacb2be, volume{kind: "cifs", network: true}},
		"smb3":           {0xfe534d42, volume{kind: "smb3", network: true}},
		"9p":             {0x01021997, volume{kind: "9p", network: true}},
		"ceph":           {0x00c36400, volume{kind: "ceph", network: true}},
		"some program's": {0x65735546, volume{kind: "fuse", unsure: true}},
	} {
		got, err := volumeBy(func(path string, found *syscall.Statfs_t) error {
			if path != "/x" {
				t.Errorf("looked at %s", path)
			}
			*found = syscall.Statfs_t{Bavail: 3, Bsize: 4096}
			setMagic(&found.Type, test.magic)
			return nil
		}, "/x")
		test.want.free = 3 * 4096
		if err != nil || got != test.want {
			t.Errorf("%s: found %+v, %v, want %+v", name, got, err, test.want)
		}
	}
	_, err := volumeBy(func(string, *syscall.Statfs_t) error { return syscall.EACCES }, "/x")
	if !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), "/x") {
		t.Errorf("found %v", err)
	}
	if v, err := volumeOf(t.TempDir()); err != nil || v.free == 0 {
		t.Errorf("a real folder: %+v, %v", v, err)
	}
}

// setMagic sets a number whose type depends on the machine.
func setMagic[T int32 | int64 | uint32](to *T, magic int64) { *to = T(magic) }

// TestCheckVolume: state on a network file system fails, a cache there is warned of.
func TestCheckVolume(t *testing.T) {
	dir := t.TempDir()
	const plenty = 2 * shortSpace
	for name, test := range map[string]struct {
		found  volume
		err    error
		state  bool
		status health
		what   string
		code   int
	}{
		"local state":      {volume{free: plenty}, nil, true, healthOK, "state file system", 0},
		"state on nfs":     {volume{kind: "nfs", network: true, free: plenty}, nil, true, healthFail, "state file system", 40},
		"state on fuse":    {volume{kind: "fuse", unsure: true, free: plenty}, nil, true, healthWarn, "state file system", 0},
		"cache on nfs":     {volume{kind: "nfs", network: true, free: plenty}, nil, false, healthWarn, "cache file system", 0},
		"plenty":           {volume{free: plenty}, nil, false, healthOK, "cache disk", 0},
		"short":            {volume{free: shortSpace - 1}, nil, false, healthWarn, "cache disk", 0},
		"full":             {volume{free: noSpace - 1}, nil, false, healthFail, "cache disk", 40},
		"full state":       {volume{}, nil, true, healthFail, "state disk", 40},
		"not known here":   {volume{}, errors.ErrUnsupported, true, healthSkip, "state disk", 0},
		"can't be told":    {volume{}, syscall.EIO, true, healthFail, "state disk", 40},
		"of no free bytes": {volume{free: 1<<64 - 1}, nil, false, healthOK, "cache disk", 0},
	} {
		u := &checkup{
			app: &app{}, config: &config.Config{StateDir: dir, CacheDir: dir},
			volumeOf: func(string) (volume, error) { return test.found, test.err },
		}
		side := "cache"
		if test.state {
			side = "state"
		}
		u.checkVolume(side, dir, test.state)
		found := false
		for _, f := range u.findings {
			found = found || f.Status == test.status && f.What == test.what && f.Code == test.code
			if f.Status != healthOK && f.Status != healthSkip && f.Mend == "" {
				t.Errorf("%s: nothing says how to mend %+v", name, f)
			}
		}
		if !found || (u.gravest != nil) != (test.code != 0) {
			t.Errorf("%s: found %+v, want %s %s %d", name, u.findings, test.status, test.what, test.code)
		}
	}
}
