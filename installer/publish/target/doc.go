// Package target is where a publication writes: a bucket or a folder with the same tree. It is the only door to the S3 client.
//
//	Bucket       S3, or a service that speaks its protocol
//	Folder       a folder of this machine, for a mirror or a stick
//
// Parties: installer/publish decides what is written and in which order; uploads beside this room keeps account of what is on its way
// in parts.
//
// What must always be true:
//   - an object is seen whole or not at all, and never with other bytes than those of the sum it was written with;
//   - a write under a condition goes through only if that holds: If-Match and If-None-Match in a bucket, a comparison just before in a
//     bucket that ignores those (Probe tells) and in a folder;
//   - no key leads out of a target: what manifests and lists say becomes names of files;
//   - VERSION in a folder is given its name when the disk keeps the names of all the rest.
package target
