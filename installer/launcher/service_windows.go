package launcher

import (
	"errors"
	"os"
	"os/signal"

	"golang.org/x/sys/windows"
	"golang.org/x/sys/windows/svc"
)

// Run is the service, under the service control manager or, where that one did not start this process, by itself: as a detached
// launcher, which every one of an installation under a root is, or at a console. It returns when it was stopped. The first call
// to the manager tells which it is; the library's own question is answered wrongly where services run in no session of their own.
func (s Service) Run() error {
	if s.Paths.Root == "" {
		err := svc.Run("AmazonSSMAgent", managed{s})
		if !errors.Is(err, windows.ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
			return err
		}
	}
	l := newLoop(s)
	l.catch()
	l.run()
	return nil
}

// catch listens to the console, and to the event of this launcher's name.
func (l *loop) catch() {
	if l.played {
		return
	}
	signal.Notify(l.stop, os.Interrupt)
	if e, err := newEvent(l.Paths, launcherRole, os.Getpid()); err == nil {
		go func() {
			e.wait()
			nudge(l.stop)
		}()
	}
}

// managed is the service as the manager knows it. It has no output, so the launcher's log file takes its lines and what agents
// print.
type managed struct{ service Service }

// Execute accepts Stop and Shutdown and is Running at once: everything else is the agent's.
func (m managed) Execute(_ []string, requests <-chan svc.ChangeRequest, status chan<- svc.Status) (bool, uint32) {
	l := newLoop(m.service)
	_ = os.MkdirAll(l.Paths.Logs(), 0o755)
	l.Log = rollingLog(l.Paths.LaunchLog())
	l.catch()
	done := make(chan struct{})
	go func() { defer close(done); l.run() }()
	now := svc.Status{State: svc.Running, Accepts: svc.AcceptStop | svc.AcceptShutdown}
	status <- now
	for {
		select {
		case <-done:
			return false, 0
		case r := <-requests:
			switch r.Cmd {
			case svc.Interrogate:
				status <- now
			case svc.Stop, svc.Shutdown:
				patience := l.Timing.Stop + l.Timing.Stop // its agent's, and some
				now = svc.Status{State: svc.StopPending, WaitHint: uint32(patience.Milliseconds())}
				status <- now
				nudge(l.stop)
			}
		}
	}
}
