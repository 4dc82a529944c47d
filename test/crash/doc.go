// Package crash spoils an update at every system call. It runs the real programs in throwaway roots against a local region, follows them
// with a tracer of its own (ptrace; Linux on amd64), and lets one thing go wrong at one call.
//
// # A point
//
// A point is one system call that changes disk, processes or the network, made by the launcher, the agent of before ("agent"), the new one
// ("agent.new") or the updater between the moment an update is asked for and its end. It is known by program, call, path and how often
// that program made it; in paths, ids and hashes are replaced by words, so that it is found again in another run. The points are no list
// in the source: three runs without faults are traced, and what all three did is a point. Calls that repeat themselves count a few times
// only (call.most). There are three scenarios: a good update and a broken one that AWS-UpdateSSMAgent asks for, and a rollback by
// ssm-setup.
//
// # What goes wrong at it
//
//   - kill: the process dies before the call, after it, or when half of a write is done.
//   - an error, once: ENOSPC, EIO, EROFS, EXDEV, EMFILE, each at the calls that can give it.
//   - an error, for ever (a quarter of them, by the seed): from this call on, all calls of that program fail that the error can hit, until
//     the test mends the disk, five seconds later.
//   - pairs: two of these in one run, taken at random by the seed. One of them may find no call any more.
//
// # What must hold after it
//
// The host comes to rest by itself or, after twelve seconds (three without an updater, which goes on a minute later only), by a kill of
// everything and a start. Then it is stopped and started once more. After that one launcher and one agent run, healthy, and nothing else;
// the record of updates is closed and owes nothing; the answer says success exactly where the version that was asked for runs, and so
// does the record; a broken release does not run; each of the four commands sent meanwhile ran once and is answered Success (where an error
// hit the agent, it may be answered Failed and not have run); no process and no file is left but what runs without faults leave, and
// the note of the last death. A fault that finds no call fails its run, after a second try.
//
// # Running it
//
//	make crash                        sixty kills of a good update, by the seed; CI runs the same with the other tests
//	make crash-long                   all points, SEED=10; the log goes to docs/proof/crash.log
//	go test ./test/crash -args -list  the names of all runs
//	go test ./test/crash -v -args -only "" -point 'good: updater fsync var/lib/amazon/ssm/ledger 4 after'
package crash
