package terminal

import (
	"bytes"
	"fmt"
	"testing"
)

// With --json what other programs say is JSON, too, a line of theirs a line of ours.
func TestWhatOtherProgramsSayIsJSONToo(t *testing.T) {
	var errs bytes.Buffer
	v := New(nil, nil, &errs)
	v.JSON = true
	to := v.Log()
	for _, part := range []string{"one\ntw", "o\n", "rest"} {
		fmt.Fprint(to, part)
	}
	if errs.String() != "{\"log\":\"one\"}\n{\"log\":\"two\"}\n" {
		t.Errorf("%q", &errs)
	}
}
