package console

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// Lives of what lets a browser in.
const (
	ticketLife  = 60 * time.Second
	sessionIdle = 12 * time.Hour
	ticketsMost = 16
	sessionMost = 16
)

// cookieName is the cookie of a session.
const cookieName = "ssm-setup-console"

// entry knows who may look: tickets, the secret part of one-time addresses, by their hashes, and sessions.
type entry struct {
	now      func() time.Time
	mu       sync.Mutex
	tickets  []ticket
	sessions []*session
}

type ticket struct {
	hash  [sha256.Size]byte
	until time.Time
}

// session is one browser that was let in.
type session struct {
	path   string // first part of every path of this session, without slashes
	cookie [sha256.Size]byte
	used   time.Time
}

// ticket makes the secret of a one-time address.
func (e *entry) ticket() string {
	secret := rand.Text()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.tickets) == ticketsMost {
		e.tickets = e.tickets[1:]
	}
	e.tickets = append(e.tickets, ticket{sha256.Sum256([]byte(secret)), e.now().Add(ticketLife)})
	return secret
}

// admit spends a ticket: the session it opened and the value of its cookie; ok is false for one that is unknown, spent or too old.
func (e *entry) admit(secret string) (s *session, cookie string, ok bool) {
	hash := sha256.Sum256([]byte(secret))
	e.mu.Lock()
	defer e.mu.Unlock()
	now, kept := e.now(), e.tickets[:0]
	for _, t := range e.tickets {
		if subtle.ConstantTimeCompare(t.hash[:], hash[:]) == 1 {
			ok = now.Before(t.until)
			continue
		}
		if now.Before(t.until) {
			kept = append(kept, t)
		}
	}
	e.tickets = kept
	if !ok {
		return nil, "", false
	}
	cookie = rand.Text()
	s = &session{path: strings.ToLower(rand.Text()), cookie: sha256.Sum256([]byte(cookie)), used: now}
	e.sessions = append(e.sessions, s)
	if len(e.sessions) > sessionMost {
		oldest := 0
		for i, other := range e.sessions {
			if other.used.Before(e.sessions[oldest].used) {
				oldest = i
			}
		}
		e.sessions = append(e.sessions[:oldest], e.sessions[oldest+1:]...)
	}
	return s, cookie, true
}

// session finds the session of a request: its path, proven by its cookie.
func (e *entry) session(req *http.Request, path string) *session {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.now()
	for _, s := range e.sessions {
		if subtle.ConstantTimeCompare([]byte(s.path), []byte(path)) != 1 || now.Sub(s.used) > sessionIdle {
			continue
		}
		for _, cookie := range req.CookiesNamed(cookieName) {
			hash := sha256.Sum256([]byte(cookie.Value))
			if subtle.ConstantTimeCompare(hash[:], s.cookie[:]) == 1 {
				s.used = now
				return s
			}
		}
	}
	return nil
}

// holds tells whether a session is still good.
func (e *entry) holds(s *session) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Contains(e.sessions, s) && e.now().Sub(s.used) <= sessionIdle
}

// leave ends a session.
func (e *entry) leave(s *session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i, other := range e.sessions {
		if other == s {
			e.sessions = append(e.sessions[:i], e.sessions[i+1:]...)
			return
		}
	}
}

// cookie is the session's cookie: of this host alone, of this session's path alone, out of reach of scripts and other sites.
func (c *Console) cookie(s *session, value string, life int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // G124: over TLS it is secure; browsers would not take that on loopback's plain HTTP
		Name: cookieName, Value: value, Path: "/" + s.path + "/", MaxAge: life, HttpOnly: true, Secure: c.secure,
		SameSite: http.SameSiteStrictMode,
	}
}
