// Package build makes a release: every package of installer/pack for every platform, from source or from given programs.
//
// Parties: ssm-setup build makes a [Plan] and calls [Build]; installer/describe adds documents; [Seal] signs the list of all files
// last; installer/publish reads the folder. The release is one flat folder per version, OUT/<version>/, with the names that
// manifests use, so that it can be checked with `sha256sum -c SHA256SUMS` and carried on a stick:
//
//	amazon-ssm-agent-debian-amd64.deb                  SHA256SUMS
//	amazon-ssm-agent-linux-amd64.rpm                   manifest.json   the release's entries for a region's manifest
//	amazon-ssm-agent-portable-linux-amd64.tar.gz
//	ssm-setup-linux-amd64
//
// A build has passes. All platforms are compiled, two at a time, and nothing else meanwhile: xz beside a compiler takes several
// times its seconds. Then one platform after the other is linked and looked at, which takes seconds, and what was linked before is
// packed beside it, as many artifacts at a time as there are processors. They are made in a folder beside the result and moved
// there when all are there; SHA256SUMS and manifest.json come last. So a fault of the source shows before anything is packed, and
// a build that fails leaves --out as it was.
//
// Each artifact is made once, also where another one holds it; an updater under another name is a copy. Programs for Windows get
// their version and manifest (see package resource) and are signed before they are packed.
//
// What must always be true:
//   - the same source, toolchain, version and time give the same bytes, on any machine: what decides about them is set for the
//     compiler, and what the environment says about it is dropped;
//   - [Plan.Dir] has all of a build's artifacts or none;
//   - given programs are never changed.
package build
