//go:build !unix

package cache

import "io/fs"

func blocks(fs.FileInfo) int64 { return 0 }
