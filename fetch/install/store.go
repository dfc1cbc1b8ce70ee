package install

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"assay/artifact"
	"assay/cache"
	"assay/internal/durable"
)

const (
	treeName    = "tree"
	heldName    = "held"
	currentName = "current"
	newPrefix   = ".new-" // of a generation that is being made
	// maxNumber bounds the numbers of generations, and their turns.
	maxNumber = 1 << 30
	// Kept is how many generations of a product stay: what runs, and the last ones
	// before it.
	Kept = 3
	// looseAge is how long one that was only run stays after its last run.
	looseAge = 30 * 24 * time.Hour
)

// Config is what a Store is made of. Dir, Bin and Cache are required.
type Config struct {
	Dir   string // where the files lie: an absolute path
	Bin   string // where the links lie: an absolute path
	Cache *cache.Store
	Now   func() time.Time // nil: time.Now
	// LockWait is how long a change waits for another one of the same product; 0: 30 s.
	LockWait time.Duration
	// Notice is told of what could not be cleaned up, which fails nothing; nil: nobody is.
	Notice func(string)
}

// Store is where releases are installed. Any number of processes may use one at once.
type Store struct{ Config }

// Open makes a Store. It touches nothing on the disk.
func Open(config Config) (*Store, error) {
	if !filepath.IsAbs(config.Dir) || !filepath.IsAbs(config.Bin) || config.Cache == nil {
		return nil, fmt.Errorf("%w: expected absolute folders for releases and links, and a cache; found %s and %s", ErrDisk, quote(config.Dir), quote(config.Bin))
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.LockWait == 0 {
		config.LockWait = 30 * time.Second
	}
	if config.Notice == nil {
		config.Notice = func(string) {}
	}
	return &Store{config}, nil
}

// Name says which product of which repository is meant.
type Name struct{ Repository, Product string }

func (n Name) String() string { return n.Repository + ":" + n.Product }

// check keeps paths inside of the store's folder.
func (n Name) check() error {
	return errors.Join(artifact.ValidRepository(n.Repository), artifact.ValidProduct(n.Product))
}

func (s *Store) products() string { return filepath.Join(s.Dir, "products") }

func (s *Store) folder(n Name) string { return filepath.Join(s.products(), n.Repository, n.Product) }

// product is one product, whose lock the caller has, or does without to look only.
type product struct {
	*Store
	name Name
	dir  string
	// former are the folders where links may be left, see formerBins.
	former []string
	// The paths of the links that this change has made, and has taken away in folders
	// that are not that of links any more.
	linked, unlinked []string
}

func (s *Store) product(n Name) *product { return &product{Store: s, name: n, dir: s.folder(n)} }

// change runs fn with the lock of a product, whose folder is there then.
func (s *Store) change(ctx context.Context, n Name, fn func(*product) error) error {
	if err := n.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrMissing, err)
	}
	p := s.product(n)
	parent := filepath.Dir(p.dir)
	if err := durable.MkdirAll(parent, 0o755); err != nil {
		return disk(err)
	}
	end, err := s.lock(ctx, filepath.Join(parent, "."+n.Product+".lock"), n.String())
	if err != nil {
		return err
	}
	defer end()
	return fn(p)
}

// lock takes a file's lock. The file stays: who removed it would let two in.
func (s *Store) lock(ctx context.Context, path, what string) (end func(), err error) {
	within, cancel := context.WithTimeout(ctx, s.LockWait)
	defer cancel()
	lock := flock.New(path, flock.SetPermissions(0o644))
	const poll = 20 * time.Millisecond
	_, err = lock.TryLockContext(within, poll) // without an error it is taken
	end = func() { _ = lock.Close() }          // the kernel would end it with the process
	if err == nil {
		return end, nil
	}
	end()
	switch {
	case ctx.Err() != nil:
		return nil, context.Cause(ctx)
	case errors.Is(err, context.DeadlineExceeded):
		return nil, fmt.Errorf("%w: %s: for %v by now", ErrBusy, what, s.LockWait)
	}
	return nil, disk(err)
}

// List are the products that have a current release, by product and repository. One
// whose record can't be read is a Broken.
func (s *Store) List() ([]Generation, []Broken, error) {
	var list []Generation
	var broken []Broken
	names, err := s.Known()
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		g, err := s.Current(name)
		switch {
		case err == nil:
			list = append(list, g)
		case !errors.Is(err, ErrMissing):
			broken = append(broken, Broken{name, err})
		}
	}
	return list, broken, nil
}

// Known are all products of which there is something, by product and repository:
// those that are installed, those that were only run, and what an uninstall that was
// cut short has left.
func (s *Store) Known() ([]Name, error) {
	var list []Name
	repositories, err := readDir(s.products())
	if err != nil {
		return nil, err
	}
	for _, repository := range repositories {
		products, err := readDir(filepath.Join(s.products(), repository))
		if err != nil {
			return nil, err
		}
		for _, each := range products {
			if name := (Name{repository, each}); name.check() == nil {
				list = append(list, name)
			}
		}
	}
	slices.SortFunc(list, func(a, b Name) int {
		return cmp.Or(cmp.Compare(a.Product, b.Product), cmp.Compare(a.Repository, b.Repository))
	})
	return list, nil
}

// Broken is a product about which nothing can be said.
type Broken struct {
	Name
	Err error
}

// readDir lists the names in a folder; one that is missing is empty.
func readDir(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, errNotDir) {
		return nil, nil
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names, disk(err)
}

// Current is the release of a product that runs; ErrMissing: there is none.
func (s *Store) Current(n Name) (Generation, error) {
	if err := n.check(); err != nil {
		return Generation{}, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	return s.product(n).current()
}

func (p *product) current() (Generation, error) {
	var absent error
	// Who has no lock may look while another changes it: what was current is gone, and
	// something else is current by now.
	for range 10 {
		number, err := readCurrent(p.dir)
		if err != nil {
			return Generation{}, err
		}
		if number == 0 {
			return Generation{}, fmt.Errorf("%w: %s", ErrMissing, p.name)
		}
		g, err := p.generation(number)
		if !errors.Is(err, fs.ErrNotExist) {
			return g, err
		}
		absent = err
	}
	return Generation{}, fmt.Errorf("%w: %s: expected it to lead to a generation: %w", ErrRecord, filepath.Join(p.dir, currentName), absent)
}

func (p *product) generation(number int) (Generation, error) {
	g, err := readGeneration(p.folderOf(number), number)
	if err == nil && (g.Product != p.name.Product || g.Repository != p.name.Repository) {
		err = fmt.Errorf("%w: %s: expected that of %s, found that of %s:%s", ErrRecord, p.folderOf(number), p.name, g.Repository, g.Product)
	}
	return g, err
}

func (p *product) folderOf(number int) string { return filepath.Join(p.dir, strconv.Itoa(number)) }

// Generations are all that are there of a product, by their turns, the last first, and
// the number of the current one; 0: none runs. Those whose record can't be read are
// left out.
func (s *Store) Generations(n Name) (list []Generation, current int, err error) {
	if err := n.check(); err != nil {
		return nil, 0, fmt.Errorf("%w: %w", ErrMissing, err)
	}
	p := s.product(n)
	if list, err = p.generations(); err == nil {
		current, err = readCurrent(p.dir)
	}
	return list, current, err
}

func (p *product) generations() ([]Generation, error) {
	list, _, err := p.survey()
	return list, err
}

// survey gives the generations, and the numbers of those whose record is damaged.
func (p *product) survey() (list []Generation, damaged []int, err error) {
	numbers, err := p.numbers()
	for _, number := range numbers {
		g, err := p.generation(number)
		if err == nil {
			list = append(list, g)
		} else if errors.Is(err, ErrRecord) || errors.Is(err, fs.ErrNotExist) {
			damaged = append(damaged, number)
		}
	}
	slices.SortStableFunc(list, func(a, b Generation) int { return cmp.Compare(b.Turn, a.Turn) })
	return list, damaged, err
}

// parseNumber reads the number of a generation.
func parseNumber(text string) (n int, ok bool) {
	n, _ = strconv.Atoi(text) // where it fails the number is another text
	return n, n > 0 && n <= maxNumber && strconv.Itoa(n) == text
}

// numbers are those of the generations' folders, the newest first.
func (p *product) numbers() ([]int, error) {
	names, err := readDir(p.dir)
	var numbers []int
	for _, name := range names {
		if n, ok := parseNumber(name); ok {
			numbers = append(numbers, n)
		}
	}
	slices.SortFunc(numbers, func(a, b int) int { return b - a })
	return numbers, err
}

// Held reports whether a product is not to be upgraded.
func (s *Store) Held(n Name) bool {
	if n.check() != nil {
		return false
	}
	_, err := os.Lstat(filepath.Join(s.folder(n), heldName))
	return err == nil
}

// Hold keeps a product from being upgraded, or no longer, and reports whether that is
// new. One that is not installed is ErrMissing. A crash leaves it as it was, or as
// it is to be.
func (s *Store) Hold(ctx context.Context, n Name, held bool) (changed bool, err error) {
	err = s.change(ctx, n, func(p *product) error {
		if _, err := p.current(); err != nil {
			return err
		}
		path := filepath.Join(p.dir, heldName)
		if changed = s.Held(n) != held; !changed {
			return nil
		}
		if held {
			return disk(durable.WriteFile(path, []byte(s.Now().UTC().Format(time.RFC3339)+"\n"), 0o644))
		}
		return disk(errors.Join(os.Remove(path), durable.SyncDir(p.dir)))
	})
	return changed, err
}

// reference is the name of a product's reference in the cache.
func (n Name) reference() string { return n.Product + "@" + strings.ToLower(n.Repository) }
