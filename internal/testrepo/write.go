package testrepo

import (
	"cmp"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
)

// WriteTo writes the newest generation as plain files, for file:// URLs or any
// web server; dir is made if need be, and files there are overwritten. Targets
// come first and timestamp.json last, so that a server of the folder never
// promises what is not there yet. A name that would leave dir is an error of
// os.Root.
func (r *Repo) WriteTo(dir string) error {
	r.mu.RLock()
	files := r.generation(0) // never changed in place
	r.mu.RUnlock()
	if files == nil {
		return fmt.Errorf("%w generation: nothing is published yet", ErrUnknown)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("testrepo: write the repository: %w", err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("testrepo: write the repository: %w", err)
	}
	defer root.Close()
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(writeOrder(a), writeOrder(b)), cmp.Compare(a, b))
	})
	for _, name := range names {
		if err := writeFile(root, name, files[name]); err != nil {
			return fmt.Errorf("testrepo: write %q: %w", name, err)
		}
	}
	return nil
}

// writeOrder ranks what is promised before what promises it.
func writeOrder(name string) int {
	switch {
	case name == "timestamp.json":
		return 3
	case strings.HasSuffix(name, "snapshot.json"):
		return 2
	case strings.Contains(name, "/"):
		return 0
	default:
		return 1
	}
}

func writeFile(root *os.Root, name string, c content) error {
	if dir := path.Dir(name); dir != "." {
		if err := root.MkdirAll(dir, 0o755); err != nil {
			return err
		}
	}
	file, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, fs.FileMode(0o644))
	if err != nil {
		return err
	}
	if _, err := io.Copy(file, c.open()); err != nil {
		file.Close()
		return err
	}
	return file.Close()
}
