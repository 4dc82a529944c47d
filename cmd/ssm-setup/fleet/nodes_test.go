package fleet_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/fleet"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
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

func TestTheHostsOfALocalRegionAreListed(t *testing.T) {
	r := local.Start(t)
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", r.CredentialsFile())
	t.Setenv("AWS_PROFILE", "default")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	text, err := asked(t, "--region", r.Name(), "--endpoint", r.URL())
	if err != nil || text != "no host is registered in region local\n" {
		t.Errorf("%q, %v", text, err)
	}
}

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
