// Package setup installs, registers and removes the agent of one installation: it is the engine of `ssm-setup install`, `register`
// and `uninstall`, and of the original's ssm-setup-cli.
//
// An [Installation] is a place (the system's, or a folder) together with the [Ports] through which this room asks the agent what it
// may not know by itself: its registration, its configuration, the end of its last update. Settings, keys and services are the
// agent's business; this room starts the installed program for a registration and reads the answer.
//
// An installation is a table of stops (install.go): resolve, record, fetch, settings, install, proxy, authority, ready, register,
// start. What a stop did is undone, last first, when a later one fails. It is not an update from nothing: an update adds a version
// beside a package that stays, and can go back to it; an installation puts in that package, and going back means that nothing is left.
// The two share the habit (a record before the act, an undo for each stop) and the update lock, but no stop.
//
// Files of this room: <data>/install, the [record]: what an installation set out to do and what was there before. It is written
// before anything else is changed and gets its end when all stops are done; a record without an end is an installation that was
// interrupted, and the next run goes on with it or undoes it. <data>/download holds the package until it is in place.
//
// What must always be true: nothing is changed before the checks of open.go have passed and the update lock is held; a package is
// put in only with the size and SHA-256 that the region's manifest lists; a failed first installation leaves nothing, a failed
// later one leaves the agent that was there; an activation code appears in no argument list and in no output; a package manager
// that has begun is not interrupted.
package setup
