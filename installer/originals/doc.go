// Package originals installs, updates, rolls back, registers and removes Amazon's own agent (versions below 9) on this system, by its
// own packages. It is the engine behind `ssm-setup install`, `update`, `rollback`, `register`, `status` and `uninstall` wherever that
// agent is the one installed or asked for. Store, pointer and launcher are no part of it: they belong to the agent of this project
// alone.
//
// Parties: the region's manifest and archives (regions/bucket), the system's package manager and service manager, the original's own
// programs (its -register), and whatever else updates it: AWS's updater takes the same update.lock.
//
// Which agent. [Choose] decides between the two by what is asked for, what is installed, and what the source offers: an archive of a
// version below 9 is the original's.
//
// Trust (trust.go). From Amazon's own bucket over https the update archive is taken: the manifest lists its SHA-256, and it holds the
// system's package. Its detached signature is looked at, too; without the key that made it the result says so. A loose package, and
// anything from another place, needs a good signature by a key that was named, or the explicit word that none is needed. A key that has
// expired counts for what was signed while it was valid. A package for Windows always needs an Authenticode signature that names
// Amazon.
//
// Where this project's agent gives way to the original, it is stopped once every command that it took is answered (drain.go).
//
// A change (change.go) is a list of steps: settings, package, register, start, watch. Each is written into the record before it is
// taken. What fails is taken back, last first; the registration stays, as the activation is used up. A change that ended in the middle
// (killed, power cut) is gone on with by the next command where that wants the same, else taken back first.
//
// Health (health.go): docs/protocol/update.md, "Health check after install", in one round; then a trial of 60 s in which no process is
// exchanged and, of a registered agent, no ERROR about registration or credentials comes into its log. That is as far as this host can
// tell: only the service knows whether the node reaches it.
//
// Files of this room, all below /var/lib/ssm-setup/original (Windows: ProgramData\ssm-setup\original, administrators only), folders
// 0700, files 0600:
//
//	record                     what is in use, what was in use before, the change under way, how the last one ended
//	packages/<sha256>-<name>   the package in use and the one before, and those of the change under way; hashed again before each use
//	download/                  what is fetched, until it is checked
//	registration/              the registration of before, while the original registers anew; put back where that is refused
//
// What must always be true: nothing on the system is touched before both packages of a change are at hand and everything that can be
// tried has been tried; the lock of docs/protocol/update.md, "The update lock", is held for every change; a package whose bytes have
// changed is not used; a package manager that has begun is not interrupted; a registration is
// given up for another one only when that one is there; moving between the two agents is one transaction of the
// package manager, never a removal and then an installation (but on Windows, whose installers refuse an older version).
package originals
