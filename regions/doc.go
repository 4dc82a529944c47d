// Package regions knows where things are: AWS partitions and regions, the endpoints of their services, the bucket each
// region serves releases from and the keys in it, and the local region.
//
// There is no list a host depends on: a well-formed name that is not in the table gets the endpoints of its prefix, so new
// regions work without an update. The table serves people: `ssm-setup regions` asks all of it, and a slip of the hand gets the
// nearest names. Facts: docs/protocol/update.md, "Manifest URL and endpoints", "Bucket layout"; docs/protocol/identity.md,
// "Endpoints".
package regions
