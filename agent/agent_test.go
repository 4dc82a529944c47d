package agent_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent"
	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/agent/output"
	"github.com/ssm-setup/ssm-setup/agent/plugins"
	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/installer"
	processes "github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// TestMain lets the test binary be the document worker that agents start.
func TestMain(m *testing.M) {
	os.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	if filepath.Base(os.Args[0]) == "ssm-document-worker" {
		os.Exit(runner.Main(os.Args[1], plugins.Table(plugins.Ports{}), output.Table(output.Region{})))
	}
	os.Exit(m.Run())
}

// patience bounds every wait; a busy machine may need much of it.
const patience = 2 * time.Minute

// host is a machine under a temporary root, with a region to talk to.
type host struct {
	testing.TB
	region *local.Region
	layout installer.Layout
	id     string
}

// newHost is a machine that is installed but not registered.
func newHost(tb testing.TB, settings map[string]any) *host {
	tb.Helper()
	h := &host{TB: tb, region: local.Start(tb), layout: installer.At(tb.TempDir())}
	h.region.DenyChannels(true) // tests of the other lane say so, see overChannel
	tb.Cleanup(h.noWorkers)
	all := map[string]any{"Ssm.Endpoint": h.region.URL(), "Mds.Endpoint": h.region.URL(), "Mgs.Endpoint": h.region.URL(),
		"S3.Endpoint": h.region.URL()}
	for k, v := range settings {
		all[k] = v
	}
	h.must(config.Set(h.layout.ConfigFile(), all))
	h.must(os.MkdirAll(h.layout.Data(), 0o700))
	return h
}

// noWorkers ends the document workers that outlived the agent: one at work would make its files again while they are removed.
func (h *host) noWorkers() {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		pids := h.workers()
		if len(pids) == 0 {
			return
		}
		for _, pid := range pids {
			if p, err := os.FindProcess(pid); err == nil {
				_ = p.Kill()
			}
		}
	}
}

// workers are the document workers of the machine.
func (h *host) workers() []int {
	pids, _ := processes.Processes()
	return slices.DeleteFunc(pids, func(pid int) bool {
		args, err := processes.ProcessArguments(pid)
		return err != nil || len(args) < 2 || !strings.HasPrefix(args[1], h.layout.Data())
	})
}

// registered is a machine that is a managed node.
func registered(tb testing.TB, settings map[string]any) *host {
	tb.Helper()
	h := newHost(tb, settings)
	h.register()
	return h
}

func (h *host) must(err error) {
	h.Helper()
	if err != nil {
		h.Fatal(err)
	}
}

func (h *host) config() config.Config {
	h.Helper()
	cfg, err := config.Load(h.layout.ConfigFile())
	h.must(err)
	return cfg
}

func (h *host) register() {
	h.Helper()
	activation, code, err := h.region.CreateActivation(10)
	h.must(err)
	h.id, err = identity.Register(context.Background(), h.layout, h.config(), identity.Options{},
		identity.Activation{ID: activation, Code: code, Region: h.region.Name()})
	h.must(err)
}

// running is an agent in this process.
type running struct {
	stop func() // and wait
}

// start runs an agent until the returned value is stopped, or the test ends.
func (h *host) start(change ...func(*agent.Options)) running {
	h.Helper()
	o := agent.Options{Channel: true, Layout: h.layout, Executable: self(h), Console: io.Discard}
	for _, c := range change {
		c(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- agent.Run(ctx, o) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			h.Errorf("agent: %v", err)
		}
	})
	h.Cleanup(stop)
	return running{stop}
}

func self(tb testing.TB) string {
	tb.Helper()
	path, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	return path
}

// shell sends commands to the machine.
func (h *host) shell(commands ...string) string {
	h.Helper()
	id, err := h.region.SendCommand("AWS-RunShellScript", h.id, map[string][]string{"commands": commands})
	h.must(err)
	return id
}

// wait returns how a command ended.
func (h *host) wait(command string) local.Invocation {
	h.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	inv, err := h.region.WaitCommand(ctx, command, h.id)
	if err != nil {
		log, _ := os.ReadFile(filepath.Join(h.layout.Logs(), "amazon-ssm-agent.log"))
		h.Fatalf("command %s: %v, %+v\n%s", command, err, inv, log)
	}
	return inv
}

// until waits for a condition.
func (h *host) until(what string, ok func() bool) {
	h.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			log, _ := os.ReadFile(filepath.Join(h.layout.Logs(), "amazon-ssm-agent.log"))
			h.Fatalf("waited in vain: %s\n%s", what, log)
		}
	}
}

// state is the folder of job files: pending, current, corrupt.
func (h *host) state(name string) string {
	return filepath.Join(h.layout.Data(), h.id, "document", "state", name)
}

func files(dir string) []string {
	var names []string
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
