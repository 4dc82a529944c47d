package originals_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/installer/setup"
)

const former = "mi-0fffffffffffffff0"

// registeredWorld has an original that is registered, with its registration in files.
func registeredWorld(t *testing.T) *world {
	w := updatable(t)
	w.vault(former)
	return w
}

func (w *world) registeredAs(what, id string) {
	w.t.Helper()
	got, _, err := w.registered(w.home)
	if got != id || err != nil {
		w.t.Errorf("%s: registered as %q, %v", what, got, err)
	}
	if exists(filepath.Join(w.home.Own(installer.OwnOriginal), "registration")) {
		w.t.Errorf("%s: the copy is left", what)
	}
	if info, err := os.Stat(w.key()); id != "" && (err != nil || info.Mode().Perm() != 0o600) {
		w.t.Errorf("%s: %v", what, err)
	}
}

func TestARefusedRegistrationOfAnOriginalLeavesTheOneOfBefore(t *testing.T) {
	w := registeredWorld(t)
	w.refuse = errors.New("exit status 1")
	if _, err := w.agent().Register(t.Context(), region, activation); !errors.Is(err, setup.ErrRegistration) || !w.running {
		t.Errorf("%v, it runs: %t", err, w.running)
	}
	w.registeredAs("register", former)
	if !w.told("the registration of before is put back") {
		t.Errorf("%v", w.steps)
	}
	o := originals.Options{Source: w.source(amazon), Activation: activation, Override: true}
	if _, err := w.agent().Install(t.Context(), o); !errors.Is(err, setup.ErrRegistration) {
		t.Errorf("%v", err)
	}
	w.registeredAs("install", former)
	w.refuse = nil
	if id, err := w.agent().Register(t.Context(), region, activation); err != nil || id == former {
		t.Errorf("%s, %v", id, err)
	}
	w.registeredAs("taken", "mi-0123456789abcdef0")
}

func TestAKilledRegistrationOfAnOriginalEndsWithOneRegistration(t *testing.T) {
	for _, refuse := range []error{nil, errors.New("exit status 1")} {
		for _, place := range []string{"with the registration set aside", "after registering"} {
			w := registeredWorld(t)
			w.refuse = refuse
			s := scene{act: func(_ *world, a *originals.Agent) error {
				_, err := a.Register(context.Background(), region, activation)
				return err
			}}
			if !s.cutAt(w, place) {
				t.Fatalf("%s is not reached", place)
			}
			if err := w.agent().Settle(t.Context()); err != nil {
				t.Errorf("%s: %v", place, err)
			}
			want := former
			if refuse == nil && place == "after registering" {
				want = "mi-0123456789abcdef0"
			}
			w.registeredAs(place, want)
		}
	}
}
