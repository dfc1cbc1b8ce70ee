package fetch

import (
	"errors"
	"io"
	"io/fs"
	"path/filepath"

	"assay/fetch/mirrors"
	"assay/fetch/wire"
	"assay/internal/durable"
)

// MemoryFile is the file of a mirrors.Memory; its folder is made when it is first
// saved. It implements mirrors.Store.
type MemoryFile string

// Load implements mirrors.Store. What is no regular file is an error.
func (f MemoryFile) Load() ([]byte, error) {
	file, _, err := wire.OpenRegular(string(f))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(io.LimitReader(file, mirrors.MaxBytes+1))
}

// Save implements mirrors.Store. A crash leaves the old content or the new.
func (f MemoryFile) Save(data []byte) error {
	if err := durable.MkdirAll(filepath.Dir(string(f)), 0o700); err != nil {
		return err
	}
	return durable.WriteFile(string(f), data, 0o600)
}
