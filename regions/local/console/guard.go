package console

import (
	"net/http"
	"slices"
	"strings"
	"time"
)

// policy is what the browser is told about every page. The first two parts are the rule; the others close what they leave open.
const policy = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'; object-src 'none'"

// bodyMost is the largest form.
const bodyMost = 256 << 10

// ServeHTTP is the one door: a request passes all of its checks, or its sender reads why not.
func (c *Console) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(requestTime))
	first, rest, below := strings.Cut(strings.TrimPrefix(req.URL.Path, "/"), "/")
	switch {
	case !slices.Contains(c.hosts, strings.ToLower(req.Host)):
		c.refuse(w, http.StatusMisdirectedRequest, "This page answers to "+c.URL()+" only.")
	case req.Method != http.MethodGet && req.Method != http.MethodHead && req.Method != http.MethodPost:
		h.Set("Allow", "GET, HEAD, POST")
		c.refuse(w, http.StatusMethodNotAllowed, "This page takes GET and POST only.")
	case first == "enter" && below && req.Method == http.MethodGet:
		c.enter(w, req, rest)
	case !ownPage(req):
		c.refuse(w, http.StatusForbidden, "Another page asked for this. Open it from the console itself.")
	case req.Method == http.MethodPost && !c.ownOrigin(req):
		c.refuse(w, http.StatusForbidden, "This was not sent by the console's own page.")
	case first == "door" && !below && req.Method == http.MethodGet:
		c.answerDoor(w, req)
	case first == "assets" && below && req.Method != http.MethodPost:
		c.asset(w, req, rest)
	default:
		s := c.entry.session(req, first)
		if s == nil || !below {
			c.refuse(w, http.StatusUnauthorized, "No session. Open the one-time address that ssm-setup local prints; ssm-setup console prints a new one.")
			return
		}
		req.Body = http.MaxBytesReader(w, req.Body, bodyMost)
		c.serve(w, req, s, rest)
	}
}

// ownPage refuses what another page had the browser ask for, also one at another port of this name, which the cookie goes to, too.
// Browsers that say nothing are held to cookie and origin.
func ownPage(req *http.Request) bool {
	site := req.Header.Get("Sec-Fetch-Site")
	return site == "" || site == "same-origin" || site == "none"
}

// ownOrigin tells whether a write comes from a page of this very address.
func (c *Console) ownOrigin(req *http.Request) bool {
	return req.Header.Get("Origin") == c.scheme+"://"+strings.ToLower(req.Host)
}

// enter lets the first browser in that opens a one-time address. What only looks ahead spends nothing.
func (c *Console) enter(w http.ResponseWriter, req *http.Request, secret string) {
	if strings.Contains(req.Header.Get("Sec-Purpose")+req.Header.Get("Purpose"), "prefetch") {
		c.refuse(w, http.StatusServiceUnavailable, "Not ahead of time.")
		return
	}
	s, cookie, ok := c.entry.admit(secret)
	if !ok {
		c.refuse(w, http.StatusUnauthorized,
			"This address was used before, or is older than 60 seconds. ssm-setup console prints a new one.")
		return
	}
	http.SetCookie(w, c.cookie(s, cookie, 0))
	// A redirect would carry no strict cookie where another site's page led here; a page that goes on by itself does.
	c.write(w, req, http.StatusOK, "entered", view{Title: "Welcome", Base: "/" + s.path + "/"})
}

// refuse answers with a reason, as a small page.
func (c *Console) refuse(w http.ResponseWriter, status int, reason string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write([]byte(reason + "\n"))
}
