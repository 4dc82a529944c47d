// Package policy is what the administrator of a host allows updates to do: a hold, the versions that may be installed, the hours in which
// that may happen, and how long a release has to have been out. It also has the table of reasons ([Reasons]) that decisions are told with.
//
// # Parties
//
//   - The administrator changes the policy with ssm-setup hold, unhold and policy ([Change]).
//   - The updater's plan asks [Policy.Decide] for every version that it would put in place, whether a document, a person, an installation
//     or the schedule wants it; the schedule asks the same before it starts an updater. A rollback asks no policy: it is the way out.
//   - A person at the machine may go on all the same (ssm-setup update --override); the outcome and the history of decisions say so.
//
// # Files it owns
//
//	<data>/policy                 JSON, at most 64 KiB, written whole or not at all; no file: everything is allowed
//
// # What must always be true
//
//   - Rules are pure: a policy, the time and facts give a verdict. Nothing is remembered between two questions.
//   - What cannot be read allows nothing, and says so: a damaged file, a constraint, a window or a zone that is none. An updater that is
//     asked nothing goes on running; only updates wait.
//   - Members are only ever added, and those that this version does not know are kept. Versions of the agent that know no policy leave
//     the file alone; while one of them runs, its own updates obey none.
//
// # Windows
//
// A window opens when five fields of cron (minute, hour, day, month, weekday) match in its zone, and stays open for its duration, counted
// in real time. Where a change of clocks skips the minute of an opening, the window does not open that day; where it comes twice, it opens
// twice. A host that is there looks in each opening ([Policy.Opening], updater/schedule). One that was not there for the whole of the last
// window (switched off, asleep) catches up: the next scheduled look counts as inside.
//
// Zones are names of the tz database, UTC, Local or an offset such as +02:00. The names need the system's copy of that database;
// Windows has none, and the 400 kB of Go's own (time/tzdata, 4 % of the host program) are not linked for it: there, and where the
// database is not installed, names are refused when they are set, and Local, UTC and offsets work.
//
// gronx matches the fields of cron; this room is its door.
package policy
