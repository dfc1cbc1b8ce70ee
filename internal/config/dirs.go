package config

import (
	"os"
	"path/filepath"
	"runtime"

	"github.com/adrg/xdg"
)

// Dirs are the directories of a user, under which assay has its own. An empty
// one is not known.
type Dirs struct {
	Config, Cache, State string
	Data                 string // for files of programs
	Bin                  string // for programs that are called by name; assay has none of its own in it
}

// UserDirs are the directories of the user who runs this process, by the XDG
// rules and the customs of the system. Without a home they are empty, unless an
// XDG variable names them: files never go to "/" by accident.
func UserDirs() Dirs {
	homeless := runtime.GOOS != "windows" && os.Getenv("HOME") == ""
	pick := func(variable, dir string) string {
		if homeless && !filepath.IsAbs(os.Getenv(variable)) {
			return ""
		}
		return dir
	}
	return Dirs{
		Config: pick("XDG_CONFIG_HOME", xdg.ConfigHome),
		Cache:  pick("XDG_CACHE_HOME", xdg.CacheHome),
		State:  pick("XDG_STATE_HOME", xdg.StateHome),
		Data:   pick("XDG_DATA_HOME", xdg.DataHome),
		Bin:    pick("XDG_BIN_HOME", xdg.BinHome),
	}
}

// own is assay's directory in one of the user's.
func own(dir string) string {
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, "assay")
}
