// Package describe says what is in a release: files beside the packages, in the version's folder.
//
//	sbom-<os>-<arch>.cdx.json           bill of materials, CycloneDX 1.6: programs, the modules linked into each, Go itself
//	sbom-<os>-<arch>.spdx.json          the same data as SPDX 2.3
//	provenance-<os>-<arch>.intoto.json  in-toto statement, SLSA provenance v1: artifacts, how they were built, from what
//	RELEASENOTES.md                     this version's section of a given file, else of RELEASENOTES.md in the source tree, else
//	                                    the commits since the last version tag; publish puts it into the feed
//
// The data come from the packed programs themselves (the build information that Go links in), not from the source tree or the
// network. The files are listed in SHA256SUMS beside the artifacts; one more kind is one row of [kinds].
//
// What must always be true: the same programs, artifacts, commit, remote and time give the same bytes. A commit is named only if
// every file that was compiled is in it, byte for byte (see [OriginOf]), and the repository is the tree's own; nothing that only
// the builder's machine knows is written. A statement is no signature: what it is worth is what SHA256SUMS' signature is worth.
package describe
