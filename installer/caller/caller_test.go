package caller_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/caller"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
)

// account is a caller with folders of its own, and an environment.
func account(t *testing.T, env map[string]string) caller.Caller {
	t.Helper()
	dir := t.TempDir()
	c := caller.Caller{System: filepath.Join(dir, "etc"), Own: filepath.Join(dir, "home"),
		Getenv: func(name string) string { return env[name] }}
	for _, folder := range []string{c.System, c.Own} {
		if err := os.Mkdir(folder, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return c
}

func write(t *testing.T, dir, text string) string {
	t.Helper()
	path := filepath.Join(dir, "config.json")
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTheSourceComesFromFlagEnvironmentSystemAndAccountInThisOrder(t *testing.T) {
	env := map[string]string{}
	c := account(t, env)
	expect := func(flag string, local bool, text, origin string) {
		t.Helper()
		s, v, err := c.Source(flag, local)
		if err != nil || s.String() != text || v.Origin != origin {
			t.Errorf("%q from %q, %v; want %q from %q", s, v.Origin, err, text, origin)
		}
	}
	expect("", false, "", "")
	own := write(t, c.Own, `{"source": "s3://own"}`)
	expect("", false, "s3://own", own)
	system := write(t, c.System, `{"source": "s3://system-{Region}"}`)
	expect("", false, "s3://system-{Region}", system)
	expect("", true, "", "")
	env[caller.SourceVariable] = "https://mirror.example"
	expect("", false, "https://mirror.example", "environment SSM_SETUP_SOURCE")
	expect("", true, "https://mirror.example", "environment SSM_SETUP_SOURCE")
	expect("s3://flag", false, "s3://flag", "flag --source")
	if _, v, err := c.Source("ftp://flag", false); !errors.Is(err, regions.ErrSource) || v.Origin != "flag --source" {
		t.Errorf("what is no source: %v", err)
	}
}

func TestSettingsWithASecretOrAnUnknownNameAreRefused(t *testing.T) {
	for text, want := range map[string]string{
		`{"source": "https://alice:secret@mirror.example/{Region}"}`: "secrets do not belong here",
		`{"source": "ftp://x"}`:          "not a source",
		`{"source": "some/folder"}`:      "no whole path",
		`{"region": "no region"}`:        "not a region name",
		`{"sourcce": "s3://x"}`:          "sourcce",
		`{"aws_secret_access_key": "x"}`: "aws_secret_access_key",
		`source = s3://x`:                "settings cannot be used",
	} {
		c := account(t, nil)
		path := write(t, c.Own, text)
		_, _, err := c.Source("", false)
		if err == nil || fault.Of(err) != fault.Usage || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", text, err)
		}
		if err != nil && strings.Contains(err.Error(), "secret@") {
			t.Errorf("the secret is shown: %v", err)
		}
	}
}

func TestTheRegionComesFromTheFirstThatKnowsOne(t *testing.T) {
	env := map[string]string{}
	c := account(t, env)
	f := caller.Finders{}
	expect := func(flag, text, origin string) {
		t.Helper()
		v, err := c.Region(context.Background(), flag, f)
		if err != nil || v.Text != text || v.Origin != origin {
			t.Errorf("%q from %q, %v; want %q from %q", v.Text, v.Origin, err, text, origin)
		}
	}
	if _, err := c.Region(context.Background(), "", f); !errors.Is(err, caller.ErrNoRegion) || fault.Of(err) != fault.Usage {
		t.Errorf("none: %v", err)
	}
	f.Installed = func() string { return "sa-east-1" }
	expect("", "sa-east-1", "the installed agent's region")
	f.Carried = func(context.Context) (regions.Carried, error) {
		return regions.Carried{Regions: []string{"eu-west-1", "eu-west-2"}}, nil
	}
	expect("", "sa-east-1", "the installed agent's region")
	f.Carried = func(context.Context) (regions.Carried, error) {
		return regions.Carried{Regions: []string{"eu-west-2"}}, nil
	}
	expect("", "eu-west-2", "the mirror's only region")
	asked := 0
	f.Metadata = func(ctx context.Context) (string, error) {
		if asked++; ctx.Done() == nil {
			t.Error("metadata is waited for without end")
		}
		return "us-west-2", nil
	}
	expect("", "us-west-2", "instance metadata")
	env["AWS_EC2_METADATA_DISABLED"] = "TRUE"
	expect("", "eu-west-2", "the mirror's only region")
	if asked != 1 {
		t.Errorf("metadata was asked %d times", asked)
	}
	own := write(t, c.Own, `{"region": "eu-south-1"}`)
	expect("", "eu-south-1", own)
	env["AWS_DEFAULT_REGION"] = "us-east-1"
	expect("", "us-east-1", "environment AWS_DEFAULT_REGION")
	env["AWS_REGION"] = "US-EAST-2"
	expect("", "us-east-2", "environment AWS_REGION")
	expect("EU-WEST-1", "eu-west-1", "flag --region")
}

func TestARegionOfTheCallersIsFoundByItsFile(t *testing.T) {
	c := account(t, nil)
	if _, err := c.Running("local"); !errors.Is(err, caller.ErrNotRunning) {
		t.Errorf("none runs: %v", err)
	}
	remove, err := c.Announce(caller.Running{Region: "local", Endpoint: "http://127.0.0.1:7700", CA: "/ca.pem"})
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Running("local")
	if err != nil || r.PID != os.Getpid() || r.Endpoint != "http://127.0.0.1:7700" || r.CA != "/ca.pem" {
		t.Errorf("found: %+v, %v", r, err)
	}
	remove()
	if _, err := c.Running("local"); !errors.Is(err, caller.ErrNotRunning) {
		t.Errorf("it is closed: %v", err)
	}
	if _, err := c.Running("../config"); !errors.Is(err, regions.ErrRegion) {
		t.Errorf("a path for a name: %v", err)
	}
}

func TestARegionThatOtherMachinesReachIsFoundByItsTLSAddressAndCertificate(t *testing.T) {
	c := account(t, nil)
	remove, err := c.Announce(caller.Running{Region: "local", Endpoint: "http://192.0.2.7:7700", TLSEndpoint: "https://192.0.2.7:7700",
		CA: "/ca.pem"})
	if err != nil {
		t.Fatal(err)
	}
	defer remove()
	r, err := c.Running("local")
	if err != nil || r.Endpoint != "https://192.0.2.7:7700" || !r.OverTLS() {
		t.Errorf("found: %+v, %v", r, err)
	}
}

// left is the file of a local region whose process is named.
func left(t *testing.T, c caller.Caller, pid int, started time.Time) string {
	t.Helper()
	if _, err := c.Announce(caller.Running{Region: "local", Endpoint: "http://127.0.0.1:7700"}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(c.Own, "regions", "local.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := replaceMember(t, replaceMember(t, text, "pid", pid), "started", started)
	if err := os.WriteFile(path, changed, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestAFileThatALocalRegionLeftBehindIsSaidToBeThat(t *testing.T) {
	ended := exec.Command(os.Args[0], "-test.run=^$")
	if err := ended.Run(); err != nil {
		t.Fatal(err)
	}
	c := account(t, nil)
	left(t, c, ended.Process.Pid, time.Now())
	if _, err := c.Running("local"); !errors.Is(err, caller.ErrStale) || !strings.Contains(err.Error(), "process") {
		t.Errorf("its process has ended: %v", err)
	}
	left(t, c, os.Getpid(), time.Now().Add(-100*time.Hour))
	if _, err := c.Running("local"); !errors.Is(err, caller.ErrStale) {
		t.Errorf("its process id is another process's: %v", err)
	}
	remove, err := c.Announce(caller.Running{Region: "local", Endpoint: "http://127.0.0.1:7701"})
	if err != nil {
		t.Fatalf("a new one takes its place: %v", err)
	}
	remove()
}
