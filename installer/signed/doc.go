// Package signed makes what a region signs: the four roles of The Update Framework (specification 1.0.31, consistent snapshots), and the
// keys that sign them. It is the only door to go-tuf; regions/trust verifies on hosts what is made here, with code of its own.
//
//	trust/<N>.root.json        who signs what, and how many of them must; itself signed by the root keys, old and new
//	trust/<N>.targets.json     path, length, SHA-256 of every package and index, and in custom.unpacked how much an archive holds
//	trust/<N>.snapshot.json    which targets file counts
//	trust/timestamp.json       which snapshot counts; renewed most often
//
// A folder of keys ([Folder]) holds on a publisher's machine:
//
//	keys.json                  which keys there are and where the secret of each is (a file, a variable, a command); no secret
//	root.json                  the newest root that is signed to its end: what hosts are given
//	roots/<N>.root.json        all of those
//	next.root.json             a root on its way that still wants signatures
//	regions/<name>.json        what was signed at each place last, with the signed files ([Memory]); no secret
//	offline/, online/          secrets made here, each a file of mode 0600
//
// Parties: ssm-setup keys changes folders; installer/publish asks a [Tree] for the next files and writes them; root keys are needed for
// roots only, so offline/ is to be carried away.
//
// What must always be true:
//   - a secret is in no file but its own, in no argument and in no output;
//   - a root counts only if it is the next number and signed to the threshold of its own keys and of those before it;
//   - a tree is extended only if what is there was signed by keys of a root of the folder: what a bucket says by itself is never signed;
//   - version numbers only go up, and the timestamp is written last, over the one that was read;
//   - times are whole seconds in UTC, and what is signed says when: x-ssm-signed.
package signed
