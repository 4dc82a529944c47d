package systems_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/systems"
)

// cases are machines, and whether the agent runs on them.
var cases = []struct {
	kernel, id, version string
	fine                bool
}{
	{"6.1.0-13-amd64", "debian", "12", true},
	{"4.9.0", "debian", "9", true},
	{"3.16.0-4-amd64", "debian", "8", false},
	{"6.12.0", "debian", "", true}, // testing has no number
	{"3.2.0", "debian", "9", true},
	{"3.10.0-1160.el7.x86_64", "centos", "7", true},
	{"2.6.32-754.el6.x86_64", "centos", "6", false},
	{"2.6.32", "", "", false},
	{"3.1.10-1.9-ec2", "unheard-of", "1", false},
	{"5.10.0", "unheard-of", "1", true},
	{"4.4.0", "ubuntu", "16.04", true},
	{"4.4.0", "ubuntu", "14.04", false},
	{"4.4.0", "ubuntu", "16.03", false},
	{"4.14.243", "amzn", "2018.03", false},
	{"4.14.243", "amzn", "2", true},
	{"6.1.0", "amzn", "2023", true},
	{"4.4.0", "sles", "12.5", true},
	{"4.4.0", "sles", "11.4", false},
	{"5.14.0", "rhel", "9.4", true},
	{"6.6.0", "flatcar", "3975.2.1", true},
	{"5.15.0", "bottlerocket", "1.20.0", false},
}

func TestUnsupportedSystemsAreRefused(t *testing.T) {
	for _, c := range cases {
		err := systems.Check(systems.Facts{OS: "linux", Kernel: c.kernel, ID: c.id, Version: c.version})
		if (err == nil) != c.fine || err != nil && !errors.Is(err, systems.ErrUnsupported) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	for _, c := range []struct {
		os, version string
		fine        bool
	}{{"windows", "10.0.14393", true}, {"windows", "6.3.9600", false}, {"windows", "10.0.10240", false}, {"darwin", "12.0", true}, {"darwin",
		"11.7.10", false}, {"darwin", "", true}} {
		if err := systems.Check(systems.Facts{OS: c.os, Version: c.version}); (err == nil) != c.fine {
			t.Errorf("%+v: %v", c, err)
		}
	}
	if err := systems.Check(systems.Facts{OS: "linux", Kernel: "5.15", ID: "bottlerocket"}); !strings.Contains(err.Error(), "read-only") {
		t.Errorf("Bottlerocket is refused without its reason: %v", err)
	}
	if err := systems.Check(systems.Here()); err != nil {
		t.Errorf("this machine: %v", err)
	}
}

func TestAReleaseFileNamesTheSystem(t *testing.T) {
	if id, v := systems.ParseRelease("NAME=\"Ubuntu\"\nID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"22.04\"\n"); id != "ubuntu" || v != "22.04" {
		t.Errorf("%s %s", id, v)
	}
}

// The README shows this table and no other.
func TestTheREADMEShowsThisTable(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "<!-- supported systems: made from installer/systems -->\n")
	shown, _, ok := strings.Cut(rest, "<!-- end of supported systems -->")
	if want := "\n" + markdown() + "\n"; !ok || shown != want {
		t.Errorf("the README has to say, between the two marks:\n%s", want)
	}
}

const architectures = "amd64, arm64, 386, arm"

// markdown is the README's table.
func markdown() string {
	var b strings.Builder
	b.WriteString("| system | versions | packages |\n| --- | --- | --- |\n")
	var refused []string
	for _, s := range systems.Table() {
		if s.Refused != "" {
			refused = append(refused, fmt.Sprintf("%s is refused: %s.", s.Name, s.Refused))
			continue
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", s.Name, s.Shown, s.Packages)
	}
	fmt.Fprintf(&b, "\nLinux needs kernel %s; architectures there are %s (rpm: not arm). Anything older is refused with the reason, before a change. %s\n",
		systems.Kernel, architectures, strings.Join(refused, " "))
	return b.String()
}
