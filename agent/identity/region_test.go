package identity_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// clock is a time that moves only in pauses; the region and the node share it. It starts at the true time.
type clock struct {
	mu     sync.Mutex
	t      time.Time
	pauses []time.Duration
	limit  int // pauses until the context of a run ends, 0: none
	stop   context.CancelFunc
}

func newClock() *clock { return &clock{t: time.Now().Truncate(time.Second)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pause(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
	c.pauses = append(c.pauses, d)
	if c.limit > 0 && len(c.pauses) >= c.limit {
		c.stop()
	}
	return ctx.Err()
}

// machine is an installation in a folder of its own, and the region it talks to. Nothing outside of the two is touched.
type machine struct {
	t      *testing.T
	region *local.Region
	clock  *clock
	layout installer.Layout
	config config.Config
}

func newMachine(t *testing.T) *machine {
	t.Helper()
	t.Parallel()
	c := newClock()
	m := &machine{t: t, clock: c, layout: installer.At(t.TempDir()), config: config.Default()}
	m.region = local.Start(t, func(o *local.Options) { o.Clock = c.now })
	m.config.Ssm.Endpoint = m.region.URL()
	return m
}

func (m *machine) options() identity.Options {
	return identity.Options{Keeper: true, Now: m.clock.now, Pause: m.clock.pause}
}

// register makes the machine a node of the region.
func (m *machine) register(change ...func(*identity.Activation)) string {
	m.t.Helper()
	id, err := m.tryRegister(change...)
	if err != nil {
		m.t.Fatal(err)
	}
	return id
}

func (m *machine) tryRegister(change ...func(*identity.Activation)) (string, error) {
	m.t.Helper()
	id, code, err := m.region.CreateActivation(10)
	if err != nil {
		m.t.Fatal(err)
	}
	a := identity.Activation{ID: id, Code: code, Region: m.region.Name()}
	for _, c := range change {
		c(&a)
	}
	return identity.Register(m.t.Context(), m.layout, m.config, m.options(), a)
}

func (m *machine) load() *identity.Identity {
	m.t.Helper()
	id, err := identity.Load(m.layout, m.config, m.options())
	if err != nil {
		m.t.Fatal(err)
	}
	return id
}

// token gets credentials and says which key of the region they came by.
func (m *machine) token(id *identity.Identity) error {
	_, err := id.Credentials().Retrieve(m.t.Context())
	return err
}

func (m *machine) file(parts ...string) string {
	return filepath.Join(append([]string{m.layout.Data()}, parts...)...)
}

func (m *machine) vault(key string) map[string]any {
	m.t.Helper()
	return readJSON(m.t, m.file("Vault", "Store", key))
}

// edit changes one member of a vault value.
func (m *machine) edit(key, name string, value any) {
	m.t.Helper()
	v := m.vault(key)
	v[name] = value
	text, err := json.Marshal(v)
	if err != nil {
		m.t.Fatal(err)
	}
	if err := os.WriteFile(m.file("Vault", "Store", key), text, 0o600); err != nil {
		m.t.Fatal(err)
	}
}

func readJSON(t *testing.T, path string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return v
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, os.ErrNotExist)
}

func contains(t *testing.T, err error, text string) {
	t.Helper()
	if err == nil || !strings.Contains(err.Error(), text) {
		t.Errorf("%v; %q expected", err, text)
	}
}
