//go:build unix

package setup

import (
	"os"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// An agent that says it registered, but has no instance id, is not registered; with an activation and with a role.
func TestAnAgentWithoutAnInstanceIDIsNotRegistered(t *testing.T) {
	root := t.TempDir()
	i := here(installer.At(root))
	must(t, os.MkdirAll(i.BinDir(), 0o755))
	must(t, os.WriteFile(i.Launcher(), []byte("#!/bin/sh\nexit 0\n"), 0o755))
	for _, r := range []Registration{{Region: "local", Activation: Activation{"id", "code"}}, {Region: "local", Role: "r"}} {
		if id, err := i.Register(t.Context(), r); err == nil || id != "" || !strings.Contains(err.Error(), "no instance id") {
			t.Errorf("%+v: %q, %v", r, id, err)
		}
	}
}

// agentThat is an installation whose agent answers a registration so.
func agentThat(t *testing.T, script string) Installation {
	t.Helper()
	i := here(installer.At(t.TempDir()))
	must(t, os.MkdirAll(i.BinDir(), 0o755))
	must(t, os.WriteFile(i.Launcher(), []byte("#!/bin/sh\n"+script), 0o755))
	return i
}

func TestARefusedRegistrationHasTheKindThatTheAgentNames(t *testing.T) {
	for name, c := range map[string]struct {
		script string
		kind   fault.Kind
		text   string
		hint   string
	}{
		"refused": {`[ "$SSM_REGISTRATION_ANSWER" = json ] && printf '%s' '{"error":"InvalidActivation: no such one\nmore","kind":"registration"}'; exit 8`,
			fault.Registration, "the service refused the registration: InvalidActivation: no such one", fault.Registration.Hint()},
		"unreachable": {`echo noise >&2; echo '{"error":"no route to host","kind":"region","hint":"look"}'; exit 3`,
			fault.Region, "registration failed: no route to host", "look"},
		"a kind of a later agent": {`echo '{"error":"odd","kind":"strange"}'; exit 1`, fault.Other, "registration failed: odd", ""},
		"an older agent, refused": {`echo "time=x level=WARN msg=y" >&2; echo 'Registration failed due to ActivationExpired: too late'; exit 1`,
			fault.Registration, "the service refused the registration: ActivationExpired: too late", fault.Registration.Hint()},
		"an older agent, an exception": {`echo 'Registration failed due to ThrottlingException: slow down'; exit 1`,
			fault.Registration, "the service refused the registration: ThrottlingException: slow down", fault.Registration.Hint()},
		"an older agent, no network": {`echo 'Registration failed due to no route to host'; exit 1`, fault.Other,
			"registration failed: no route to host", ""},
	} {
		_, err := agentThat(t, c.script).Register(t.Context(), Registration{Region: "local", Activation: Activation{"id", "code"}})
		if err == nil || fault.Of(err) != c.kind || err.Error() != c.text || fault.HintOf(err) != c.hint {
			t.Errorf("%s: %v, kind %s, hint %q", name, err, fault.Of(err), fault.HintOf(err))
		}
	}
}
