package regions_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions"
)

func TestEndpointsFollowThePartition(t *testing.T) {
	for _, r := range []struct{ service, region, domain, want string }{
		{"ssm", "eu-west-1", "", "https://ssm.eu-west-1.amazonaws.com"},
		{"s3", "cn-north-1", "", "https://s3.cn-north-1.amazonaws.com.cn"},
		{"ssm", "us-gov-west-1", "", "https://ssm.us-gov-west-1.amazonaws.com"},
		{"ssm", "us-iso-east-1", "", "https://ssm.us-iso-east-1.c2s.ic.gov"},
		{"ssm", "us-isob-east-1", "", "https://ssm.us-isob-east-1.sc2s.sgov.gov"},
		{"ssm", "us-isof-south-1", "", "https://ssm.us-isof-south-1.csp.hci.ic.gov"},
		{"ssm", "eu-isoe-west-1", "", "https://ssm.eu-isoe-west-1.cloud.adc-e.uk"},
		{"ssm", "eusc-de-east-1", "", "https://ssm.eusc-de-east-1.amazonaws.eu"},
		{"ssm", "xx-new-9", "", "https://ssm.xx-new-9.amazonaws.com"}, // a region that is not in the table
		{"ssm", "eu-west-1", "example.net", "https://ssm.eu-west-1.example.net"},
	} {
		if got, err := regions.Endpoint(r.service, r.region, r.domain); err != nil || got != r.want {
			t.Errorf("%v: %s, %v", r, got, err)
		}
	}
}

func TestMalformedRegionNamesAreRefused(t *testing.T) {
	for _, bad := range []string{"", "eu west", "eu_west_1", "eu-west-1/..", "évry", "a\n", strings.Repeat("a", 101)} {
		if err := regions.Check(bad); !errors.Is(err, regions.ErrRegion) {
			t.Errorf("%q: %v", bad, err)
		}
		if _, err := regions.ManifestURL(bad, "", ""); !errors.Is(err, regions.ErrRegion) {
			t.Errorf("manifest of %q: %v", bad, err)
		}
	}
	for _, good := range []string{"local", "EU-WEST-1", "a", strings.Repeat("a", 100)} {
		if err := regions.Check(good); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
}

func TestASlipOfTheHandGetsTheNearestNames(t *testing.T) {
	var unknown *regions.UnknownError
	if err := regions.Resolve("eu-wset-1"); !errors.As(err, &unknown) || !slices.Contains(unknown.Nearest, "eu-west-1") {
		t.Errorf("%v", err)
	}
	if err := regions.Resolve("local"); err != nil {
		t.Error(err)
	}
	for _, r := range regions.All() {
		if err := regions.Resolve(r); err != nil {
			t.Errorf("%s: %v", r, err)
		}
	}
}

func TestABucketsAddressFollowsRegionAndEndpoint(t *testing.T) {
	got, _ := regions.ManifestURL("eu-west-1", "", "")
	if got != "https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1/ssm-agent-manifest.json" {
		t.Error(got)
	}
	got, _ = regions.ManifestURL("local", "http://127.0.0.1:7700/", "")
	if got != "http://127.0.0.1:7700/amazon-ssm-local/ssm-agent-manifest.json" {
		t.Error(got)
	}
	base, err := regions.BaseOfManifest("https://s3.{Region}.amazonaws.com/amazon-ssm-{Region}/ssm-agent-manifest.json", "eu-west-1")
	if err != nil || base != "https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1" {
		t.Error(base, err)
	}
	if _, err := regions.BaseOfManifest("https://x/other.json", "eu-west-1"); err == nil ||
		err.Error() != "unexpected manifest url does not end with manifest file: https://x/other.json" {
		t.Error(err)
	}
	for _, c := range []struct {
		url, region string
		aws         bool
	}{
		{"https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1/ssm-agent-manifest.json", "eu-west-1", true},
		{"https://s3.{Region}.amazonaws.com/amazon-ssm-{Region}/ssm-agent-manifest.json", "eu-west-1", true},
		{"https://amazon-ssm-eu-west-1.s3.dualstack.eu-west-1.amazonaws.com/ssm-agent-manifest.json", "eu-west-1", true},
		{"https://s3.cn-north-1.amazonaws.com.cn/amazon-ssm-cn-north-1/ssm-agent-manifest.json", "cn-north-1", true},
		{"https://s3.cn-north-1.amazonaws.com.cn/amazon-ssm-cn-north-1/x", "cn-north-1", false},
		{"https://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1/ssm-agent-manifest.json", "eu-west-2", false},
		{"https://s3.eu-west-1.amazonaws.com/my-bucket/ssm-agent-manifest.json", "eu-west-1", false},
		{"https://my-bucket.s3.eu-west-1.amazonaws.com/ssm-agent-manifest.json", "eu-west-1", false},
		{"https://ec2-192-0-2-1.eu-west-1.compute.amazonaws.com/amazon-ssm-eu-west-1/ssm-agent-manifest.json", "eu-west-1", false},
		{"http://s3.eu-west-1.amazonaws.com/amazon-ssm-eu-west-1/ssm-agent-manifest.json", "eu-west-1", false},
		{"http://127.0.0.1:7700/amazon-ssm-local/ssm-agent-manifest.json", "local", false},
		{"https://mirror.example.net/amazonaws.com/ssm-agent-manifest.json", "eu-west-1", false},
		{"https://notamazonaws.com/ssm-agent-manifest.json", "eu-west-1", false},
	} {
		if got := regions.AWSManifest(c.url, c.region); got != c.aws {
			t.Errorf("%s in %s: %v", c.url, c.region, got)
		}
	}
}

func TestTheTableOfRegionsIsSortedAndWellFormed(t *testing.T) {
	all := regions.All()
	for i, r := range all {
		if slices.Contains(all[i+1:], r) {
			t.Errorf("%s is there twice", r)
		}
		if err := regions.Check(r); err != nil {
			t.Error(err)
		}
	}
	for _, r := range regions.Public() {
		if strings.Contains(r, "iso") {
			t.Errorf("%s is not public", r)
		}
	}
	if len(regions.Public()) < 35 {
		t.Error("too few public regions")
	}
}

func TestATemplateForAllHoldsNoCredentials(t *testing.T) {
	for base, want := range map[string]string{
		"https://bob:secret@mirror.example/amazon-ssm-x": "https://mirror.example/amazon-ssm-x/{PackageName}/{PackageVersion}/{FileName}",
		"https://mirror.example/a@b":                     "https://mirror.example/a@b/{PackageName}/{PackageVersion}/{FileName}",
	} {
		if got := regions.UriFormat(base); got != want {
			t.Errorf("%s: %s", base, got)
		}
	}
}
