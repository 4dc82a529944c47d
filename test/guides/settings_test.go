package guides_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"os"

	"github.com/ssm-setup/ssm-setup/agent/config"
)

// setting is a key of amazon-ssm-agent.json.
type setting struct {
	section, key string
	value        reflect.Value // the default
	comment      string        // behind the field in agent/config/config.go
}

func (s setting) name() string { return s.section + "." + s.key }

// state is whether the key does something: "yes", "not yet" or "no effect".
func (s setting) state() string {
	for _, state := range []string{"not yet", "no effect"} {
		if strings.HasPrefix(s.comment, state) {
			return state
		}
	}
	return "yes"
}

// settings are all keys, in the order of the code.
func settings(t *testing.T) (list []setting) {
	t.Helper()
	comments := fieldComments(t)
	c := reflect.ValueOf(config.Default())
	for i := range c.NumField() {
		section := c.Type().Field(i)
		if section.Tag.Get("json") == "-" {
			continue
		}
		for k := range c.Field(i).NumField() {
			key := c.Field(i).Type().Field(k).Name
			s := setting{section.Name, key, c.Field(i).Field(k), comments[section.Type.Name()+"."+key]}
			if s.comment == "" {
				t.Errorf("agent/config/config.go says nothing about %s", s.name())
			}
			list = append(list, s)
		}
	}
	return list
}

// fieldComments are the comments behind the fields of the file's structs, by type and field.
func fieldComments(t *testing.T) map[string]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(source(t), "agent/config/config.go"), nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.TypeSpec)
		if !ok {
			return true
		}
		if s, ok := spec.Type.(*ast.StructType); ok {
			for _, f := range s.Fields.List {
				for _, name := range f.Names {
					found[spec.Name.Name+"."+name.Name] = strings.TrimSpace(f.Comment.Text())
				}
			}
		}
		return true
	})
	return found
}

// ofThisMachine are defaults that depend on where the agent runs.
var ofThisMachine = map[string]string{
	"Agent.Version": "the agent's version", "Os.Name": "the system's name", "Agent.GoMaxProcForAgentWorker": "`0`",
	"Ssm.CustomInventoryDefaultLocation": "`/var/lib/amazon/ssm/inventory/custom`",
}

func (s setting) shownDefault(t *testing.T) string {
	if text, ok := ofThisMachine[s.name()]; ok {
		return text
	}
	if s.value.Kind() == reflect.Slice && s.value.Len() == 0 {
		return "`[]`"
	}
	text, err := json.Marshal(s.value.Interface())
	if err != nil {
		t.Fatal(err)
	}
	return "`" + strings.ReplaceAll(string(text), ",", ", ") + "`"
}

// accepts tells whether a number is kept as it is.
func (s setting) accepts(t *testing.T, n int64) bool {
	c, err := config.Parse(fmt.Appendf(nil, `{%q: {%q: %d}}`, s.section, s.key, n))
	if err != nil {
		t.Fatal(err)
	}
	return reflect.ValueOf(c).FieldByName(s.section).FieldByName(s.key).Int() == n
}

// bounds are the numbers that count, found by trying: all others become the default.
func (s setting) bounds(t *testing.T) string {
	const low, high = -1, 1 << 31
	if kind := s.value.Kind(); kind != reflect.Int && kind != reflect.Int64 {
		return "-"
	}
	if s.name() == "Agent.GoMaxProcForAgentWorker" {
		return "up to the machine's processors"
	}
	inside := s.value.Int()
	first, last := inside, inside
	for probe := int64(low); probe < first; { // the lowest that counts
		if middle := (probe + first) >> 1; s.accepts(t, middle) {
			first = middle
		} else {
			probe = middle + 1
		}
	}
	for probe := int64(high); probe > last; { // the highest
		if middle := (probe + last + 1) / 2; s.accepts(t, middle) {
			last = middle
		} else {
			probe = middle - 1
		}
	}
	switch {
	case first <= low && last >= high:
		return "any"
	case last >= high:
		return fmt.Sprintf("%d and more", first)
	}
	return fmt.Sprintf("%d to %d", first, last)
}

func TestThePageOfSettingsIsMadeFromTheCode(t *testing.T) {
	var b strings.Builder
	b.WriteString("| key | default | numbers | counts | meaning |\n| --- | --- | --- | --- | --- |\n")
	for _, s := range settings(t) {
		meaning := s.comment
		for _, state := range []string{"not yet: ", "no effect: ", "no effect, ", "no effect"} {
			meaning = strings.TrimPrefix(meaning, state)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", s.name(), s.shownDefault(t), s.bounds(t), s.state(), meaning)
	}
	made(t, "docs/settings.md", "agent/config", b.String())
}

// A key that the page calls without effect is read by no code, and one that counts is read by some. A name that several sections have
// is asked for together with its section; Service hands out addresses and limits by the name of a service.
func TestSettingsCountExactlyWhereThePageSaysSo(t *testing.T) {
	code := codeOutside(t, "agent/config")
	names := map[string]int{}
	list := settings(t)
	for _, s := range list {
		names[s.key]++
	}
	byService := []string{"Mds.Endpoint", "Mds.StopTimeoutMillis", "CloudWatchLogs.Endpoint"}
	for _, s := range list {
		if slices.Contains(byService, s.name()) || s.section == "Mgs" || s.section == "Kms" {
			continue // by the name of a service; no code asks for ssmmessages and kms
		}
		selector := `\.` + s.key
		if names[s.key] > 1 || len(s.key) < 10 {
			selector = `\.` + s.section + selector
		}
		read := regexp.MustCompile(selector + `\b`).MatchString(code)
		if s.key == "CommandWorkerBufferLimit" || s.key == "SelfUpdate" && s.state() == "not yet" {
			continue // named in texts only
		}
		if counts := s.state() == "yes"; counts != read {
			t.Errorf("%s: the page says %q, the code reads it: %v", s.name(), s.state(), read)
		}
	}
}

// codeOutside is the text of all Go files of the product that are no tests and not in that room.
func codeOutside(t *testing.T, room string) string {
	t.Helper()
	var b strings.Builder
	for _, tree := range []string{"agent", "cmd", "updater"} {
		err := filepath.WalkDir(filepath.Join(source(t), tree), func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") ||
				filepath.Dir(path) == filepath.Join(source(t), room) || strings.Contains(path, "setupcli") {
				return err
			}
			text, err := os.ReadFile(path)
			b.Write(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}
