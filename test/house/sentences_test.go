package house_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// sentences are what a room says to people: texts of errors, hints and steps, cut at what is filled in.
func sentences(t *testing.T, room string) map[string]string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("../..", room, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	found, verb := map[string]string{}, regexp.MustCompile(`%[-+.0-9]*[a-z]|\n`)
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || !speaks(call) {
				return true
			}
			for _, argument := range call.Args {
				ast.Inspect(argument, func(n ast.Node) bool {
					if inner, ok := n.(*ast.CallExpr); ok && !speaks(inner) {
						return false // what it gets is no text for people
					}
					literal, ok := n.(*ast.BasicLit)
					if !ok || literal.Kind != token.STRING {
						return true
					}
					text, err := strconv.Unquote(literal.Value)
					if err != nil {
						t.Fatal(err)
					}
					longest := ""
					for _, part := range verb.Split(text, -1) {
						if part = strings.Trim(part, " :,;()"); len(part) > len(longest) {
							longest = part
						}
					}
					if strings.Count(longest, " ") > 1 {
						found[longest] = set.Position(literal.Pos()).String()
					}
					return true
				})
			}
			return true
		})
	}
	return found
}

// speaks tells the calls whose texts people read.
func speaks(call *ast.CallExpr) bool {
	selector, ok := call.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	switch selector.Sel.Name {
	case "Step", "Errorf", "Sprintf":
		return true
	case "New", "Wrap":
		from, ok := selector.X.(*ast.Ident)
		return ok && (from.Name == "errors" || from.Name == "fault")
	}
	return false
}

// What people read of Amazon's agent is looked at by a test: each sentence of the room stands in one, or in a script of one.
func TestEverySentenceOnAmazonsAgentIsLookedAtByATest(t *testing.T) {
	var tests strings.Builder
	for _, pattern := range []string{"installer/originals/*_test.go", "test/boot/*_test.go", "test/boot/testdata/originals/*.txtar",
		"test/story/testdata/*.txtar", "cmd/ssm-setup/*_test.go", "cmd/ssm-setup/machine/*_test.go"} {
		files, err := filepath.Glob(filepath.Join("../..", pattern))
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %d files, %v", pattern, len(files), err)
		}
		for _, path := range files {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			tests.Write(text)
		}
	}
	plain := strings.NewReplacer(`\.`, ".", `Amazon.s`, "Amazon's", `\"`, `"`, "\" +\n\t\t\"", "").Replace(tests.String())
	said := sentences(t, "installer/originals")
	if len(said) < 30 {
		t.Errorf("only %d sentences were found", len(said))
	}
	for sentence, where := range said {
		if !strings.Contains(plain, sentence) {
			t.Errorf("%s: no test looks at: %s", where, sentence)
		}
	}
}
