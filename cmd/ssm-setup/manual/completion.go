package manual

import (
	"fmt"
	"slices"
	"strings"
)

// shells are the shells that completion is written for.
var shells = []struct {
	name  string
	write func(Program) string
}{
	{"bash", bash}, {"zsh", zsh}, {"fish", fish}, {"powershell", powershell},
}

// Shells are their names.
func Shells() (names []string) {
	for _, s := range shells {
		names = append(names, s.name)
	}
	return names
}

// Completion is the script for a shell, false where there is none.
func (p Program) Completion(shell string) (string, bool) {
	for _, s := range shells {
		if s.name == shell {
			return s.write(p), true
		}
	}
	return "", false
}

// function is the program's name as a function of a shell has it.
func (p Program) function() string { return strings.ReplaceAll(p.Name, "-", "_") }

func (p Program) names() (names []string) {
	for _, c := range p.Commands {
		names = append(names, c.Name)
	}
	return names
}

// typed are all names of flags, with their dashes.
func typed(list []Flag) (names []string) {
	for _, f := range list {
		for _, name := range f.Names {
			names = append(names, dashed(name))
		}
	}
	return names
}

// single is a text in single quotes of a POSIX shell.
func single(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }

const bashHead = `# bash completion of %[1]s, written by "%[1]s completion bash"
_%[2]s() {
    local cur=${COMP_WORDS[COMP_CWORD]} prev= sub= i
    ((COMP_CWORD > 0)) && prev=${COMP_WORDS[COMP_CWORD-1]}
    if [[ $cur == = ]]; then
        cur=
    elif [[ $prev == = ]] && ((COMP_CWORD > 1)); then
        prev=${COMP_WORDS[COMP_CWORD-2]}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        case ${COMP_WORDS[i]} in
        -*) ;;
        *) sub=${COMP_WORDS[i]}; break ;;
        esac
    done
    local IFS=$'\n'
    COMPREPLY=()
    case "$sub $prev" in
`

const bashTail = `    esac
    case $sub in
    '') COMPREPLY=($(compgen -W %[3]s -- "$cur")) ;;
%[4]s    esac
}
complete -F _%[2]s %[1]s
`

// bash writes for bash 3.2 and up, which is what macOS has, and needs nothing of the package bash-completion.
func bash(p Program) string {
	list := func(words []string) string {
		return "$'" + strings.ReplaceAll(strings.Join(words, `\n`), "'", `\'`) + "'"
	}
	const filenames = "compopt -o filenames 2>/dev/null; "
	var b, ends strings.Builder
	fmt.Fprintf(&b, bashHead, p.Name, p.function())
	for _, c := range p.Commands {
		for _, f := range p.all(c) {
			var reply string
			switch f.takes() {
			case nothing:
				continue
			case words:
				reply = fmt.Sprintf(`COMPREPLY=($(compgen -W %s -- "$cur"))`, list(f.Words))
			case files:
				reply = filenames + `COMPREPLY=($(compgen -f -- "$cur"))`
			case folders:
				reply = filenames + `COMPREPLY=($(compgen -d -- "$cur"))`
			case text:
				reply = ":"
			}
			var patterns []string
			for _, name := range f.Names {
				patterns = append(patterns, fmt.Sprintf("%q", c.Name+" "+dashed(name)))
			}
			fmt.Fprintf(&b, "    %s) %s; return ;;\n", strings.Join(patterns, " | "), reply)
		}
		free := ""
		switch {
		case c.Arguments == "":
		case len(c.Words) > 0:
			free = fmt.Sprintf(`; [[ $cur == -* ]] || COMPREPLY=($(compgen -W %s -- "$cur"))`, list(c.Words))
		default:
			free = `; [[ $cur == -* ]] || { ` + filenames + `COMPREPLY=($(compgen -f -- "$cur")); }`
		}
		fmt.Fprintf(&ends, "    %s) COMPREPLY=($(compgen -W %s -- \"$cur\"))%s ;;\n", c.Name, list(typed(p.all(c))), free)
	}
	fmt.Fprintf(&b, bashTail, p.Name, p.function(), list(slices.Concat(p.names(), typed(p.Common))), &ends)
	return b.String()
}

// zsh writes a function for $fpath, which may be sourced as well.
func zsh(p Program) string {
	inBrackets := strings.NewReplacer(`\`, `\\`, "[", `\[`, "]", `\]`, ":", `\:`)
	argument := func(what string, list []string, k kind) string {
		switch k {
		case words:
			return ":" + what + ":(" + strings.Join(list, " ") + ")"
		case files:
			return ":" + what + ":_files"
		case folders:
			return ":" + what + ":_files -/"
		case nothing, text:
		}
		return ":" + what + ": "
	}
	var b strings.Builder
	fmt.Fprintf(&b, "#compdef %[1]s\n# zsh completion of %[1]s, written by \"%[1]s completion zsh\"\n", p.Name)
	fmt.Fprintf(&b, "(( $+functions[compdef] )) && compdef _%[1]s %[1]s\n\n_%[1]s() {\n  local line state\n", p.Name)
	b.WriteString("  _arguments -C '1: :->subcommand' '*::argument:->rest'\n  case $state in\n  subcommand)\n" +
		"    local -a subcommands\n    subcommands=(\n")
	for _, c := range p.Commands {
		fmt.Fprintf(&b, "      %s\n", single(c.Name+":"+strings.ReplaceAll(oneLine(c.Summary), ":", `\:`)))
	}
	b.WriteString("    )\n    _describe subcommand subcommands\n    ;;\n  rest)\n    case $line[1] in\n")
	for _, c := range p.Commands {
		fmt.Fprintf(&b, "    %s)\n      _arguments -s", c.Name)
		for _, f := range p.all(c) {
			for _, name := range f.Names {
				many, is, value := "", "", ""
				if f.Many {
					many = "*"
				}
				if f.takes() != nothing {
					is, value = "=", argument(f.Value, f.Words, f.takes())
				}
				fmt.Fprintf(&b, " \\\n        %s", single(many+dashed(name)+is+"["+inBrackets.Replace(oneLine(f.Usage))+"]"+value))
			}
		}
		if c.Arguments != "" {
			k := files
			if len(c.Words) > 0 {
				k = words
			}
			fmt.Fprintf(&b, " \\\n        %s", single("*"+argument(c.Arguments, c.Words, k)))
		}
		b.WriteString("\n      ;;\n")
	}
	fmt.Fprintf(&b, "    esac\n    ;;\n  esac\n}\n\nif [ \"$funcstack[1]\" = \"_%[1]s\" ]; then\n  _%[1]s \"$@\"\nfi\n", p.Name)
	return b.String()
}

// fish writes one line a word.
func fish(p Program) string {
	quote := func(text string) string { return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'" }
	var b strings.Builder
	fmt.Fprintf(&b, "# fish completion of %[1]s, written by \"%[1]s completion fish\"\ncomplete -c %[1]s -f\n", p.Name)
	for _, c := range p.Commands {
		fmt.Fprintf(&b, "complete -c %s -n __fish_use_subcommand -a %s -d %s\n", p.Name, c.Name, quote(oneLine(c.Summary)))
	}
	for _, c := range p.Commands {
		seen := quote("__fish_seen_subcommand_from " + c.Name)
		for _, f := range p.all(c) {
			fmt.Fprintf(&b, "complete -c %s -n %s", p.Name, seen)
			for _, name := range f.Names {
				short := map[bool]string{true: "-s", false: "-l"}[len(name) == 1]
				fmt.Fprintf(&b, " %s %s", short, name)
			}
			switch f.takes() {
			case nothing:
			case words:
				fmt.Fprintf(&b, " -x -a %s", quote(strings.Join(f.Words, " ")))
			case files:
				b.WriteString(" -r -F")
			case folders:
				b.WriteString(" -x -a '(__fish_complete_directories)'")
			case text:
				b.WriteString(" -x")
			}
			fmt.Fprintf(&b, " -d %s\n", quote(oneLine(f.Usage)))
		}
		switch {
		case c.Arguments == "":
		case len(c.Words) > 0:
			fmt.Fprintf(&b, "complete -c %s -n %s -a %s\n", p.Name, seen, quote(strings.Join(c.Words, " ")))
		default:
			fmt.Fprintf(&b, "complete -c %s -n %s -F\n", p.Name, seen)
		}
	}
	return b.String()
}

const powershellTail = `    $typed = @($commandAst.CommandElements | Select-Object -Skip 1 | ForEach-Object { "$_" })
    if ($wordToComplete -and $typed.Count) { $typed = @($typed | Select-Object -SkipLast 1) }
    $sub = $typed | Where-Object { $_ -notlike '-*' } | Select-Object -First 1
    $last = if ($typed.Count) { $typed[-1] } else { '' }
    if (-not $sub) { $found = $subcommands.Keys }
    elseif ($values["$sub $last"]) { $found = $values["$sub $last"] }
    else { $found = $subcommands[$sub] }
    $found | Where-Object { $_ -like "$wordToComplete*" } | Sort-Object | ForEach-Object {
        [System.Management.Automation.CompletionResult]::new($_, $_, 'ParameterValue', $_)
    }
}
`

// powershell writes for Windows PowerShell 5.1 and up. Files are what it completes where the block gives nothing.
func powershell(p Program) string {
	list := func(words []string) string {
		quoted := make([]string, len(words))
		for i, word := range words {
			quoted[i] = "'" + strings.ReplaceAll(word, "'", "''") + "'"
		}
		return "@(" + strings.Join(quoted, ", ") + ")"
	}
	var b, values strings.Builder
	fmt.Fprintf(&b, "# PowerShell completion of %[1]s, written by \"%[1]s completion powershell\"\n", p.Name)
	fmt.Fprintf(&b, "Register-ArgumentCompleter -Native -CommandName '%[1]s', '%[1]s.exe' -ScriptBlock {\n", p.Name)
	b.WriteString("    param($wordToComplete, $commandAst, $cursorPosition)\n    $subcommands = @{\n")
	for _, c := range p.Commands {
		fmt.Fprintf(&b, "        '%s' = %s\n", c.Name, list(slices.Concat(c.Words, typed(p.all(c)))))
		for _, f := range p.all(c) {
			if f.takes() == words {
				fmt.Fprintf(&values, "        '%s %s' = %s\n", c.Name, dashed(f.Names[0]), list(f.Words))
			}
		}
	}
	fmt.Fprintf(&b, "    }\n    $values = @{\n%s    }\n%s", &values, powershellTail)
	return b.String()
}
