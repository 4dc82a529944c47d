package house_test

import (
	"go/ast"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// asks are what a test asks of the machine before it decides not to run.
var asks = regexp.MustCompile(`Geteuid|Getuid|GOOS|GOARCH|LookPath|Privileged`)

// A test that does not run here says so: it skips with a reason and does not return as if it had passed. Scripts likewise.
func TestASkipIsNeverHidden(t *testing.T) {
	for _, f := range goFiles(t, root(t)) {
		if !f.test {
			continue
		}
		for _, d := range f.ast.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || fn.Body == nil || !strings.HasPrefix(fn.Name.Name, "Test") {
				continue
			}
			for _, s := range fn.Body.List {
				branch, ok := s.(*ast.IfStmt)
				if !ok || len(branch.Body.List) != 1 {
					continue
				}
				from, to := f.set.Position(branch.Pos()).Offset, f.set.Position(branch.Body.Pos()).Offset
				if _, returns := branch.Body.List[0].(*ast.ReturnStmt); returns && asks.MatchString(f.text[from:to]) {
					t.Errorf("%s: %s returns where it is not for this machine: t.Skip with the reason", f.path, fn.Name.Name)
				}
			}
		}
	}
	scripts, err := filepath.Glob(filepath.Join(root(t), "test/story/testdata/*.txtar"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range scripts {
		name := "test/story/testdata/" + filepath.Base(path)
		if regexp.MustCompile(`(?m)^\[[^\]]+\] stop|^\[[^\]]+\] skip\s*$`).MatchString(readFile(t, name)) {
			t.Errorf("%s stops early: skip with the reason", name)
		}
	}
}
