package unpack

import (
	"archive/tar"
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/ulikunitz/xz"
)

// TestTarAttacks: each is refused as what it is, and trial.run sees that nothing
// is left of it, nor anything outside.
func TestTarAttacks(t *testing.T) {
	file := tarFile("f", "x")
	global := func(key, value string) te {
		return te{tar.Header{Typeflag: tar.TypeXGlobalHeader, PAXRecords: map[string]string{key: value}}, ""}
	}
	special := func(flag byte) []byte {
		return join(tarOf(t, file)[:1024], rawTar(flag, "d", "", "00000000000\x00", ""), rawEnd)
	}
	for name, test := range map[string]struct {
		archive []byte
		want    error
		says    string
	}{
		"absolute path":                {tarOf(t, tarFile("/etc/passwd", "x")), ErrUnsafe, "found an absolute one"},
		"climbing path":                {tarOf(t, tarFile("../evil", "x")), ErrUnsafe, `found ".."`},
		"climbing path that stays":     {tarOf(t, tarFile("a/../f", "x")), ErrUnsafe, `found ".."`},
		"climbing at the end":          {tarOf(t, tarDir("a/..")), ErrUnsafe, `found ".."`},
		"backslash":                    {tarOf(t, tarFile(`..\evil`, "x")), ErrUnsafe, `found '\\'`},
		"control character":            {tarOf(t, tarFile("a\x1b[2Jb", "x")), ErrUnsafe, `found '\x1b'`},
		"newline":                      {tarOf(t, tarFile("a\nb", "x")), ErrUnsafe, `found '\n'`},
		"not UTF-8":                    {join(rawTar('0', "a\xff", "", "00000000000\x00", ""), rawEnd), ErrUnsafe, "expected UTF-8"},
		"no name":                      {join(rawTar('0', "", "", "00000000000\x00", ""), rawEnd), ErrUnsafe, "expected a path, found none"},
		"file in place of the folder":  {tarOf(t, tarFile(".", "x")), ErrUnsafe, "the folder that all is unpacked into"},
		"file with a folder's path":    {join(rawTar('0', "a/", "", "00000000001\x00", "x"), rawEnd), ErrUnsafe, "found that of a folder"},
		"link with a folder's path":    {tarOf(t, tarLink("a/", "b")), ErrUnsafe, "found that of a folder"},
		"link in place of the folder":  {tarOf(t, tarLink("./", "/etc")), ErrUnsafe, ""},
		"absolute link":                {tarOf(t, tarLink("l", "/etc/passwd")), ErrUnsafe, `found one to "/etc/passwd"`},
		"climbing link":                {tarOf(t, tarLink("l", "../evil")), ErrUnsafe, "expected a link that stays inside"},
		"climbing link, deeper":        {tarOf(t, tarLink("a/b/l", "../../../evil")), ErrUnsafe, "expected a link that stays inside"},
		"climbing link, hidden":        {tarOf(t, tarLink("l", "a/../../evil")), ErrUnsafe, `".." only where a link's target begins`},
		"link to nothing":              {join(rawTar('2', "l", "", "00000000000\x00", ""), rawEnd), ErrUnsafe, "expected a path, found none"},
		"link with a backslash":        {tarOf(t, tarLink("l", `..\evil`)), ErrUnsafe, `found '\\'`},
		"write through a link":         {tarOf(t, tarLink("l", "."), tarFile("l/f", "x")), ErrUnsafe, `found a symbolic link under "l"`},
		"write through a link, deeper": {tarOf(t, tarLink("a/l", "../b"), tarFile("a/l/c/f", "x")), ErrUnsafe, `found a symbolic link under "a/l"`},
		"write over a link":            {tarOf(t, tarLink("l", "f"), tarFile("l", "x")), ErrUnsafe, "it is a symbolic link already"},
		"link over a folder":           {tarOf(t, tarFile("d/f", "x"), tarLink("d", "e")), ErrUnsafe, "it is a folder already"},
		"folder over a link":           {tarOf(t, tarLink("d", "e"), tarDir("d")), ErrUnsafe, `found a symbolic link under "d"`},
		"file below a file":            {tarOf(t, file, tarFile("f/g", "x")), ErrUnsafe, `found a file under "f"`},
		// b leads to the folder itself, and "../.." from there out of it, though the target
		// looks as if it stayed.
		"climbing by two links":   {tarOf(t, tarLink("x/y/b", "../.."), tarLink("a/b/c/l", "../../../x/y/b/../../evil")), ErrUnsafe, "only where a link's target begins"},
		"hard link outside":       {tarOf(t, tarHard("l", "../outside")), ErrUnsafe, `found ".."`},
		"absolute hard link":      {tarOf(t, tarHard("l", "/etc/passwd")), ErrUnsafe, "found an absolute one"},
		"hard link to nothing":    {tarOf(t, tarHard("l", "missing")), ErrUnsafe, "found none under"},
		"hard link to a later":    {tarOf(t, tarHard("l", "f"), file), ErrUnsafe, "found none under"},
		"hard link to a folder":   {tarOf(t, tarDir("d"), tarHard("l", "d")), ErrUnsafe, "found a folder under"},
		"hard link to a link":     {tarOf(t, file, tarLink("s", "f"), tarHard("l", "s")), ErrUnsafe, "found a symbolic link under"},
		"hard link by a link":     {tarOf(t, tarFile("d/f", "x"), tarLink("s", "d"), tarHard("l", "s/f")), ErrUnsafe, "found none under"},
		"hard link to the folder": {tarOf(t, tarHard("l", "./")), ErrUnsafe, "found a folder under"},
		"hard link to itself":     {tarOf(t, tarHard("l", "l")), ErrUnsafe, "found none under"},
		"hard link over a file":   {tarOf(t, file, tarFile("g", "y"), tarHard("g", "f")), ErrUnsafe, "it is a file already"},
		"one name twice":          {tarOf(t, file, tarFile("./f", "y")), ErrUnsafe, "it is a file already"},
		"character device":        {special('3'), ErrUnsafe, "found a device"},
		"block device":            {special('4'), ErrUnsafe, "found a device"},
		"fifo":                    {special('6'), ErrUnsafe, "found a fifo"},
		"contiguous file":         {special('7'), ErrUnsafe, "found type '7'"},
		"volume name":             {special('V'), ErrUnsafe, "found type 'V'"},
		"name for all":            {tarOf(t, global("path", "../evil"), file), ErrUnsafe, `found "path" for all`},
		"target for all":          {tarOf(t, global("linkpath", "../evil"), file), ErrUnsafe, `found "linkpath" for all`},
		"size for all":            {tarOf(t, global("size", "0"), file), ErrUnsafe, `found "size" for all`},
		"sparse for all":          {tarOf(t, global("GNU.sparse.name", "../evil"), file), ErrUnsafe, `for all`},
		"size of 2^63":            {join(rawTar('0', "f", "", "\x80\x00\x00\x00\x80\x00\x00\x00\x00\x00\x00\x00", "x"), rawEnd), ErrMalformed, "header of an entry"},
		"size of 2^62":            {join(rawTar('0', "f", "", "\x80\x00\x00\x00\x40\x00\x00\x00\x00\x00\x00\x00", "x"), rawEnd), ErrLimit, "found 4611686018427387904 or more"},
		"wrong sum":               {join(tarOf(t, file)[:1024], []byte("evil"), tarOf(t, file)[4:]), ErrMalformed, "header of an entry"},
		"no end":                  {tarOf(t, file)[:1024], ErrMalformed, "two blocks of zeros"},
		"half an end":             {tarOf(t, file)[:1536], ErrMalformed, "two blocks of zeros"},
		"a second tar behind it":  {join(tarOf(t, file), tarOf(t, tarFile("g", "y"))), ErrMalformed, "nothing behind the end"},
		"not a tar":               {[]byte(strings.Repeat("text ", 200)), ErrMalformed, "expected tar, found 512 bytes or more that begin with 7465787420746578"},
		"too short for a tar":     {make([]byte, 511), ErrMalformed, "expected tar, found 511 bytes"},
		"nothing":                 {nil, ErrMalformed, "expected tar, found 0 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := trial{format: Tar, rules: everySystem}.run(t, test.archive)
			wantError(t, err, test.want, test.says)
		})
	}
}

// TestContentsDisagreeWithNames: each format refuses every other's content.
func TestContentsDisagreeWithNames(t *testing.T) {
	plain := tarOf(t, tarFile("f", "x"))
	contents := map[Format][]byte{
		Tar: plain, Gzip: gzipped(t, plain), Zstd: zstded(t, plain), XZ: xzed(t, plain, xz.WriterConfig{}), Bzip2: decode(t, helloTarBzip2), Zip: zipOf(t),
	}
	for _, known := range suffixes {
		for found, content := range contents {
			if found == known.format.coding() {
				continue
			}
			_, _, err := trial{format: known.format}.run(t, content)
			wantError(t, err, ErrMalformed, "expected "+string(known.format.coding())+", found "+string(found))
		}
	}
	skippable := join([]byte("\x53\x2a\x4d\x18\x01\x00\x00\x00x"), zstded(t, []byte("hi")))
	if dir, _, err := (trial{format: Zstd}).run(t, skippable); err != nil || list(t, dir)[0] != "a 644 hi" {
		t.Errorf("a skippable frame first: %v", err)
	}
	for format, archive := range map[Format][]byte{
		TarGzip: gzipped(t, gzipped(t, plain)), TarZstd: zstded(t, []byte("text")), TarXZ: xzed(t, zipOf(t), xz.WriterConfig{}), TarBzip2: decode(t, hiBzip2),
	} {
		_, _, err := trial{format: format}.run(t, archive)
		wantError(t, err, ErrMalformed, "expected tar, found")
	}
}

// TestDamagedStreams: a wrong checksum, and what stands behind the end.
func TestDamagedStreams(t *testing.T) {
	content := []byte(strings.Repeat("content ", 100))
	for format, archive := range map[Format][]byte{
		Gzip: gzipped(t, content), Zstd: zstded(t, content), XZ: xzed(t, content, xz.WriterConfig{}), Bzip2: decode(t, hiBzip2),
	} {
		sum := len(archive) - 2 // of all
		switch format {
		case XZ:
			sum = len(archive) - 12 - 12 - 2 // of the block, before index and footer
		case Bzip2:
			sum -= 2
		}
		damaged := join(archive[:sum], []byte{archive[sum] ^ 0x10}, archive[sum+1:])
		_, _, err := trial{format: format}.run(t, damaged)
		wantError(t, err, ErrMalformed, "expected whole "+string(format))
		for _, behind := range []string{"garbage", "\x00garbage", "g", strings.Repeat("garbage ", 100)} {
			_, _, err := trial{format: format}.run(t, join(archive, []byte(behind)))
			wantError(t, err, ErrMalformed, "expected whole "+string(format))
		}
	}
	plain := tarOf(t, tarFile("f", strings.Repeat("x", 2000)))
	for format, archive := range map[Format][]byte{TarGzip: gzipped(t, plain), TarZstd: zstded(t, plain), TarXZ: xzed(t, plain, xz.WriterConfig{})} {
		_, _, err := trial{format: format}.run(t, join(archive, []byte("garbage")))
		wantError(t, err, ErrMalformed, "expected whole "+string(format))
	}
}

// TestForeignDictionary: what needs more than the archive can't be unpacked.
func TestForeignDictionary(t *testing.T) {
	archive := zstded(t, []byte(strings.Repeat("content ", 100)), zstd.WithEncoderDictRaw(7, []byte(strings.Repeat("content ", 10))))
	_, _, err := trial{format: Zstd}.run(t, archive)
	wantError(t, err, ErrUnsupported, "without a dictionary")
}

// TestShorterThanSaid: a file that ends early is a truncated archive.
func TestShorterThanSaid(t *testing.T) {
	for format, archive := range small(t) {
		file := File{ReaderAt: bytes.NewReader(archive[:len(archive)-1]), Size: int64(len(archive)), Name: "a." + string(format)}
		_, err := Into(t.Context(), file, format, filepath.Join(t.TempDir(), "out"), Options{})
		wantOnce(t, err)
		wantError(t, err, ErrMalformed, "")
	}
}

// TestLinksThatStandAlready are not followed: neither one under the name of the
// new folder, nor one to the parent.
func TestLinksThatStandAlready(t *testing.T) {
	dir := t.TempDir()
	outside := t.TempDir()
	for _, target := range []string{outside, filepath.Join(dir, "nowhere")} {
		planted := filepath.Join(dir, "out")
		if err := os.Symlink(target, planted); err != nil {
			t.Skip(err)
		}
		for _, into := range []bool{false, true} {
			archive := tarOf(t, tarFile("f", "x"))
			_, err := Into(t.Context(), fileOf(archive), Tar, planted, Options{IntoEmpty: into})
			wantError(t, err, ErrExists, "found a symbolic link")
		}
		if err := os.Remove(planted); err != nil {
			t.Fatal(err)
		}
	}
	if found := append(namesIn(t, outside), namesIn(t, dir)...); len(found) != 0 {
		t.Errorf("expected nothing, found %q", found)
	}
}
