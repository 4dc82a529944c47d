package manual

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Widths of help, in columns: a terminal's own between these two.
const (
	narrowest = 40
	widest    = 100
)

// Help is the help of the whole program: subcommands by group, the flags of every one, where to read on. width is that of the
// terminal in columns; 0: unknown.
func (p Program) Help(width int) string {
	width = bounded(width)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", fill(p.Name+": "+p.Summary, "", "  ", width))
	fmt.Fprintf(&b, "\nusage: %s SUBCOMMAND [FLAG…]\n", p.Name)
	longest := 0
	for _, c := range p.Commands {
		longest = max(longest, len(c.Name))
	}
	for _, group := range p.groups() {
		fmt.Fprintf(&b, "\n%s:\n", group)
		for _, c := range p.Commands {
			if c.Group == group {
				b.WriteString(item(c.Name, oneLine(c.Summary), longest, width))
			}
		}
	}
	fmt.Fprintf(&b, "\nflags of every subcommand:\n%s", flags(p.Common, width))
	more := fmt.Sprintf("%s help SUBCOMMAND shows one of them with examples, %[1]s man the whole manual.", p.Name)
	fmt.Fprintf(&b, "\n%s\n", fill(more, "", "", width))
	return b.String()
}

// HelpOf is the help of one subcommand.
func (p Program) HelpOf(c Command, width int) string {
	width = bounded(width)
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", fill(p.Name+" "+c.Name+": "+oneLine(c.Summary), "", "  ", width))
	fmt.Fprintf(&b, "\n%s\n", fill("usage: "+p.usage(c), "", "  ", width))
	for _, text := range paragraphs(c.About) {
		fmt.Fprintf(&b, "\n%s\n", fill(text, "", "", width))
	}
	if len(c.Examples) > 0 {
		b.WriteString("\nexamples:\n")
		for _, line := range c.Examples {
			fmt.Fprintf(&b, "  %s\n", line) // never broken: it is there to be copied
		}
	}
	if len(c.Flags) > 0 {
		fmt.Fprintf(&b, "\nflags:\n%s", flags(c.Flags, width))
	}
	fmt.Fprintf(&b, "\nflags of every subcommand:\n%s", flags(p.Common, width))
	return b.String()
}

func flags(list []Flag, width int) string {
	longest := 0
	for _, f := range list {
		if n := utf8.RuneCountInString(f.head()); n <= 28 {
			longest = max(longest, n)
		}
	}
	var b strings.Builder
	for _, f := range list {
		b.WriteString(item(f.head(), f.told(), longest, width))
	}
	return b.String()
}

// item is a name and what is said of it, in a column of its own where there is room.
func item(name, text string, longest, width int) string {
	column := longest + 4
	if width-column < 30 {
		return "  " + name + "\n" + fill(text, "      ", "      ", width) + "\n"
	}
	indent := strings.Repeat(" ", column)
	if n := utf8.RuneCountInString(name); n <= longest {
		return fill(text, "  "+name+strings.Repeat(" ", column-2-n), indent, width) + "\n"
	}
	return "  " + name + "\n" + fill(text, indent, indent, width) + "\n"
}

// fill breaks a text at spaces into lines of at most width columns.
func fill(text, first, rest string, width int) string {
	var b strings.Builder
	b.WriteString(first)
	at, begun := utf8.RuneCountInString(first), false
	for _, word := range strings.Fields(text) {
		n := utf8.RuneCountInString(word)
		switch {
		case begun && at+1+n > width:
			b.WriteString("\n" + rest)
			at = utf8.RuneCountInString(rest)
		case begun:
			b.WriteByte(' ')
			at++
		}
		b.WriteString(word)
		at, begun = at+n, true
	}
	return b.String()
}

func bounded(width int) int {
	if width <= 0 {
		return widest
	}
	return min(max(width, narrowest), widest)
}
