package fleet_test

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/fleet"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/credentials"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// asked runs the command in this process.
func asked(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out, errs bytes.Buffer
	p := terminal.New(strings.NewReader(""), &out, &errs)
	app := &cli.App{Metadata: map[string]any{terminal.PrinterKey: p}, Commands: []*cli.Command{fleet.NodesCommand()},
		ExitErrHandler: func(*cli.Context, error) {}}
	err := app.RunContext(t.Context(), append([]string{"ssm-setup", "nodes"}, args...))
	return out.String() + errs.String(), err
}

// administered is a local region whose administrator the caller is.
func administered(t *testing.T) *local.Region {
	t.Helper()
	r := local.Start(t)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", r.CredentialsFile())
	t.Setenv("AWS_PROFILE", "default")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	return r
}

func TestTheHostsOfALocalRegionAreListed(t *testing.T) {
	r := administered(t)
	text, err := asked(t, "--region", r.Name(), "--endpoint", r.URL())
	if err != nil || text != "no host is registered in region local\n" {
		t.Errorf("%q, %v", text, err)
	}
}

// activation asks the region's service for one, as `ssm-setup local` proposes it.
func activation(t *testing.T, r *local.Region, hosts int) identity.Activation {
	t.Helper()
	found, err := credentials.Find(t.Context(), r.Name(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	http, err := cloud.HTTP()
	if err != nil {
		t.Fatal(err)
	}
	ssm := cloud.New(cloud.Options{HTTP: http, Region: r.Name(), Endpoint: r.URL(), Service: cloud.SSM().Name, Target: cloud.SSM().Target,
		Credentials: found})
	var out struct{ ActivationId, ActivationCode string }
	in := map[string]any{"IamRole": "local", "RegistrationLimit": hosts}
	if err := ssm.Call(t.Context(), "CreateActivation", in, &out); err != nil {
		t.Fatal(err)
	}
	return identity.Activation{ID: out.ActivationId, Code: out.ActivationCode, Region: r.Name()}
}

// Of eleven hosts that register at the same moment with one activation for ten, ten become nodes of their own. The eleventh is refused,
// at once and later, and nothing is left on it.
func TestTenHostsRegisterAtOnceWithOneActivationAndTheEleventhIsRefused(t *testing.T) {
	r := administered(t)
	a, cfg := activation(t, r, 10), config.Default()
	cfg.Ssm.Endpoint = r.URL()
	roots, ids, errs := make([]installer.Layout, 11), make([]string, 11), make([]error, 11)
	var all sync.WaitGroup
	for n := range roots {
		roots[n] = installer.At(t.TempDir())
		all.Go(func() { ids[n], errs[n] = identity.Register(t.Context(), roots[n], cfg, identity.Options{}, a) })
	}
	all.Wait()
	var nodes []string
	for n, err := range errs {
		id, _, unread := identity.Registered(roots[n])
		if err == nil {
			if unread != nil || id != ids[n] || slices.Contains(nodes, id) {
				t.Errorf("host %d is %q, and its vault says %q, %v", n, ids[n], id, unread)
			}
			nodes = append(nodes, id)
			continue
		}
		_, again := identity.Register(t.Context(), roots[n], cfg, identity.Options{}, a)
		if id, _, _ := identity.Registered(roots[n]); id != "" || cloud.Code(err) != limit || cloud.Code(again) != limit {
			t.Errorf("host %d is refused with %v, then with %v; its vault says %q", n, err, again, id)
		}
	}
	text, err := asked(t, "--region", r.Name(), "--endpoint", r.URL())
	for _, id := range nodes {
		if strings.Count(text, id) != 1 {
			t.Errorf("%s is not listed once: %v\n%s", id, err, text)
		}
	}
	if len(nodes) != 10 || strings.Count(text, "mi-") != 10 {
		t.Errorf("%d hosts are registered: %v\n%s", len(nodes), errs, text)
	}
}

// growing is what a command has written so far.
type growing struct {
	mu   sync.Mutex
	text strings.Builder
}

func (g *growing) Write(b []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.text.Write(b)
}

func (g *growing) String() string {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.text.String()
}

// Watched, the list is shown again when it has changed, until the command is interrupted, which is no error.
func TestTheHostsOfARegionAreWatched(t *testing.T) {
	r := administered(t)
	out := &growing{}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	app := &cli.App{Metadata: map[string]any{terminal.PrinterKey: terminal.New(strings.NewReader(""), out, out)},
		Commands: []*cli.Command{fleet.NodesCommand()}, ExitErrHandler: func(*cli.Context, error) {}}
	ended := make(chan error, 1)
	go func() {
		ended <- app.RunContext(ctx, []string{"ssm-setup", "nodes", "--watch", "--region", r.Name(), "--endpoint", r.URL()})
	}()
	shows := func(text string) {
		t.Helper()
		for end := time.Now().Add(2 * time.Minute); !strings.Contains(out.String(), text); time.Sleep(20 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%q is not shown: %s", text, out)
			}
		}
	}
	shows("no host is registered in region local\n")
	cfg := config.Default()
	cfg.Ssm.Endpoint = r.URL()
	id, err := identity.Register(t.Context(), installer.At(t.TempDir()), cfg, identity.Options{}, activation(t, r, 1))
	if err != nil {
		t.Fatal(err)
	}
	shows(id)
	if _, err := r.SendCommand("AWS-UpdateSSMAgent", id, nil); err != nil {
		t.Fatal(err)
	}
	shows("Pending, ") // the last update
	interrupt()
	if err := <-ended; err != nil || strings.Count(out.String(), "no host is registered") != 1 {
		t.Errorf("%v: %s", err, out)
	}
}

// limit is the service's word for an activation that is used up.
const limit = "RegistrationLimitExceeded"

func TestWithoutCredentialsOneLineSaysWhereALocalRegionKeepsThem(t *testing.T) {
	r := local.Start(t)
	for name, value := range map[string]string{"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": "/none",
		"AWS_CONFIG_FILE": "/none", "AWS_PROFILE": "", "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "HOME": t.TempDir()} {
		t.Setenv(name, value)
	}
	text, err := asked(t, "--region", r.Name(), "--endpoint", r.URL())
	if err == nil || text != "" || strings.Contains(err.Error(), "IMDS") || !strings.Contains(err.Error(), "no usable AWS credentials") {
		t.Errorf("%q, %v", text, err)
	}
}
