package authority_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/authority"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

const certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"

func place(t *testing.T) (l installer.Layout, ca string) {
	t.Helper()
	t.Setenv(authority.Variable, "")
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	ca = filepath.Join(dir, "ca.pem")
	write(t, ca, certificate)
	return installer.At(filepath.Join(dir, "root")), ca
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestAnAgentBelievesTheAuthorityThatWasKeptForItUnlessItHasAnother(t *testing.T) {
	l, ca := place(t)
	authority.Adopt(l)
	if got := os.Getenv(authority.Variable); got != "" {
		t.Errorf("nothing was kept: %q", got)
	}
	if err := authority.Keep(l, ca, false); err != nil {
		t.Fatal(err)
	}
	authority.Adopt(l)
	if got := os.Getenv(authority.Variable); got != authority.File(l) {
		t.Errorf("%q", got)
	}
	authority.Use("/another.pem")
	authority.Adopt(l)
	if got := os.Getenv(authority.Variable); got != "/another.pem" {
		t.Errorf("%q", got)
	}
	t.Setenv(authority.Variable, "")
	if err := os.Chmod(authority.File(l), 0o666); err != nil {
		t.Fatal(err)
	}
	authority.Adopt(l)
	if got := os.Getenv(authority.Variable); got != "" {
		t.Errorf("a file that other accounts may write: %q", got)
	}
}

func TestWhatWasKeptBeforeIsBroughtBack(t *testing.T) {
	l, ca := place(t)
	none := authority.Remember(l)
	if err := authority.Keep(l, ca, false); err != nil {
		t.Fatal(err)
	}
	first := authority.Remember(l)
	write(t, ca, certificate+certificate)
	if err := authority.Keep(l, ca, false); err != nil {
		t.Fatal(err)
	}
	if err := first(false); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(authority.File(l)); string(text) != certificate {
		t.Errorf("%q", text)
	}
	if err := none(false); err != nil || authority.Kept(l) {
		t.Errorf("%v, %t", err, authority.Kept(l))
	}
}

func TestOnlyAFileOfCertificatesIsKept(t *testing.T) {
	l, ca := place(t)
	for name, text := range map[string]string{
		"text":  "hello",
		"a key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
		"both":  certificate + "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
	} {
		write(t, ca, text)
		if err := authority.Keep(l, ca, false); fault.Of(err) != fault.Usage || authority.Kept(l) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
