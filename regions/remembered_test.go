package regions_test

import (
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions"
)

func TestASourceIsRememberedByTwoSettings(t *testing.T) {
	const manifest = "https://s3.eu-west-1.amazonaws.com/my-ssm-eu-west-1/ssm-agent-manifest.json"
	for _, row := range []struct{ text, packageSource, updateSource string }{
		{"", "", "https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1/ssm-agent-manifest.json"},
		{"https://s3.{Region}.{DnsSuffix}/my-ssm-{Region}", "https://s3.{Region}.{DnsSuffix}/my-ssm-{Region}", manifest},
		{"s3://my-ssm-{Region}", "s3://my-ssm-{Region}", manifest},
		{manifest, "", manifest},
		{"https://mirror.example", "https://mirror.example", "https://mirror.example/amazon-ssm-eu-west-1/ssm-agent-manifest.json"},
		{"/srv/mirror", "/srv/mirror", "file:///srv/mirror/amazon-ssm-eu-west-1/ssm-agent-manifest.json"},
	} {
		s := source(t, row.text)
		address, err := s.ManifestURL("eu-west-1", "")
		if err != nil {
			t.Fatal(err)
		}
		set := s.Settings(address)
		second, _ := set["Agent.PackageSource"].(string)
		if set["Agent.UpdateSource"] != row.updateSource || second != row.packageSource || len(set) != 2 {
			t.Errorf("%q is kept as %v", row.text, set)
		}
		if _, err := regions.BaseOfManifest(row.updateSource, "eu-west-1"); err != nil {
			t.Errorf("a program of before refuses %q: %v", row.updateSource, err)
		}
		again, note, err := regions.Remembered(second, row.updateSource, "eu-west-1", "")
		want := s
		if row.text == "" {
			want = source(t, row.updateSource)
		}
		if again != want || note != "" || err != nil {
			t.Errorf("%q is remembered as %q, %q, %v", row.text, again, note, err)
		}
	}
}

func TestWhatWasChangedLaterByAProgramOfBeforeCounts(t *testing.T) {
	const changed = "http://127.0.0.1:7700/amazon-ssm-local/ssm-agent-manifest.json"
	s, note, err := regions.Remembered("/srv/mirror", changed, "local", "")
	if err != nil || s.String() != changed || !strings.Contains(note, "/srv/mirror") {
		t.Errorf("%q, %q, %v", s, note, err)
	}
	s, note, err = regions.Remembered("/srv/mirror", "", "local", "")
	if err != nil || s.String() != "/srv/mirror" || note != "" {
		t.Errorf("alone: %q, %q, %v", s, note, err)
	}
	s, note, err = regions.Remembered("ftp://x", changed, "local", "")
	if err != nil || s.String() != changed || note == "" {
		t.Errorf("what is no source: %q, %q, %v", s, note, err)
	}
}
