package originals

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/authority"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/proxy"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// readSettings is the settings file; nil: there is none.
func (a *Agent) readSettings() ([]byte, error) {
	b, err := os.ReadFile(a.ConfigFile())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return b, err
}

// writeSettings writes what was asked for into the agent's settings, and keeps a proxy for its service.
func (w *work) writeSettings() error {
	if len(w.settings) > 0 && w.takeOver == nil {
		if err := w.Ports.Configure(w.ConfigFile(), w.settings); err != nil {
			return err
		}
		now, err := w.readSettings()
		if err != nil {
			return err
		}
		w.changed = w.changed || string(now) != string(w.change.Settings)
	}
	if w.proxy == nil && w.authority == "" {
		return nil
	}
	w.changed = true
	if err := w.writeEnvironment(w.System.Facts.OS == "linux" && w.System.Managed); err != nil {
		return err
	}
	if w.System.Facts.OS == "linux" {
		_, err := w.System.Run(w.ctx, "systemctl", "daemon-reload")
		return err
	}
	return nil
}

// writeEnvironment keeps a proxy and a region's authority for the agent's service.
func (w *work) writeEnvironment(systemd bool) error {
	if w.proxy != nil {
		if err := proxy.Keep(w.Layout, *w.proxy, systemd); err != nil {
			return err
		}
		w.Ports.Step("the service uses the proxy %s", w.proxy.Redacted())
	}
	if w.authority == "" {
		return nil
	}
	return authority.Keep(w.Layout, w.authority, systemd)
}

// restoreSettings brings the settings back as they were.
func (w *work) restoreSettings() error {
	if w.change.Settings == nil {
		if err := os.Remove(w.ConfigFile()); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		_ = os.Remove(w.ConfigDir()) // if nothing is in it
		return nil
	}
	return host.WriteFile(w.ConfigFile(), w.change.Settings, 0o600)
}

// putTo puts the wanted package in, or has ours put in.
func (w *work) putTo() error {
	if w.takeOver != nil {
		return w.takeOver(w.ctx)
	}
	here, err := w.Present(w.ctx)
	if err != nil {
		return err
	}
	if here.Whole && here.Version == w.change.To.Version {
		return nil // an earlier run put it in
	}
	if err := w.put(*w.change.To, w.change.From); err != nil {
		return err
	}
	w.changed = w.changed || w.change.From != nil
	w.Ports.Step("installed %s (%s)", w.change.To.Version, w.change.To.Packing)
	return nil
}

// put gives a kept package to the package manager. there is what it takes the place of; nil: nothing.
func (w *work) put(p Package, there *Package) error {
	if err := w.atHand(p); err != nil {
		return err
	}
	way, err := w.packing()
	if err != nil {
		return err
	}
	if there != nil && way.removesNewer && p.Version.Less(there.Version) {
		if err := w.all(way.remove, w.pathOf(*there)); err != nil {
			return err
		}
	}
	return w.all(way.installing(w.pathOf(p)), w.pathOf(p))
}

// all runs commands one after the other.
func (w *work) all(commands [][]string, path string) error {
	for _, c := range commands {
		if _, err := w.System.Run(w.ctx, filled(c, path)...); err != nil {
			return err
		}
	}
	return nil
}

// putFrom brings the package back that was there before, or takes away the one that was put in.
func (w *work) putFrom() error {
	from := w.change.From
	here, err := w.Present(w.ctx)
	if err != nil {
		return err
	}
	if from == nil {
		return w.takeAway(here)
	}
	if from.Agent == Original && here.Whole && here.Version == from.Version {
		return w.restart() // it was not exchanged, or an earlier run brought it back
	}
	if err := w.put(*from, w.change.To); err != nil {
		return err
	}
	if err := w.restart(); err != nil {
		return err
	}
	w.Ports.Step("%s is back", from.Version)
	return nil
}

// restart starts the agent that was brought back, and sees it run once: a trial would hold up what is known already.
func (w *work) restart() error {
	if err := w.System.Service.Start(w.ctx); err != nil {
		return err
	}
	if w.change.From.Agent == Ours {
		return nil // its launcher does the rest
	}
	_, err := w.awaitRound(w.ctx)
	return err
}

// takeAway removes a package that this change put in; data and registration stay.
func (w *work) takeAway(here Presence) error {
	if here.Version.IsZero() {
		return nil
	}
	way, err := w.packing()
	if err != nil {
		return err
	}
	path := ""
	if w.change.To != nil {
		path = w.pathOf(*w.change.To)
	}
	if err := w.all(way.remove, path); err != nil {
		return err
	}
	w.Ports.Step("removed %s again", here.Version)
	return nil
}

// register makes the machine a node, unless it is one.
func (w *work) register() error {
	id, _, _ := w.Ports.Registered(w.Layout)
	if (id == "" || w.override) && w.activation.Given() {
		var err error
		var kept bool
		if id, kept, err = w.registerAnew(w.ctx, w.region, w.activation); kept {
			w.Ports.Step("the registration of before is put back")
		}
		if err != nil {
			return err
		}
		w.registered, w.changed = true, true
		w.Ports.Step("registered in region %s as %s", w.region, id)
	}
	w.instanceID = id
	return nil
}

// start runs the agent, anew where something it reads at its start has changed: then what it logs from now on counts, else all that came
// into its log since the change began.
func (w *work) start() error {
	if w.changed {
		w.from = w.mark()
		return w.System.Service.Restart(w.ctx)
	}
	return w.System.Service.Start(w.ctx)
}

func (w *work) watchTo() error {
	if w.takeOver != nil {
		return nil
	}
	id, _, _ := w.Ports.Registered(w.Layout)
	return w.watch(w.ctx, w.from, id != "")
}

// removePackage takes the package away for good.
func (w *work) removePackage() error {
	way, err := w.packing()
	if err != nil {
		return err
	}
	path := ""
	if w.change.From != nil {
		path = w.pathOf(*w.change.From)
	}
	if w.System.Managed {
		if err := w.System.Service.Stop(w.ctx); err != nil {
			w.Ports.Step("the service could not be stopped before the removal: %v", err)
		}
	}
	return w.all(way.remove, path)
}

// registrationTime is how long the original's -register may take (docs/protocol/update.md, "On-premises flow").
const registrationTime = time.Minute

// register has the installed original register itself (docs/protocol/identity.md, "amazon-ssm-agent flags") while its service is stopped,
// and returns the node's id. It takes the code as an argument and in no other way.
func (a *Agent) register(ctx context.Context, region string, act setup.Activation) (string, error) {
	if err := a.System.Service.Stop(ctx); err != nil {
		return "", err
	}
	limited, cancel := context.WithTimeout(ctx, registrationTime)
	defer cancel()
	out, err := a.System.Register(limited, a.Launcher(), "-register", "-y", "-region", region, "-code", act.Code, "-id", act.ID)
	if err != nil {
		if limited.Err() != nil && ctx.Err() == nil {
			return "", fmt.Errorf("%w: no answer within %s", setup.ErrRegistration, registrationTime)
		}
		return "", setup.ProseRefusal(strings.ReplaceAll(out, act.Code, "***"), err)
	}
	id, _, err := a.Ports.Registered(a.Layout)
	if err == nil && id == "" {
		err = fault.Wrap(fault.Registration, errors.New("the agent registered, but no instance id is in its vault"), "")
	}
	return id, err
}

// removeEmptyData removes the folders that were made for the lock, where nothing came into them.
func removeEmptyData(a *Agent) {
	if os.Remove(a.Data()) == nil {
		_ = os.Remove(filepath.Dir(a.Data()))
	}
}
