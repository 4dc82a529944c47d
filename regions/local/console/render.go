package console

import (
	"bytes"
	"compress/gzip"
	"embed"
	"fmt"
	"html/template"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

//go:embed pages/*.html
var pageFiles embed.FS

// view is what a template is given.
type view struct {
	Title   string
	Menu    string
	Base    string // path of the session, with a slash at both ends
	Region  string
	Address string // of the region
	Now     time.Time
	Problem string
	Live    string // path of the stream; empty: the page is still
	Data    any
}

func (c *Console) view(p page, s *session, path string, req *http.Request) view {
	v := view{Title: p.title, Menu: p.menu, Base: "/" + s.path + "/", Region: c.region.Name(), Address: c.region.URL(), Now: c.region.Now()}
	if !p.still && req.Method == http.MethodGet {
		at := path
		if req.URL.RawQuery != "" {
			at += "?" + req.URL.RawQuery
		}
		v.Live = v.Base + "live?at=" + url.QueryEscape(at)
	}
	return v
}

// templates are the pages by name, read once. Every page has the templates "body" and, where it is live, "live".
func templates() map[string]*template.Template {
	layout := template.Must(template.New("layout").Funcs(words()).ParseFS(pageFiles, "pages/layout.html"))
	files, err := pageFiles.ReadDir("pages")
	if err != nil {
		panic(err) // it is part of the program
	}
	all := map[string]*template.Template{}
	for _, f := range files {
		if name := strings.TrimSuffix(f.Name(), ".html"); name != "layout" {
			all[name] = template.Must(template.Must(layout.Clone()).ParseFS(pageFiles, "pages/"+f.Name()))
		}
	}
	return all
}

// write sends a whole page.
func (c *Console) write(w http.ResponseWriter, req *http.Request, status int, name string, v view) {
	var b bytes.Buffer
	if err := c.templates[name].ExecuteTemplate(&b, "layout", v); err != nil {
		c.log.Error("page failed", "page", name, "error", err)
		c.refuse(w, http.StatusInternalServerError, "The page could not be written; the region's log says why.")
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	send(w, req, status, b.Bytes(), nil)
}

// send sends a body, compressed where the browser takes that; packed is the compressed body where it is at hand.
func send(w http.ResponseWriter, req *http.Request, status int, body, packed []byte) {
	h := w.Header()
	h.Set("Vary", "Accept-Encoding")
	if strings.Contains(req.Header.Get("Accept-Encoding"), "gzip") {
		if packed == nil {
			packed = pack(body)
		}
		h.Set("Content-Encoding", "gzip")
		body = packed
	}
	h.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	if req.Method != http.MethodHead {
		_, _ = w.Write(body)
	}
}

func pack(body []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(body) // to memory
	_ = z.Close()
	return b.Bytes()
}

// renderLive writes the changing part of a page; false where the page is not there (any more).
func (c *Console) renderLive(w io.Writer, req *http.Request, s *session, path string) bool {
	p, ok := c.pages[firstOf(path)]
	if !ok || p.still || req.ParseForm() != nil {
		return false
	}
	v := c.view(p, s, path, req)
	if v.Data, v.Problem, _ = c.shown(p, requestOf(req, path)); v.Problem != "" {
		return false
	}
	return c.templates[firstOf(path)].ExecuteTemplate(w, "live", v) == nil
}

// words are the functions of templates.
func words() template.FuncMap {
	return template.FuncMap{
		"moment":  moment,
		"bytes":   sizeText,
		"chip":    chip,
		"percent": func(n, of int) string { return strconv.Itoa(share(n, of)) + "%" },
		"short":   func(id string) string { return id[:min(len(id), 8)] },
		"join":    strings.Join,
		"span":    spanText,
		"told": func(s string) template.HTML {
			if s == "" {
				return `<span class="quiet">not told</span>`
			}
			return template.HTML(template.HTMLEscapeString(s)) //nolint:gosec // G203: escaped just now
		},
	}
}

// moment is a time as the page shows it; the page's script adds how long ago that is.
func moment(t time.Time) template.HTML {
	if t.IsZero() {
		return `<span class="quiet">never</span>`
	}
	t = t.UTC()
	return template.HTML(fmt.Sprintf(`<time datetime="%s" title="%[1]s">%s</time>`, t.Format(time.RFC3339), //nolint:gosec // G203: digits
		t.Format("2006-01-02 15:04:05")))
}

func sizeText(n int64) string {
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10) + " B"
	case n < 1000_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1000_000)
}

func spanText(d time.Duration) string {
	switch {
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	case d < time.Minute:
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

func share(n, of int) int {
	if of <= 0 {
		return 0
	}
	return 100 * n / of
}

// chip is the class of a status: good, bad, busy or plain.
func chip(status string) string {
	switch status {
	case "Success", "Online", "succeeded", "up to date", "Active":
		return "good"
	case "Failed", "TimedOut", "ConnectionLost", "failed", "undone", "Undeliverable":
		return "bad"
	case "InProgress", "Pending", "Delayed", "Cancelling", "under way", "behind":
		return "busy"
	}
	return "plain"
}
