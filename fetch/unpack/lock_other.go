//go:build !unix || solaris || aix

package unpack

import (
	"os"
	"runtime"
)

// replacesFolders: a rename puts a folder in place of an empty one.
const replacesFolders = runtime.GOOS != "windows" && runtime.GOOS != "plan9"

// lockStage takes no lock: here a stage's age tells whether it was left behind.
func lockStage(path string) (*os.File, error) {
	_, err := os.Lstat(path)
	return nil, err
}
