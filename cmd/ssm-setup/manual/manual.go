// Package manual writes what people read and shells complete about ssm-setup: the help of the program and of each subcommand, the
// manual page, the reference in Markdown, and the completion scripts of bash, zsh, fish and PowerShell. All of them come from one
// [Program], so that no two of them disagree.
//
// Parties: the table of subcommands fills in a Program; `ssm-setup help`, `man` and `completion` print; a build puts page and scripts into
// packages. It owns no files and reads none.
//
// What must always be true:
//   - the same Program gives the same bytes;
//   - scripts are static: a shell that completes never runs ssm-setup, so completion needs no network and works with any version of it;
//   - a text is data for each of the formats: quotes, backslashes and dots in it are written so that shell or man shows them.
package manual

import (
	"slices"
	"strings"
)

// Program is all that is written about.
type Program struct {
	Name     string // ssm-setup
	Summary  string // half a sentence
	Version  string // four parts
	Date     string // of the manual page, such as 2025-11-30; may be empty
	Commands []Command
	Common   []Flag // that every subcommand takes
	Codes    []Code // exit codes in their order
}

// Command is one subcommand.
type Command struct {
	Name      string
	Summary   string   // half a sentence, without a dot at its end
	Group     string   // heading in the list of subcommands
	Arguments string   // such as FILE…; empty: it takes none
	Words     []string // what an argument may be, for completion; none: a file
	About     string   // sentences; an empty line divides paragraphs
	Examples  []string // command lines, each with a remark behind two spaces and # where it needs one
	Flags     []Flag   // those that people use, without [Program.Common]
}

// Flag is one flag.
type Flag struct {
	Names   []string // without dashes, the usual one first
	Value   string   // word for its value, such as FILE; empty: it takes none
	Usage   string   // half a sentence
	Default string
	Needed  bool
	Many    bool     // may be given several times
	Words   []string // values, for completion
}

// Code is one exit code.
type Code struct {
	Code    int
	Meaning string
}

// Find is the subcommand of a name, false where there is none.
func (p Program) Find(name string) (Command, bool) {
	i := slices.IndexFunc(p.Commands, func(c Command) bool { return c.Name == name })
	if i < 0 {
		return Command{}, false
	}
	return p.Commands[i], true
}

// groups are the headings in the order in which they come up.
func (p Program) groups() (names []string) {
	for _, c := range p.Commands {
		if !slices.Contains(names, c.Group) {
			names = append(names, c.Group)
		}
	}
	return names
}

// all are the flags of a subcommand with those of every one.
func (p Program) all(c Command) []Flag { return append(slices.Clone(c.Flags), p.Common...) }

// usage is the first line of a subcommand's help: its flags that are needed, then what it takes.
func (p Program) usage(c Command) string {
	words := []string{p.Name, c.Name}
	for _, f := range c.Flags {
		if f.Needed {
			words = append(words, "--"+f.Names[0], f.Value)
		}
	}
	words = append(words, "[FLAG…]")
	if c.Arguments != "" {
		words = append(words, c.Arguments)
	}
	return strings.Join(words, " ")
}

// head is a flag as it is typed: -h, --help, or --region REGION.
func (f Flag) head() string {
	names := make([]string, len(f.Names))
	for i, name := range f.Names {
		names[i] = dashed(name)
	}
	text := strings.Join(names, ", ")
	if f.Value != "" {
		text += " " + f.Value
	}
	return text
}

func dashed(name string) string {
	if len(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// told is what is said of a flag, with its default.
func (f Flag) told() string {
	text := oneLine(f.Usage)
	switch {
	case f.Needed:
		text += " (needed)"
	case f.Default != "":
		text += " (default: " + f.Default + ")"
	}
	return text
}

// takes tells what completes a flag's value.
func (f Flag) takes() kind {
	switch {
	case f.Value == "":
		return nothing
	case len(f.Words) > 0:
		return words
	case f.Value == "DIR" || f.Value == "FOLDER":
		return folders
	case f.Value == "FILE" || f.Value == "PLACE":
		return files
	}
	return text
}

type kind int

const (
	nothing kind = iota // no value
	words               // one of a list
	files
	folders
	text // that no list knows
)

// oneLine joins the lines that a text was broken into.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// paragraphs divides a text at empty lines.
func paragraphs(text string) (list []string) {
	for _, part := range strings.Split(text, "\n\n") {
		if line := oneLine(part); line != "" {
			list = append(list, line)
		}
	}
	return list
}
