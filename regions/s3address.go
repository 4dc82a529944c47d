package regions

import (
	"net/url"
	"slices"
	"strings"
)

// S3Bucket is a bucket of AWS, by whatever host it is asked for.
type S3Bucket struct{ Name, Partition string }

// ParseS3 reads an address of AWS's S3: bucket in the path or in the host, with or without a region, dual-stack and FIPS hosts
// included. False for every other host, also others of AWS, and for a region that is not of the host's partition.
func ParseS3(u *url.URL) (S3Bucket, bool) {
	if u.Scheme != "https" || u.User != nil || u.Port() != "" && u.Port() != "443" || u.RawPath != "" {
		return S3Bucket{}, false
	}
	host, domain := cutDomain(strings.ToLower(u.Hostname()))
	name, region, ok := cutS3(strings.Split(host, "."))
	if domain == "" || !ok {
		return S3Bucket{}, false
	}
	if region == "" { // the global host
		region = "us-east-1"
	}
	if name == "" {
		name, _, _ = strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	}
	if Check(region) != nil || Domain(region) != domain || name == "" || slices.Contains(strings.Split(u.Path, "/"), "..") {
		return S3Bucket{}, false
	}
	return S3Bucket{name, Partition(region)}, true
}

// cutDomain splits a host of AWS from its partition's domain; none for another.
func cutDomain(host string) (before, domain string) {
	for _, p := range partitions {
		if before, ok := strings.CutSuffix(host, "."+p.Domain); ok {
			return before, p.Domain
		}
	}
	return host, ""
}

// cutS3 reads the labels of an S3 host, domain cut off: […bucket.]s3[-fips][.dualstack].region, […bucket.]s3-region or […bucket.]s3.
func cutS3(labels []string) (bucket, region string, ok bool) {
	last := len(labels) - 1
	if labels[last] == "s3" {
		return strings.Join(labels[:last], "."), "", true
	}
	if region, old := strings.CutPrefix(labels[last], "s3-"); old && slices.Contains(known, region) {
		return strings.Join(labels[:last], "."), region, true
	}
	service := last - 1
	if service > 0 && labels[service] == "dualstack" {
		service--
	}
	if service < 0 || labels[service] != "s3" && labels[service] != "s3-fips" {
		return "", "", false
	}
	return strings.Join(labels[:service], "."), labels[last], true
}
