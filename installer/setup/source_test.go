package setup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

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

// withSettings is a run on a host with settings.
func withSettings(t *testing.T, settings string, o Options) *run {
	t.Helper()
	l := installer.At(t.TempDir())
	must(t, os.MkdirAll(filepath.Dir(l.ConfigFile()), 0o755))
	must(t, os.WriteFile(l.ConfigFile(), []byte(settings), 0o600))
	i := here(l)
	i.Ports.Step = func(string, ...any) {}
	before, err := readBefore(l)
	must(t, err)
	return &run{Installation: i, Options: o, before: before}
}

func parsed(t *testing.T, text string) regions.Source {
	t.Helper()
	s, err := regions.ParseSource(text)
	must(t, err)
	return s
}

func TestAHostGoesOnWithTheSourceThatItRemembers(t *testing.T) {
	const manifest = "https://mirror.example/amazon-ssm-eu-west-1/ssm-agent-manifest.json"
	for name, c := range map[string]struct {
		settings string
		o        Options
		want     string
	}{
		"nothing": {`{}`, Options{}, ""},
		"a mirror, by both": {`{"Agent": {"UpdateSource": "` + manifest + `", "PackageSource": "https://mirror.example"}}`, Options{},
			"https://mirror.example"},
		"a mirror, as before": {`{"Agent": {"UpdateSource": "` + manifest + `"}}`, Options{}, manifest},
		"Amazon's": {`{"Agent": {"UpdateSource": "https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1/ssm-agent-manifest.json"}}`,
			Options{}, ""},
		"another one is named": {`{"Agent": {"UpdateSource": "` + manifest + `"}}`, Options{Source: parsed(t, "s3://mine")}, "s3://mine"},
		"a service is named":   {`{"Agent": {"UpdateSource": "` + manifest + `"}}`, Options{Endpoint: "http://127.0.0.1:7700"}, ""},
	} {
		c.o.Region = "eu-west-1"
		r := withSettings(t, c.settings, c.o)
		if r.chooseSource(); r.Source.String() != c.want {
			t.Errorf("%s: %q, want %q", name, r.Source, c.want)
		}
	}
}

func TestAMirrorThatWasWrittenDownAsTheServicesIsTakenAway(t *testing.T) {
	settings := func(at, region string) string {
		return fmt.Sprintf(`{"Agent": {"UpdateSource": "%[1]s/amazon-ssm-%[2]s/ssm-agent-manifest.json"}, "Ssm": {"Endpoint": "%[1]s"},
			"Mds": {"Endpoint": "%[1]s"}, "Mgs": {"Endpoint": "%[1]s"}, "S3": {"Endpoint": "%[1]s"}}`, at, region)
	}
	mirror := parsed(t, "https://mirror.example")
	for name, c := range map[string]struct {
		settings string
		o        Options
		mended   bool
	}{
		"a mirror":          {settings("https://mirror.example", "eu-west-1"), Options{Region: "eu-west-1", Source: mirror}, true},
		"no source named":   {settings("https://mirror.example", "eu-west-1"), Options{Region: "eu-west-1"}, false},
		"a local region":    {settings("https://lab.example", "local"), Options{Region: "local", Source: mirror}, false},
		"on this machine":   {settings("http://127.0.0.1:7700", "eu-west-1"), Options{Region: "eu-west-1", Source: mirror}, false},
		"a private network": {`{"Ssm": {"Endpoint": "https://vpce.example"}}`, Options{Region: "eu-west-1", Source: mirror}, false},
	} {
		r := withSettings(t, c.settings, c.o)
		r.chooseSource()
		set := r.serviceSettings()
		removed := len(set) == 4
		for _, value := range set {
			removed = removed && value == nil
		}
		if removed != c.mended || !c.mended && len(set) != 0 {
			t.Errorf("%s: %v", name, set)
		}
	}
	alive := withSettings(t, settings("https://mirror.example", "eu-west-1"), Options{Region: "eu-west-1", Source: mirror})
	must(t, os.MkdirAll(alive.Data(), 0o755))
	must(t, installer.WritePulse(alive.Pulse(), installer.Pulse{LastRoundTrip: time.Now()}))
	if set := alive.serviceSettings(); len(set) != 0 {
		t.Errorf("a service answers there: %v", set)
	}
}

func TestAFolderThatOthersMayWriteIsNotRemembered(t *testing.T) {
	dir := t.TempDir()
	r := withSettings(t, `{}`, Options{Region: "local", Source: parsed(t, dir)})
	r.source = "file:///x/ssm-agent-manifest.json"
	if set := r.sourceSettings(); set["Agent.PackageSource"] != dir {
		t.Errorf("a folder of our own: %v", set)
	}
	if runtime.GOOS == "windows" {
		t.Skip("modes of folders are Unix's")
	}
	must(t, os.Chmod(dir, 0o777))
	if set := r.sourceSettings(); len(set) != 0 {
		t.Errorf("a folder that all may write: %v", set)
	}
}
