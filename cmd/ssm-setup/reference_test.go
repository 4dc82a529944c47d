package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
)

var writeReference = flag.Bool("write", false, "write the reference of commands, docs/commands.md")

const referencePage = "../../docs/commands.md"

// The reference is made from the table of commands, so it names every flag there is and no other.
func TestTheReferenceOfCommandsIsMadeFromTheTable(t *testing.T) {
	app := newApp(terminal.New(strings.NewReader(""), &bytes.Buffer{}, &bytes.Buffer{}))
	var b strings.Builder
	b.WriteString("# Commands\n\nMade from the table of commands: `go test ./cmd/ssm-setup -run Reference -write`. " +
		"`ssm-setup help COMMAND` says the same.\n\n")
	for _, c := range app.Commands {
		if !c.Hidden {
			fmt.Fprintf(&b, "* [%s](#%s): %s\n", c.Name, c.Name, c.Usage)
		}
	}
	for _, c := range app.Commands {
		if !c.Hidden {
			describe(&b, c, "ssm-setup "+c.Name)
		}
	}
	want := b.String()
	if *writeReference {
		if err := os.WriteFile(referencePage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(referencePage); err != nil || string(have) != want {
		t.Errorf("docs/commands.md is not what the table of commands says; go test ./cmd/ssm-setup -run Reference -write (%v)", err)
	}
}

// describe writes one command and what is below it.
func describe(b *strings.Builder, c *cli.Command, line string) {
	fmt.Fprintf(b, "\n## %s\n\n", strings.TrimPrefix(line, "ssm-setup "))
	usage := line + " [options]"
	if takes := strings.TrimSpace(c.ArgsUsage); takes != "" {
		usage += " " + takes
	}
	fmt.Fprintf(b, "`%s`: %s\n", usage, c.Usage)
	if c.Description != "" {
		fmt.Fprintf(b, "\n```text\n%s\n```\n", strings.TrimSpace(c.Description))
	}
	b.WriteString("\n| option | meaning |\n| --- | --- |\n")
	for _, f := range c.Flags {
		if visible, ok := f.(cli.VisibleFlag); ok && !visible.IsVisible() {
			continue
		}
		b.WriteString(option(f))
	}
	for _, below := range c.Subcommands {
		if !below.Hidden {
			describe(b, below, line+" "+below.Name)
		}
	}
}

// option is the row of one flag.
func option(f cli.Flag) string {
	of, ok := f.(cli.DocGenerationFlag)
	if !ok {
		return ""
	}
	placeholder, usage := "", of.GetUsage()
	if before, rest, found := strings.Cut(usage, "`"); found {
		name, after, _ := strings.Cut(rest, "`")
		placeholder, usage = name, before+name+after
	}
	if placeholder == "" && of.TakesValue() {
		placeholder = "VALUE"
	}
	var names []string
	for _, n := range f.Names() {
		names = append(names, map[bool]string{true: "-", false: "--"}[len(n) == 1]+n)
	}
	slices.Sort(names[1:])
	shown := strings.TrimSpace(strings.Join(names, ", ") + " " + placeholder)
	if value := strings.Trim(of.GetValue(), `"`); value != "" && of.TakesValue() && value != "0s" {
		usage += fmt.Sprintf(" (default: %s)", value)
	}
	usage = strings.ReplaceAll(strings.ReplaceAll(usage, "|", `\|`), "\n", " ")
	return fmt.Sprintf("| `%s` | %s |\n", shown, usage)
}
