package house_test

import (
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// freeze makes the lists below testdata anew, from another source tree. They were made from the commit named in their first line;
// after a release they are made from that one.
var freeze = flag.String("freeze", "", "source `DIR` to make testdata/frozen-*.txt from")

const (
	frozenShapes = "testdata/frozen-shapes.txt"
	frozenWords  = "testdata/frozen-words.txt"
)

// source is the production code of a tree, by folder.
type source map[string][]*ast.File

// production parses what is neither test nor below test/.
func production(t *testing.T, tree string) source {
	t.Helper()
	all, set := source{}, token.NewFileSet()
	err := filepath.WalkDir(tree, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		room, _ := filepath.Rel(tree, filepath.Dir(path))
		switch {
		case d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != tree || d.Name() == "testdata" || d.Name() == "bin" ||
			path == filepath.Join(tree, "test")):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(set, path, nil, parser.ParseComments|parser.SkipObjectResolution)
		all[filepath.ToSlash(room)] = append(all[filepath.ToSlash(room)], f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// shape is what a record looks like as JSON: member → kind. Kinds are Go's basic types; other is any type with a name.
type shape map[string]string

// shapes are the records of a tree, by room and type name.
func shapes(code source) map[string]shape {
	types := map[string]*ast.StructType{}
	for room, files := range code {
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.TypeSpec); ok {
					if t, ok := s.Type.(*ast.StructType); ok {
						types[room+"."+s.Name.Name] = t
					}
				}
				return true
			})
		}
	}
	all := map[string]shape{}
	for name, t := range types {
		room, _, _ := strings.Cut(name, ".")
		s, tagged := shape{}, room == "agent/journal" // its names are the Go names, as the original's are
		for _, f := range t.Fields.List {
			tagged = s.add(types, room, f) || tagged
		}
		if tagged && len(s) > 0 {
			all[name] = s
		}
	}
	return all
}

// add puts a field's members into the shape and tells whether it has a tag.
func (s shape) add(types map[string]*ast.StructType, room string, f *ast.Field) (tagged bool) {
	name := ""
	if f.Tag != nil {
		text, _ := strconv.Unquote(f.Tag.Value)
		value, ok := reflect.StructTag(text).Lookup("json")
		tagged = ok
		name, _, _ = strings.Cut(value, ",")
	}
	if name == "-" {
		return tagged
	}
	if len(f.Names) == 0 && name == "" {
		for _, g := range embedded(types, room, f.Type) {
			tagged = s.add(types, room, g) || tagged
		}
		return tagged
	}
	for _, n := range f.Names {
		switch {
		case name != "":
			s[name] = kindOf(f.Type)
		case n.IsExported():
			s[n.Name] = kindOf(f.Type)
		}
	}
	return tagged
}

// embedded are the fields of an embedded struct.
func embedded(types map[string]*ast.StructType, room string, e ast.Expr) []*ast.Field {
	switch e := e.(type) {
	case *ast.StarExpr:
		return embedded(types, room, e.X)
	case *ast.Ident:
		if t, ok := types[room+"."+e.Name]; ok {
			return t.Fields.List
		}
	case *ast.SelectorExpr:
		for name, t := range types {
			if x, ok := e.X.(*ast.Ident); ok && strings.HasSuffix("/"+name, "/"+x.Name+"."+e.Sel.Name) {
				return t.Fields.List
			}
		}
	}
	return nil
}

var basic = regexp.MustCompile(`^(bool|string|u?int(8|16|32|64)?|float(32|64)|byte)$`)

func kindOf(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return kindOf(e.X)
	case *ast.ArrayType:
		return "[]" + kindOf(e.Elt)
	case *ast.MapType:
		return "map " + kindOf(e.Value)
	case *ast.Ident:
		if basic.MatchString(e.Name) {
			return e.Name
		}
	}
	return "other"
}

// holds tells whether every member of old is there, of the same kind; a type that has a name since may be what had none.
func (s shape) holds(old shape) bool {
	for name, kind := range old {
		now, ok := s[name]
		if !ok || now != kind && !strings.HasSuffix(now, "other") && !strings.HasSuffix(kind, "other") {
			return false
		}
	}
	return true
}

// word is what a constant, a row of a table or a case may stand for on disk, in JSON and on command lines: no sentence.
var word = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_./:-]*[A-Za-z0-9]$`)

// words are the words in declarations of constants, in cases, the keys and names of tables, the parts of paths.
func words(code source) map[string]bool {
	all := map[string]bool{}
	note := func(e ast.Expr) {
		if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if text, err := strconv.Unquote(l.Value); err == nil && word.MatchString(text) {
				all[text] = true
			}
		}
	}
	for _, files := range code {
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.GenDecl:
					for _, s := range n.Specs {
						if v, ok := s.(*ast.ValueSpec); ok && n.Tok == token.CONST {
							for _, e := range v.Values {
								note(e)
							}
						}
					}
				case *ast.CaseClause:
					for _, e := range n.List {
						note(e)
					}
				case *ast.KeyValueExpr:
					note(n.Key)
					if k, ok := n.Key.(*ast.Ident); ok && k.Name == "Name" {
						note(n.Value)
					}
				case *ast.CallExpr:
					if s, ok := n.Fun.(*ast.SelectorExpr); ok && (strings.HasSuffix(s.Sel.Name, "Var") || s.Sel.Name == "Join" || s.Sel.Name == "under") {
						for _, e := range n.Args {
							note(e)
						}
					}
				}
				return true
			})
		}
	}
	return all
}

// literals are all texts in a tree's code.
func literals(code source) map[string]bool {
	all := map[string]bool{}
	for _, files := range code {
		for _, f := range files {
			ast.Inspect(f, func(n ast.Node) bool {
				if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
					if text, err := strconv.Unquote(l.Value); err == nil {
						all[text] = true
					}
				}
				return true
			})
		}
	}
	return all
}

// wordRooms are the rooms whose words others read: other versions, other programs, people's scripts.
var wordRooms = []string{"agent/identity", "agent/journal", "agent/runner", "agent/output", "cmd/ssm-agent-worker", "cmd/ssm-setup",
	"cmd/ssm-setup/current", "cmd/ssm-setup/logs", "cmd/ssm-setup/machine",
	"cmd/ssm-setup/playground", "cmd/ssm-setup/releases", "cmd/ssm-setup/terminal",
	"installer",
	"installer/launcher", "installer/pointer", "installer/service", "installer/publish", "manifests", "updater",
	"updater/ledger"}

func TestFreeze(t *testing.T) {
	if *freeze == "" {
		t.Skip("makes the frozen lists anew: go test ./test/house -run TestFreeze -freeze DIR")
	}
	code := production(t, *freeze)
	const head = "# Made from commit 46a3aad by go test ./test/house -run TestFreeze -freeze DIR. "
	var b strings.Builder
	b.WriteString(head + "Each line is a record as JSON: where it was, then its members.\n")
	old := shapes(code)
	for _, name := range slices.Sorted(maps.Keys(old)) {
		b.WriteString(name)
		for _, member := range slices.Sorted(maps.Keys(old[name])) {
			b.WriteString("\t" + member + " " + old[name][member])
		}
		b.WriteString("\n")
	}
	write(t, frozenShapes, b.String())
	b.Reset()
	b.WriteString(head + "Words of files, JSON objects and command lines.\n")
	some := source{}
	for _, room := range wordRooms {
		some[room] = code[room]
	}
	for _, w := range slices.Sorted(maps.Keys(words(some))) {
		b.WriteString(w + "\n")
	}
	write(t, frozenWords, b.String())
}

func write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// frozen are the lines of a list, without comments.
func frozen(t *testing.T, name string) (lines []string) {
	t.Helper()
	for line := range strings.Lines(readFile(t, "test/house/"+name)) {
		if line = strings.TrimSuffix(line, "\n"); line != "" && !strings.HasPrefix(line, "#") {
			lines = append(lines, line)
		}
	}
	if len(lines) < 50 {
		t.Fatalf("%s has only %d lines", name, len(lines))
	}
	return lines
}

// Records on disk and in --json only ever gain members: each that there was is part of one there is.
func TestRecordsKeepTheirMembers(t *testing.T) {
	now := shapes(production(t, root(t)))
	for _, line := range frozen(t, frozenShapes) {
		fields := strings.Split(line, "\t")
		old := shape{}
		for _, f := range fields[1:] {
			member, kind, _ := strings.Cut(f, " ")
			old[member] = kind
		}
		held := false
		for _, s := range now {
			held = held || s.holds(old)
		}
		if !held {
			t.Errorf("no record has all members that %s had: %v", fields[0], fields[1:])
		}
	}
}

// Words that files, JSON objects and command lines are made of stay.
func TestWordsOfFilesAndCommandsStay(t *testing.T) {
	now := literals(production(t, root(t)))
	for _, w := range frozen(t, frozenWords) {
		if !now[w] {
			t.Errorf("%q is gone", w)
		}
	}
}

// Exit codes of ssm-setup and the words of the ledger that stand for them.
func TestExitCodesStay(t *testing.T) {
	for kind, code := range map[string]int{"other": 1, "usage": 2, "region": 3, "verify": 4, "refused": 5, "busy": 6, "permission": 7,
		"registration": 8,
		"rolled-back":  9, "superseded": 9, "no-space": 10, "unhealthy": 11} {
		if got := fault.Kind(kind).ExitCode(); got != code {
			t.Errorf("%s ends with %d, not %d", kind, got, code)
		}
	}
}
