package guides_test

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

var drawPicture = flag.Bool("picture", false, "draw docs/demo.svg from docs/demo.txt")

// columns is where a line of the picture is cut.
const columns = 104

// leftOut are lines of the demo that the picture does without: how releases are made, addresses, what is said again and again.
var leftOut = regexp.MustCompile(`(ssm-setup --json build|ssm-setup build|was promoted yet|Successfully downloaded|Initiating|listens on` +
	`|activation |\(the demo's host|does not survive|all done after|No rollback needed|  hint:|Failed to update|logs  |updates from` +
	`|package version|last ping|please enable allow|uninstall|removed amazon|region the agent|^\{)`)

// demoLines are the lines of a run of the demo that the picture shows.
func demoLines(text string) (lines []string) {
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\n")
		if leftOut.MatchString(line) {
			continue
		}
		if utf8.RuneCountInString(line) > columns {
			line = string([]rune(line)[:columns-1]) + "…"
		}
		if line == "" && len(lines) == 0 {
			continue
		}
		lines = append(lines, line)
	}
	return lines
}

// class is how a line is coloured.
func class(line string) string {
	switch rest := strings.TrimSpace(line[min(len(line), 9):]); {
	case regexp.MustCompile(`^\d\. `).MatchString(rest):
		return "scene"
	case strings.HasPrefix(rest, "$ "):
		return "typed"
	case strings.Contains(line, "Failed after"), strings.Contains(line, "failed to update"):
		return "bad"
	case strings.Contains(line, "Success"), strings.Contains(line, "successfully"), strings.Contains(line, "healthy"),
		strings.Contains(line, "the region sees"):
		return "good"
	}
	return "said"
}

const style = `
  text { font: 13px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; fill: #1f2328 }
  .paper { fill: #f6f8fa; stroke: #d1d9e0 } .scene { font-weight: bold }
  .typed { fill: #0550ae } .good { fill: #116329 } .bad { fill: #a40e26 }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 } .paper { fill: #0d1117; stroke: #3d444d } .typed { fill: #79c0ff } .good { fill: #7ee787 } .bad { fill: #ffa198 }
  }
`

// picture is the demo as an SVG whose text is text.
func picture(lines []string) string {
	const lineHeight, left, top = 18, 16, 28
	width, height := 848, top+lineHeight*len(lines)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="%[1]d" height="%[2]d" viewBox="0 0 %[1]d %[2]d" role="img">`+"\n",
		width, height)
	b.WriteString("<title>make demo: a host is installed, commanded, updated, refused a downgrade and saved from a broken release</title>\n")
	fmt.Fprintf(&b, "<style>%s</style>\n", style)
	fmt.Fprintf(&b, `<rect class="paper" x="0.5" y="0.5" width="%d" height="%d" rx="6"/>`+"\n", width-1, height-1)
	for i, line := range lines {
		if line != "" {
			fmt.Fprintf(&b, `<text class="%s" x="%d" y="%d" xml:space="preserve">%s</text>`+"\n", class(line), left, top+lineHeight*i,
				html.EscapeString(line))
		}
	}
	b.WriteString("</svg>\n")
	return b.String()
}

// scripts/demo-picture.sh records a run and draws it.
func TestThePictureOfTheDemoIsMadeFromARun(t *testing.T) {
	name := filepath.Join(source(t), "docs/demo.svg")
	want := picture(demoLines(page(t, "docs/demo.txt")))
	if *drawPicture {
		if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have := page(t, "docs/demo.svg")
	if have != want {
		t.Error("docs/demo.svg is not what docs/demo.txt gives; scripts/demo-picture.sh makes both")
	}
	if len(have) > 100_000 {
		t.Errorf("docs/demo.svg has %d bytes", len(have))
	}
	for d := xml.NewDecoder(strings.NewReader(have)); ; {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if e, ok := token.(xml.StartElement); ok && (e.Name.Local == "script" || e.Name.Local == "image") {
			t.Errorf("docs/demo.svg holds <%s>", e.Name.Local)
		}
	}
	if !strings.Contains(page(t, "README.md"), "](docs/demo.svg)") {
		t.Error("the README does not show docs/demo.svg")
	}
}
