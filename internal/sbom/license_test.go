package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	bsd3 = `Copyright (c) 2009 The Go Authors. All rights reserved.

Redistribution and use in source and binary forms, with or without
modification, are permitted provided that the following conditions are
met:

   * Redistributions of source code must retain the above copyright
notice, this list of conditions and the following disclaimer.
   * Redistributions in binary form must reproduce the above
copyright notice, this list of conditions and the following disclaimer
in the documentation and/or other materials provided with the
distribution.
   * Neither the name of Google Inc. nor the names of its
contributors may be used to endorse or promote products derived from
this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS
"AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES, INCLUDING, BUT NOT
LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR
A PARTICULAR PURPOSE ARE DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT
OWNER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT
LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR SERVICES; LOSS OF USE,
DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY
THEORY OF LIABILITY, WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT
(INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE
OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
`
	mit = `The MIT License (MIT)

Copyright © 2021 Somebody <somebody@example.org>

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the “Software”), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
`
)

func TestIdentify(t *testing.T) {
	apache, err := os.ReadFile("../../LICENSE")
	if err != nil {
		t.Fatal(err)
	}
	bsd2 := bsd3[:strings.Index(bsd3, "   * Neither")] + bsd3[strings.Index(bsd3, "\nTHIS SOFTWARE"):]
	for _, c := range []struct{ name, text, want string }{
		{"Apache", string(apache), "Apache-2.0"},
		{"Apache's notice", "Copyright 2021 in-toto Developers\n\n" + string(must(texts.ReadFile("licenses/Apache-2.0.notice.txt"))), "Apache-2.0"},
		{"BSD, three clauses", bsd3, "BSD-3-Clause"},
		{"BSD, two clauses", bsd2, "BSD-2-Clause"},
		{"MIT", mit, "MIT"},
		{"two, one behind the other", string(apache) + "\n-----\n" + bsd3, "Apache-2.0 AND BSD-3-Clause"},
		{"the same twice", bsd3 + "=====\n" + bsd3, "BSD-3-Clause"},
		{"a choice", "This is under one of these, as you like:\n" + mit + bsd3, noAssertion},
		{"a condition more", mit + "\nIt shall not be used on Sundays.\n", noAssertion},
		{"a word less", strings.Replace(mit, "without limitation ", "", 1), noAssertion},
		{"a word in place of another", strings.Replace(bsd3, "are permitted", "are forbidden", 1), noAssertion},
		{"cut off", mit[:len(mit)-60], noAssertion},
		{"only a copyright", "Copyright (c) 2020 Somebody. All rights reserved.\n", noAssertion},
		{"empty", "", noAssertion},
	} {
		if got := identify(c.text); got != c.want {
			t.Errorf("%s: expected %s, found %s", c.name, c.want, got)
		}
	}
}

func must(data []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return data
}

// TestEachTextIsKnown shows that no text is hidden by another one, and that each is of
// the licence that its file says. Marks are dropped: what is optional is there.
func TestEachTextIsKnown(t *testing.T) {
	entries, err := texts.ReadDir("licenses")
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		text := string(must(texts.ReadFile("licenses/" + entry.Name())))
		text = strings.NewReplacer("[[", "", "]]", "", "<<", "", ">>", "").Replace(text)
		want := strings.TrimSuffix(strings.TrimSuffix(entry.Name(), ".txt"), ".notice")
		if got := identify(text); got != want {
			t.Errorf("%s: expected %s, found %s", entry.Name(), want, got)
		}
	}
}

// module writes files of a module into a cache.
func module(t *testing.T, cache, folder string, files map[string]string) {
	t.Helper()
	dir := filepath.Join(cache, filepath.FromSlash(folder))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLicenseOfModule(t *testing.T) {
	cache := t.TempDir()
	module(t, cache, "example.com/!big!corp/m@v1.0.0", map[string]string{"LICENSE": mit, "license.go": "package m", "NOTICE": "x"})
	module(t, cache, "example.com/two@v1.0.0", map[string]string{"LICENSE.code": mit, "LICENSE.docs": bsd3})
	module(t, cache, "example.com/none@v1.0.0", nil)
	module(t, cache, "example.com/huge@v1.0.0", map[string]string{"COPYING": mit + strings.Repeat(" ", maxLicense)})
	l := licenseReader{modules: cache}
	for path, want := range map[string]string{
		"example.com/BigCorp/m": "MIT", "example.com/two": noAssertion, "example.com/none": noAssertion,
		"example.com/huge": noAssertion, "example.com/missing": noAssertion,
	} {
		if got := l.of(path, "v1.0.0"); got != want {
			t.Errorf("%s: expected %s, found %s", path, want, got)
		}
	}
}
