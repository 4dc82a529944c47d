package account

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// stranger is an account that owns nothing on a system, and has no home.
const stranger = 65534

// TestMain is also the program that runs once more as another account, and says who it is.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "who" {
		groups, _ := os.Getgroups()
		session, _ := unix.Getsid(0)
		_, noTerminal := os.OpenFile("/dev/tty", os.O_RDWR, 0)
		fmt.Printf("uid %d gid %d groups %d leader %v terminal %v\n", os.Getuid(), os.Getgid(), len(groups),
			session == os.Getpid(), noTerminal == nil)
		fmt.Println(strings.Join(os.Environ(), "\n"))
		os.Exit(7)
	}
	os.Exit(m.Run())
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// foreignFolder is a folder of the stranger's in one of root's.
func foreignFolder(t *testing.T) string {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("giving a folder to another account needs root; CI runs this as root, too")
	}
	dir := filepath.Join(t.TempDir(), "foreign")
	ok(t, os.Mkdir(dir, 0o755))
	ok(t, os.Chown(dir, stranger, stranger))
	return dir
}

func TestWhoCalledSudoIsWhoWorksOnItsFolder(t *testing.T) {
	dir := foreignFolder(t)
	t.Setenv("SUDO_UID", "")
	for _, root := range []string{dir, filepath.Join(dir, "new", "host")} {
		t.Setenv("SUDO_UID", "1")
		if _, _, err := Of(root); !errors.Is(err, host.ErrForeign) || fault.Of(err) != fault.Permission {
			t.Errorf("%s, which the caller of sudo does not own: %v", root, err)
		}
		t.Setenv("SUDO_UID", "65534")
		if a, other, err := Of(root); err != nil || !other || a.uid != stranger {
			t.Errorf("%s: %+v, %v, %v", root, a, other, err)
		}
	}
	for _, root := range []string{"", filepath.Dir(dir), filepath.Join(filepath.Dir(dir), "new")} {
		if _, other, err := Of(root); other || err != nil {
			t.Errorf("%q, which is root's: %v, %v", root, other, err)
		}
	}
}

func TestAHomeIsItsAccountsAlsoWithoutSudo(t *testing.T) {
	if !within("/", "/") && within("/home", "/home") {
		return
	}
	t.Error("/ is taken for a home, or a home is not")
}

func TestAnotherAccountGetsNoGroupNoTerminalAndNoSecret(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("another account is root's to take; CI runs this as root, too")
	}
	t.Setenv("GITHUB_TOKEN", "secret")
	t.Setenv("SSM_ACTIVATION_CODE", "code")
	var out strings.Builder
	code, err := Account{Name: "nobody", Home: "/nonexistent", uid: stranger, gid: stranger}.Run(t.Context(), Program{
		Arguments: []string{"ssm-setup", "who"}, Out: &out, Err: os.Stderr, Variables: []string{"SSM_ACTIVATION_CODE"}})
	if err != nil || code != 7 || !strings.HasPrefix(out.String(), "uid 65534 gid 65534 groups 0 leader true terminal false\n") ||
		strings.Contains(out.String(), "secret") || !strings.Contains(out.String(), "SSM_ACTIVATION_CODE=code") ||
		!strings.Contains(out.String(), "HOME=/nonexistent\n") || strings.Contains(out.String(), "USER=root") {
		t.Errorf("exit code %d, %v: %s", code, err, out.String())
	}
}
