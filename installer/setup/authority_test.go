package setup

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/authority"
)

func TestTheAuthorityOfALocalRegionGoesWhenTheHostGoesToARegionOfAWS(t *testing.T) {
	dir := t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	must(t, os.WriteFile(ca, []byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), 0o600))
	i := here(installer.At(filepath.Join(dir, "root")))
	i.Ports.Step = func(string, ...any) {}
	for _, step := range []struct {
		region, endpoint, file string
		kept                   bool
	}{
		{"eu-west-1", "", "", false},
		{"local", "https://127.0.0.1:7700", ca, true},
		{"local", "https://127.0.0.1:7700", "", true},
		{"eu-west-1", "https://127.0.0.1:7700", "", true},
		{"eu-west-1", "", "", false},
	} {
		must(t, i.KeepAuthority(t.Context(), step.region, step.endpoint, step.file))
		if authority.Kept(i.Layout) != step.kept {
			t.Errorf("%+v: kept: %t", step, !step.kept)
		}
	}
	must(t, i.KeepAuthority(t.Context(), "local", "https://127.0.0.1:7700", ca))
	r := &run{Installation: i, Options: Options{Region: "eu-west-1"}, ctx: t.Context()}
	must(t, r.keepAuthority())
	r.restoreAuthority()
	if !authority.Kept(i.Layout) {
		t.Error("an installation that fails takes it away")
	}
}
