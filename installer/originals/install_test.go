package originals_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

func TestTheOriginalIsInstalledRegisteredStartedAndChecked(t *testing.T) {
	w := newWorld(t)
	w.offer(amazon, nil, now, "3.3.1.0", "3.3.2.0")
	o := originals.Options{Source: w.source(amazon), Activation: activation, Settings: map[string]any{"Ssm.Endpoint": "http://127.0.0.1:1"}}
	r, err := w.agent().Install(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Version != "3.3.2.0" || r.Agent != "original" || r.Format != "deb" || !r.Installed || !r.Registered || r.InstanceID != w.id ||
		!r.Healthy ||
		!r.Running || r.Signature == "" {
		t.Errorf("%+v", r)
	}
	if got := strings.Join(w.commands, ", "); got != "install 3.3.2.0-1, register" {
		t.Errorf("what was done: %s", got)
	}
	if b, err := os.ReadFile(w.home.ConfigFile()); err != nil || !strings.Contains(string(b), "127.0.0.1:1") {
		t.Errorf("settings: %s, %v", b, err)
	}
	if exists(w.home.UpdateLock()) {
		t.Error("the lock was not given back")
	}
	if len(w.kept()) != 1 {
		t.Errorf("kept: %v", w.kept())
	}

	// again: nothing is done, nothing is fetched, no activation is used
	w.commands, w.asked = nil, nil
	if r, err = w.agent().Install(t.Context(), o); err != nil || r.Installed || r.Registered || !r.Healthy || len(w.asked) > 0 ||
		len(w.commands) > 0 {
		t.Errorf("%+v, %v; asked %v, did %v", r, err, w.asked, w.commands)
	}
	for name, place := range map[string]string{"store": w.home.StoreDir(), "pointer": w.home.Pointer().SlotDir()} {
		if exists(place) {
			t.Errorf("the original has a %s", name)
		}
	}
}

func TestAFailedInstallationIsTakenBackAndTheRegistrationStays(t *testing.T) {
	for name, behaviour := range map[string]string{"its service ends": "exits", "no worker": "workerless",
		"its processes come and go": "restarts",
		"its log complains":         "complains", "dpkg fails half way": "unpackable"} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.offer(amazon, nil, now, "3.3.1.0 "+behaviour)
			o := originals.Options{Source: w.source(amazon), Activation: activation, Settings: map[string]any{"Ssm.Endpoint": "http://127.0.0.1:1"}}
			_, err := w.agent().Install(t.Context(), o)
			if err == nil {
				t.Fatal("it is called healthy")
			}
			if want := fault.Unhealthy; behaviour != "unpackable" && fault.Of(err) != want {
				t.Errorf("%v (%s)", err, fault.Of(err))
			}
			if w.has() != "" || exists(w.home.Launcher()) || exists(w.home.ConfigFile()) || exists(w.home.Own(installer.OwnOriginal)) ||
				exists(w.home.UpdateLock()) {
				t.Errorf("something is left: %q, %v", w.db, w.kept())
			}
			if behaviour != "unpackable" && (w.id == "" || !w.told("stays, the next try needs no activation")) {
				t.Errorf("the registration is gone, or nothing is said of it: %v", w.steps)
			}

			// the next try, with a sound one, goes on with the node
			w.offer(amazon, nil, now, "3.3.2.0")
			w.commands = nil
			if r, err := w.agent().Install(t.Context(), originals.Options{Source: w.source(amazon)}); err != nil || r.Registered ||
				r.InstanceID != w.id {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

func TestAnErrorAboutSomethingElseIsNoFault(t *testing.T) {
	w := newWorld(t)
	w.log("2026-01-01 03:04:05.0000 ERROR [CredentialRefresher] of an agent of long ago\n")
	w.offer(amazon, nil, now, "3.3.1.0 grumbles")
	w.install(t, "")
}

// Without a registration an original says that it has none: that is no fault, and no health either.
func TestAnUnregisteredOriginalIsInstalledAndNotCalledHealthy(t *testing.T) {
	w := newWorld(t)
	w.offer(amazon, nil, now, "3.3.1.0 complains")
	r, err := w.agent().Install(t.Context(), originals.Options{Source: w.source(amazon)})
	if err != nil || r.Healthy || r.InstanceID != "" || w.has() != "3.3.1.0" {
		t.Errorf("%+v, %v", r, err)
	}
}

// What can be tried before is: nothing is touched, and no activation is used.
func TestWhatCannotWorkIsRefusedBeforeAnythingIsTouched(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*world, *originals.Agent)
		fault  fault.Kind
	}{
		"no service manager":    {func(_ *world, a *originals.Agent) { a.System.Managed = false }, fault.Refused},
		"an unknown system":     {func(_ *world, a *originals.Agent) { a.System.Packing = "" }, fault.Refused},
		"an old kernel":         {func(_ *world, a *originals.Agent) { a.System.Facts.Kernel = "3.1.0" }, fault.Refused},
		"Bottlerocket":          {func(_ *world, a *originals.Agent) { a.System.Facts.ID = "bottlerocket" }, fault.Refused},
		"a masked service":      {func(w *world, _ *originals.Agent) { w.masked = true }, fault.Refused},
		"a snap":                {func(w *world, _ *originals.Agent) { w.put(setup.SnapAgent) }, fault.Refused},
		"dpkg would not":        {func(w *world, _ *originals.Agent) { w.offer(amazon, nil, now, "3.3.1.0 unmet") }, fault.Other},
		"an architecture":       {func(_ *world, a *originals.Agent) { a.System.Arch = "riscv64" }, fault.Refused},
		"no manifest":           {func(w *world, _ *originals.Agent) { clear(w.buckets) }, fault.Region},
		"a node of elsewhere":   {func(w *world, a *originals.Agent) { a.Ports.Registered = elsewhere }, fault.Refused},
		"another update":        {func(w *world, _ *originals.Agent) { w.lock() }, fault.Busy},
		"an inactive version":   {func(w *world, _ *originals.Agent) { w.deactivate("3.3.1.0") }, fault.Refused},
		"settings unreadable":   {func(w *world, _ *originals.Agent) { must(w.t, os.MkdirAll(w.home.ConfigFile(), 0o755)) }, fault.Other},
		"the service not asked": {func(*world, *originals.Agent) {}, fault.Usage},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.offer(amazon, nil, now, "3.3.1.0")
			a := w.agent()
			c.change(w, a)
			_, err := a.Install(t.Context(), originals.Options{Source: w.source(amazon), Activation: activation,
				AskService: name == "the service not asked"})
			if err == nil || fault.Of(err) != c.fault {
				t.Errorf("%v (%s)", err, fault.Of(err))
			}
			if len(w.commands) > 0 || exists(w.home.Own(installer.OwnOriginal)) {
				t.Errorf("it did %v and keeps %v", w.commands, w.kept())
			}
		})
	}
}

func elsewhere(installer.Layout) (string, string, error) { return "mi-1", "us-east-1", nil }

func TestARefusedActivationTakesTheInstallationBackAndDoesNotShowTheCode(t *testing.T) {
	w := newWorld(t)
	w.offer(amazon, nil, now, "3.3.1.0")
	w.refuse = errors.New("exit status 1")
	_, err := w.agent().Install(t.Context(), originals.Options{Source: w.source(amazon), Activation: activation})
	if !errors.Is(err, setup.ErrRegistration) || strings.Contains(err.Error(), activation.Code) || w.has() != "" {
		t.Errorf("%v; %s is installed", err, w.has())
	}
}

func TestTheServiceIsAskedOnlyWhereThatIsWanted(t *testing.T) {
	w := newWorld(t)
	w.offer(amazon, nil, now, "3.3.1.0")
	a := w.agent()
	asked := 0
	a.Confirm = func(_ context.Context, in, id string) (string, error) {
		asked++
		if in != region || id != w.id {
			t.Errorf("asked for %s in %s", id, in)
		}
		return "3.3.1.0", nil
	}
	r, err := a.Install(t.Context(), originals.Options{Source: w.source(amazon), Activation: activation, AskService: true})
	if err != nil || asked != 1 || !r.Confirmed {
		t.Errorf("%+v, %v, asked %d times", r, err, asked)
	}
	a.Confirm = func(context.Context, string, string) (string, error) { return "3.3.0.0", nil }
	w.offer(amazon, nil, now, "3.3.2.0")
	out, err := a.Update(t.Context(), originals.Options{Source: w.source(amazon), AskService: true})
	if fault.Of(err) != fault.RolledBack || w.has() != "3.3.1.0" || out.Success {
		t.Errorf("a version that the service does not see stays: %s, %v", w.has(), err)
	}
}

func TestAnInterruptedInstallationIsTakenBack(t *testing.T) {
	w := newWorld(t)
	w.offer(amazon, nil, now, "3.3.1.0")
	ctx, cancel := context.WithCancel(t.Context())
	a := w.agent()
	a.CutAt(func(place string) {
		if place == "after start" {
			cancel()
		}
	})
	_, err := a.Install(ctx, originals.Options{Source: w.source(amazon), Activation: activation})
	if !errors.Is(err, context.Canceled) || w.has() != "" || exists(w.home.Own(installer.OwnOriginal)) {
		t.Errorf("%v; %s is there", err, w.has())
	}
}

func TestStatusSaysWhichAgentItIsAndWhatRuns(t *testing.T) {
	w := newWorld(t)
	if k, err := w.agent().Installed(t.Context()); k != "" || err != nil {
		t.Errorf("%q, %v", k, err)
	}
	w.offer(amazon, nil, now, "3.3.1.0")
	w.install(t, "")
	if k, err := w.agent().Installed(t.Context()); k != originals.Original || err != nil {
		t.Errorf("%q, %v", k, err)
	}
	s, err := w.agent().Status(t.Context())
	if err != nil || s.Version != manifests.MustVersion("3.3.1.0") || s.PID == 0 || s.Worker == 0 || s.Sight != "" ||
		s.Record.Region != region {
		t.Errorf("%+v, %v", s, err)
	}
	w.running = false
	if s, _ = w.agent().Status(t.Context()); s.Sight == "" {
		t.Error("it is said to run")
	}
	snap := newWorld(t)
	snap.put(setup.SnapAgent)
	if s, err := snap.agent().Status(t.Context()); err != nil || s.Packing != "snap" || !strings.Contains(s.Line, "snap refresh") {
		t.Errorf("%+v, %v", s, err)
	}
}
