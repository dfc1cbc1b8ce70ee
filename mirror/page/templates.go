package page

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
)

//go:embed *.html
var pages embed.FS

// style is sent within each page: there is no file to ask for.
//
//go:embed page.css
var style string

// policy lets a browser load nothing, run nothing, and send forms to nobody else. The
// style is known by its digest, which is that of what stands between its tags.
var policy = func() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
}()

var templates = template.Must(template.New("").Funcs(template.FuncMap{
	"style":     func() template.CSS { return template.CSS(style) },
	"with_form": func(r repositoryView, form string) formView { return formView{r, form} },
	"figures": func(title, head string, rows []figuresRow, more int) figuresView {
		return figuresView{title, head, rows, more}
	},
}).ParseFS(pages, "*.html"))

// formView is a repository, and the text that its forms carry.
type formView struct {
	Repository repositoryView
	Form       string
}

// figuresView is a table of what readers got.
type figuresView struct {
	Title, Head string
	Rows        []figuresRow
	More        int
}
