package console

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// page is one row of the table: what a path shows, and what a form sent to it does.
type page struct {
	title string
	menu  string // the entry of the menu it belongs to
	calls bool   // the log of calls is part of what it shows
	still bool   // nothing in it changes by itself

	show func(*request) (any, error)

	// do performs a form: where the browser goes then (below the session's path), or "" and what the page shows. An error that is a
	// fault of the region is shown above data.
	do func(*request) (location string, data any, err error)
}

// request is what a page is asked for.
type request struct {
	ctx  context.Context
	arg  string // what follows the page's name in the path
	form url.Values
}

// table are all pages by the first part of their path. One more page is one more row, and a template of that name.
func (c *Console) table() map[string]page {
	return map[string]page{
		"hosts":       {title: "Hosts", menu: "hosts", show: c.hostsPage},
		"host":        {title: "Host", menu: "hosts", show: c.hostPage},
		"commands":    {title: "Commands", menu: "commands", show: c.commandsPage},
		"command":     {title: "Command", menu: "commands", show: c.commandPage, do: c.cancelCommand},
		"send":        {title: "Send a command", menu: "commands", still: true, show: c.sendPage, do: c.sendCommand},
		"documents":   {title: "Documents", menu: "documents", show: c.documentsPage},
		"document":    {title: "Document", menu: "documents", still: true, show: c.documentPage},
		"edit":        {title: "Write a document", menu: "documents", still: true, show: c.editPage, do: c.saveDocument},
		"activations": {title: "Activations", menu: "activations", show: c.activationsPage, do: c.activate},
		"releases":    {title: "Releases", menu: "releases", show: c.releasesPage},
		"release":     {title: "Release", menu: "releases", show: c.releasePage},
		"calls":       {title: "Calls", menu: "calls", calls: true, show: c.callsPage},
		"about":       {title: "About this page", menu: "about", still: true, show: c.aboutPage},
	}
}

func firstOf(path string) string {
	first, _, _ := strings.Cut(path, "/")
	return first
}

// serve answers a request of a session; path is what follows the session's own part.
func (c *Console) serve(w http.ResponseWriter, req *http.Request, s *session, path string) {
	switch {
	case path == "":
		http.Redirect(w, req, "/"+s.path+"/hosts", http.StatusSeeOther)
		return
	case path == "live" && req.Method == http.MethodGet:
		c.live(w, req, s)
		return
	case path == "leave" && req.Method == http.MethodPost:
		c.entry.leave(s)
		c.streams.end(s)
		http.SetCookie(w, c.cookie(s, "", -1))
		c.refuse(w, http.StatusOK, "You have left. ssm-setup console prints an address to come back by.")
		return
	}
	p, ok := c.pages[firstOf(path)]
	if !ok || req.Method == http.MethodPost && p.do == nil {
		c.refuse(w, http.StatusNotFound, "There is no such page.")
		return
	}
	if err := req.ParseForm(); err != nil {
		c.refuse(w, http.StatusBadRequest, "The form cannot be read, or is larger than 256 KiB.")
		return
	}
	if req.Method == http.MethodPost {
		c.perform(w, req, s, path, p)
		return
	}
	v := c.view(p, s, path, req)
	var status int
	name := firstOf(path)
	if v.Data, v.Problem, status = c.shown(p, requestOf(req, path)); v.Problem != "" {
		name = "problem"
	}
	c.write(w, req, status, name, v)
}

// perform does what a form asks for.
func (c *Console) perform(w http.ResponseWriter, req *http.Request, s *session, path string, p page) {
	location, data, err := p.do(requestOf(req, path))
	if err == nil && location != "" {
		http.Redirect(w, req, "/"+s.path+"/"+location, http.StatusSeeOther)
		return
	}
	v := c.view(p, s, path, req)
	v.Data = data
	status := http.StatusOK
	if err != nil {
		v.Problem, status = c.reason(err)
	}
	if data == nil {
		c.write(w, req, status, "problem", v)
		return
	}
	c.write(w, req, status, firstOf(path), v)
}

func requestOf(req *http.Request, path string) *request {
	_, arg, _ := strings.Cut(path, "/")
	return &request{ctx: req.Context(), arg: arg, form: req.Form}
}

// shown gathers what a page shows, or why it cannot.
func (c *Console) shown(p page, r *request) (data any, problem string, status int) {
	data, err := p.show(r)
	if err != nil {
		problem, status = c.reason(err)
		return nil, problem, status
	}
	return data, "", http.StatusOK
}

// errNone is what a path names and is not there.
var errNone = local.Fault{Status: http.StatusNotFound, Message: "There is no such thing in this region (any more)."}

// reason puts an error into words; what is no fault of the region's is logged, and its text is not shown.
func (c *Console) reason(err error) (text string, status int) {
	var f local.Fault
	if errors.As(err, &f) {
		return f.Message, f.HTTPStatus()
	}
	c.log.Error("page failed", "error", err)
	return "The region could not answer; its log says why.", http.StatusInternalServerError
}
