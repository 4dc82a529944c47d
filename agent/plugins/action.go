package plugins

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"

	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/agent/output"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Call is one run of an action: one element of a step's inputs.
type Call struct {
	StepID     string // the step's name, or the plugin's in documents 1.x
	Name       string // plugin name
	Inputs     any    // JSON value, parameters put in
	Settings   any
	Directory  string          // where the step keeps its scripts, absolute; made on demand
	Scratch    string          // folder in memory for what Directory does not take, absolute; "": there is none
	Output     output.Location // where its streams are kept
	CommandDir string          // of the whole command; downloads/ lies in it
	MessageID  string
	Lane       string // the service the command came from
	Machine    Machine
	Stdout     io.Writer // never fail
	Stderr     io.Writer
	Log        *slog.Logger
}

// Exit is how a run ended. Output is what the action itself wants shown; empty: its streams. Note is added to either.
type Exit struct {
	Status string // a status word of regions/wire
	Code   int
	Output string
	Note   string
}

// Action is a row of the table.
type Action struct {
	Name    string
	Systems []string // GOOS values on which it is supported
	Run     func(ctx context.Context, c Call) Exit
}

// Supported tells whether the action is meant for that system (GOOS).
func (a Action) Supported(system string) bool {
	for _, s := range a.Systems {
		if s == system {
			return true
		}
	}
	return false
}

// Registered tells whether the system's agents know the action at all. On macOS they know what is meant for Linux, too.
func (a Action) Registered(system string) bool {
	return a.Supported(system) || system == mac && a.Supported(linux)
}

// decode reads the inputs into an action's own struct. Keys match without regard to case. ok is false after the error
// was written to stderr in the common form.
func (c Call) decode(into any) bool {
	if err := c.unmarshal(into); err != nil {
		fmt.Fprintf(c.Stderr, "Invalid format in plugin properties %v;\nerror %v", c.Inputs, err)
		return false
	}
	return true
}

func (c Call) unmarshal(into any) error {
	raw, err := json.Marshal(c.Inputs)
	if err != nil {
		return err
	}
	return document.WrongType(json.Unmarshal(raw, into), "the inputs")
}

// failed is the outcome of a run that never came to do anything.
func failed() Exit { return Exit{Status: wire.Failed, Code: 1} }

// ID is the id in a step's inputs as a name: without colons, and the zero name when it leads elsewhere
// (docs/protocol/runcommand.md, "Plugins").
func ID(inputs any) host.Name {
	m, _ := inputs.(map[string]any)
	for key, v := range m {
		if id, ok := v.(string); ok && strings.EqualFold(key, "id") {
			return cleanID(id)
		}
	}
	return host.Name{}
}

func cleanID(id string) host.Name {
	id = strings.ReplaceAll(id, ":", "") // first: on Windows no path with one is local
	if strings.HasPrefix(id, "~/") || !filepath.IsLocal(id) {
		return host.Name{}
	}
	return host.CleanName(id)
}
