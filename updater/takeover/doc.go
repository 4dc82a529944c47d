// Package takeover exchanges Amazon's agent for this project's, this project's for Amazon's, and one of Amazon's for another, for a
// document that asks for it: aws:updateSsmAgent.
//
// # Parties
//
//   - The plugin of an original agent fetches the newest updater package of its region, starts the program in it with the command line of
//     docs/protocol/update.md, "Updater command line", and hands the update lock to it. Where the region is one of ours, that program is
//     this one ([ParseOrder], [Engine.Take]).
//   - The updater of an agent of ours comes here with a request that names a version of the original and allows a downgrade
//     ([Engine.Leave]).
//   - The system's package manager exchanges the two packages in one transaction. Neither is ever removed first (but on Windows, whose
//     installers refuse an older version).
//   - The keeper (keeper.go) is an entry with the service manager that exists while an exchange is under way. It starts this program again
//     ([Engine.Resume]) at every boot, and waits beside the first one for the case that that is killed. Which agent's unit runs after a
//     power cut does not matter.
//
// # The rows
//
// rows.go is the list: begin, plan, fetch, drain, exchange, verify, settle, answer, end; restore and recheck take back what exchange and
// verify began. Each row is in the record, synced, before it acts, and may be done twice.
//
// # Files it owns
//
//	/var/lib/ssm-setup/takeover/           (Windows: ProgramData\ssm-setup\takeover), 0700: record, updater (this program), lock
//	<update root>/amazon-ssm-agent/<v>/    the unpacked archives of the two versions
//	<update root>/stdout, stderr           what package managers and scripts printed
//	<data>/<instance>/replies_mgs/         answers to commands that came over ssmmessages
//
// # What must always be true
//
//   - Nothing on the system is touched before both packages are at hand and the package manager has tried the new one.
//   - Registration, vault, settings and the documents under way stay; a document that a worker has goes on under ours, and
//     keeps ours from giving way to the original, which could not answer it.
//   - The one that asked gets one final answer, and it says what runs.
//   - A package manager that has begun is not interrupted; a script of an archive is, after 150 s, with all that it started.
package takeover
