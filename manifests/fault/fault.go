// Package fault says what kind of trouble an error is. The kind decides the exit code of a command and, unless the error brings
// a hint of its own, the next step that is proposed to the user; the updater's ledger records the same words.
//
// An error gets its kind and its hint where it arises, by [New] (a sentinel) or [Wrap] (a cause). Readers ask [Of] and [HintOf].
// Rooms that must not import this one (installer/host, installer/pointer, and with them the launcher) give their errors the
// method Kind() string, with the words of the constants below; a method Hint() string is honoured likewise.
//
// What must always be true: the words of the kinds are written to disk and printed with --json, so they never change; a kind
// has one exit code; an error without a kind is [Other].
package fault

import (
	"context"
	"errors"
	"io/fs"
	"syscall"
)

// Kind is one sort of trouble, by the word that stands in ledgers and answers.
type Kind string

// The kinds, in the order of their exit codes.
const (
	Other        Kind = "other"         // did not work, for a reason none of the others names
	Usage        Kind = "usage"         // bad flag, argument or input
	Region       Kind = "region"        // a region could not be reached or read
	Verify       Kind = "verify"        // a checksum, size, version or signature is not what it must be
	Refused      Kind = "refused"       // refused by a rule: downgrade, unsupported platform, another agent runs here
	Busy         Kind = "busy"          // another installation or update is under way
	Permission   Kind = "permission"    // not allowed to read or write here
	Registration Kind = "registration"  // the service refused the activation
	RolledBack   Kind = "rolled-back"   // the new version failed and the old one is back
	Superseded   Kind = "superseded"    // a newer request came, and the old version is back
	NoSpace      Kind = "no-space"      // no room on the disk
	Unhealthy    Kind = "unhealthy"     // installed, but the agent is not healthy, or did not become so in time
	NotInstalled Kind = "not-installed" // status --check: there is no agent here
	NotRunning   Kind = "not-running"   // status --check: the agent is installed and does not run
	Output       Kind = "output"        // an answer could not be written: its place is full, or its reader has gone
	Interrupted  Kind = "interrupted"   // Ctrl-C, or a request to end
)

// row is what is known of a kind.
type row struct {
	kind     Kind
	exitCode int
	meaning  string // for the table of exit codes; of several kinds with one code only the first has it
	hint     string
}

var rows = []row{
	{Other, 1, "did not work, for a reason none of the others names", ""},
	{Usage, 2, "bad flag, argument or input", "run the command with --help"},
	{Region, 3, "a region could not be reached or read", "check the address, the network and the proxy settings, then run it again"},
	{Verify, 4, "a checksum, size, version or signature is not what it must be",
		"the file is damaged or not what the manifest lists; nothing was installed. Try again, or publish it anew"},
	{Refused, 5, "refused by a rule: downgrade, unsupported platform, another agent runs here", ""},
	{Busy, 6, "another installation or update is under way, or another program has the folder or port", "wait until that one is done, then run the same command again"},
	{Permission, 7, "not allowed to read or write here", "run it as root, or use --root with a folder of your own"},
	{Registration, 8, "the service refused the activation",
		"check id and code, and that the activation has not expired nor reached its limit; nothing was left half done"},
	{RolledBack, 9, "the new version failed and the old one is back", ""},
	{Superseded, 9, "", ""},
	{NoSpace, 10, "no room on the disk", "free some space and run the same command again; nothing was left half done"},
	{Unhealthy, 11, "installed, but the agent is not healthy, or did not become so in time",
		"it is installed and goes on trying: see ssm-setup status and the logs it names"},
	{NotInstalled, 12, "`status --check`: there is no agent here", "ssm-setup install puts one here"},
	{NotRunning, 13, "`status --check`: the agent is installed and does not run",
		"see ssm-setup logs; ssm-setup install starts it again"},
	{Output, 14, "the answer could not be written: the disk behind it is full, or its reader has gone", ""},
	{Interrupted, 130, "interrupted: Ctrl-C, or a request to end", "run the same command again"},
}

// Kinds lists every kind, in the order of the exit codes.
func Kinds() []Kind {
	kinds := make([]Kind, len(rows))
	for i, r := range rows {
		kinds[i] = r.kind
	}
	return kinds
}

func (k Kind) row() row {
	for _, r := range rows {
		if r.kind == k {
			return r
		}
	}
	return rows[0]
}

// ExitCode is the exit code of a command that ends with this kind, 1 to 14 or 130; 1 for a word that is no kind.
func (k Kind) ExitCode() int { return k.row().exitCode }

// Meaning is the kind's line in the table of exit codes; empty for one that shares its code with a kind before it.
func (k Kind) Meaning() string { return k.row().meaning }

// Hint is the next step where the error names none; it may be empty.
func (k Kind) Hint() string { return k.row().hint }

// Error is an error with its kind. As a sentinel it is compared with [errors.Is].
type Error struct {
	kind  Kind
	text  string
	hint  string
	cause error
}

// New makes a sentinel, an [*Error]. An empty hint stands for the kind's own.
func New(kind Kind, text, hint string) error { return &Error{kind: kind, text: text, hint: hint} }

// Wrap gives a cause a kind and a hint, and adds no text. An empty hint stands for the cause's own, else the kind's. A nil cause
// stays nil.
func Wrap(kind Kind, cause error, hint string) error {
	if cause == nil {
		return nil
	}
	return &Error{kind: kind, cause: cause, hint: hint}
}

func (e *Error) Error() string {
	if e.cause != nil {
		return e.cause.Error()
	}
	return e.text
}

func (e *Error) Unwrap() error { return e.cause }

// Kind is the kind's word.
func (e *Error) Kind() string { return string(e.kind) }

// Hint is the error's own next step; it may be empty.
func (e *Error) Hint() string { return e.hint }

type (
	kinded interface{ Kind() string }
	hinted interface{ Hint() string }
)

// circumstance is trouble of the caller or the system that says more than the error it is wrapped in, wherever it stands in the
// chain.
type circumstance struct {
	match func(error) bool
	kind  Kind
	hint  string
}

// before win over the kind of an error, after are for errors that have none. First match wins.
var (
	before = []circumstance{
		{is(context.Canceled), Interrupted, ""},
		{is(syscall.EROFS), Permission, "this file system is read-only: name another place, or mount it for writing"},
		{full, NoSpace, ""},
	}
	after = []circumstance{
		{is(syscall.ENOTDIR), Usage, "a part of that path is a file: name another folder"},
		{is(fs.ErrNotExist), Other, "see whether the files and folders that the command names are there"},
		{is(fs.ErrPermission), Permission, ""},
	}
)

func is(target error) func(error) bool {
	return func(err error) bool { return errors.Is(err, target) }
}

// Of is the kind of an error: that of a full or read-only disk or an interruption wherever it stands in the chain, else the first
// kind in the order of [errors.As], else what the system's own error says, else [Other].
func Of(err error) Kind {
	kind, _ := find(err)
	return kind
}

// HintOf is the next step for an error: its own, else its kind's. It may be empty.
func HintOf(err error) string {
	kind, hint := find(err)
	if hint == "" {
		hint = kind.Hint()
	}
	return hint
}

func find(err error) (Kind, string) {
	if c, ok := matching(before, err); ok {
		return c.kind, c.hint
	}
	var k kinded
	if errors.As(err, &k) {
		return Kind(k.Kind()).row().kind, ownHint(err)
	}
	if c, ok := matching(after, err); ok {
		return c.kind, c.hint
	}
	return Other, ""
}

func matching(list []circumstance, err error) (circumstance, bool) {
	for _, c := range list {
		if err != nil && c.match(err) {
			return c, true
		}
	}
	return circumstance{}, false
}

// ownHint is the first hint in the chain that is not empty.
func ownHint(err error) string {
	var h hinted
	for err != nil && errors.As(err, &h) {
		if hint := h.Hint(); hint != "" {
			return hint
		}
		next, ok := h.(interface{ Unwrap() error })
		if !ok {
			return ""
		}
		err = next.Unwrap()
	}
	return ""
}
