package guides_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var write = flag.Bool("write", false, "write what is made from the code into the pages")

// source is the top of the tree.
func source(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(source(t), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// made compares what stands between two marks of a page with what the code says; with -write it is put there.
func made(t *testing.T, name, from, want string) {
	t.Helper()
	begin, end := "<!-- made from "+from+" -->\n", "<!-- end of what is made from "+from+" -->"
	text := page(t, name)
	head, rest, found := strings.Cut(text, begin)
	shown, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s lacks the marks\n%s%s", name, begin, end)
	}
	want = "\n" + strings.Trim(want, "\n") + "\n\n"
	if shown == want {
		return
	}
	if !*write {
		t.Errorf("%s is not what %s says; `go test ./test/guides -run Made -write` makes it:\n%s", name, from, want)
		return
	}
	if err := os.WriteFile(filepath.Join(source(t), name), []byte(head+begin+want+end+tail), 0o644); err != nil {
		t.Fatal(err)
	}
}
