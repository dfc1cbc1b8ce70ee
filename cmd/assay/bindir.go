package main

import "path/filepath"

// binDir is where links to installed programs go: the folder of ASSAY_BIN_DIR or
// XDG_BIN_HOME, else .local/bin in the home folder; empty where none is known.
func binDir(env []string) string {
	for _, name := range []string{"ASSAY_BIN_DIR", "XDG_BIN_HOME"} {
		if dir := getenv(env, name); filepath.IsAbs(dir) {
			return filepath.Clean(dir)
		}
	}
	if home := getenv(env, "HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "bin")
	}
	return ""
}
