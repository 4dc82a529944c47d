package guides_test

import (
	"context"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/agent/output"
	"github.com/ssm-setup/ssm-setup/agent/plugins"
)

// Words of the table.
const (
	done    = "done"
	refused = "refused, as by the original"
	notYet  = "not yet"
)

// comparison is a row: what of the original, which of it, how it is here.
type comparison struct{ what, which, state string }

// sorted groups the names of one kind by their state.
func sorted(what string, states map[string][]string) (rows []comparison) {
	for _, state := range []string{done, refused, notYet} {
		if names := states[state]; len(names) > 0 {
			rows = append(rows, comparison{what, strings.Join(names, ", "), state})
		}
	}
	return rows
}

// schemas are the schema versions of documents that the service knows.
func schemas() []comparison {
	states := map[string][]string{}
	for _, schema := range []string{"0.3", "1.0", "1.2", "2.0", "2.0.1", "2.0.2", "2.0.3", "2.2"} {
		content := fmt.Sprintf(`{"schemaVersion":%q,"runtimeConfig":{"aws:x":{"properties":[]}},"mainSteps":[{"action":"aws:x","name":"x"}]}`,
			schema)
		if _, err := document.Parse([]byte(content), document.Options{}); err == nil {
			states[done] = append(states[done], schema)
		} else {
			states[refused] = append(states[refused], schema+" (Automation)")
		}
	}
	return sorted("documents in JSON, schema", states)
}

// actions are the rows of the table of plugins. An action that has only a sentence to say is asked for it.
func actions() []comparison {
	states := map[string][]string{}
	for _, a := range plugins.Table(plugins.Ports{}) {
		name := "`" + a.Name + "`"
		switch {
		case len(a.Systems) == 0:
			continue // a name from the past, which the original does not run either
		case a.Run == nil:
			states[notYet] = append(states[notYet], name)
		case onlyRefuses(a):
			states[refused] = append(states[refused], name)
		default:
			states[done] = append(states[done], name)
		}
	}
	return sorted("plugins", states)
}

// onlyRefuses tells an action that has one sentence to say whatever it is given: both kinds of inputs give the same.
func onlyRefuses(a plugins.Action) bool {
	said := func(inputs any) string {
		var errs strings.Builder
		exit := a.Run(context.Background(), plugins.Call{Inputs: inputs, Stdout: io.Discard, Stderr: &errs})
		return exit.Output + errs.String()
	}
	return slices.Contains([]string{"aws:softwareInventory", "aws:cloudWatch"}, a.Name) && said("text") == said(map[string]any{"id": "x"})
}

// outputs are the places that the output of a command can go to, from the table of agent/output.
func outputs() []comparison {
	states := map[string][]string{done: {"the command's answer", "files"}}
	for _, s := range output.Table(output.Region{}) {
		states[done] = append(states[done], s.Name)
	}
	return sorted("output of commands to", states)
}

// identities are the types of the table in agent/identity, and what a registration can be made with.
func identities(t *testing.T) []comparison {
	t.Helper()
	states := map[string][]string{}
	for _, name := range []string{config.OnPrem, config.EC2, config.ECS, config.Custom} {
		state := notYet
		if slices.Contains(assumed(t), name) {
			state = done
		}
		shown := map[string]string{config.OnPrem: "hybrid activation (`OnPrem`)", config.EC2: "EC2 with Default Host Management (`EC2`)",
			config.ECS: "`ECS`", config.Custom: "`CustomIdentity`"}[name]
		states[state] = append(states[state], shown)
	}
	return sorted("identities", states)
}

// assumed are the identity types with a row in agent/identity.
func assumed(t *testing.T) (names []string) {
	t.Helper()
	_ = identity.ErrNotRegistered // the room that is read
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(source(t), "agent/identity/identity.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]string{"OnPrem": config.OnPrem, "EC2": config.EC2, "ECS": config.ECS, "Custom": config.Custom}
	ast.Inspect(file, func(n ast.Node) bool {
		if f, ok := n.(*ast.FuncDecl); ok && f.Name.Name != "kinds" {
			return false
		}
		if pair, ok := n.(*ast.KeyValueExpr); ok {
			if key, ok := pair.Key.(*ast.SelectorExpr); ok {
				names = append(names, words[key.Sel.Name])
			}
		}
		return true
	})
	return names
}

// lanes are the ways commands come.
func lanes() []comparison {
	states := map[string][]string{}
	var open []string
	for _, s := range mailbox.Services() {
		open = append(open, s.Name)
	}
	for _, name := range []string{"ec2messages", "ssmmessages"} {
		state := notYet
		if slices.Contains(open, name) {
			state = done
		}
		states[state] = append(states[state], name)
	}
	return sorted("Run Command over", states)
}

// sessions need a lane over ssmmessages and the plugins of sessions, of which there are none.
func sessions(t *testing.T) []comparison {
	t.Helper()
	state := notYet
	if found, _ := filepath.Glob(filepath.Join(source(t), "agent/session/*.go")); len(found) > 0 {
		state = done
	}
	return []comparison{{"sessions (Session Manager)", "shell, command, port forwarding", state}}
}

// fileOfSettings counts the keys by their state in docs/settings.md.
func fileOfSettings(t *testing.T) []comparison {
	t.Helper()
	count := map[string]int{}
	for _, s := range settings(t) {
		count[s.state()]++
	}
	return []comparison{{"settings", "all keys are read and checked; which count: [docs/settings.md](docs/settings.md)",
		fmt.Sprintf("%d of %d %s, %d %s, %d without effect", count["yes"], len(settings(t)), done, count["not yet"], notYet, count["no effect"])}}
}

// rooms are features of the original that are a room of the agent, or are not there.
func rooms(t *testing.T) []comparison {
	t.Helper()
	states := map[string][]string{}
	for _, r := range [][2]string{{"associations", "State Manager"}, {"inventory", "Inventory"}} {
		state := notYet
		if found, _ := filepath.Glob(filepath.Join(source(t), "agent", r[0], "*.go")); len(found) > 0 {
			state = done
		}
		states[state] = append(states[state], r[1])
	}
	return sorted("features", states)
}

func TestTheTableOfCompatibilityIsMadeFromTheCode(t *testing.T) {
	var b strings.Builder
	b.WriteString("| of the original | which | here |\n| --- | --- | --- |\n")
	for _, rows := range [][]comparison{identities(t), lanes(), schemas(), actions(), outputs(), sessions(t), rooms(t), fileOfSettings(t)} {
		for _, r := range rows {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", r.what, r.which, r.state)
		}
	}
	made(t, "README.md", "the agent's tables", b.String())
}
