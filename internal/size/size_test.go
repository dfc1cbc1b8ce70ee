package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestOwners(t *testing.T) {
	o := newOwners("assay", []string{"a.example/m", "a.example/m/v2", "gopkg.in/yaml.v3"})
	for symbol, want := range map[string]string{
		"main.main": "assay", "assay/cache.(*Store).Get": "assay", "assaying.X": standard,
		"a.example/m/v2/sub.(*T).F.func1": "a.example/m/v2", "a.example/m/sub.F": "a.example/m", "a.example/mm.F": standard,
		"gopkg.in/yaml%2ev3.F": "gopkg.in/yaml.v3", "slices.SortFunc[go.shape.[]a.example/m.T]": standard,
		"vendor/golang.org/x/net/idna.x": standard, "crypto/tls.(*Conn).Read": standard, "go:string.*": merged, "type:*": merged,
	} {
		if found := o.of(symbol); found != want {
			t.Errorf("%s: expected %s, found %s", symbol, want, found)
		}
	}
}

// TestSizeAddsUp shows that the rows are all that a stripped program has, but for its heads.
func TestSizeAddsUp(t *testing.T) {
	dir := t.TempDir()
	full, stripped := filepath.Join(dir, "full"), filepath.Join(dir, "stripped")
	for _, args := range [][]string{{"build", "-o", full, "."}, {"build", "-ldflags", "-s -w", "-o", stripped, "."}} {
		c := exec.CommandContext(t.Context(), "go", args...)
		c.Env = append(os.Environ(), "GOOS=linux", "CGO_ENABLED=0")
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	var out bytes.Buffer
	if err := run(full, &out); err != nil || !strings.Contains(out.String(), "| "+standard+" |") {
		t.Fatalf("expected a table with the standard library, found %v\n%s", err, &out)
	}
	info, err := os.Stat(stripped)
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(out.String()[strings.LastIndex(out.String(), "| all"):])
	if want := mb(uint64(info.Size())); !within(fields[3], want) {
		t.Errorf("expected %.2f MB in all, found %s", want, fields[3])
	}
	if err := run(stripped, &out); !errors.Is(err, errNoSymbols) {
		t.Errorf("expected %v, found %v", errNoSymbols, err)
	}
	if err := run("main.go", &out); err == nil {
		t.Error("expected a text to be refused")
	}
}

// within compares a number of megabytes with a text of it, to a fiftieth.
func within(text string, want float64) bool {
	found, err := strconv.ParseFloat(text, 64)
	return err == nil && found > want*0.98 && found < want*1.02
}
