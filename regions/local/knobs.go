package local

import (
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// knobs make a region misbehave on purpose. They live in memory and are gone after a restart.
type knobs struct {
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
	r.knobs.mu.Lock()
	defer r.knobs.mu.Unlock()
	r.knobs.rules = append(r.knobs.rules, &rule{match, times, status, code})
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

// Mend ends everything that Break, DropConnections and Slow began.
func (r *Region) Mend() {
	r.knobs.mu.Lock()
	defer r.knobs.mu.Unlock()
	r.knobs.rules, r.knobs.drop, r.knobs.slow = nil, 0, 0
}

// DropConnections closes the connections of the next n requests without an answer; below zero: of all, until Mend.
func (r *Region) DropConnections(n int) {
	r.knobs.mu.Lock()
	defer r.knobs.mu.Unlock()
	r.knobs.drop = n
}

// Slow lets every answer wait for d first; 0 ends it.
func (r *Region) Slow(d time.Duration) {
	r.knobs.mu.Lock()
	defer r.knobs.mu.Unlock()
	r.knobs.slow = d
}

// TokenLife sets the life of all role credentials issued from now on; 0 leaves it to the operation.
func (r *Region) TokenLife(d time.Duration) {
	r.knobs.mu.Lock()
	defer r.knobs.mu.Unlock()
	r.knobs.life = d
}

func (k *knobs) tokenLife() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.life
}

// delay is how long the next answer waits.
func (k *knobs) delay() time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.slow
}

// dropNext tells whether this request's connection is to be dropped, and counts.
func (k *knobs) dropNext() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.drop > 0 {
		k.drop--
		return true
	}
	return k.drop < 0
}

// broken finds the rule for an operation or path, and counts.
func (k *knobs) broken(operation, path string) (fault, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for i, b := range k.rules {
		if b.match != operation && (!strings.HasPrefix(b.match, "/") || !strings.HasPrefix(path, b.match)) {
			continue
		}
		f := fault{Code: b.code, Message: "broken on purpose", Status: b.status}
		if b.times--; b.times == 0 {
			k.rules = slices.Delete(k.rules, i, i+1)
		}
		return f, true
	}
	return fault{}, false
}
