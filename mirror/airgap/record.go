package airgap

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"assay/artifact"
	"assay/internal/shown"
	"assay/internal/strictjson"
)

// RecordSchema names the form of a record.
const RecordSchema = "assay.mirror.export-record/v1"

// maxOrigins is how many exports one record may lead back to.
const maxOrigins = 100_000

// Record is what an export leaves for the next one: a line of JSON, and one for each
// object, its digest and which of Origins has it.
type Record struct {
	Schema     string          `json:"schema"`
	Repository string          `json:"repository"`
	Generation int64           `json:"generation"`
	Export     artifact.Digest `json:"export"`
	// Origins are ids of exports, and of inventories with "inventory:" before them.
	Origins []string `json:"origins"`
	Objects int      `json:"objects"`

	has map[artifact.Digest]Elsewhere
}

// Write writes a record. The same export has the same one.
func (r *Record) write(w io.Writer, list []object) error {
	known := map[string]int{}
	for _, o := range list {
		if origin := r.has[o.digest].origin(); known[origin] == 0 {
			r.Origins = append(r.Origins, origin)
			known[origin] = len(r.Origins)
		}
	}
	r.Objects = len(list)
	head, err := json.Marshal(r)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	_, err = out.Write(append(head, '\n'))
	for _, o := range list {
		if err == nil {
			_, err = fmt.Fprintf(out, "%s %d\n", o.digest, known[r.has[o.digest].origin()]-1)
		}
	}
	return errors.Join(err, out.Flush())
}

// ReadRecord reads a record: ErrVolume where it is none.
func ReadRecord(r io.Reader) (*Record, error) {
	record := &Record{has: map[artifact.Digest]Elsewhere{}}
	lines, err := readHeaded(r, "a record of an export", RecordSchema, record, func() string { return record.Schema })
	if err != nil {
		return nil, err
	}
	if record.Objects != len(lines) || len(record.Origins) > maxOrigins || record.Export.IsZero() {
		return nil, fmt.Errorf("%w: expected a record of %d objects, found %d", ErrVolume, record.Objects, len(lines))
	}
	var origins []Elsewhere
	for _, text := range record.Origins {
		e, err := parseOrigin(text)
		if err != nil {
			return nil, fmt.Errorf("%w: expected ids of exports in a record, found %s", ErrVolume, shown.Quote(text, 100))
		}
		origins = append(origins, e)
	}
	for _, line := range lines {
		digest, number, _ := strings.Cut(line, " ")
		d, err := artifact.ParseDigest(digest)
		n, bad := strconv.Atoi(number)
		if err != nil || bad != nil || n < 0 || n >= len(origins) {
			return nil, fmt.Errorf("%w: expected a digest and the number of an export in a record, found %s", ErrVolume, shown.Quote(line, 120))
		}
		e := origins[n]
		e.Digest = d
		record.has[d] = e
	}
	return record, nil
}

// readHeaded reads a file that is a line of JSON, and others: at most maxList bytes
// and maxObjects of them.
func readHeaded(r io.Reader, what, schema string, head any, found func() string) ([]string, error) {
	const longest, depth = 16 << 20, 6
	in := bufio.NewScanner(io.LimitReader(r, maxList))
	in.Buffer(make([]byte, 64<<10), longest)
	in.Split(wholeLines)
	if !in.Scan() {
		return nil, errors.Join(fmt.Errorf("%w: expected %s, found no line of it", ErrVolume, what), in.Err())
	}
	if err := strictjson.Screen(in.Bytes(), strictjson.Limits{Bytes: longest, Depth: depth}); err != nil {
		return nil, fmt.Errorf("%w: expected %s: %w", ErrVolume, what, err)
	}
	decoder := json.NewDecoder(bytes.NewReader(in.Bytes()))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(head)
	if schemaErr := checkSchema(found(), schema); schemaErr != nil {
		return nil, fmt.Errorf("expected %s: %w", what, schemaErr)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: expected %s: %w", ErrVolume, what, err)
	}
	var lines []string
	for in.Scan() {
		if len(lines) == maxObjects {
			return nil, fmt.Errorf("%w: expected %s of at most %d objects, found more", ErrVolume, what, maxObjects)
		}
		lines = append(lines, in.Text())
	}
	if err := in.Err(); err != nil {
		return nil, fmt.Errorf("%w: expected %s: %w", ErrVolume, what, err)
	}
	return lines, nil
}

// wholeLines splits at newlines, and refuses a last line without one, as a file has
// that was cut off.
func wholeLines(data []byte, atEOF bool) (int, []byte, error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEOF && len(data) > 0 {
		return 0, nil, errors.New("expected a newline at its end, found none: it was cut off")
	}
	return 0, nil, nil
}
