package setup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/regions"
)

func TestAnInsecureAddressThatTheHostHasGoesOnWorking(t *testing.T) {
	const address = "http://mirror.example:8000"
	for name, c := range map[string]struct {
		settings string
		allow    bool
		refused  bool
	}{
		"none":           {"", false, true},
		"none, allowed":  {"", true, false},
		"as the source":  {`{"Agent": {"UpdateSource": "` + address + `/amazon-ssm-local/ssm-agent-manifest.json"}}`, false, false},
		"as endpoints":   {`{"Ssm": {"Endpoint": "` + address + `"}, "S3": {"Endpoint": "` + address + `"}}`, false, false},
		"another source": {`{"Agent": {"UpdateSource": "http://other.example/amazon-ssm-local/ssm-agent-manifest.json"}}`, false, true},
		"damaged":        {`{`, false, true},
	} {
		l := installer.At(t.TempDir())
		if c.settings != "" {
			must(t, os.MkdirAll(filepath.Dir(l.ConfigFile()), 0o755))
			must(t, os.WriteFile(l.ConfigFile(), []byte(c.settings), 0o600))
		}
		i, told := here(l), ""
		i.Ports.Step = func(format string, args ...any) { told = fmt.Sprintf(format, args...) }
		r := &run{Installation: i, Options: Options{Region: "local", Endpoint: address, AllowInsecure: c.allow}}
		if err := r.checkAddresses(); c.refused != errors.Is(err, regions.ErrInsecure) || c.refused != (told == "") {
			t.Errorf("%s: %v, told %q", name, err, told)
		}
	}
}

func TestARemovalDoesNotWaitForAnUpdateThatHasNotSwitched(t *testing.T) {
	l := installer.At(t.TempDir())
	must(t, writeRecord(l, record{Format: archive.Name}))
	end := holdLock(t, l.Root)
	i := here(l)
	i.Ports.Step = func(string, ...any) {}
	i.Ports.EndPending = func(installer.Layout) (bool, error) { end(); return true, nil }
	if _, err := i.Remove(t.Context()); err != nil {
		t.Error(err)
	}
}
