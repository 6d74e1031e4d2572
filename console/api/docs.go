package api

import (
	"html/template"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
)

var docsPage = template.Must(template.New("docs").Parse(`<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Deskside API</title>
<style>
:root{color-scheme:light dark;font:14px/1.5 system-ui,sans-serif}body{max-width:60rem;margin:2rem auto;padding:0 1rem}
h2{margin-top:2rem;font-size:1rem}code{font:12px/1.5 ui-monospace,monospace}
table{border-collapse:collapse;width:100%}td{padding:.35rem .5rem;border-bottom:1px solid #8883;vertical-align:top}
td:first-child{white-space:nowrap;width:1%}.right{opacity:.7}
</style>
<h1>Deskside API</h1>
<p>Everything the web application does, a program can do with a token: <code>Authorization: Bearer dsk_…</code>.
The whole description, for programs: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>
{{range .}}<h2>{{.Name}}</h2><table>{{range .Operations}}
<tr><td><code>{{.Method}}</code></td><td><code>{{.Path}}</code>{{if .Query}}<br><code class="right">{{.Query}}</code>{{end}}</td>
<td>{{.Summary}}</td><td class="right"><code>{{.Right}}</code></td></tr>{{end}}</table>{{end}}
`))

type docsGroup struct {
	Name       string
	Operations []docsOperation
}

type docsOperation struct{ Method, Path, Query, Summary, Right string }

// serveDocs lists the operations; it loads nothing from anywhere.
func (a *API) serveDocs(w http.ResponseWriter, _ *http.Request) {
	groups := map[string]*docsGroup{}
	var names []string
	doc := a.huma.OpenAPI()
	var paths []string
	for path := range doc.Paths {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	for _, path := range paths {
		item := doc.Paths[path]
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Patch, item.Delete} {
			if op == nil {
				continue
			}
			tag := op.Tags[0]
			if groups[tag] == nil {
				groups[tag] = &docsGroup{Name: tag}
				names = append(names, tag)
			}
			right, _ := op.Metadata["right"].(string)
			if right == open {
				right = "open to all"
			}
			groups[tag].Operations = append(groups[tag].Operations, docsOperation{op.Method, path, strings.Join(queryNames(op), " "), op.Summary, right})
		}
	}
	slices.Sort(names)
	var list []docsGroup
	for _, name := range names {
		list = append(list, *groups[name])
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
	docsPage.Execute(w, list)
}
