package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
)

// nearest is the word of a list that was probably meant: one that begins so, else one that differs in few letters. Empty: none.
func nearest(word string, list []string) string {
	word = strings.ToLower(word)
	if word == "" {
		return ""
	}
	best, least := "", max(1, len(word)/3)+1
	for _, candidate := range list {
		if len(word) > 1 && strings.HasPrefix(candidate, word) {
			return candidate
		}
		if d := distance(word, candidate); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// distance counts the letters to add, take away, change or swap with their neighbour.
func distance(a, b string) int {
	before, last := []int(nil), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row := make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			change := last[j-1]
			if a[i-1] != b[j-1] {
				change++
			}
			row[j] = min(change, last[j]+1, row[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}

// badFlag is the problem of a flag that a subcommand does not have, or whose value cannot be read.
func badFlag(command *cli.Command, err error) *terminal.Problem {
	about := strings.TrimSpace("ssm-setup help " + command.Name)
	p := terminal.Usage("%s", strings.Replace(err.Error(), "flag provided but not defined: -", "there is no flag --", 1))
	_, name, unknown := strings.Cut(err.Error(), "flag provided but not defined: -")
	name = strings.TrimLeft(name, "-")
	if !unknown {
		return p.WithHint(about + " shows its flags")
	}
	if meant := nearest(name, flagNames(command)); meant != "" {
		return p.WithHint("did you mean --" + meant + "?")
	}
	return p.WithHint(about + " shows its flags")
}

// badArgument is the problem of an argument that a subcommand does not take.
func badArgument(command *cli.Command, word string) *terminal.Problem {
	p := terminal.Usage("unexpected argument %q", word)
	names := flagNames(command)
	for _, name := range names {
		if name == strings.TrimLeft(word, "-") {
			return p.WithHint("did you mean --" + name + "?")
		}
	}
	for _, name := range names {
		if name == "root" && strings.ContainsAny(word, `/\`) {
			return p.WithHint("did you mean --root " + word + "?")
		}
	}
	return p.WithHint("ssm-setup " + command.Name + " takes flags only: ssm-setup help " + command.Name + " shows them")
}

func flagNames(command *cli.Command) (names []string) {
	for _, f := range command.Flags {
		if v, ok := f.(cli.VisibleFlag); !ok || v.IsVisible() {
			names = append(names, f.Names()...)
		}
	}
	return append(names, "help")
}

// unknownCommand is the problem of a word that is no subcommand.
func unknownCommand(app *cli.App, word string) *terminal.Problem {
	var names []string
	for _, c := range app.Commands {
		names = append(names, c.Name)
	}
	p := terminal.Usage("there is no subcommand %q", word)
	if meant := nearest(word, names); meant != "" {
		return p.WithHint("did you mean ssm-setup " + meant + "?")
	}
	return p.WithHint("ssm-setup help shows the subcommands")
}

// flagsFirst puts a subcommand's flags before its arguments, which may come in any order. A last flag that lacks its value takes no
// argument for it: the arguments are left out, and the answer is that the value is missing.
func flagsFirst(app *cli.App, args []string) []string {
	at := 1
	for at < len(args) && strings.HasPrefix(args[at], "-") {
		at++
	}
	if at >= len(args) {
		return args
	}
	command := app.Command(args[at])
	if command == nil || strings.TrimSpace(command.ArgsUsage) == "" {
		return args
	}
	flags, free := append([]string(nil), args[:at+1]...), []string(nil)
	for i := at + 1; i < len(args); i++ {
		word := args[i]
		if word == "--" {
			free = append(free, args[i:]...)
			break
		}
		if !strings.HasPrefix(word, "-") || word == "-" {
			free = append(free, word)
			continue
		}
		flags = append(flags, word)
		if name := strings.TrimLeft(word, "-"); takesValue(command, name) {
			if i++; i == len(args) {
				return flags
			}
			flags = append(flags, args[i])
		}
	}
	return append(flags, free...)
}

func takesValue(command *cli.Command, name string) bool {
	for _, f := range command.Flags {
		for _, known := range f.Names() {
			if d, ok := f.(cli.DocGenerationFlag); known == name {
				return ok && d.TakesValue()
			}
		}
	}
	return false
}
