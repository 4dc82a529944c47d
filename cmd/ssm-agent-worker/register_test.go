package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// shell is a machine on which the command line is typed.
type shell struct {
	t           *testing.T
	layout      installer.Layout
	region      *local.Region
	environment map[string]string
	out, err    string
}

func newShell(t *testing.T) *shell {
	t.Helper()
	s := &shell{t: t, layout: installer.At(t.TempDir()), region: local.Start(t), environment: map[string]string{}}
	if err := config.Set(s.layout.ConfigFile(), map[string]any{"Ssm.Endpoint": s.region.URL()}); err != nil {
		t.Fatal(err)
	}
	return s
}

// typed runs the command line with an answer on its input.
func (s *shell) typed(answer string, args ...string) int {
	var out, errs bytes.Buffer
	c := registration{in: strings.NewReader(answer), out: &out, err: &errs,
		getenv: func(name string) string { return s.environment[name] },
		layout: func() (installer.Layout, error) { return s.layout, nil }}
	code := c.run(s.t.Context(), args)
	s.out, s.err = out.String(), errs.String()
	return code
}

// expect runs it and checks exit code and the texts on stdout and stderr, by their beginning.
func (s *shell) expect(code int, out, errs string, args ...string) {
	s.t.Helper()
	if got := s.typed("", args...); got != code || !strings.HasPrefix(s.out, out) || !strings.HasPrefix(s.err, errs) ||
		(out == "") != (s.out == "") || (errs == "") != (s.err == "") {
		s.t.Errorf("%v: exit %d\nout: %s\nerr: %s", args, got, s.out, s.err)
	}
}

func (s *shell) activation() (id, code string) {
	s.t.Helper()
	id, code, err := s.region.CreateActivation(20)
	if err != nil {
		s.t.Fatal(err)
	}
	return id, code
}

func (s *shell) vault() string {
	text, _ := os.ReadFile(filepath.Join(s.layout.Vault(), "Store", "RegistrationKey"))
	return string(text)
}

const usageText = "\n\nCommand-line Usage:"

func TestTheCommandLineOfTheAgent(t *testing.T) {
	s := newShell(t)
	s.expect(0, "SSM Agent version: ", "", "-version")
	s.expect(0, "SSM Agent version: ", "", "--version")
	s.expect(1, "", usageText, "-version", "-y")
	s.expect(2, "", "flag provided but not defined: -bogus", "-bogus")
	s.expect(0, "", "Usage of ", "-h")
	s.expect(1, "", usageText, "-clear")
	s.expect(1, "", usageText, "-y")
	s.expect(1, "", usageText, "word")
	s.expect(1, "", usageText, "-register")
	s.expect(1, "", usageText, "-register", "-region", "local", "-code", "c")
	s.expect(1, "", usageText, "-register", "-id", "i", "-code", "c")
	s.expect(1, "Error setting the SimilarityThreshold. Unable to set similarity threshold due to, save called with empty fingerprint key",
		"", "-fingerprint")
	for _, n := range []string{"0", "101", "-2"} {
		s.expect(1, "Error setting the SimilarityThreshold. Invalid Similarity Threshold value of "+n+
			". Value must be between 1 and 100 or -1 (check disabled)", "", "-fingerprint", "-similarityThreshold", n)
	}
	role := []string{"-register", "-region", "local", "-role", "r"}
	s.expect(1, "Registration failed due to registration with a role needs the credentials of a container", "", role...)
	s.expect(1, "Registration failed due to tags are written as ", "", "-register", "-region", "local", "-role", "r", "-tags", "a=b")
	if _, err := os.Stat(s.layout.Data()); err == nil {
		t.Error("something was written")
	}
}

// To 15.
func TestRegisteringByHandAsksBeforeItReplaces(t *testing.T) {
	s := newShell(t)
	id, code := s.activation()
	full := []string{"-register", "-region", "local", "-id", id, "-code", code}
	s.expect(1, "Registration failed due to error registering the instance with AWS SSM. InvalidParameter: 1 validation error(s) found.", "",
		"-register", "-region", "local", "-id", id, "-code", "ABCDEFGHIJKLMNOPQRS")
	s.expect(0, "Successfully registered the instance with AWS SSM using Managed instance-id: mi-", "", full...)
	first := s.vault()
	const prompt = "\nInstance already registered. Would you like to override existing with new registration information? [Yes/No]: "
	for answer, said := range map[string]string{
		"no\n": "Registration canceled by user", "N\n": "Registration canceled by user",
		"maybe\n": "Registration failed due to Invalid response received.", "": "Registration failed due to EOF",
		"\n": "Registration failed due to unexpected newline",
	} {
		if exit := s.typed(answer, full...); exit != 1 || s.out != prompt+said+"\n" {
			t.Errorf("%q: exit %d, %s", answer, exit, s.out)
		}
	}
	if s.vault() != first || len(s.region.Instances()) != 1 {
		t.Error("a refusal changed something")
	}
	for _, answer := range []string{"yes\n", "Y\n"} {
		before := s.vault()
		if exit := s.typed(answer, full...); exit != 0 || !strings.HasPrefix(s.out, prompt+"Successfully registered") || s.vault() == before {
			t.Errorf("%q: exit %d, %s", answer, exit, s.out)
		}
	}
	s.expect(0, "Successfully registered", "", append(full, "-y", "-clear")...)
	s.expect(0, "Fingerprint SimilarityThreshold set to 100", "", "-fingerprint", "-similarityThreshold", "100")
	s.expect(0, "Fingerprint SimilarityThreshold set to 40", "", "-fingerprint")
	s.expect(1, "Registration failed due to error registering the instance with AWS SSM. InvalidActivation: ", "",
		"-register", "-y", "-region", "local", "-id", "11111111-2222-3333-4444-555555555555", "-code", code)
	s.expect(0, "Registration information has been removed from the instance.\n", "", "-register", "-clear")
	if id, _, err := identity.Registered(s.layout); id != "" || err != nil {
		t.Error(id, err)
	}
}

func TestAnActivationMayComeFromTheEnvironment(t *testing.T) {
	s := newShell(t)
	s.environment[activationIDVariable], s.environment[activationCodeVariable] = s.activation()
	s.expect(0, "Successfully registered", "", "-register", "-region", "local")
}

func TestABadConfigurationStopsARegistration(t *testing.T) {
	s := newShell(t)
	if err := os.WriteFile(s.layout.ConfigFile(), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	id, code := s.activation()
	s.expect(1, "Registration failed due to cannot read configuration ", "", "-register", "-region", "local", "-id", id, "-code", code)
}

// data runs a registration that answers as data.
func (s *shell) data(code int, args ...string) (a answer) {
	s.t.Helper()
	got := s.typed("", args...)
	if err := json.Unmarshal([]byte(s.out), &a); err != nil || got != code || strings.Count(s.out, "\n") != 1 {
		s.t.Errorf("%v: exit %d, want %d, %v\nout: %s\nerr: %s", args, got, code, err, s.out, s.err)
	}
	return a
}

func TestARegistrationAnswersAsData(t *testing.T) {
	s := newShell(t)
	id, code := s.activation()
	full := []string{"-register", "-json", "-region", "local", "-id", id, "-code", code}
	if a := s.data(0, full...); !strings.HasPrefix(a.InstanceID, "mi-") || a.Region != "local" || a.Error+string(a.Kind)+a.Hint != "" {
		t.Errorf("%+v", a)
	}
	if a := s.data(5, full...); a.Kind != "refused" || !strings.Contains(a.Error, "registered already as mi-") || a.Hint == "" {
		t.Errorf("%+v", a)
	}
	unknown := []string{"-register", "-y", "-json", "-region", "local", "-id", "11111111-2222-3333-4444-555555555555", "-code", code}
	if a := s.data(8, unknown...); a.Kind != "registration" || a.Code != "InvalidActivation" || a.InstanceID != "" || a.Hint == "" ||
		!strings.Contains(a.Error, "InvalidActivation: ") {
		t.Errorf("%+v", a)
	}
	if a := s.data(2, "-register", "-json", "-id", id); a.Kind != "usage" {
		t.Errorf("%+v", a)
	}
	short := []string{"-register", "-json", "-y", "-region", "local", "-id", id, "-code", "short"}
	if a := s.data(2, short...); a.Kind != "usage" || a.Code != "InvalidParameter" {
		t.Errorf("%+v", a)
	}
	s.region.Close()
	if a := s.data(3, append(full, "-y")...); a.Kind != "region" || a.Code != "RequestError" {
		t.Errorf("%+v", a)
	}
}

// The variable asks for the same; an agent that does not know it answers in prose.
func TestTheVariableAsksForDataToo(t *testing.T) {
	s := newShell(t)
	s.environment[answerVariable] = "json"
	s.environment[activationIDVariable], s.environment[activationCodeVariable] = s.activation()
	if a := s.data(0, "-register", "-y", "-region", "local"); !strings.HasPrefix(a.InstanceID, "mi-") {
		t.Errorf("%+v", a)
	}
}

// An update is undone when the registration cannot be read after it, and goes on on a machine that has none.
func TestAnUpdateTellsNoRegistrationFromOneThatCannotBeRead(t *testing.T) {
	s := newShell(t)
	p := &ports{layout: s.layout, cfg: config.Default()}
	if id, err := p.instance(); id != "" || err != nil {
		t.Error(id, err)
	}
	id, code := s.activation()
	s.expect(0, "Successfully registered", "", "-register", "-region", "local", "-id", id, "-code", code)
	if id, err := p.instance(); !strings.HasPrefix(id, "mi-") || err != nil {
		t.Error(id, err)
	}
	if err := os.WriteFile(filepath.Join(s.layout.Vault(), "Store", "RegistrationKey"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if id, err := p.instance(); id != "" || !errors.Is(err, identity.ErrUnreadable) {
		t.Error(id, err)
	}
}
