package unpack

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// TestFoldedNames: on systems that take letters of either case for the same, such
// names are one, and elsewhere they are not.
func TestFoldedNames(t *testing.T) {
	for _, pair := range [][2]string{
		{"a", "A"}, {"README", "readme"}, {"é", "É"}, {"\u00e9", "e\u0301"}, {"\u00c9", "e\u0301"}, {"ſ", "s"}, {"K", "k"}, {"σ", "ς"}, {"ǆ", "Ǆ"}, {"ά", "Ά"},
	} {
		archives := [][]byte{
			tarOf(t, tarFile(pair[0], "x"), tarFile(pair[1], "y")),
			tarOf(t, tarDir(pair[0]), tarDir(pair[1])),
			tarOf(t, tarFile(pair[0]+"/f", "x"), tarFile(pair[1]+"/g", "y")),
			tarOf(t, tarFile(pair[0], "x"), tarLink(pair[1], "y")),
		}
		for i, archive := range archives {
			_, _, err := trial{format: Tar, rules: rules{folds: true}}.run(t, archive)
			wantError(t, err, ErrUnsafe, "differ in more than letters' case")
			if _, _, err := (trial{format: Tar, rules: everySystem}).run(t, archive); err != nil {
				t.Errorf("%q, archive %d: found %v", pair, i, err)
			}
		}
		// A hard link has to name it as it was written.
		_, _, err := trial{format: Tar, rules: rules{folds: true}}.run(t, tarOf(t, tarFile(pair[0], "x"), tarHard("l", pair[1])))
		wantError(t, err, ErrUnsafe, "found none under")
	}
	_, _, err := trial{format: Tar, rules: rules{folds: true}}.run(t, tarOf(t, tarFile("a", "x"), tarFile("b", "x"), tarFile("d/a", "x"), tarFile("d/e", "x"), tarFile("ß", "x"), tarFile("ss", "x")))
	if err != nil {
		t.Errorf("expected different names to be fine, found %v", err)
	}
}

// TestWindowsNames: what Windows reads as something else than a file's name.
func TestWindowsNames(t *testing.T) {
	onWindows := rules{windows: true}
	for _, name := range []string{
		"C:evil", "f:stream", "CON", "con.txt", "a/aux.c", "NUL ", "nul .txt", "PRN", "COM1", "com0.x", "lpt9", "COM¹", "LPT²", "conin$", "CONOUT$.x",
		"f.", "f ", "d./f", "...", "a*", "a?", `a"`, "a<", "a>", "a|",
	} {
		archive := tarOf(t, tarFile(name, "x"))
		_, _, err := trial{format: Tar, rules: onWindows}.run(t, archive)
		wantError(t, err, ErrUnsafe, "entry ")
		if _, _, err := (trial{format: Tar, rules: everySystem}).run(t, archive); err != nil {
			t.Errorf("%q: expected it to be fine elsewhere, found %v", name, err)
		}
	}
	for _, name := range []string{"CONSOLE", "com", "COM10", "COMA", "lpt", "nul_", "a.con", "1", ".f", "C", "COMM1"} {
		if _, _, err := (trial{format: Tar, rules: onWindows}).run(t, tarOf(t, tarFile(name, "x"))); err != nil {
			t.Errorf("%q: found %v", name, err)
		}
	}
	_, _, err := trial{format: Tar, rules: onWindows}.run(t, tarOf(t, tarLink("l", "C:evil")))
	wantError(t, err, ErrUnsafe, `found ':'`)
}

func TestRulesOfSystems(t *testing.T) {
	for system, want := range map[string]rules{
		"linux": {}, "freebsd": {}, "darwin": {folds: true}, "ios": {folds: true}, "windows": {folds: true, windows: true},
	} {
		if found := rulesOf(system); found != want {
			t.Errorf("%s: expected %+v, found %+v", system, want, found)
		}
	}
}

// TestLinkTargets: what may lead where.
func TestLinkTargets(t *testing.T) {
	limits, _ := Limits{}.filled()
	for _, test := range []struct {
		target string
		depth  int
		fine   bool
	}{
		{"f", 0, true}, {".", 0, true}, {"./f", 0, true}, {"a//b/", 0, true}, {"..", 0, false}, {"..", 1, true}, {"../..", 1, false}, {"../../", 2, true},
		{"./../f", 1, true}, {".././../f", 2, true}, {"a/..", 1, false}, {"../a/../b", 2, false}, {"..a/b..", 0, true}, {"/", 3, false}, {"//f", 3, false},
	} {
		err := everySystem.checkTarget("l", test.target, test.depth, limits)
		if (err == nil) != test.fine || err != nil && !errors.Is(err, ErrUnsafe) {
			t.Errorf("%q, %d deep: expected fine to be %v, found %v", test.target, test.depth, test.fine, err)
		}
	}
}

func TestFormatOf(t *testing.T) {
	for name, want := range map[string]Format{
		"a.tar": Tar, "a.tar.gz": TarGzip, "a.tgz": TarGzip, "a.tar.zst": TarZstd, "a.tzst": TarZstd, "a.tar.xz": TarXZ, "a.txz": TarXZ,
		"a.tar.bz2": TarBzip2, "a.tbz2": TarBzip2, "a.tbz": TarBzip2, "a.zip": Zip, "a.gz": Gzip, "a.zst": Zstd, "a.xz": XZ, "a.bz2": Bzip2,
		"A.TAR.GZ": TarGzip, "https://x.example/a-1.2.tgz": TarGzip, `C:\x\a.zip`: Zip, "x.tar.gz.zip": Zip, "tar.gz": Gzip,
	} {
		if found, ok := FormatOf(name); found != want || !ok {
			t.Errorf("%s: expected %s, found %q, %v", name, want, found, ok)
		}
	}
	for _, name := range []string{"", "a", "a.tar.gz/b", ".tar.gz", ".zip", "x/.gz", "zip", "a.rar", "a.zip.sig", "İ.zip"[:2] + ".zi"} {
		if found, ok := FormatOf(name); ok {
			t.Errorf("%s: expected no format, found %s", name, found)
		}
	}
	for _, known := range suffixes {
		if found, ok := FormatOf("x." + string(known.format)); !ok || found != known.format {
			t.Errorf("%s: expected the format's own name to be a suffix, found %s", known.format, found)
		}
	}
}

// TestMisuse: arguments that can't be meant.
func TestMisuse(t *testing.T) {
	archive := tarOf(t)
	for name, test := range map[string]struct {
		file   File
		format Format
		dir    string
	}{
		"no reader": {File{Size: 1}, Tar, "d"}, "negative size": {File{ReaderAt: strings.NewReader("x"), Size: -1}, Tar, "d"},
		"no format": {fileOf(archive), "", "d"}, "unknown format": {fileOf(archive), "rar", "d"}, "no folder": {fileOf(archive), Tar, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Chdir(t.TempDir())
			_, err := Into(t.Context(), test.file, test.format, test.dir, Options{})
			wantError(t, err, ErrInvalid, "expected an archive, its format and a folder")
			if found := namesIn(t, "."); len(found) != 0 {
				t.Errorf("expected nothing, found %q", found)
			}
		})
	}
}

// TestMessagesAreOneLine: names from outside are quoted and cut.
func TestMessagesAreOneLine(t *testing.T) {
	name := "../" + strings.Repeat("\n", 900)
	_, _, err := trial{format: Tar}.run(t, tarOf(t, tarFile(name, "x")))
	if err == nil || strings.Contains(err.Error(), "\n") || len(err.Error()) > 1500 || !slices.Contains(strings.Split(err.Error(), " "), "entry") {
		t.Errorf("found %v", err)
	}
}
