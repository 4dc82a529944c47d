//go:build linux

package pointer_test

import (
	"errors"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

func TestPlacesFollowFromTheRoot(t *testing.T) {
	if got := pointer.At("/").Worker(); got != "/usr/bin/ssm-agent-worker" {
		t.Error(got)
	}
	if got := pointer.At("/x/").File(pointer.Target{Version: "9.2.0.0"}); got != "/x/var/lib/amazon/ssm/store/9.2.0.0/ssm-agent-worker" {
		t.Error(got)
	}
	for exe, root := range map[string]string{
		"/usr/bin/amazon-ssm-agent":                             "",
		"/var/lib/amazon/ssm/store/9.2.0.0/ssm-agent-worker":    "",
		"/x/y/usr/bin/ssm-cli":                                  "/x/y",
		"/x/var/lib/amazon/ssm/store/9.2.0.0/ssm-agent-worker":  "/x",
		"/usr/bin/../bin/amazon-ssm-agent":                      "",
		"/x/usr/bin/usr/bin/amazon-ssm-agent":                   "/x/usr/bin",
		"/usr/usr/bin/amazon-ssm-agent":                         "/usr",
		"/x/var/lib/amazon/ssm/store/usr/bin/ssm-agent-worker":  "/x/var/lib/amazon/ssm/store",
		"/x/var/lib/amazon/ssm/store/9.2.0.0-rc/ssm-agent-work": "/x",
	} {
		if p, err := pointer.Of(exe); err != nil || p.Root != root {
			t.Errorf("Of(%s) = %q, %v; want %q", exe, p.Root, err, root)
		}
	}
	for _, exe := range []string{"/x/amazon-ssm-agent", "/tmp/usr/binx/a", "a", "/"} {
		if p, err := pointer.Of(exe); !errors.Is(err, pointer.ErrNotInstalled) {
			t.Errorf("Of(%s) = %q, %v", exe, p.Root, err)
		}
	}
}

func TestAnInstallationKnowsItsPrograms(t *testing.T) {
	p := pointer.At("/x")
	for exe, want := range map[string]bool{
		"/x/usr/bin/amazon-ssm-agent": true, "/x/var/lib/amazon/ssm/store/9.2.0.0/ssm-agent-worker": true,
		"/usr/bin/amazon-ssm-agent": false, "/x/usr/bin/sub/y": false, "/x/var/lib/amazon/ssm/ssm-agent-worker": false,
	} {
		if p.Owns(exe) != want {
			t.Errorf("Owns(%s) = %t", exe, !want)
		}
	}
}
