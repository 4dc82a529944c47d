package regions

import (
	"fmt"
	"net/url"
	"strings"
)

// Keys of a region's bucket (docs/protocol/update.md, "Bucket layout").
const (
	ManifestKey      = "ssm-agent-manifest.json"
	LatestVersionKey = "latest/VERSION"
	StableVersionKey = "stable/VERSION"
)

// IndexKey is where a region says more about its releases than the manifest can (ours, originals do not know it).
const IndexKey = "ssm-setup-index.json"

// TrustFolder begins the keys of what a region signed: a root's rotations, timestamp, snapshot and targets (regions/trust).
const TrustFolder = "trust/"

// The global bucket holds a copy that can be ahead of the regions.
const (
	GlobalBucket     = "ec2-downloads-windows"
	GlobalEndpoint   = "https://s3.amazonaws.com"
	GlobalPrefix     = "SSMAgent/"
	GlobalVersionKey = GlobalPrefix + LatestVersionKey
)

// Bucket is the name of the bucket a region serves the agent from.
func Bucket(region string) string { return "amazon-ssm-" + region }

// BucketURL is the path-style address of that bucket, without a slash at its end. endpoint is an S3 address that stands in
// for the region's own, for a local region or a mirror; empty for AWS.
func BucketURL(region, endpoint, domain string) (string, error) {
	if err := Check(region); err != nil {
		return "", err
	}
	if endpoint == "" {
		s3, err := Endpoint("s3", region, domain)
		if err != nil {
			return "", err
		}
		endpoint = s3
	}
	return WithScheme(endpoint) + "/" + Bucket(region), nil
}

// ManifestURL is the address of a region's manifest, the form that Agent.UpdateSource and the update document carry.
func ManifestURL(region, endpoint, domain string) (string, error) {
	base, err := BucketURL(region, endpoint, domain)
	if err != nil {
		return "", err
	}
	return base + "/" + ManifestKey, nil
}

// BaseOfManifest is the bucket address of a manifest's: {Region} filled in, the file's name cut off. The file name must be
// the manifest's (docs/protocol/update.md, "Manifest URL and endpoints").
func BaseOfManifest(url, region string) (string, error) {
	url = strings.ReplaceAll(url, "{Region}", region)
	base, ok := strings.CutSuffix(url, "/"+ManifestKey)
	if !ok {
		return "", fmt.Errorf("unexpected manifest url does not end with manifest file: %s", url)
	}
	return base, nil
}

// AWSManifest tells whether a manifest address is that of AWS's own bucket of the region: the real update document names it, and its
// packages are not ours. Other buckets and hosts of AWS belong to any of its customers.
func AWSManifest(address, region string) bool {
	u, err := url.Parse(strings.ReplaceAll(address, "{Region}", region))
	if err != nil || !strings.HasSuffix(u.Path, "/"+ManifestKey) {
		return false
	}
	b, ok := ParseS3(u)
	return ok && b == S3Bucket{Bucket(region), Partition(region)}
}

// UriFormat is the template a manifest published under base carries. All who can read the bucket read it: credentials of base stay out.
func UriFormat(base string) string {
	if scheme, rest, ok := strings.Cut(base, "://"); ok {
		host, path, _ := strings.Cut(rest, "/")
		base = scheme + "://" + strings.TrimSuffix(host[strings.LastIndexByte(host, '@')+1:]+"/"+path, "/")
	}
	return base + "/{PackageName}/{PackageVersion}/{FileName}"
}
