package manual

import (
	"fmt"
	"strings"
)

// Page is the manual page of the whole program, section 1, in the macros of man(7), which groff and mandoc read.
func (p Program) Page() string {
	var b strings.Builder
	fmt.Fprintf(&b, ".TH %s 1 %s %s %s\n", quoted(strings.ToUpper(p.Name)), `"`+p.Date+`"`, quoted(p.Name+" "+p.Version),
		quoted("User Commands"))
	fmt.Fprintf(&b, ".SH NAME\n%s \\- %s\n", roff(p.Name), roff(p.Summary))
	fmt.Fprintf(&b, ".SH SYNOPSIS\n.B %s\n.I SUBCOMMAND\n[\\fIFLAG\\fR...]\n", roff(p.Name))
	b.WriteString(".SH DESCRIPTION\n")
	for _, group := range p.groups() {
		fmt.Fprintf(&b, ".SS %s\n", quoted(upper(group)))
		for _, c := range p.Commands {
			if c.Group == group {
				fmt.Fprintf(&b, ".TP\n.B %s\n%s\n", roff(c.Name), roff(oneLine(c.Summary)))
			}
		}
	}
	fmt.Fprintf(&b, ".SH %s\n", quoted("FLAGS OF EVERY SUBCOMMAND"))
	roffFlags(&b, p.Common)
	b.WriteString(".SH SUBCOMMANDS\n")
	for _, c := range p.Commands {
		p.section(&b, c)
	}
	fmt.Fprintf(&b, ".SH %s\n", quoted("EXIT STATUS"))
	for _, code := range p.Codes {
		fmt.Fprintf(&b, ".TP\n.B %d\n%s\n", code.Code, roff(code.Meaning))
	}
	return b.String()
}

// section is one subcommand of the page.
func (p Program) section(b *strings.Builder, c Command) {
	fmt.Fprintf(b, ".SS %s\n%s\n", quoted(p.usage(c)), roff(upper(oneLine(c.Summary))+"."))
	for _, text := range paragraphs(c.About) {
		fmt.Fprintf(b, ".PP\n%s\n", roff(text))
	}
	if len(c.Examples) > 0 {
		b.WriteString(".PP\nExamples:\n.PP\n.RS 4\n.nf\n")
		for _, line := range c.Examples {
			fmt.Fprintf(b, "%s\n", roff(line))
		}
		b.WriteString(".fi\n.RE\n")
	}
	roffFlags(b, c.Flags)
}

func roffFlags(b *strings.Builder, list []Flag) {
	for _, f := range list {
		fmt.Fprintf(b, ".TP\n.B %s\n%s\n", roff(f.head()), roff(f.told()))
	}
}

// roff is a text for man: its backslashes and dashes are shown as they are, and no line of it is a request.
func roff(text string) string {
	text = strings.NewReplacer(`\`, `\e`, "-", `\-`, "…", "...", "→", `\(->`, "–", `\(en`, "'", `\(aq`, "`", `\(ga`).Replace(text)
	if strings.HasPrefix(text, ".") {
		text = `\&` + text
	}
	return text
}

// quoted is a text as one argument of a macro.
func quoted(text string) string { return `"` + strings.ReplaceAll(roff(text), `"`, `\(dq`) + `"` }

// upper is a text with a capital at its beginning.
func upper(text string) string {
	if text == "" {
		return ""
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// Reference is the list of all subcommands as a page of Markdown.
func (p Program) Reference() string {
	var b strings.Builder
	b.WriteString("# Commands\n\nMade from the table of commands, as `ssm-setup help`, the manual page and the completion of shells are.\n\n")
	for _, group := range p.groups() {
		fmt.Fprintf(&b, "## %s\n\n", upper(group))
		for _, c := range p.Commands {
			if c.Group != group {
				continue
			}
			fmt.Fprintf(&b, "### %s\n\n`%s`\n\n%s.\n\n", c.Name, p.usage(c), upper(oneLine(c.Summary)))
			for _, text := range paragraphs(c.About) {
				fmt.Fprintf(&b, "%s\n\n", text)
			}
			fmt.Fprintf(&b, "```text\n%s\n", strings.Join(c.Examples, "\n"))
			b.WriteString("```\n\n")
			table(&b, c.Flags)
		}
	}
	b.WriteString("## Flags of every subcommand\n\n")
	table(&b, p.Common)
	b.WriteString("## Exit codes\n\n| exit code | meaning |\n| --- | --- |\n")
	for _, code := range p.Codes {
		fmt.Fprintf(&b, "| %d | %s |\n", code.Code, code.Meaning)
	}
	return b.String()
}

func table(b *strings.Builder, list []Flag) {
	if len(list) == 0 {
		return
	}
	b.WriteString("| flag | what it does |\n| --- | --- |\n")
	for _, f := range list {
		fmt.Fprintf(b, "| `%s` | %s |\n", f.head(), strings.ReplaceAll(f.told(), "|", `\|`))
	}
	b.WriteString("\n")
}
