package serve_test

import (
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"

	"assay/artifact"
	"assay/mirror"
)

// load takes the files of the folder for targets of the repository acme, whatever
// their names: each becomes a link of its digest's name beside it.
func (s *shelf) load() error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if filepath.Ext(entry.Name()) != ".bin" {
			continue
		}
		digest, length, err := hashFile(filepath.Join(s.dir, entry.Name()))
		if err != nil {
			return err
		}
		os.Link(filepath.Join(s.dir, entry.Name()), filepath.Join(s.dir, digest.Hex()))
		s.set(mirror.File{
			Repository: "acme", Name: "targets/" + entry.Name(), Digests: artifact.Digests{digest}, Length: length, Target: true,
		})
	}
	return nil
}

func hashFile(path string) (artifact.Digest, int64, error) {
	f, err := os.Open(path)
	if err != nil {
		return artifact.Digest{}, 0, err
	}
	defer f.Close()
	h := sha256.New()
	n, err := io.Copy(h, f)
	return artifact.SumOf(artifact.SHA256, h), n, err
}
