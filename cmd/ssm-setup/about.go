package main

import (
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/manual"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/releases"
	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
)

// aboutProgram is what help, manual and completion are written from: the table of subcommands as the library has it, with its group and its
// examples.
func aboutProgram(app *cli.App) manual.Program {
	p := manual.Program{Name: app.Name, Summary: app.Usage, Version: stamp.Version(), Codes: codes(),
		Common: append(common(), manual.Flag{Names: []string{"help", "h"}, Usage: "show this"})}
	everywhere := map[string]bool{}
	for _, f := range p.Common {
		everywhere[f.Names[0]] = true
	}
	for _, c := range app.Commands {
		if c.Hidden {
			continue
		}
		about := manual.Command{Name: c.Name, Summary: c.Usage, About: c.Description, Arguments: strings.TrimSpace(c.ArgsUsage),
			Group: groups[c.Name], Examples: examples[c.Name], Words: arguments[c.Name]}
		for _, f := range c.Flags {
			if seen := flagOf(f); len(seen.Names) > 0 && !everywhere[seen.Names[0]] {
				about.Flags = append(about.Flags, seen)
			}
		}
		p.Commands = append(p.Commands, about)
	}
	for i := range p.Commands {
		if p.Commands[i].Name == "help" || p.Commands[i].Name == "man" {
			for _, c := range p.Commands {
				p.Commands[i].Words = append(p.Commands[i].Words, c.Name)
			}
		}
	}
	return p
}

// packed is what the packages of a release bring along.
func packed(about manual.Program, version string, at time.Time) pack.Manual {
	about.Version, about.Date = version, at.UTC().Format(time.DateOnly)
	script := func(shell string) []byte {
		text, _ := about.Completion(shell)
		return []byte(text)
	}
	return pack.Manual{Page: []byte(about.Page()), Bash: script("bash"), Zsh: script("zsh"), Fish: script("fish")}
}

// common are the flags of every subcommand.
func common() (list []manual.Flag) {
	for _, f := range commonFlags() {
		list = append(list, flagOf(f))
	}
	return list
}

func commonFlags() []cli.Flag {
	return []cli.Flag{
		&cli.BoolFlag{Name: "json", Usage: "print results, progress and errors as JSON"},
		&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print results, warnings and errors only"},
		&cli.BoolFlag{Name: "verbose", Usage: "print more: the time since the start with each line, and what other programs say"},
	}
}

// flagOf is a flag as people see it; without a name where it is hidden.
func flagOf(f cli.Flag) manual.Flag {
	shown, ok := f.(cli.DocGenerationFlag)
	if v, hides := f.(cli.VisibleFlag); !ok || hides && !v.IsVisible() {
		return manual.Flag{}
	}
	out := manual.Flag{Names: f.Names(), Usage: shown.GetUsage(), Words: wordsOf(f.Names()[0])}
	if !shown.TakesValue() {
		return out
	}
	out.Value = strings.ToUpper(out.Names[0][strings.LastIndex(out.Names[0], "-")+1:])
	if before, rest, found := strings.Cut(out.Usage, "`"); found {
		if value, after, closed := strings.Cut(rest, "`"); closed {
			out.Value, out.Usage = value, before+value+after
		}
	}
	out.Default = strings.Trim(shown.GetDefaultText(), `"`)
	if s, ok := f.(cli.DocGenerationSliceFlag); ok {
		out.Many = s.IsSliceFlag()
	}
	if r, ok := f.(cli.RequiredFlag); ok {
		out.Needed = r.IsRequired()
	}
	return out
}

// wordsOf are the values that a flag is completed with; none where no list knows them.
func wordsOf(flag string) []string {
	switch flag {
	case "region":
		return append(regions.Public(), regions.Local)
	case "status":
		return []string{manifests.Active, manifests.Deprecated, manifests.Inactive}
	case "only":
		return strings.Split(pack.Names(), ", ")
	case "platform":
		var names []string
		for _, platform := range pack.Platforms() {
			names = append(names, platform.String())
		}
		return names
	case "toolchain":
		return []string{build.Toolchain, build.LocalToolchain}
	}
	return nil
}

// arguments are the words that subcommands take as arguments, where a list knows them.
var arguments = map[string][]string{"completion": manual.Shells(), "keys": releases.KeyActions()}

func codes() []manual.Code {
	list := []manual.Code{{Code: 0, Meaning: "done, or nothing to do"}}
	for _, kind := range fault.Kinds() {
		if kind.Meaning() != "" {
			list = append(list, manual.Code{Code: kind.ExitCode(), Meaning: kind.Meaning()})
		}
	}
	return list
}
