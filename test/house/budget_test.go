package house_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Budgets of production code, in lines and files. They are ceilings that a reader still finds a way about under, not aims.
const (
	fileBudget     = 400
	functionBudget = 60
	roomFiles      = 30 // a verb's variants by system count once
	roomBudget     = 3500
	// launcherBudget is for cmd/amazon-ssm-agent and the rooms of ours that only it needs. It has room for what keeps the launcher safe
	// beside an edited or hostile host: it bounds what a release prints, holds a lock whose folder may be moved, and judges deaths.
	launcherBudget = 2700
)

// launcherRooms are what the launcher's budget counts.
var launcherRooms = []string{"cmd/amazon-ssm-agent", "installer/launcher"}

// goFile is one file with what its lines hold.
type goFile struct {
	path, room string // slash-separated, below the root
	test       bool
	lines      int
	text       string
	ast        *ast.File
	set        *token.FileSet
}

// goFiles are all Go files of a tree, whatever system or build tag they are for.
func goFiles(t *testing.T, tree string) (files []goFile) {
	t.Helper()
	err := filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != tree && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata" || d.Name() == "bin") {
			return filepath.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, ".go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, _ := filepath.Rel(tree, path)
		name = filepath.ToSlash(name)
		f := goFile{path: name, room: filepath.ToSlash(filepath.Dir(name)), lines: strings.Count(string(text), "\n"), text: string(text),
			test: strings.HasSuffix(name, "_test.go") || strings.HasPrefix(name, "test/"), set: token.NewFileSet()}
		f.ast, err = parser.ParseFile(f.set, path, text, parser.ParseComments|parser.SkipObjectResolution)
		files = append(files, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func (f goFile) imports() (paths []string) {
	for _, i := range f.ast.Imports {
		paths = append(paths, strings.Trim(i.Path.Value, `"`))
	}
	return paths
}

// function is one function with its lines, from the word func to the closing brace.
type function struct {
	name  string
	lines int
}

func (f goFile) functions() (all []function) {
	for _, d := range f.ast.Decls {
		if d, ok := d.(*ast.FuncDecl); ok {
			all = append(all, function{fmt.Sprintf("%s:%s", f.path, d.Name.Name),
				f.set.Position(d.End()).Line - f.set.Position(d.Pos()).Line + 1})
		}
	}
	return all
}

var variant = regexp.MustCompile(`(_(unix|linux|darwin|windows|other|posix|amd64|arm64|386|arm))+\.go$`)

func within(t *testing.T, what string, got, budget int) {
	t.Helper()
	if got > budget {
		t.Errorf("%s: %d, at most %d", what, got, budget)
	}
}

func TestRoomsKeepTheirBudgets(t *testing.T) {
	lines, verbs := map[string]int{}, map[string]map[string]bool{}
	for _, f := range goFiles(t, root(t)) {
		if f.test {
			continue
		}
		within(t, f.path, f.lines, fileBudget)
		for _, fn := range f.functions() {
			within(t, fn.name, fn.lines, functionBudget)
		}
		lines[f.room] += f.lines
		if verbs[f.room] == nil {
			verbs[f.room] = map[string]bool{}
		}
		verbs[f.room][variant.ReplaceAllString(f.path, ".go")] = true
	}
	for _, room := range slices.Sorted(maps.Keys(lines)) {
		within(t, room+" (lines)", lines[room], roomBudget)
		within(t, room+" (files)", len(verbs[room]), roomFiles)
	}
	sum := 0
	for _, room := range launcherRooms {
		sum += lines[room]
	}
	within(t, "the launcher", sum, launcherBudget)
}
