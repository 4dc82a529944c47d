// Package launcher is the service's main process: it starts the active agent as its child and stays its parent. It changes
// hardly ever, because any launcher has to run any later agent.
//
// # Parties
//
// The service manager starts and stops the launcher. The launcher starts one agent (see child.go for what the two agree on), and
// while the pointer is on probation also the updater's "resume". It reads the pointer (installer/pointer), never writes it; the
// only thing it changes on disk is the removal of tokens (and it makes its lock's folder where that was removed: it looks at every
// tick, and ends where another launcher found its way there first). Besides, another
// goroutine overwrites <pointer>/death with how the last agent died, for people and for the updater: the loop does not wait for it,
// and no start depends on what it wrote.
//
// # Five acts, in this order
//
//  1. Catch signals. Be the only launcher; let an agent that lost its launcher leave; let an original agent leave; let Windows
//     finish its set-up.
//  2. Read the pointer and walk the ring to the first agent that is sound and has not died as often as it may (below).
//  3. Start it. A start on probation first costs a token.
//  4. Wait, reaping whatever ends. Silence is killed. An end is orderly if this launcher sent the stop byte, or if the pointer has
//     another sequence than the child and does not name the child's own target as confirmed (such a child is taken over into the
//     new sequence); every other end is a death. Go to 2.
//  5. SIGTERM: stop byte, 5 s, kill that child only, end.
//
// # How often a version may die
//
// Three times within 30 minutes. On trial an end of its own doing – an exit code, a fault, silence – is enough, and of those by a
// signal from outside (KILL, TERM, INT: a kill by hand, a machine that is out of memory) two are, so that one such kill throws no sound
// release away. For 30 minutes after a confirmation that this launcher saw two deaths of any kind are enough. The tokens are for deaths
// that no launcher saw. An end while the service itself is asked to stop counts for nothing: a manager may end all its processes at
// once, so the launcher waits a moment for its own word. A new sequence forgets the deaths. The updater's watch judges by the same
// rules, from the note of the last death, for this launcher is renewed by a package only. test/model explores what follows from them.
//
// Windows keeps no record of who ended a process, see outside_windows.go. An agent that was asked to end by a signal ends by it, so that
// its launcher does not take the end for its own doing.
//
// # Without a service manager
//
// Under a root a launcher is started detached: by ssm-setup, by the agent that lost its launcher, or by an updater that finds neither.
// The pid file says that the installation is meant to run (see detach.go): it is removed before the service is stopped, a detached
// launcher without it ends, and one that finds another at work ends too. So however many are started, and however late they come, one
// is left, and none after a stop. A restart is a launcher that asks the running one to end and takes over.
//
// # What is always true
//
//   - No network, no configuration, nothing that can block: pipes are non-blocking, log lines are dropped when behind.
//   - What agents print is bounded, whatever a release does: 64 KiB a minute reach the log, and a log without a service manager rolls
//     at 1 MiB (outlet.go). No agent waits for it.
//   - Called with other arguments or by another name it becomes the ring's first sound agent and spends nothing.
//   - When every agent of the ring failed, the ring begins anew, for ever.
//
// A write to a broken pipe must not end it and no child may inherit an ignored signal, so SIGPIPE and SIGHUP are caught, not
// ignored. Ids come from wait4(-1), because it may be process 1 of a container; os/exec would steal them and is not used.
//
// # Windows
//
// The same loop under the service control manager, or by itself under a root. There are no signals: an event of its name asks an
// agent or a detached launcher to end (event_windows.go), handles come by number (child.go), and a program cannot be replaced, so
// whatever is for the agent runs as a child. The service has no output: its lines, and what agents print, go to launcher.log.
// A file that is open cannot be put aside there, so a detached launcher's own output is launcher.log.start.
package launcher
