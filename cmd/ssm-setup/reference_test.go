package main

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
)

var writeReference = flag.Bool("write", false, "write the reference of commands, docs/commands.md")

const referencePage = "../../docs/commands.md"

// The reference is made from the table of commands, so it names every flag there is and no other.
func TestTheReferenceOfCommandsIsMadeFromTheTable(t *testing.T) {
	app := newApp(terminal.New(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{}))
	want := aboutProgram(app).Reference()
	if *writeReference {
		must(t, os.WriteFile(referencePage, []byte(want), 0o644))
	}
	if have, err := os.ReadFile(referencePage); err != nil || string(have) != want {
		t.Errorf("docs/commands.md is not what the table of commands says; go test ./cmd/ssm-setup -run Reference -write (%v)", err)
	}
}
