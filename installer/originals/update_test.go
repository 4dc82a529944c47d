package originals_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// updated is a world with 3.3.1.0 installed and registered, whose region offers more.
func updatable(t *testing.T, more ...string) *world {
	t.Helper()
	w := newWorld(t)
	w.offer(amazon, nil, now, append([]string{"3.3.1.0"}, more...)...)
	w.install(t, "3.3.1.0")
	w.commands, w.asked, w.steps = nil, nil, nil
	return w
}

func TestAnOriginalIsUpdatedToWhatItsRegionOffersAndGoesBack(t *testing.T) {
	w := updatable(t, "3.3.2.0")
	o := originals.Options{Source: w.source(amazon)}
	checked, err := w.agent().Check(t.Context(), o)
	if err != nil || checked.Kind != "upgrade" || checked.Target.String() != "3.3.2.0" || len(w.commands) > 0 {
		t.Errorf("%+v, %v, did %v", checked, err, w.commands)
	}
	out, err := w.agent().Update(t.Context(), o)
	if err != nil || !out.Success || out.Kind != originals.Updated || out.From.String() != "3.3.1.0" || out.Target.String() != "3.3.2.0" ||
		w.has() != "3.3.2.0" {
		t.Errorf("%+v, %v", out, err)
	}
	if len(w.kept()) != 2 {
		t.Errorf("kept: %v", w.kept())
	}
	if out, err = w.agent().Update(t.Context(), o); err != nil || out.Kind != "up-to-date" || !out.Success {
		t.Errorf("%+v, %v", out, err)
	}

	// back without the network, once
	w.asked = nil
	if out, err = w.agent().Rollback(t.Context()); err != nil || out.Kind != originals.WentBack || w.has() != "3.3.1.0" || len(w.asked) > 0 {
		t.Errorf("%+v, %v; asked %v", out, err, w.asked)
	}
	if out, err = w.agent().Rollback(t.Context()); fault.Of(err) != fault.Refused ||
		!strings.Contains(fault.HintOf(err), "--version 3.3.2.0") || w.has() != "3.3.1.0" {
		t.Errorf("a second rollback goes forward silently: %+v, %v", out, err)
	}
	if _, err = w.agent().Update(t.Context(), o); err != nil || w.has() != "3.3.2.0" {
		t.Errorf("%s, %v", w.has(), err)
	}
}

func TestAnUpdateKeepsToTheRulesOfVersions(t *testing.T) {
	w := updatable(t, "3.3.0.0", "3.3.2.0", "3.4.0.0")
	w.deactivate("3.4.0.0")
	for version, want := range map[string]string{"3.3.0.0": "downgrade-refused", "3.4.0.0": "status-skipped",
		"3.5.0.0": "region-behind",
		"stable":  "up-to-date", "<3.3": "unknown-version", "3.3.1.0": "up-to-date"} {
		out, err := w.agent().Update(t.Context(), originals.Options{Source: w.source(amazon), Version: version})
		if err != nil || out.Kind != want || len(w.commands) > 0 {
			t.Errorf("%s: %s (%s), %v, did %v", version, out.Kind, out.Detail, err, w.commands)
		}
	}
	out, err := w.agent().Update(t.Context(), originals.Options{Source: w.source(amazon), Version: "3.3.0.0", AllowDowngrade: true})
	if err != nil || !out.Success || w.has() != "3.3.0.0" {
		t.Errorf("%+v, %v", out, err)
	}
	if out, err = w.agent().Update(t.Context(), originals.Options{Source: w.source(amazon), Version: "~3.3"}); err != nil ||
		w.has() != "3.3.2.0" {
		t.Errorf("a constraint: %+v, %v", out, err)
	}
}

func TestAVersionThatDoesNotProveItselfIsTakenBack(t *testing.T) {
	for _, behaviour := range []string{"exits", "workerless", "restarts", "complains", "unpackable"} {
		w := updatable(t, "3.3.2.0 "+behaviour)
		out, err := w.agent().Update(t.Context(), originals.Options{Source: w.source(amazon)})
		if fault.Of(err) != fault.RolledBack || out.Kind != originals.RolledBack || out.Success || out.Reason == "" || w.has() != "3.3.1.0" ||
			!w.running {
			t.Errorf("%s: %+v, %v; %q is there", behaviour, out, err, w.db)
		}
		s, err := w.agent().Status(t.Context())
		if err != nil || s.Record.Open != nil || s.Record.Last == nil || s.Record.Last.Kind != originals.RolledBack ||
			s.Record.InUse.Version.String() != "3.3.1.0" {
			t.Errorf("%s: %+v, %v", behaviour, s, err)
		}
		if len(w.kept()) != 1 {
			t.Errorf("%s: kept %v", behaviour, w.kept())
		}
	}
}

// Both packages are at hand before the old one is touched; a region that has the installed one no more does not matter where it is kept.
func TestNothingIsTouchedBeforeThereIsAWayBack(t *testing.T) {
	w := updatable(t, "3.3.2.0")
	forget(t, w)
	w.removeVersion("3.3.1.0")
	_, err := w.agent().Update(t.Context(), originals.Options{Source: w.source(amazon)})
	if fault.Of(err) != fault.Refused || len(w.commands) > 0 || w.has() != "3.3.1.0" {
		t.Errorf("%v, did %v", err, w.commands)
	}
	kept := updatable(t, "3.3.2.0")
	kept.removeVersion("3.3.1.0")
	if _, err := kept.agent().Update(t.Context(), originals.Options{Source: kept.source(amazon)}); err != nil || kept.has() != "3.3.2.0" {
		t.Errorf("%v", err)
	}
}

// forget makes the original one that this tool did not install.
func forget(t *testing.T, w *world) {
	t.Helper()
	must(t, os.RemoveAll(w.home.Own(installer.OwnOriginal)))
}

func TestAnOriginalThatWasThereBeforeIsUpdatedAndRemoved(t *testing.T) {
	w := updatable(t, "3.3.2.0")
	forget(t, w)
	if out, err := w.agent().Rollback(t.Context()); fault.Of(err) != fault.Refused || out.Kind != originals.NoPrevious ||
		exists(w.home.Own(installer.OwnOriginal)) {
		t.Errorf("%+v, %v", out, err)
	}
	if out, err := w.agent().Update(t.Context(), originals.Options{Source: w.source(amazon)}); err != nil || w.has() != "3.3.2.0" {
		t.Errorf("%+v, %v", out, err)
	}
	if out, err := w.agent().Rollback(t.Context()); err != nil || w.has() != "3.3.1.0" {
		t.Errorf("%+v, %v", out, err)
	}
	v, err := w.agent().Remove(t.Context())
	if err != nil || v.String() != "3.3.1.0" || w.has() != "" || exists(w.home.Own(installer.OwnOriginal)) || w.id == "" {
		t.Errorf("%s, %v; %q", v, err, w.db)
	}
	if v, err = w.agent().Remove(t.Context()); err != nil || !v.IsZero() && w.has() != "" {
		t.Errorf("again: %s, %v", v, err)
	}
}

// What AWS's own updater did meanwhile counts: the package manager says what is there.
func TestAnUpdateByAWSMeanwhileIsNoticed(t *testing.T) {
	w := updatable(t, "3.3.2.0", "3.3.3.0")
	w.db = "install ok installed 3.3.2.0-1"
	out, err := w.agent().Update(t.Context(), originals.Options{Source: w.source(amazon)})
	if err != nil || out.From.String() != "3.3.2.0" || w.has() != "3.3.3.0" {
		t.Errorf("%+v, %v", out, err)
	}
	if _, err = w.agent().Rollback(t.Context()); err != nil || w.has() != "3.3.2.0" {
		t.Errorf("%s, %v", w.has(), err)
	}
	w.db = "install ok installed 3.3.9.0-1"
	if _, err := w.agent().Rollback(t.Context()); fault.Of(err) != fault.Refused || w.has() != "3.3.9.0" {
		t.Errorf("%s, %v", w.has(), err)
	}
}

func TestAnOriginalRegistersAndKeepsItsRegistrationWhereItIsRefused(t *testing.T) {
	w := newWorld(t)
	w.offer(amazon, nil, now, "3.3.1.0")
	if _, err := w.agent().Register(t.Context(), region, activation); fault.Of(err) != fault.Refused {
		t.Errorf("without an agent: %v", err)
	}
	if _, err := w.agent().Install(t.Context(), originals.Options{Source: w.source(amazon)}); err != nil {
		t.Fatal(err)
	}
	id, err := w.agent().Register(t.Context(), region, activation)
	if err != nil || id != w.id || !w.running {
		t.Errorf("%s, %v", id, err)
	}
	w.refuse = os.ErrPermission
	if _, err = w.agent().Register(t.Context(), region, activation); fault.Of(err) != fault.Registration || !w.running {
		t.Errorf("%v; running: %v", err, w.running)
	}
}

func TestAnUpdateThatThePolicyWithholdsChangesNothing(t *testing.T) {
	w := updatable(t, "3.3.2.0")
	var judged []manifests.Decision
	o := originals.Options{Source: w.source(amazon), Permit: func(d manifests.Decision) manifests.Decision {
		judged = append(judged, d)
		d.Kind, d.Success = "on-hold", true
		return d
	}}
	for name, do := range map[string]func(context.Context, originals.Options) (originals.Outcome, error){
		"checked": w.agent().Check, "updated": w.agent().Update} {
		judged = nil
		out, err := do(t.Context(), o)
		if err != nil || out.Kind != "on-hold" || len(judged) != 1 || len(w.commands) > 0 || w.has() != "3.3.1.0" {
			t.Errorf("%s: %+v, %v, did %v", name, out, err, w.commands)
		}
	}
	o.Version = "3.3.2.0"
	if _, err := w.agent().Install(t.Context(), o); fault.Of(err) != fault.Refused || w.has() != "3.3.1.0" {
		t.Errorf("installed over it: %v, %s", err, w.has())
	}
}
