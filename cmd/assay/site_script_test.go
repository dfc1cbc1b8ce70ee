package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"

	"assay/artifact"
)

// sites holds each script's server; scripts run at once.
var sites sync.Map // *testscript.TestScript → *fileSite

// fileSite serves a folder, and counts what it is asked.
type fileSite struct {
	*httptest.Server
	asked  atomic.Int32
	signed atomic.Int32 // of them, by URLs with a signature
}

// siteCommand is the script command `site VERB ARGS…`:
//
//	site start DIR   serve a folder; sets SITE_URL
//	site asked N     there were N requests since the last such line
//	site signed N    there were N requests by signed URLs since the last such line
func siteCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: site start DIR | site asked N | site signed N")
	}
	if args[0] == "start" {
		s := &fileSite{}
		files := http.FileServer(http.Dir(ts.MkAbs(args[1])))
		s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			s.asked.Add(1)
			if r.URL.Query().Has("X-Amz-Signature") {
				s.signed.Add(1)
			}
			files.ServeHTTP(w, r)
		}))
		sites.Store(ts, s)
		ts.Defer(func() { s.Close(); sites.Delete(ts) })
		ts.Setenv("SITE_URL", s.URL)
		ts.Setenv("SITE_WITH_PASSWORD", strings.Replace(s.URL, "://", "://me:hidden@", 1))
		ts.Setenv("WORK_SLASHED", filepath.ToSlash(ts.MkAbs(".")))
		return
	}
	found, ok := sites.Load(ts)
	if !ok {
		ts.Fatalf("site %s: none was started", args[0])
	}
	count := &found.(*fileSite).asked
	if args[0] == "signed" {
		count = &found.(*fileSite).signed
	}
	if got := strconv.Itoa(int(count.Swap(0))); got != args[1] {
		ts.Fatalf("site %s: %s requests, want %s", args[0], got, args[1])
	}
}

// packCommand is `pack FILE NAME=TEXT…`: it writes a tar.gz, and sets PACKED_FILE, with
// _ for . in the file's name, to its SHA-256.
func packCommand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: pack FILE NAME=TEXT…")
	}
	var packed bytes.Buffer
	zip := gzip.NewWriter(&packed)
	w := tar.NewWriter(zip)
	for _, entry := range args[1:] {
		name, text, _ := strings.Cut(entry, "=")
		ts.Check(w.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(text))}))
		_, err := w.Write([]byte(text))
		ts.Check(err)
	}
	ts.Check(w.Close())
	ts.Check(zip.Close())
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), packed.Bytes(), 0o644))
	ts.Setenv("PACKED_"+strings.ReplaceAll(path.Base(args[0]), ".", "_"), artifact.DigestOf(artifact.SHA256, packed.Bytes()).Hex())
}
