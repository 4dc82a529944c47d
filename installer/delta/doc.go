// Package delta is a small download: what has to be changed in one program to get another. [Make] is for publishers, [Apply] for hosts.
//
// A delta is bound to the SHA-256 of both programs. Apply hashes the old program before it reads a single stream and the new one while it
// writes it; an error means that what was written is to be thrown away. The caller compares the new program's SHA-256 with what the
// region lists before it fetches a delta ([Header]), and again afterwards through its own check of the result.
//
// The file, all numbers little-endian:
//
//	8   "SSMDLT1\n"
//	32  SHA-256 of the old program
//	32  SHA-256 of the new program
//	8   bytes of the old program
//	8   bytes of the new program
//	32  bytes of the four streams that follow, 8 each; with the 120 bytes of this header they are the whole file
//
// The streams are DEFLATE (RFC 1951) each, read side by side:
//
//	control  for each piece: how far to move in the old program (signed varint), bytes to take there and change, and bytes to take from
//	         the stream "new" (unsigned varints)
//	runs     within all changed bytes together: how many stay as they are, how many are changed (unsigned varints, in turn)
//	changes  what is added to each changed byte, modulo 256
//	new      bytes that the old program does not have
//
// Why so: a program that is linked anew has its code in other places, so it differs in many bytes, each time by the same few numbers. As
// differences they compress well (the idea is Colin Percival's bsdiff); taken out of the zeros between them, they do so with the
// DEFLATE that hosts have anyway. scripts/delta.sh measures it, docs/proof/delta.log has the figures. Of the same streams the zstd that is
// written in Go makes 2 to 3 % more, xz from as much to 6 % less; they would add 213 and 119 kB to the host's program. zstd's own way with
// a dictionary makes a quarter more to twice as much.
//
// What must always be true, whatever a delta says:
//   - sizes are checked against bounds and against the file before anything else is read;
//   - nothing is written beyond the size of the new program, nothing is read outside the old one, and each stream ends where its
//     last piece does;
//   - memory is that of four DEFLATE readers and a few buffers, below 1 MiB, whatever the programs' sizes;
//   - the same two programs give the same delta with the same release of Go.
package delta
