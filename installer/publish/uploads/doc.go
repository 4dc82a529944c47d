// Package uploads keeps account of the objects that go into a bucket in parts. Parts of an upload that is never completed are seen by
// none, and cost money.
//
// Parties: a [Register] is what one run has under way; [Bucket.Sweep] removes what killed runs left.
//
//	ssm-setup-uploads/<random>    marker of a run: {"uploads": {"<ID>": "<key>"}}, written anew every minute while one is under way
//
// What must always be true:
//   - an upload that a young marker names stays, however old it is;
//   - one that a marker of more than five minutes names is removed: its run was killed. A run that only slept so long fails at its next
//     part, and says that another publication is under way;
//   - one of a key of ours that no marker names is removed after two hours: its run came to no marker, was not allowed to write one, or
//     was of a version of ssm-setup that knew none;
//   - ages are by the bucket's clock, never by this machine's;
//   - keys of other programs are left alone, whatever a marker says.
package uploads
