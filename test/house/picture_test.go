package house_test

import (
	"flag"
	"fmt"
	"html"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

var drawPicture = flag.Bool("picture", false, "make docs/architecture.svg from docs/architecture.txt")

// box is one thing of the picture.
type box struct {
	kind         string
	x, y, wd, ht float64
	text         []string
}

// looks are fill, border and dash of a kind of box.
var looks = map[string][3]string{
	"frame":   {"#fafafa", "#999", ""},
	"process": {"#e3eefc", "#2b5c9e", ""},
	"file":    {"#fff6df", "#a87900", ""},
	"peer":    {"#eeeeee", "#666", "4 3"},
}

// edge is where the line from b's middle to another middle leaves b.
func (b box) edge(x, y float64) (float64, float64) {
	mx, my := b.x+b.wd/2, b.y+b.ht/2
	dx, dy := x-mx, y-my
	scale := math.Inf(1)
	if dx != 0 {
		scale = b.wd / 2 / math.Abs(dx)
	}
	if dy != 0 {
		scale = math.Min(scale, b.ht/2/math.Abs(dy))
	}
	return mx + dx*scale, my + dy*scale
}

func (b box) svg(out *strings.Builder) {
	look := looks[b.kind]
	fmt.Fprintf(out, `<rect x="%g" y="%g" width="%g" height="%g" rx="6" fill="%s" stroke="%s" stroke-dasharray="%s"/>`+"\n",
		b.x, b.y, b.wd, b.ht, look[0], look[1], look[2])
	for n, line := range b.text {
		weight := "normal"
		if n == 0 {
			weight = "bold"
		}
		x, anchor := b.x+b.wd/2, "middle"
		if b.kind == "frame" {
			x, anchor = b.x+10, "start"
		}
		fmt.Fprintf(out, `<text x="%g" y="%g" text-anchor="%s" font-weight="%s">%s</text>`+"\n", x, b.y+18+float64(n)*16, anchor, weight,
			html.EscapeString(line))
	}
}

// picture makes an SVG of the text.
func picture(text string) (string, error) {
	boxes := map[string]box{}
	var body, arrows strings.Builder
	size := ""
	for n, line := range strings.Split(text, "\n") {
		words := strings.Fields(line)
		if len(words) == 0 || strings.HasPrefix(line, "#") {
			continue
		}
		switch {
		case words[0] == "size" && len(words) == 3:
			size = fmt.Sprintf(`width="%s" height="%s" viewBox="0 0 %s %s"`, words[1], words[2], words[1], words[2])
		case looks[words[0]][0] != "" && len(words) > 6:
			b := box{kind: words[0], text: strings.Split(strings.Join(words[6:], " "), "|")}
			for i, value := range []*float64{&b.x, &b.y, &b.wd, &b.ht} {
				number, err := strconv.ParseFloat(words[2+i], 64)
				if err != nil {
					return "", fmt.Errorf("line %d: %w", n+1, err)
				}
				*value = number
			}
			boxes[words[1]] = b
			b.svg(&body)
		case words[0] == "arrow" && len(words) > 3:
			from, ok := boxes[words[1]]
			to, known := boxes[words[2]]
			if !ok || !known {
				return "", fmt.Errorf("line %d: arrow between boxes that are not there", n+1)
			}
			arrow(&arrows, from, to, words[3:])
		default:
			return "", fmt.Errorf("line %d: %q is no line of a picture", n+1, line)
		}
	}
	return `<svg xmlns="http://www.w3.org/2000/svg" ` + size + ` font-family="sans-serif" font-size="12">` + "\n" +
		`<title>ssm-setup: processes, files and their owners on a machine, and what they talk to</title>` + "\n" +
		`<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" markerHeight="7" orient="auto">` +
		`<path d="M0 0 L10 5 L0 10 z" fill="#444"/></marker></defs>` + "\n" + `<rect width="100%" height="100%" fill="white"/>` + "\n" +
		body.String() + arrows.String() + "</svg>\n", nil
}

// arrow draws a line, by way of the points that follow the word via; a number before that is where the label stands.
func arrow(out *strings.Builder, from, to box, words []string) {
	var points [][2]float64
	for n, word := range words {
		if word != "via" {
			continue
		}
		for i := n + 1; i+1 < len(words); i += 2 {
			x, _ := strconv.ParseFloat(words[i], 64)
			y, _ := strconv.ParseFloat(words[i+1], 64)
			points = append(points, [2]float64{x, y})
		}
		words = words[:n]
		break
	}
	at := 0.5
	if number, err := strconv.ParseFloat(words[len(words)-1], 64); err == nil && number < 1 {
		at, words = number, words[:len(words)-1]
	}
	first, last := [2]float64{to.x + to.wd/2, to.y + to.ht/2}, [2]float64{from.x + from.wd/2, from.y + from.ht/2}
	if len(points) > 0 {
		first, last = points[0], points[len(points)-1]
	}
	x1, y1 := from.edge(first[0], first[1])
	x2, y2 := to.edge(last[0], last[1])
	points = append(append([][2]float64{{x1, y1}}, points...), [2]float64{x2, y2})
	total := 0.0
	var path strings.Builder
	for n, p := range points {
		fmt.Fprintf(&path, "%.0f,%.0f ", p[0], p[1])
		if n > 0 {
			total += math.Hypot(p[0]-points[n-1][0], p[1]-points[n-1][1])
		}
	}
	fmt.Fprintf(out, `<polyline points="%s" fill="none" stroke="#444" marker-end="url(#tip)"/>`+"\n", strings.TrimSpace(path.String()))
	left := total * at
	for n := 1; n < len(points); n++ {
		p, q := points[n-1], points[n]
		length := math.Hypot(q[0]-p[0], q[1]-p[1])
		if left > length && n < len(points)-1 {
			left -= length
			continue
		}
		fmt.Fprintf(out, `<text x="%.0f" y="%.0f" text-anchor="middle" fill="#444" stroke="white" stroke-width="4" paint-order="stroke">%s</text>`+"\n",
			p[0]+(q[0]-p[0])*left/length, p[1]+(q[1]-p[1])*left/length+4, html.EscapeString(strings.Join(words, " ")))
		return
	}
}

func TestThePictureOfTheArchitectureIsMadeFromItsText(t *testing.T) {
	svg, err := picture(readFile(t, "docs/architecture.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if *drawPicture {
		if err := os.WriteFile(filepath.Join(root(t), "docs/architecture.svg"), []byte(svg), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if readFile(t, "docs/architecture.svg") != svg {
		t.Error("make it anew: go test ./test/house -run Picture -picture")
	}
}
