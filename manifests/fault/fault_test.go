package fault_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

var errLate = fault.New(fault.Region, "the region is late", "wait for it")

type foreign struct{}

func (foreign) Error() string { return "locked" }
func (foreign) Kind() string  { return "busy" }

func TestTheFirstKindInTheChainCounts(t *testing.T) {
	for name, c := range map[string]struct {
		err  error
		kind fault.Kind
		hint string
	}{
		"a sentinel":                          {errLate, fault.Region, "wait for it"},
		"a sentinel below text":               {fmt.Errorf("cannot ask: %w", errLate), fault.Region, "wait for it"},
		"a wrapped cause keeps its hint":      {fault.Wrap(fault.Verify, errLate, ""), fault.Verify, "wait for it"},
		"a wrapped cause gets another hint":   {fault.Wrap(fault.Verify, errLate, "fetch it anew"), fault.Verify, "fetch it anew"},
		"the first of two":                    {fmt.Errorf("%w: %w", errLate, foreign{}), fault.Region, "wait for it"},
		"an error of a room without this one": {fmt.Errorf("cannot start: %w", foreign{}), fault.Busy, fault.Busy.Hint()},
		"no kind":                             {errors.New("odd"), fault.Other, ""},
		"no error":                            {nil, fault.Other, ""},
		"a full disk below a kind":            {fmt.Errorf("%w: %w", errLate, syscall.ENOSPC), fault.NoSpace, fault.NoSpace.Hint()},
		"an interruption below a kind":        {fmt.Errorf("%w: %w", errLate, context.Canceled), fault.Interrupted, "run the same command again"},
		"a read-only disk":                    {&fs.PathError{Op: "open", Path: "x", Err: syscall.EROFS}, fault.Permission, "this file system is read-only: name another place, or mount it for writing"},
		"the system forbids it": {&fs.PathError{Op: "open", Path: "x", Err: syscall.EACCES}, fault.Permission,
			fault.Permission.Hint()},
		"forbidden below a kind": {fmt.Errorf("%w: %w", errLate, syscall.EACCES), fault.Region, "wait for it"},
		"a word that is no kind": {stranger{}, fault.Other, ""},
	} {
		if kind, hint := fault.Of(c.err), fault.HintOf(c.err); kind != c.kind || hint != c.hint {
			t.Errorf("%s: %s with hint %q, want %s with %q", name, kind, hint, c.kind, c.hint)
		}
	}
}

type stranger struct{}

func (stranger) Error() string { return "strange" }
func (stranger) Kind() string  { return "strange" }

func TestAWrappedCauseIsStillItself(t *testing.T) {
	err := fault.Wrap(fault.Verify, errLate, "")
	if !errors.Is(err, errLate) || err.Error() != errLate.Error() {
		t.Errorf("%v does not read as its cause", err)
	}
	if fault.Wrap(fault.Verify, nil, "") != nil {
		t.Error("no cause became an error")
	}
}

// The codes are a promise to scripts, the words a format on disk.
func TestKindsKeepTheirWordsAndExitCodes(t *testing.T) {
	want := map[fault.Kind]int{"other": 1, "usage": 2, "region": 3, "verify": 4, "refused": 5, "busy": 6, "permission": 7, "registration": 8,
		"rolled-back": 9, "superseded": 9, "no-space": 10, "unhealthy": 11,
		"not-installed": 12, "not-running": 13, "output": 14, "interrupted": 130}
	for _, k := range fault.Kinds() {
		if code, ok := want[k]; !ok || code != k.ExitCode() {
			t.Errorf("%s has exit code %d, want %d", k, k.ExitCode(), code)
		}
		delete(want, k)
	}
	if len(want) != 0 {
		t.Errorf("missing kinds: %v", want)
	}
}
