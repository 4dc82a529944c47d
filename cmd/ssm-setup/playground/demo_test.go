package playground

import (
	"bytes"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
)

// A demo with --json says its story as progress; the result is the only object.
func TestADemoWithJSONSaysItsStoryAsProgress(t *testing.T) {
	var out, errs bytes.Buffer
	s := &show{printer: terminal.New(nil, &out, &errs)}
	s.printer.JSON = true
	s.say("")
	s.say("scene %d", 1)
	if out.Len() != 0 || strings.TrimSpace(errs.String()) != `{"step":"scene 1"}` {
		t.Errorf("%q, %q", &out, &errs)
	}
}
