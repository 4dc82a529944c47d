// Package trust verifies what a region signed: The Update Framework, specification 1.0, "Detailed client workflow", from a root that
// this host holds. Nothing else in the product decides whether a published file may be believed: the updater, `ssm-setup install`,
// `update`, `self-update`, `versions` and `mirror` read a bucket through [Place.Signed] or [Pinned], by regions/bucket.
//
// # The doors
//
// All that comes from outside comes in by these, each with a bound, a fuzz target, and rows in test/attack/attacks.txt:
//
//   - <N>.root.json, timestamp.json, <N>.snapshot.json, <N>.targets.json below trust/ of the bucket: at most the bytes of [MaxRoot]
//     and its like, read by one strict reader (json.go): UTF-8, no name twice in an object, no fractions, limited depth; signatures
//     are over the canonical form of what stands in the file.
//   - The small files and packages of the bucket: only by the path, length and SHA-256 that targets lists ([Listing.Find]).
//   - The files of the host's own folder ([Place]): read as if they came from the network, so damaged or exchanged ones are
//     without effect but for root.json and pin.json, which are what this host trusts.
//   - A root file that a person or a package brings ([ParseRoot]): it must be signed by its own keys to its own threshold.
//
// # Files of a host, in <data>/trust (folder 0755, files 0644, written by root alone)
//
//	pin.json                                    the root as it was first pinned
//	root.json                                   the newest verified root
//	timestamp.json, snapshot.json, targets.json as last verified
//	time                                        the newest signed time seen, RFC 3339
//
// The folder comes into being with pin.json and root.json in it, by one rename. That it is there says "this host has a root": one
// without a readable root refuses everything.
//
// # What must always be true
//
//   - A host that has a root takes nothing unsigned, until the folder is removed ([Place.Clear], `ssm-setup trust clear`).
//   - A root follows another only by its number plus one, signed to the thresholds of both.
//   - No version of timestamp, snapshot or targets goes back. Where a new root has other keys for timestamp or snapshot, what they
//     signed before is forgotten, so that a stolen key's high numbers do not last (fast-forward recovery); the newest signed time, too.
//   - A key counts once toward a threshold, however many names it has. Unknown kinds of keys do not count.
//   - Time is the later of the clock and the newest signed time ("x-ssm-signed" in what is signed), so that a clock set back revives
//     nothing. Expired metadata ends updates, and nothing else: no agent stops.
//   - Delegations are refused by name: this product publishes none.
//
// Why own code: go-tuf brings protobuf into a program, and with it 8 MB. This room links the standard library alone. Its tests hold it
// to go-tuf: every tree is made and signed by go-tuf, the cases are those of its repository simulator, and for random changes of a
// tree both give the same verdict.
package trust
