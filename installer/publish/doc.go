// Package publish puts a release into a region: packages, manifest, VERSION, into the bucket layout of
// docs/protocol/update.md, "Bucket layout".
//
// Parties: a [dist.Release] is the folder that a build wrote; a [target.Target] is a bucket or a folder with the same tree, for a mirror
// or a stick. Rooms below: target is where it is written, signing what is signed there for hosts with a root of trust, deltas makes
// small downloads, apt and yum make the metadata of package managers, uploads keeps account of what is on its way in parts.
//
//	amazon-ssm-agent/<version>/<file>    every package, under the name manifests use
//	ssm-setup/<version>/<file>           ssm-setup itself
//	<version>/<folder>/<short name>      deb, rpm and ssm-setup where people and the original's tools look
//	<version>/<document>                 SHA256SUMS, bills of materials, statements, notes
//	ssm-agent-manifest.json              the region's manifest with this release merged in; older versions stay
//	dists/{stable,latest}/…              the same for apt, made from the manifest's active versions: stable has those up to the stable one
//	{stable/,latest/,}repodata/…         the same for yum; the bucket itself is as latest
//	ssm-setup-index.json                 when each version was published, for which share of hosts; what is halted or withdrawn
//	latest/<folder>/<short name>         copies, if this is the newest version
//	latest/releases.atom                 feed of releases, for people
//	latest/VERSION                       last: this is what says that there is a new version
//
// and then the same latest/ in the global bucket. stable/VERSION is another matter: [Promote].
//
// Where keys for hosts with a root of trust are given (installer/signed), a publication ends with what the room signing writes.
//
// What must always be true:
//   - written in that order, and each thing is read back and compared before the next kind begins: a publication that stops
//     anywhere leaves the region serving the old release whole, and running it again finishes it;
//   - each content is sent once: what lies under further keys the bucket copies, and its own SHA-256 of a copy is compared; in a
//     folder those are links. Where a target makes no copies, the bytes are sent again, and the caller told;
//   - a version that was published never changes its bytes (unless told to replace it): packages are made under the condition
//     that they are not there;
//   - a bucket that ignores such conditions is found out before the first of them: then each write is compared just before, and the
//     caller told that one publisher at a time is safe there;
//   - manifest, feed and VERSION are written only over the one that was read (If-Match); another publisher's change is read and
//     merged anew, a bounded number of times;
//   - the copies below latest/ cannot be written together with VERSION: a publication that finds itself overtaken puts back those
//     of the version that VERSION names;
//   - a package manager that has read an index finds the lists it names for a day, and while it is among the last few;
//   - signed repositories stay signed: without the key, nothing is written; by another key only where that is asked for, or where one of
//     its two keys is known there; then all is signed anew, and the public half written last;
//   - a region that signs is not changed without its keys, and the bytes of its versions are never replaced;
//   - no key leads out of a target: what manifests and lists say becomes names of files, and in a mirror another region
//     says it;
//   - a mirror says of each version what its region says by now, and repairs what is not as its own manifest has it.
package publish
