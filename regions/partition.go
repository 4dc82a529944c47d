package regions

import (
	"fmt"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// ErrRegion says that a text is no region name: one is 1 to 100 letters, digits and hyphens.
var ErrRegion = fault.New(fault.Usage, "not a region name", "a region is named like eu-west-1")

// partitions map the prefix of a region name to the DNS domain of its services; the last row takes all others.
var partitions = []struct{ Prefix, Name, Domain string }{
	{"cn-", "aws-cn", "amazonaws.com.cn"},
	{"us-gov-", "aws-us-gov", "amazonaws.com"},
	{"us-isob-", "aws-iso-b", "sc2s.sgov.gov"},
	{"us-isof-", "aws-iso-f", "csp.hci.ic.gov"},
	{"us-iso-", "aws-iso", "c2s.ic.gov"},
	{"eu-isoe-", "aws-iso-e", "cloud.adc-e.uk"},
	{"eusc-de-", "aws-eusc", "amazonaws.eu"},
	{"", "aws", "amazonaws.com"},
}

// Check refuses what is not a region name.
func Check(region string) error {
	if region == "" || len(region) > 100 {
		return fmt.Errorf("%w: %.40q has %d characters, 1 to 100 expected", ErrRegion, region, len(region))
	}
	for _, c := range region {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return fmt.Errorf("%w: %.40q holds %q; letters, digits and hyphens are allowed", ErrRegion, region, c)
		}
	}
	return nil
}

// Partition is the AWS partition of a region name, for example aws-cn.
func Partition(region string) string { return partition(region).Name }

// Domain is the DNS domain of a region's services.
func Domain(region string) string { return partition(region).Domain }

func partition(region string) struct{ Prefix, Name, Domain string } {
	for _, p := range partitions {
		if strings.HasPrefix(region, p.Prefix) {
			return p
		}
	}
	return partitions[len(partitions)-1]
}

// Endpoint is https://<service>.<region>.<domain>. domain is the setting Agent.ServiceDomain, empty for the partition's
// own. Nothing of the environment changes it.
func Endpoint(service, region, domain string) (string, error) {
	if err := Check(region); err != nil {
		return "", err
	}
	if domain == "" {
		domain = Domain(region)
	}
	return "https://" + service + "." + region + "." + domain, nil
}

// WithScheme completes an endpoint override, which may be a bare host; https is assumed (docs/protocol/identity.md, "Endpoints").
func WithScheme(endpoint string) string {
	if endpoint == "" || strings.Contains(endpoint, "://") {
		return strings.TrimSuffix(endpoint, "/")
	}
	return "https://" + strings.TrimSuffix(endpoint, "/")
}
