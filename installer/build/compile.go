package build

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Toolchain is the release of Go that packages are compiled with: another one would give other bytes. Where it is not
// installed, go fetches it.
const Toolchain = "go1.26.8"

// LocalToolchain stands for whatever Go is installed.
const LocalToolchain = "local"

// Reasons why nothing can be compiled here.
var (
	ErrNoGo = fault.New(fault.Other, "there is no go command here",
		"install Go (see go.mod for the release), or pack binaries with --bin")
	ErrToolchain = fault.New(fault.Other, "this release of Go is not here and cannot be fetched",
		"--toolchain "+LocalToolchain+" compiles with the Go that is installed; its bytes may differ from those of other machines")
)

// compiler is the go command with an environment that decides nothing about the bytes.
type compiler struct {
	source string
	env    []string // without system and architecture
	log    io.Writer
}

// kept are the settings of go that may differ from machine to machine: where things lie and come from.
var kept = []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOPROXY", "GOPRIVATE", "GONOPROXY", "GONOSUMDB", "GOSUMDB", "GOINSECURE", "GOVCS",
	"GOAUTH"}

// harmless are variables with GO in front that say how go works, not what it makes.
var harmless = []string{"GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GOTMPDIR", "GOCACHEPROG"}

// pinned are the settings that do decide about the bytes.
var pinned = []string{"CGO_ENABLED=0", "GOENV=off", "GOFLAGS=", "GOWORK=off", "GOEXPERIMENT=", "GODEBUG=", "GOFIPS140=off",
	"GO111MODULE=on", "GOAMD64=v1", "GO386=sse2", "GOARM=6", "GOARM64=v8.0"}

// modules are those that go.sum knows, with their hashes in the programs: from a folder vendor/ go would take others, or the
// same without.
const modules = "-mod=readonly"

// newCompiler asks go for the settings to keep: an empty variable would not hide what `go env -w` wrote, so that the file is
// switched off and its harmless half carried over.
func newCompiler(ctx context.Context, source, toolchain string, log io.Writer) (*compiler, error) {
	if toolchain == "" {
		toolchain = Toolchain
	}
	if log == nil {
		log = io.Discard
	}
	choice := "GOTOOLCHAIN=" + toolchain
	cmd := exec.CommandContext(ctx, "go", append([]string{"env", "-json"}, kept...)...)
	cmd.Dir, cmd.Env = source, append(slices.DeleteFunc(os.Environ(), func(v string) bool { return decides(v) && !keeps(v) }), choice)
	var said tail
	cmd.Stderr = io.MultiWriter(log, &said)
	out, err := cmd.Output()
	if err != nil {
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case errors.Is(err, exec.ErrNotFound):
			return nil, ErrNoGo
		case strings.Contains(said.text(), "toolchain"):
			return nil, fmt.Errorf("%w: %s\n%s", ErrToolchain, toolchain, said.text())
		}
		return nil, fmt.Errorf("go env: %w\n%s", err, said.text())
	}
	settings := map[string]string{}
	if err := json.Unmarshal(out, &settings); err != nil {
		return nil, fmt.Errorf("go env: %w", err)
	}
	env := append(gcSettings(), slices.DeleteFunc(os.Environ(), decides)...) // what go keeps is added as it understood it
	for _, name := range kept {
		env = append(env, name+"="+settings[name])
	}
	return &compiler{source: source, env: append(append(env, pinned...), choice), log: &shared{to: log}}, nil
}

// gcSettings lets the compiler collect its garbage less often, up to a limit per process: a sixth less work. A machine that says
// otherwise in its environment is believed, since the last of two variables of a name counts.
func gcSettings() []string { return []string{"GOGC=400", "GOMEMLIMIT=1GiB"} }

// keeps tells whether a variable of the environment is one of go's settings to keep, or names the file with them.
func keeps(variable string) bool {
	name := nameOf(variable)
	return name == "GOENV" || slices.Contains(kept, name)
}

func nameOf(variable string) string {
	name, _, _ := strings.Cut(variable, "=")
	if runtime.GOOS == "windows" {
		name = strings.ToUpper(name)
	}
	return name
}

// decides tells whether a variable could change what go makes, or hide a setting that is carried over.
func decides(variable string) bool {
	name := nameOf(variable)
	return (strings.HasPrefix(name, "GO") || strings.HasPrefix(name, "CGO_")) && !slices.Contains(harmless, name)
}

// ownFiles has go list print every file of the source tree that goes into the programs, whether git knows it or not.
const ownFiles = `{{if .Module}}{{if .Module.Main}}{{$at := print .Module.Dir "\t" .Dir "/"}}` +
	`{{range .GoFiles}}{{$at}}{{.}}{{"\n"}}{{end}}{{range .SFiles}}{{$at}}{{.}}{{"\n"}}{{end}}{{range .HFiles}}{{$at}}{{.}}{{"\n"}}{{end}}` +
	`{{range .SysoFiles}}{{$at}}{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$at}}{{.}}{{"\n"}}{{end}}{{end}}{{end}}`

// prepare compiles what programs are made of into go's cache, without linking anything. It returns the files of the source tree that
// were compiled, below it, with slashes.
func (c *compiler) prepare(ctx context.Context, p pack.Platform, programs []string) (files []string, err error) {
	var out bytes.Buffer
	args := []string{"list", "-deps", "-export", "-f", ownFiles, modules, "-trimpath", "-buildvcs=false"}
	if err := c.run(ctx, p, &out, append(args, folders(programs)...)); err != nil {
		return nil, err
	}
	for line := range strings.Lines(out.String()) {
		root, file, ok := strings.Cut(strings.TrimSpace(line), "\t")
		if !ok {
			continue
		}
		name, err := filepath.Rel(root, filepath.FromSlash(file))
		if err != nil {
			return nil, err
		}
		files = append(files, filepath.ToSlash(name))
	}
	return files, nil
}

// temporary has go work in a folder below dir, which is removed with it: a go that is killed leaves hundreds of megabytes there. A
// machine that names another place (GOTMPDIR) is believed.
func (c *compiler) temporary(dir string) {
	if os.Getenv("GOTMPDIR") == "" {
		c.env = append(c.env, "GOTMPDIR="+dir)
	}
}

// marks are what the linker writes into programs.
type marks struct {
	version manifests.Version
	key     []byte // that packages are checked with; none: empty
	commit  string // of the source, in ssm-setup alone; empty: not known
}

// flags are the linker's, for the programs of hosts and for ssm-setup: a host's programs have the same bytes whatever else a commit
// changed.
func (m marks) flags() []string {
	text := "-s -w -X " + module + "/installer/stamp.mark=ssm-setup-version=" + m.version.String()
	if len(m.key) > 0 {
		text += " -X main.trustedKey=" + base64.StdEncoding.EncodeToString(m.key)
	}
	list := []string{"-ldflags=" + text}
	if m.commit != "" {
		list = append(list, "-ldflags="+module+"/cmd/"+pack.Setup+"="+text+" -X main.commit="+m.commit)
	}
	return list
}

// link builds programs into a folder: static, stripped, without paths and without the state of the checkout, with their marks.
func (c *compiler) link(ctx context.Context, m marks, p pack.Platform, programs []string, into string) error {
	if err := os.MkdirAll(into, 0o755); err != nil {
		return err
	}
	args := append([]string{"build", modules, "-trimpath", "-buildvcs=false", "-o", into + string(filepath.Separator)}, m.flags()...)
	return c.run(ctx, p, c.log, append(args, folders(programs)...))
}

func folders(programs []string) []string {
	var list []string
	for _, name := range programs {
		list = append(list, "./cmd/"+name)
	}
	return list
}

func (c *compiler) run(ctx context.Context, p pack.Platform, out io.Writer, args []string) error {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = c.source, append(slices.Clone(c.env), "GOOS="+p.OS, "GOARCH="+p.Arch)
	asked(cmd)
	var said tail
	cmd.Stdout, cmd.Stderr = out, io.MultiWriter(c.log, &said)
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case strings.Contains(said.text(), syscall.ENOSPC.Error()): // go's own words for what it met
		err = errors.Join(err, syscall.ENOSPC)
	}
	return fmt.Errorf("go %s for %s: %w\n%s", args[0], p, err, said.text())
}

// asked has a command that is given up be asked to end first: go then removes what it was at, which takes it a moment.
func asked(cmd *exec.Cmd) {
	cmd.Cancel = func() error {
		if err := cmd.Process.Signal(os.Interrupt); err != nil { // Windows has no such signal for one process
			return cmd.Process.Kill()
		}
		return nil
	}
	cmd.WaitDelay = 20 * time.Second
}

// Compile builds programs for one platform from a source tree into a folder, as [Build] does. What go says goes to log.
// Benchmarks and tests of other rooms get true programs from it.
func Compile(ctx context.Context, source string, v manifests.Version, p pack.Platform, programs []string, into string,
	log io.Writer) error {
	c, err := newCompiler(ctx, source, "", log)
	if err != nil {
		return err
	}
	return c.link(ctx, marks{version: v}, p, programs, into)
}

// shared is a log that several programs write to, each piece whole.
type shared struct {
	mu sync.Mutex
	to io.Writer
}

func (s *shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.to.Write(p)
}

// tail keeps the end of what was written.
type tail struct{ b []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.b = append(t.b, p...)
	if len(t.b) > 4096 {
		t.b = t.b[len(t.b)-4096:]
	}
	return len(p), nil
}

func (t *tail) text() string { return strings.TrimSpace(string(t.b)) }
