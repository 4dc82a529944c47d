package house_test

import (
	"go/ast"
	"go/token"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// unnamed are subjects that name no component.
var unnamed = regexp.MustCompile(`(?i)\b(nobody|somebody|whoever|everybody|anybody)('s)?\b`)

// dialect are words of the inside that a person who uses the tool never reads.
var dialect = regexp.MustCompile(`(?i)\b(the floor|floor|the store|store|pointers?|sequences?|the ring|ring|beats?|deaf|tokens?|probation|made room|held back|` +
	`went back|verbs?)\b`)

// theirs are the same words where they are the field's own.
var theirs = regexp.MustCompile(`(?i)(keep-floor|parameter store|session token|access token|security token|token code|next ?token|pagination token|client ?token|` +
	`bearer token|role token|expired token|token-life|continuation token|store mode|in store|token is|token has|heartbeats?|` +
	`sequence number)`)

// wordsOfTheField are rooms whose texts are a protocol's or a format's, not ours.
var wordsOfTheField = regexp.MustCompile(`^(regions/|installer/pack|installer/container|installer/sign|agent/document|agent/cloud)`)

// notRead are texts that no person is shown.
var notRead = []string{
	"ssm-setup pointer 1\n",                                       // the first line of a slot
	"before the pointer", "after the pointer", "after the tokens", // places in an update where tests stop it
}

// A count that may only fall; at zero it stays.
const (
	unnamedAtMost = 0
	dialectAtMost = 0
)

// Comments and texts of Go files, of any system and build tag.
func TestSubjectsAreNamed(t *testing.T) {
	var found []string
	report := func(where, text string) {
		for _, m := range unnamed.FindAllString(text, -1) {
			found = append(found, where+": "+m)
		}
	}
	for _, f := range goFiles(t, root(t)) {
		if f.path == "test/house/words_test.go" {
			continue
		}
		for _, group := range f.ast.Comments {
			report(f.path+":"+strconv.Itoa(f.set.Position(group.Pos()).Line), group.Text())
		}
		for _, s := range f.strings() {
			if !f.test { // texts in tests are data
				report(f.path+":"+strconv.Itoa(s.line), s.text)
			}
		}
	}
	for _, name := range pages(t) {
		for n, line := range strings.Split(readFile(t, name), "\n") {
			report(name+":"+strconv.Itoa(n+1), line)
		}
	}
	if len(found) > unnamedAtMost {
		t.Errorf("%d subjects without a name, at most %d:\n%s", len(found), unnamedAtMost, strings.Join(found, "\n"))
	}
}

// pages are scripts and pages.
func pages(t *testing.T) (names []string) {
	t.Helper()
	for _, pattern := range []string{"README.md", "docs/*.md", "docs/*/*.md", "scripts/*.sh", ".ci/run", "Makefile",
		"test/story/testdata/*.txtar"} {
		found, err := filepath.Glob(filepath.Join(root(t), pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			name, _ := filepath.Rel(root(t), f)
			names = append(names, name)
		}
	}
	return names
}

type literal struct {
	text string
	line int
}

// strings are the texts in a file's code.
func (f goFile) strings() (all []literal) {
	ast.Inspect(f.ast, func(n ast.Node) bool {
		if l, ok := n.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if text, err := strconv.Unquote(l.Value); err == nil {
				all = append(all, literal{text, f.set.Position(l.Pos()).Line})
			}
		}
		return true
	})
	return all
}

// insideWords are the places in sentences of production code where a word of the inside stands.
func insideWords(files []goFile) (found []string) {
	for _, f := range files {
		if f.test || wordsOfTheField.MatchString(f.path) {
			continue
		}
		for _, s := range f.strings() {
			if strings.Contains(s.text, " ") && !slices.Contains(notRead, s.text) {
				found = append(found, insideWordsOf(f.path+":"+strconv.Itoa(s.line), s.text)...)
			}
		}
	}
	return found
}

func insideWordsOf(where, text string) (found []string) {
	for _, m := range dialect.FindAllString(theirs.ReplaceAllString(text, ""), -1) {
		found = append(found, where+": "+m+" in "+strconv.Quote(text))
	}
	return found
}

// What people read is in plain words: sentences in production code, and the README.
func TestPeopleReadPlainWords(t *testing.T) {
	found := insideWords(goFiles(t, root(t)))
	for n, line := range strings.Split(readFile(t, "README.md"), "\n") {
		found = append(found, insideWordsOf("README.md:"+strconv.Itoa(n+1), inlined.ReplaceAllString(line, ""))...)
	}
	if len(found) > dialectAtMost {
		t.Errorf("%d words of the inside, at most %d:\n%s", len(found), dialectAtMost, strings.Join(found, "\n"))
	}
}
