// Package manifests is what a release says about itself: four-part versions, the VERSION file, the manifest of a region,
// and the decision what a host should do about them.
//
//	version.go     four-part versions: parse, order, print
//	versionfile.go the content of latest/VERSION and stable/VERSION
//	constraint.go  ">=9.1": constraints on the first three parts (door to Masterminds/semver)
//	manifest.go    ssm-agent-manifest.json: read, write, merge
//	index.go       ssm-setup-index.json: times of publication, shares of hosts, halt, withdrawals
//	lookup.go      questions to a manifest: has, latest, latest active, status, checksum, address
//	decision.go    running + region + request → one decision
//	describe.go    what people read about that decision
//	platform.go    file and folder names of a platform
//
// Everything is pure: no files, no network, no clock. Facts: docs/protocol/update.md, "Manifest URL and endpoints", "Manifest
// file", "Platform names", "Version rules", "Target resolution and validation", "Archives for the updater", "Bucket layout".
package manifests
