package machine

import (
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/installer/originals"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests"
)

func TestWhatIsSaidOfAmazonsAgentNamesItAndPromisesNoMoreThanThisHostKnows(t *testing.T) {
	installed := originalText(setup.Result{Agent: "original", Version: "3.3.1.0", Format: "deb", Region: "eu-west-1", Installed: true,
		InstanceID: "mi-1", Registered: true, Healthy: true, Running: true, Signature: "signature not checked: no key for AB"})
	for _, want := range []string{"Amazon's own", "no key for AB", "registered as mi-1", "as far as this host can tell"} {
		if !strings.Contains(installed, want) {
			t.Errorf("%q is missing in %s", want, installed)
		}
	}
	updated := originalOutcome(originals.Outcome{Kind: originals.Updated, From: manifests.MustVersion("3.3.1.0"),
		Target: manifests.MustVersion("3.3.2.0"), Success: true, Confirmed: true})
	if !strings.Contains(updated, "3.3.1.0 → 3.3.2.0") || !strings.Contains(updated, "the service names it") {
		t.Error(updated)
	}
	status := originalStatusText(originalStatus{Agent: originals.Original, Format: "rpm", PackageVersion: "3.3.1.0"})
	if !strings.Contains(status, "Amazon's own, installed by its rpm package") || !strings.Contains(status, "nothing") {
		t.Error(status)
	}
}

// The question before a removal names all that goes.
func TestARemovalOfAmazonsAgentSaysWhatItTakes(t *testing.T) {
	v := manifests.MustVersion("3.3.1.0")
	if got := wouldRemoveOriginal(v, false); got != "remove Amazon's agent 3.3.1.0 from this system" {
		t.Error(got)
	}
	if got := wouldRemoveOriginal(v, true); !strings.Contains(got, "registration, data, logs and settings") {
		t.Error(got)
	}
}

func TestASourceWithoutANameIsAmazonsOwnBucket(t *testing.T) {
	s, err := sourceIn("", "eu-west-1", "", false)
	if err != nil || s.Base != "https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1" || s.Name != "" {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := sourceIn("http://packages.example/ssm", "eu-west-1", "", false); err == nil {
		t.Error("plain http of another machine is taken")
	}
	if s, err = sourceIn("https://packages.example/{Region}", "eu-west-1", "", false); err != nil ||
		s.Base != "https://packages.example/eu-west-1" {
		t.Errorf("%+v, %v", s, err)
	}
}

// A flag that would have no effect is refused before anything is looked at.
func TestALimitOfDownloadsIsRefusedForAmazonsAgent(t *testing.T) {
	app := &cli.App{Commands: []*cli.Command{{Name: "update", Flags: Update().Flags,
		Action: func(c *cli.Context) error { return updateOriginal(c, nil) }}}}
	err := app.Run([]string{"ssm-setup", "update", "--limit-rate", "500k"})
	if err == nil || !strings.Contains(err.Error(), "--limit-rate is for this project's agent") {
		t.Error(err)
	}
}
