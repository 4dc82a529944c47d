package takeover_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/takeover"
)

// The rows of docs/protocol/update.md, "Target resolution and validation (updater)", in their order and in the original's words.
func TestAnUpdateIsDecidedInTheOriginalsWords(t *testing.T) {
	m := manifests.NewManifest(manifests.DefaultUriFormat)
	for v, status := range map[string]string{"1.0.0.0": "", "2.0.0.0": "", "2.3.772.0": "", "3.0.0.0": "", "3.0.9999.9999": "",
		"3.1.0.0": "",
		"3.3.1.0": "Deprecated", "3.3.2.0": "Inactive", "3.3.3.0": "Strange", "3.3.9999.0": "", "9.1.0.0": ""} {
		m.Add("amazon-ssm-agent", "f", manifests.FileVersion{Version: v, Checksum: strings.Repeat("0", 64), Status: status})
	}
	listing, err := m.Listing("amazon-ssm-agent", "f")
	if err != nil {
		t.Fatal(err)
	}
	const s, url = "3.3.9999.0", "https://example.com/b/ssm-agent-manifest.json"
	for _, x := range []struct {
		name, source, target string
		change               func(*takeover.Question)
		code                 string
		success, changes     bool
		says                 string
	}{
		{"an upgrade", s, "9.1.0.0", nil, "", false, true, "Updating amazon-ssm-agent from 3.3.9999.0 to 9.1.0.0"},
		{"None is latest", s, "None", nil, "", false, true, "to 9.1.0.0"},
		{"latest", s, "latest", nil, "", false, true, "to 9.1.0.0"},
		{"LATEST is none", s, "LATEST", nil, "ErrorInvalidTargetVersion", false, false, "Invalid target version: LATEST"},
		{"stable in any case", s, "StaBle", nil, "", false, true, "to 9.1.0.0"},
		{"stable that cannot be read", s, "stable", func(q *takeover.Question) {
			q.Stable = func(context.Context) (manifests.Version, error) { return manifests.Version{}, errors.New("gone") }
		}, "ErrorGetStableVersionS3", false, false, "Failed to get stable version form s3: gone"},
		{"stable beside no manifest", s, "stable", func(q *takeover.Question) { q.Manifest = "https://example.com/m.json" },
			"ErrorGetStableVersionS3", false,
			false, "unexpected manifest url does not end with manifest file: https://example.com/m.json"},
		{"no version", s, "SomeRandomTargetVersion", nil, "ErrorInvalidTargetVersion", false, false,
			"Invalid target version: SomeRandomTargetVersion"},
		{"wild card", s, "3.0.*", nil, "ErrorInvalidTargetVersion", false, false, "Invalid target version: 3.0.*"},
		{"equal, though not listed", "3.3.5000.0", "3.3.5000.0", nil, "", true, false,
			"amazon-ssm-agent 3.3.5000.0 has already been installed\nupdate skipped"},
		{"older, refused", "3.0.0.0", "2.0.0.0", func(q *takeover.Question) { q.Order.NoDowngrade = true }, "ErrorAttempToDowngrade",
			false, false,
			"Updating 3.0.0.0 to an older version 2.0.0.0, please enable allow downgrade to proceed"},
		{"numbers, not text", "2.1.10.0", "2.1.5.0", func(q *takeover.Question) { q.Order.NoDowngrade = true },
			"ErrorAttempToDowngrade", false, false, "older"},
		{"source not listed", "3.2.0.0", "2.0.0.0", nil, "ErrorInvalidSourceVersion", false, false,
			"amazon-ssm-agent source version 3.2.0.0 is unsupported on current platform"},
		{"target not listed", s, "9.9.0.0", nil, "ErrorInvalidTargetVersion", false, false,
			"amazon-ssm-agent target version 9.9.0.0 is unsupported on current platform"},
		{"shorter is not listed", s, "9.1", nil, "ErrorInvalidTargetVersion", false, false, "is unsupported on current platform"},
		{"deprecated", s, "3.3.1.0", nil, "InactiveAgentVersion", true, false,
			"amazon-ssm-agent version 3.3.1.0 is deprecated/inactive, update skipped"},
		{"inactive", s, "3.3.2.0", nil, "InactiveAgentVersion", true, false, "is deprecated/inactive, update skipped"},
		{"of unknown status", s, "3.3.3.0", nil, "InactiveAgentVersion", true, false, "is deprecated/inactive, update skipped"},
		{"always inactive", s, "2.3.772.0", nil, "InactiveAgentVersion", true, false, "is deprecated/inactive, update skipped"},
		{"too old for the platform", s, "1.0.0.0", func(q *takeover.Question) { q.Lowest = "1.0.187.0" }, "ErrorUnsupportedVersion",
			false, false,
			"agent version 1.0.0.0 is unsupported on current platform"},
		{"too old for ssmmessages", s, "2.0.0.0", func(q *takeover.Question) { q.Order.Upstream = "MessageGatewayService" },
			"ErrorIncompatibleTargetVersion",
			false, false, "before downgrading to 2.0.0.0, first downgrade to any version from 3.1.821.0 to 3.2.923.0"},
		{"over ec2messages", s, "2.0.0.0", nil, "", false, true, ""},
		{"kernel", s, "3.1.0.0", func(q *takeover.Question) { q.Kernel = "3.1.9-x" }, "ErrorFailedPrecondition", false, false,
			"Failed update precondition check: Failed kernel version precondition: " +
				"Minimum kernel version is 3.2 but instance kernel version is 3.1.9-x"},
		{"kernel, an old target", s, "3.0.9999.9999", func(q *takeover.Question) { q.Kernel = "3.1.9-x" }, "", false, true, ""},
		{"kernel 3.10", s, "3.1.0.0", func(q *takeover.Question) { q.Kernel = "3.10.0-x" }, "", false, true, ""},
		{"kernel of two parts", s, "3.1.0.0", func(q *takeover.Question) { q.Kernel = "5.10" }, "ErrorFailedPrecondition", false, false,
			"Unexpected kernel version format: 5.10"},
		{"Bottlerocket", s, "9.1.0.0", func(q *takeover.Question) { q.Bottlerocket = true }, "ErrorFailedPrecondition", false, false,
			"Failed update precondition check: Failed Bottlerocket precondition: Bottlerocket has an immutable root filesystem"},
		{"a source that is none", "x", "9.1.0.0", nil, "ErrorVersionCompare", false, false,
			"Failed to compare versions x and 9.1.0.0: Invalid version string x"},
		{"self-update of a version that may stay", s, "latest", func(q *takeover.Question) { q.Order.SelfUpdate = true }, "", true,
			false, ""},
		{"self-update away from a deprecated one", "3.3.1.0", "latest", func(q *takeover.Question) { q.Order.SelfUpdate = true }, "",
			false, true, "to 9.1.0.0"},
		{"self-update of an unknown one", "3.2.0.0", "latest", func(q *takeover.Question) { q.Order.SelfUpdate = true },
			"ErrorVersionNotFoundInManifest", false,
			false, "cannot find  f information for 3.2.0.0 in Manifest file"},
	} {
		q := takeover.Question{Order: takeover.Order{Source: x.source, Target: x.target, Package: "amazon-ssm-agent",
			Upstream: "MessageDeliveryService"},
			Listing: listing, Manifest: url, Stable: func(context.Context) (manifests.Version,
				error) {
				return manifests.MustVersion("9.1.0.0"), nil
			}}
		if x.change != nil {
			x.change(&q)
		}
		a := takeover.Decide(context.Background(), q)
		if text := strings.Join(append(a.Lines, a.Message), "\n"); a.Code != x.code || a.Success != x.success || a.Changes != x.changes ||
			!strings.Contains(text, x.says) {
			t.Errorf("%s: %+v", x.name, a)
		}
	}
	for source, line := range map[string]bool{"3.0.882.0": false, "3.0.883.0": true} {
		a := takeover.Decide(context.Background(), takeover.Question{Listing: listing, Order: takeover.Order{Source: source,
			Target:  "9.1.0.0",
			Package: "amazon-ssm-agent"}})
		if strings.HasPrefix(strings.Join(a.Lines, "\n"), "Updating amazon-ssm-agent from "+source) != line {
			t.Errorf("%s: %q", source, a.Lines)
		}
	}
}

func TestTheCommandLineOfEveryOriginalIsTaken(t *testing.T) {
	unix := append(vector(ours), "-disable.downgrade", "-source.location", "l", "-source.hash", "h", "-target.location", "l",
		"-target.hash", "h")
	for n, args := range map[string][]string{"Unix": unix, "Windows": dashed(unix), "two hyphens": {"--update",
		"--source-version=3.3.9999.0",
		"--target-version=9.1.0.0", "--package.name=amazon-ssm-agent", "--messageid=" + messageID, "--manifest.url", source,
		"--disable.downgrade"}} {
		o, err := takeover.ParseOrder(args)
		if err != nil || !o.Update || o.SelfUpdate || !o.NoDowngrade || o.Source != original || o.Target != ours ||
			o.Package != "amazon-ssm-agent" ||
			o.MessageID != messageID || o.ManifestURL != source || o.Upstream != "MessageDeliveryService" || len(o.Missing()) > 0 {
			t.Errorf("%s: %+v, %v", n, o, err)
		}
	}
	if len(vector(ours)) != 21 { // 22 with the program
		t.Errorf("%d arguments", len(vector(ours)))
	}
	if o, err := takeover.ParseOrder([]string{"-update", "-messageid", "a b c"}); err != nil || o.MessageID != "a b c" {
		t.Errorf("%+v, %v", o, err)
	}
	if _, err := takeover.ParseOrder([]string{"-update", "-new.flag", "x"}); err == nil {
		t.Error("an unknown flag is taken")
	}
	o, err := takeover.ParseOrder([]string{"-update", "-selfupdate", "-manifest-url", source, "-source-version", original})
	if err != nil || !o.SelfUpdate || o.MessageID != "" || o.Package != "amazon-ssm-agent" || len(o.Missing()) > 0 {
		t.Errorf("%+v, %v", o, err)
	}
	if o, _ := takeover.ParseOrder([]string{"-update"}); len(o.Missing()) != 3 {
		t.Errorf("%q", o.Missing())
	}
}

// dashed are the names on Windows.
func dashed(args []string) (list []string) {
	for _, a := range args {
		if strings.HasPrefix(a, "-") && a != "-upstream.service.name" {
			a = strings.ReplaceAll(a, ".", "-")
		}
		list = append(list, a)
	}
	return list
}
