package house_test

import (
	"flag"
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// tree is what TestCounters counts; another one to compare with.
var tree = flag.String("tree", "../..", "source `DIR` to count in")

var stair = []string{"cmd", "agent", "updater", "installer", "regions", "manifests"}

// graph is which room imports which of ours.
func graph(files []goFile) map[string][]string {
	rooms := map[string][]string{}
	for _, f := range files {
		if f.test {
			continue
		}
		rooms[f.room] = append(rooms[f.room], nil...)
		for _, i := range f.imports() {
			if ours, ok := strings.CutPrefix(i, module); ok && !slices.Contains(rooms[f.room], ours) {
				rooms[f.room] = append(rooms[f.room], ours)
			}
		}
	}
	return rooms
}

// chain is the longest way down from a room.
func chain(rooms map[string][]string, room string, known map[string][]string) []string {
	if way, ok := known[room]; ok {
		return way
	}
	var longest []string
	for _, next := range rooms[room] {
		if way := chain(rooms, next, known); len(way) > len(longest) {
			longest = way
		}
	}
	known[room] = append([]string{room}, longest...)
	return known[room]
}

// upward are imports against the stair; circles are pairs of rooms that reach each other once a room stands for those below it.
func upward(rooms map[string][]string) (up int, circles []string) {
	above := func(a, b string) bool { return a == b || strings.HasPrefix(a, b+"/") }
	for room, imports := range rooms {
		for _, i := range imports {
			if slices.Index(stair, strings.Split(i, "/")[0]) < slices.Index(stair, strings.Split(room, "/")[0]) {
				up++
			}
		}
	}
	names := slices.Sorted(maps.Keys(rooms))
	reaches := func(a, b string) bool {
		for room, imports := range rooms {
			if above(room, a) && !above(room, b) && slices.ContainsFunc(imports, func(i string) bool { return above(i, b) && !above(i, a) }) {
				return true
			}
		}
		return false
	}
	for n, a := range names {
		for _, b := range names[n+1:] {
			if !above(a, b) && !above(b, a) && reaches(a, b) && reaches(b, a) {
				circles = append(circles, a+" and "+b)
			}
		}
	}
	return up, circles
}

// spread prints median, nine tenths and most.
func spread(values []int) string {
	slices.Sort(values)
	return fmt.Sprintf("median %d, p90 %d, most %d", values[len(values)/2], values[len(values)*9/10], values[len(values)-1])
}

// variables counts package variables; those that a compiler would let be constants (errors, regular expressions, tables that are
// never written) are counted as well.
func (f goFile) variables() (n int) {
	for _, d := range f.ast.Decls {
		if d, ok := d.(*ast.GenDecl); ok && d.Tok == token.VAR {
			for _, s := range d.Specs {
				for _, name := range s.(*ast.ValueSpec).Names {
					if name.Name != "_" {
						n++
					}
				}
			}
		}
	}
	return n
}

var (
	wrapped = regexp.MustCompile(`fmt\.Errorf\([^\n]*%w|fault\.Wrap\(`)
	made    = regexp.MustCompile(`fmt\.Errorf\(|errors\.New\(|fault\.(New|Wrap)\(`)
)

// go test ./test/house -run TestCounters -v [-tree DIR] prints the table.
func TestCounters(t *testing.T) {
	if !testing.Verbose() {
		t.Skip("prints a table: go test ./test/house -run TestCounters -v")
	}
	files := goFiles(t, *tree)
	var sizes, functions []int
	code, tests, variables, wraps, makes, names := 0, 0, 0, 0, 0, 0
	for _, f := range files {
		for _, group := range f.ast.Comments {
			names += len(unnamed.FindAllString(group.Text(), -1))
		}
		if f.test {
			tests += f.lines
			continue
		}
		code += f.lines
		sizes = append(sizes, f.lines)
		for _, fn := range f.functions() {
			functions = append(functions, fn.lines)
		}
		variables += f.variables()
		wraps += len(wrapped.FindAllString(f.text, -1))
		makes += len(made.FindAllString(f.text, -1))
	}
	rooms := graph(files)
	var longest []string
	known := map[string][]string{}
	for room := range rooms {
		if way := chain(rooms, room, known); len(way) > len(longest) {
			longest = way
		}
	}
	up, circles := upward(rooms)
	fullest, most := "", 0
	for room := range rooms {
		lines := 0
		for _, f := range files {
			if f.room == room && !f.test {
				lines += f.lines
			}
		}
		if lines > most {
			fullest, most = room, lines
		}
	}
	for _, row := range [][2]string{
		{"rooms (packages without tests)", fmt.Sprint(len(rooms))},
		{"lines of code", fmt.Sprint(code)},
		{"longest import chain", fmt.Sprintf("%d (%s)", len(longest), strings.Join(bases(longest), " → "))},
		{"arrows up the stair", fmt.Sprint(up)},
		{"circles between rooms", fmt.Sprintf("%d %s", len(circles), strings.Join(circles, ", "))},
		{"lines of a file", spread(sizes)},
		{"lines of a function", spread(functions)},
		{"fullest room", fmt.Sprintf("%s, %d lines", fullest, most)},
		{"package variables", fmt.Sprint(variables)},
		{"errors made with a cause", fmt.Sprintf("%d of %d (%d %%)", wraps, makes, 100*wraps/makes)},
		{"lines of test per line", fmt.Sprintf("%.2f", float64(tests)/float64(code))},
		{"subjects without a name, in comments", fmt.Sprint(names)},
		{"words of the inside, in what people read", fmt.Sprint(len(insideWords(files)))},
	} {
		t.Logf("| %s | %s |", row[0], row[1])
	}
}

func bases(names []string) (short []string) {
	for _, n := range names {
		short = append(short, path.Base(n))
	}
	return short
}
