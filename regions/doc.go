// Package regions knows where things are: AWS partitions and regions, the endpoints of their services, the sources that packages come
// from, the bucket of each region and the keys in it, and the local region.
//
// A source is not an endpoint. An endpoint is the address of a region's services, where a machine is registered and gets its commands. A
// [Source] is where packages come from: Amazon's own bucket of the region, a bucket of one's own, a mirror on a web server, a folder. Every
// program reads a source by [ParseSource] and asks it for the bucket of a region, [Source.Base]; regions/bucket reads what that names,
// folders included. A [Carried] file at the root of a mirror says which regions it carries.
//
// There is no list a host depends on: a well-formed name that is not in the table gets the endpoints of its prefix, so new
// regions work without an update. The table serves people: `ssm-setup regions` asks all of it, and a slip of the hand gets the
// nearest names. Facts: docs/protocol/update.md, "Manifest URL and endpoints", "Bucket layout"; docs/protocol/identity.md,
// "Endpoints".
package regions
