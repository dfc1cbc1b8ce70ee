package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"
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
