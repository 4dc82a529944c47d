package launcher

import (
	"os"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// loop is the launcher at work. One goroutine does everything; only log lines leave by another, and what children print.
type loop struct {
	Service
	*lineWriter
	notes  *lineWriter // of deaths, to their file
	outlet *outlet     // for what children print
	children
	stop     chan os.Signal   // the service is to end
	ended    chan os.Signal   // some child may have ended
	lock     *host.FolderLock // held to the end
	unlocked bool             // its folder is gone, and it cannot be taken anew
	played   bool             // the system is a test's

	state     pointer.State
	known     bool // state was read from a slot
	deaths    map[pointer.Target][]death
	confirmed pointer.Target // the version whose confirmation this launcher saw last, while it is the active one
	since     time.Time      // of that
	streak    int            // deaths in a row
	backoff   time.Duration  // wait before the next start
	backoffOf pointer.Target // whose death that is
	agent     *agent
	resumer   int // id of the running "updater resume", 0 = none
	resumed   time.Time
	tried     time.Time // when the version on probation was seen first
}

func newLoop(s Service) *loop {
	l := &loop{Service: s, stop: make(chan os.Signal, 1), ended: make(chan os.Signal, 1), deaths: map[pointer.Target][]death{}}
	if l.played = s.System.Wait != nil; !l.played {
		l.System = System{Now: time.Now, Wait: l.wait, Start: l.startChild, Next: l.children.next, Kill: kill}
	}
	return l
}

// run returns when the service was stopped.
func (l *loop) run() {
	l.lineWriter = newLineWriter(l.Log, 32, l.played)
	defer l.lineWriter.close()
	l.notes = newLineWriter(noteFile(l.Paths.Death()), 32, l.played)
	defer l.notes.close()
	defer forgetPid(l.Paths)
	defer func() { l.lock.Release() }()
	host.CloseOnExec(3)
	if !l.played {
		l.outlet = newOutlet(newLineWriter(l.Log, printAtOnce, false))
	}
	defer func() { l.outlet.close() }()
	if !l.wanted() || l.singleInstance() || l.unready() {
		return
	}
	for !l.start() && !l.watch() && !l.judgeEnd() {
	}
}

// wait is [System.Wait] of the real system.
func (l *loop) wait(d time.Duration, stop <-chan os.Signal) (stopped bool) {
	end := time.NewTimer(d)
	defer end.Stop()
	select {
	case <-stop:
		return true
	case <-l.ended:
	case <-end.C:
	}
	return false
}

// pause waits until d is over or until enough says so, which is asked now and then. True means that the service is to stop.
func (l *loop) pause(d time.Duration, enough func() bool) bool {
	end := l.System.Now().Add(d)
	for left := d; left > 0; left = end.Sub(l.System.Now()) {
		if l.System.Wait(min(left, l.Timing.Look), l.stop) {
			return true
		}
		if l.reap(); enough != nil && enough() {
			return false
		}
	}
	return false
}

// reap collects every child that ended, also those that were started by a child.
func (l *loop) reap() {
	for {
		pid, how, ok := l.System.Next()
		switch {
		case !ok:
			return
		case l.agent != nil && pid == l.agent.pid:
			l.agent.ended, l.agent.ending = true, how
		case pid == l.resumer:
			l.resumer = 0
		}
	}
}

// read looks at the pointer. A new sequence forgets the deaths: its writer decided anew. A disk that fails for a moment
// changes nothing.
func (l *loop) read() {
	before := l.state
	state, err := pointer.Read(l.Paths)
	if err != nil && l.known && !isGone(err) {
		return
	}
	known := l.known
	l.state, l.known = state, err == nil
	if state.Sequence == before.Sequence {
		return
	}
	clear(l.deaths)
	l.noteConfirmation(before, known)
	if a := l.agent; a != nil && !state.Probation && a.target == state.Active {
		a.sequence = state.Sequence // confirmed, or found to run: it is taken over, so that its end counts
	}
	switch {
	case known && l.known:
		l.tell(before, state)
	case state.Probation:
		l.tried = l.System.Now()
		l.say(l.version(state.Active), " is on trial")
	}
}
