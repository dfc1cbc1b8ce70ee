package testrepo

import (
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Handler serves the newest generation honestly: metadata at the base, targets
// under targets/, files outside the repository under elsewhere/. It knows GET,
// HEAD and ranges, and sends no ETag.
func (r *Repo) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if c, ok := r.find(0, q.URL); ok {
			serveContent(w, q, c)
			return
		}
		http.Error(w, "no such file", http.StatusNotFound)
	})
}

// find looks a request's file up by the path as it was sent, then as it means
// when decoded: a role called "a/b" lies in the file 1.a%2Fb.json, for which
// clients ask with the escape as it is, or escaped once more.
func (r *Repo) find(generation int, u *url.URL) (content, bool) {
	if c, ok := r.lookup(generation, strings.TrimPrefix(u.EscapedPath(), "/")); ok {
		return c, true
	}
	return r.lookup(generation, strings.TrimPrefix(u.Path, "/"))
}

func serveContent(w http.ResponseWriter, q *http.Request, c content) {
	if q.Method != http.MethodGet && q.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
		return
	}
	w.Header().Set("Content-Type", contentType(q.URL.Path))
	http.ServeContent(w, q, "", time.Time{}, c.open())
}

// contentType names the type, so that ServeContent need not read ahead to
// guess it.
func contentType(path string) string {
	if strings.HasSuffix(path, ".json") {
		return "application/json"
	}
	return "application/octet-stream"
}
