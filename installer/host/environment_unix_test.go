//go:build unix

package host_test

import (
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

func TestHomeAndUserAreThoseOfTheUserDatabase(t *testing.T) {
	account, err := user.Current()
	if err != nil {
		t.Skip("this account is not in the user database")
	}
	t.Setenv("HOME", "/elsewhere")
	got := host.CleanEnvironment(os.Environ(), "")
	for _, entry := range []string{"HOME=" + account.HomeDir, "USER=" + account.Username} {
		if known, err := user.LookupId(account.Uid); err == nil && known.HomeDir == account.HomeDir && !slices.Contains(got, entry) {
			t.Errorf("missing: %s in %q", entry, got)
		}
	}
}

// A file of certificates decides whom the agent believes.
func TestAFileOfCertificatesCountsOnlyWhereNoOtherAccountCanChangeIt(t *testing.T) {
	dir := filepath.Join(shut(t), "certificates")
	ok(t, os.Mkdir(dir, 0o755))
	file := filepath.Join(dir, "ca.pem")
	ok(t, os.WriteFile(file, nil, 0o644))
	for _, name := range []string{"AWS_CA_BUNDLE", "SSL_CERT_FILE"} {
		entry := name + "=" + file
		passed := func() bool { return slices.Contains(host.CleanEnvironment([]string{entry}, ""), entry) }
		if !passed() {
			t.Errorf("%s is not passed on", entry)
		}
		ok(t, os.Chmod(file, 0o646))
		if passed() {
			t.Error("others can write the file")
		}
		ok(t, os.Chmod(file, 0o644))
		ok(t, os.Chmod(dir, 0o757))
		if passed() {
			t.Error("others can replace the file")
		}
		ok(t, os.Chmod(dir, 0o755))
		if os.Geteuid() == 0 {
			ok(t, os.Chown(file, 65534, 65534))
			if passed() {
				t.Error("another account owns the file")
			}
			ok(t, os.Chown(file, 0, 0))
		}
	}
}

// shut is a folder of the test's in which, whatever the umask, no other account writes.
func shut(t *testing.T) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	ok(t, err)
	ok(t, os.Chmod(dir, 0o755))
	ok(t, os.Chmod(filepath.Dir(dir), 0o755))
	return dir
}

func TestTheMaskOfAServiceIsGivenBack(t *testing.T) {
	former := syscall.Umask(0o077)
	defer syscall.Umask(former)
	restore := host.ServiceMask()
	dir := filepath.Join(t.TempDir(), "shared")
	ok(t, os.Mkdir(dir, 0o755))
	info, err := os.Stat(dir)
	ok(t, err)
	restore()
	if now := syscall.Umask(0o077); info.Mode().Perm() != 0o755 || now != 0o077 {
		t.Errorf("mode %o, umask %o afterwards", info.Mode().Perm(), now)
	}
}

// A link in a folder that all may write to belongs to the one who can lead it elsewhere.
func TestALinkOfAnotherAccountIsNoWayToAProgram(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("giving a link to another account needs root; CI runs this as root, too")
	}
	dir := shut(t)
	target, open := filepath.Join(dir, "target"), filepath.Join(dir, "open")
	ok(t, os.Mkdir(target, 0o755))
	ok(t, os.Mkdir(open, 0o755))
	ok(t, os.Chmod(open, 0o777|os.ModeSticky))
	link := filepath.Join(open, "link")
	ok(t, os.Symlink(target, link))
	ok(t, host.CheckFolders(filepath.Join(link, "bin"), link))
	ok(t, os.Lchown(link, 65534, 65534))
	if err := host.CheckFolders(filepath.Join(link, "bin"), link); err == nil {
		t.Error("it is accepted")
	}
}
