package crash_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// A fault is one thing that goes wrong at one point. Its text is "PROGRAM CALL PATH TIME HOW", and names it for -point.
type fault struct {
	key   string // program, call and path
	nth   int    // the time that the call is made after the update was asked for
	how   string // before, after, torn; else the name of an error
	ever  bool   // an error that stays: every call of that program which it can hit fails from then on
	errno syscall.Errno

	program string
	fired   bool
}

func (f fault) String() string {
	s := fmt.Sprintf("%s %d %s", f.key, f.nth, f.how)
	if f.ever {
		s += " for ever"
	}
	return s
}

// errors that disks and systems give, with the calls that they hit.
var errnos = []struct {
	name  string
	errno syscall.Errno
	hits  []string
}{
	{"ENOSPC", syscall.ENOSPC, []string{"create", "mkdir", "rename", "link", "symlink", "write", "pwrite", "writev", "copy_file_range",
		"sendfile", "splice", "fallocate", "truncate", "fsync"}},
	{"EIO", syscall.EIO, []string{"create", "open", "mkdir", "rename", "link", "symlink", "write", "pwrite", "writev", "copy_file_range",
		"sendfile", "splice", "fallocate", "truncate", "fsync", "unlink", "chmod", "chown", "utimes", "exec"}},
	{"EROFS", syscall.EROFS, []string{"create", "open", "mkdir", "rename", "link", "symlink", "unlink", "chmod", "chown", "utimes"}},
	{"EXDEV", syscall.EXDEV, []string{"rename", "link"}},
	{"EMFILE", syscall.EMFILE, []string{"create", "open", "socket", "pipe"}},
}

// errorsOf are the errors that a call can end in.
func errorsOf(c call) (list []string) {
	for _, e := range errnos {
		if hits(e.hits, c) {
			list = append(list, e.name)
		}
	}
	return list
}

func hits(list []string, c call) bool {
	if !c.disk && c.name != "socket" && c.name != "pipe" && c.name != "exec" {
		return false
	}
	name := c.name
	if name == "open" && c.create {
		name = "create"
	}
	return slices.Contains(list, name)
}

// hits tells whether an error that stays hits a call.
func (f *fault) hits(c call) bool {
	if c.program != f.program {
		return false
	}
	for _, e := range errnos {
		if e.name == f.how {
			return hits(e.hits, c)
		}
	}
	return false
}

// newFault makes a fault at a call.
func newFault(c call, nth int, how string, ever bool) *fault {
	return fill(&fault{key: c.key(), nth: nth, how: how, ever: ever})
}

func fill(f *fault) *fault {
	f.program, _, _ = strings.Cut(f.key, " ")
	for _, e := range errnos {
		if e.name == f.how {
			f.errno = e.errno
		}
	}
	return f
}

// parse reads the text of a fault.
func parse(text string) (*fault, error) {
	rest, ever := strings.CutSuffix(strings.TrimSpace(text), " for ever")
	w := strings.Fields(rest)
	if len(w) < 4 {
		return nil, fmt.Errorf("not a point: %q", text)
	}
	n, err := strconv.Atoi(w[len(w)-2])
	if err != nil {
		return nil, fmt.Errorf("not a point: %q: %w", text, err)
	}
	key := strings.Join(w[:len(w)-2], " ")
	if len(w) == 4 { // a call without a path
		key += " "
	}
	return fill(&fault{key: key, nth: n, how: w[len(w)-1], ever: ever}), nil
}
