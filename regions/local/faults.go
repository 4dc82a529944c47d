package local

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
)

// faults make a region misbehave on purpose. They live in memory and are gone after a restart.
type faults struct {
	mu    sync.Mutex
	rules []*rule
	drop  int
	slow  time.Duration
	life  time.Duration
}

// rule is one broken operation.
type rule struct {
	match  string
	times  int // left; negative: always
	status int
	code   string
}

// Break answers the next times matching requests with an error. match is the name of an operation ("SendReply",
// "GetObject") or, with a slash in front, a prefix of the path ("/amazon-ssm-local/latest/"). times below zero means until
// [Region.Mend]. An empty code is filled in from the status.
func (r *Region) Break(match string, times, status int, code string) {
	if code == "" {
		code = codeForStatus(status)
	}
	r.faults.mu.Lock()
	defer r.faults.mu.Unlock()
	r.faults.rules = append(r.faults.rules, &rule{match, times, status, code})
}

func codeForStatus(status int) string {
	switch status {
	case http.StatusServiceUnavailable:
		return "ServiceUnavailable"
	case http.StatusTooManyRequests:
		return "ThrottlingException"
	case http.StatusForbidden:
		return "AccessDeniedException"
	}
	return "InternalServerError"
}

// Mend ends everything that Break, DropConnections, Slow and Disturb began.
func (r *Region) Mend() {
	r.channels.Disturb(nil)
	r.faults.mu.Lock()
	defer r.faults.mu.Unlock()
	r.faults.rules, r.faults.drop, r.faults.slow = nil, 0, 0
}

// DropConnections closes the connections of the next n requests without an answer; below zero: of all, until Mend.
func (r *Region) DropConnections(n int) {
	r.faults.mu.Lock()
	defer r.faults.mu.Unlock()
	r.faults.drop = n
}

// Slow lets every answer wait for d first; 0 ends it.
func (r *Region) Slow(d time.Duration) {
	r.faults.mu.Lock()
	defer r.faults.mu.Unlock()
	r.faults.slow = d
}

// TokenLife sets the life of all role credentials issued from now on; 0 leaves it to the operation.
func (r *Region) TokenLife(d time.Duration) {
	r.faults.mu.Lock()
	defer r.faults.mu.Unlock()
	r.faults.life = d
}

func (f *faults) tokenLife() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.life
}

// delay is how long the next answer waits.
func (f *faults) delay() time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.slow
}

// dropNext tells whether this request's connection is to be dropped, and counts.
func (f *faults) dropNext() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.drop > 0 {
		f.drop--
		return true
	}
	return f.drop < 0
}

// broken finds the rule for an operation or path, and counts.
func (f *faults) broken(operation, path string) (protocol.Fault, bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, b := range f.rules {
		if b.match != operation && (!strings.HasPrefix(b.match, "/") || !strings.HasPrefix(path, b.match)) {
			continue
		}
		out := protocol.Fault{Code: b.code, Message: "broken on purpose", Status: b.status}
		if b.times--; b.times == 0 {
			f.rules = slices.Delete(f.rules, i, i+1)
		}
		return out, true
	}
	return protocol.Fault{}, false
}
