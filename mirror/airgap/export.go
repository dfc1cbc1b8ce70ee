package airgap

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"assay/artifact"
	"assay/internal/durable"
	"assay/internal/plaintar"
	"assay/internal/shown"
	"assay/mirror"
	"assay/mirror/storage"
)

// recordFolder is where records lie, beside the volumes.
const recordFolder = "exports"

// recordSuffix ends their names.
const recordSuffix = ".digests"

// ExportOptions are for Export.
type ExportOptions struct {
	// Folder is an existing folder: volumes get names that tell what they are. Else
	// File is the path of the only volume; of several, ".1of3" and so on comes before
	// its extension. Volumes of the names are replaced; anything else is ErrUnfit.
	Folder string
	File   string
	// Since is the record of an export that the receiver has; Inventory is what the
	// receiver says it has, and counts alone. nil: neither.
	Since     *Record
	Inventory *Inventory
	// VolumeSize is how many bytes a volume has at most; 0: there is one.
	VolumeSize int64
	// Progress, which may be nil, is told the bytes of objects done so far and in all.
	Progress func(done, total int64)
}

// Exported is what an export came to.
type Exported struct {
	Repository string          `json:"repository"`
	Generation int64           `json:"generation"`
	Export     artifact.Digest `json:"export"`
	Set        artifact.Digest `json:"set"`
	Since      artifact.Digest `json:"since,omitzero"`
	Inventory  artifact.Digest `json:"inventory,omitzero"`
	Volumes    []string        `json:"volumes"` // paths
	Record     string          `json:"record"`  // path
	Objects    int             `json:"objects"` // in the volumes
	Bytes      int64           `json:"bytes"`   // of them
	OfObjects  int             `json:"of_objects"`
	OfBytes    int64           `json:"of_bytes"`
	LeftOut    []LeftOut       `json:"left_out,omitempty"`
}

// attempts is how often a generation is read anew that was collected meanwhile.
const attempts = 5

// Export writes what a mirror publishes of a repository, as volumes, and the record
// for the next export. The mirror may be at work. Every object is hashed on its way.
//
// Crash here, or an error: hidden temporary files, and volumes that are whole. The
// record comes last: without it the next export leaves nothing out.
func Export(ctx context.Context, store *storage.Reader, repository string, opts ExportOptions) (Exported, error) {
	return steady(ctx, store, repository, func(p *mirror.Published) (Exported, error) {
		plan, err := planOf(p, opts)
		if err != nil {
			return Exported{}, err
		}
		return plan.write(ctx, store, opts)
	})
}

// steady does something with the current generation, and again with the next one where
// an object of it was collected meanwhile.
func steady[T any](ctx context.Context, store *storage.Reader, repository string, do func(*mirror.Published) (T, error)) (out T, err error) {
	before := int64(-1)
	for range attempts {
		p, again := mirror.ReadPublished(ctx, store, repository)
		if errors.Is(again, storage.ErrMissing) {
			err = again
			continue
		}
		if again != nil {
			return out, again
		}
		if p.Number == before {
			return out, fmt.Errorf("%s: %w: of generation %d an object is missing or damaged, which the next run of the mirror fetches: %w", repository, ErrUnfit, p.Number, err)
		}
		before = p.Number
		if out, err = do(p); !errors.Is(err, storage.ErrMissing) {
			return out, err
		}
	}
	return out, err
}

func (p *plan) write(ctx context.Context, store *storage.Reader, opts ExportOptions) (Exported, error) {
	h := p.head
	out := Exported{
		Repository: h.Repository, Generation: h.Generation, Export: h.Export, Set: h.Set, Since: h.Since, Inventory: h.Inventory,
		OfObjects: h.Objects, OfBytes: h.Bytes, LeftOut: h.LeftOut,
	}
	for _, volume := range p.volumes {
		out.Objects, out.Bytes = out.Objects+len(volume), out.Bytes+sum(volume)
	}
	out.Record = opts.recordPath(h)
	for i := range p.volumes {
		if err := replaceable(opts.volumePath(h, i+1), isVolume); err != nil {
			return out, err
		}
	}
	if err := replaceable(out.Record, isRecord); err != nil {
		return out, err
	}
	w := &volumeWriter{ctx: ctx, store: store, plan: p, total: out.Bytes, progress: opts.Progress}
	for i := range p.volumes {
		path := opts.volumePath(h, i+1)
		if err := writeFile(path, func(file io.Writer) error { return w.volume(file, i) }); err != nil {
			return out, err
		}
		out.Volumes = append(out.Volumes, path)
	}
	record := &Record{Schema: RecordSchema, Repository: h.Repository, Generation: h.Generation, Export: h.Export, has: map[artifact.Digest]Elsewhere{}}
	for _, o := range p.list {
		record.has[o.digest] = Elsewhere{Digest: o.digest, In: h.Export}
	}
	for _, e := range p.elsewhere {
		record.has[e.Digest] = e
	}
	if err := durable.MkdirAll(filepath.Dir(out.Record), 0o755); err != nil {
		return out, disk(err)
	}
	return out, writeFile(out.Record, func(file io.Writer) error { return record.write(file, p.list) })
}

// replaceable wants nothing at a path, an empty file, or one that is ours, of a newer
// program too.
func replaceable(path string, ours func(io.Reader) error) error {
	err := durable.Replaceable(path, "what an export wrote", func(file io.Reader) error {
		if err := ours(file); !errors.Is(err, ErrNewer) {
			return err
		}
		return nil
	})
	if errors.Is(err, durable.ErrForeign) {
		return fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	return disk(err)
}

func isVolume(r io.Reader) error {
	text, err := plaintar.NewReader(context.Background(), bufio.NewReader(r)).Text(headName, maxHead)
	if err == nil {
		_, err = decodeHead(text)
	}
	return err
}

func isRecord(r io.Reader) error {
	_, err := ReadRecord(r)
	return err
}

// writeFile makes a file that gets its name when it is whole.
func writeFile(path string, write func(io.Writer) error) error {
	file, err := durable.Create(path, 0o644)
	if err != nil {
		return disk(err)
	}
	defer file.Abort()
	buffered := bufio.NewWriterSize(diskWriter{file}, 256<<10)
	if err := write(buffered); err != nil {
		return err
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	// Crash here: a hidden temporary file beside the name, that nothing reads.
	return disk(file.Commit())
}

// diskWriter marks the errors of a file.
type diskWriter struct{ w io.Writer }

func (d diskWriter) Write(p []byte) (int, error) {
	n, err := d.w.Write(p)
	return n, disk(err)
}

// volumeName is the name of a volume in a folder.
func (h Head) volumeName() string {
	return fmt.Sprintf("%s-%d-%s", h.Repository, h.Generation, short(h.Set))
}

func (opts ExportOptions) volumePath(h Head, volume int) string {
	path := opts.File
	if opts.Folder != "" {
		path = filepath.Join(opts.Folder, h.volumeName()+".tar")
	}
	if len(h.Volumes) == 1 {
		return path
	}
	extension := filepath.Ext(path)
	digits := len(fmt.Sprint(len(h.Volumes)))
	return fmt.Sprintf("%s.%0*dof%d%s", strings.TrimSuffix(path, extension), digits, volume, len(h.Volumes), extension)
}

func (opts ExportOptions) recordPath(h Head) string {
	if opts.Folder != "" {
		return filepath.Join(opts.Folder, recordFolder, fmt.Sprintf("%s-%d-%s%s", h.Repository, h.Generation, short(h.Export), recordSuffix))
	}
	return opts.File + recordSuffix
}

// volumeWriter writes the volumes of a plan.
type volumeWriter struct {
	ctx      context.Context
	store    *storage.Reader
	plan     *plan
	done     int64
	total    int64
	progress func(done, total int64)
}

func (w *volumeWriter) volume(to io.Writer, i int) error {
	h := w.plan.head
	h.Volume = i + 1
	head, err := h.encode()
	if err != nil {
		return err
	}
	if len(head) > maxHead {
		return fmt.Errorf("%s: %w: expected a head of at most %d bytes, made one of %d", h.Repository, ErrUnfit, maxHead, len(head))
	}
	out := plaintar.NewWriter(to)
	texts := func(list ...[2]string) error {
		for _, one := range list {
			if err := out.Text(one[0], []byte(one[1])); err != nil {
				return err
			}
		}
		return nil
	}
	if err := texts([2]string{headName, string(head)}, [2]string{contentsName, string(encodeList(w.plan.volumes[i]))}); err != nil {
		return err
	}
	for _, o := range w.plan.volumes[i] {
		if err := w.object(out, o); err != nil {
			return err
		}
	}
	if h.last() {
		if err := texts([2]string{digestsName, string(encodeList(w.plan.list))}, [2]string{elsewhereName, string(encodeElsewhere(w.plan.elsewhere))}); err != nil {
			return err
		}
	}
	return out.Close()
}

// object copies one. Its reader finds out at the end whether it was whole.
func (w *volumeWriter) object(out *plaintar.Writer, o object) error {
	r, err := w.store.Read(w.ctx, o.digest)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := out.File(w.ctx, o.name, o.length, r); err != nil {
		return err
	}
	if w.done += o.length; w.progress != nil {
		w.progress(w.done, w.total)
	}
	return nil
}

// FindRecord finds the record of an export among those beside a folder's volumes, or
// beside a file: by its path, by the begin of its id (12 digits at least), or with
// "latest" the one that was written last. ErrUnfit: there is none, or several.
func FindRecord(opts ExportOptions, repository, what string) (*Record, error) {
	if info, err := os.Stat(what); err == nil && info.Mode().IsRegular() {
		return readRecordFile(what)
	}
	dir := filepath.Join(opts.Folder, recordFolder)
	if opts.Folder == "" {
		dir = filepath.Dir(opts.File)
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*"+recordSuffix))
	if err != nil {
		return nil, disk(err)
	}
	prefix := strings.TrimPrefix(what, "sha256:")
	var found *Record
	var written time.Time
	for _, path := range paths {
		record, err := readRecordFile(path)
		if err != nil {
			return nil, err
		}
		if record.Repository != repository || what != "latest" && (len(prefix) < 12 || !strings.HasPrefix(record.Export.Hex(), prefix)) {
			continue
		}
		if found != nil && what != "latest" && found.Export != record.Export {
			return nil, fmt.Errorf("%w: expected the id of one export, found that %s begins several", ErrUnfit, shown.Quote(what, 80))
		}
		if info, err := os.Stat(path); err == nil && (found == nil || info.ModTime().After(written)) {
			found, written = record, info.ModTime()
		}
	}
	if found == nil {
		return nil, fmt.Errorf("%w: expected the record of an export of %s in %s, or its path, found none for %s", ErrUnfit, repository, dir, shown.Quote(what, 80))
	}
	return found, nil
}

func readRecordFile(path string) (*Record, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, disk(err)
	}
	defer file.Close()
	record, err := ReadRecord(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return record, nil
}
