package updater

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/store"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions/wire"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// Engine brings requests through the eight stops. What it cannot do itself is handed in; a nil Log is silent, nil Now, Pause and
// Machine are the real ones.
type Engine struct {
	Layout   installer.Layout
	Settings Settings
	Open     func(ctx context.Context, manifestURL string) (Source, error)
	Reporter Reporter
	Probe    func(ctx context.Context) error // one round trip to the service, as this host
	// ProbeLane is one on a way that commands come by, which changes nothing there; nil: none can be asked.
	ProbeLane func(ctx context.Context, lane string) error
	Identity  func() (instanceID string, err error)      // reads the registration; "" when there is none
	System    *System                                    // the system
	Log       *slog.Logger                               //
	Now       func() time.Time                           // with a monotonic reading, which suspend does not advance
	Pause     func(context.Context, time.Duration) error // ends early, with an error, when the context does

	// Crash ends the engine as a crash would, for tests: asked before and after every do and undo.
	Crash func(at string) bool

	lock     *installer.UpdateLock
	deferred []func()
}

// Settings are what the configuration says.
type Settings struct {
	Source string // Agent.UpdateSource: wins over a request's; empty: not set
	// LocalSource is the manifest URL of the host's own region, where that is on this machine; else empty. It counts without Source.
	LocalSource string

	LimitRate int64 // Agent.UpdateLimitRate, in bytes a second: what a download takes at most; 0: all there are

	Region string         // for {Region} and for the words
	Watch  time.Duration  // Agent.UpdateWatchSeconds
	Agent  wire.AgentInfo // who replies; its Version is the updater's own

	// Oldest is the oldest version that the signed index of the region allows, as it was verified last; zero: any.
	Oldest manifests.Version

	Precondition string // why this system cannot take a new version, in the original's words; empty: it can
}

// stop is one of the eight. do goes on, undo takes back what do did, also half of it; nil: nothing to take back.
type stop struct {
	name string
	do   func(*work, context.Context) error
	undo func(*work, context.Context) error
}

// stops is an update.
func stops() []stop {
	return []stop{
		{ledger.StopAsk, (*work).ask, nil},                     // who wants what; tell them that it began
		{ledger.StopPlan, (*work).plan, nil},                   // request, manifest, facts → a target, or an answer
		{ledger.StopFetch, (*work).fetch, nil},                 // the package, into the cache
		{ledger.StopVerify, (*work).verify, nil},               // is it what the manifest lists?
		{ledger.StopStage, (*work).stage, unstage},             // into the store; does it state its version, does it pass its self-test?
		{ledger.StopSwitch, (*work).switchVersion, undoSwitch}, // the pointer, on probation
		{ledger.StopWatch, (*work).watch, nil},                 // does it prove itself?
		{ledger.StopFinish, (*work).finish, nil},               // confirm; answer the request
	}
}

// work is one update in the engine's hands.
type work struct {
	*Engine
	ledger     *ledger.File
	u          *ledger.Update
	store      store.Store
	source     Source
	manifest   *manifests.Manifest // of the source
	blob       blob
	verified   verified
	end        *ledger.Outcome // set when nothing is to be changed
	switched   bool            // by this process: nothing was seen of the version on trial before
	revived    int             // launchers that the watch started
	noLauncher time.Time       // since when none is seen; zero while one is
	probed     bool            // the watch asked the service itself
	saved      time.Time       // when the watch last wrote to the ledger
	uploaded   bool            // something of the step's output is in the command's bucket
}

// failure ends an update badly. Text is the message of the reply.
type failure struct {
	code, text string
	fault      fault.Kind
	cause      error
}

func (f *failure) Error() string { return f.text }
func (f *failure) Unwrap() error { return f.cause }

// ending ends an update early and as planned: nothing is to be changed.
type ending struct{ outcome ledger.Outcome }

func (*ending) Error() string { return "nothing to change" }

var (
	// errLeave says that everything stays as it is for resume.
	errLeave = errors.New("left for resume")
	// ErrCrashed is what a run ends in that Crash has ended.
	ErrCrashed = errors.New("crashed on purpose")
)

// walk goes from one stop to the last. What fails is undone in reverse order; then finish tells. An error means that the update
// is still open.
func (w *work) walk(ctx context.Context, from string) error {
	rows := stops()
	at := 0
	for at < len(rows) && rows[at].name != from {
		at++
	}
	defer func() { w.verified.close() }()
	for ; at < len(rows); at++ {
		err := w.act(ctx, rows[at])
		switch {
		case err == nil:
		case errors.Is(err, errLeave), errors.Is(err, ErrCrashed), rows[at].name == ledger.StopFinish:
			return err
		case ctx.Err() != nil:
			return errLeave // this process was asked to end; what failed may have failed for that
		default:
			if err := w.fail(ctx, err, at); err != nil {
				return err
			}
			return w.act(ctx, rows[len(rows)-1])
		}
	}
	return nil
}

// act records a stop and does it.
func (w *work) act(ctx context.Context, s stop) error {
	if w.displaced() {
		return errLeave
	}
	if err := w.arrive(s.name); err != nil {
		return err
	}
	w.Log.Info(w.headline(), "step", s.name, "id", w.u.ID)
	if w.crash("before " + s.name) {
		return ErrCrashed
	}
	if err := s.do(w, ctx); err != nil {
		return err
	}
	if w.crash("after " + s.name) {
		return ErrCrashed
	}
	return nil
}

// headline names the update in the log.
func (w *work) headline() string {
	if w.u.ToVersion.IsZero() {
		return "looking for an update"
	}
	return fmt.Sprintf("updating %v → %v", w.u.FromVersion, w.u.ToVersion)
}

// arrive writes down where the update stands, before anything is done there.
func (w *work) arrive(name string) error {
	now := w.Now()
	w.u.Stop, w.u.Since, w.u.Moved = name, now, now
	w.u.Done, w.u.Total = 0, 0
	return w.ledger.Save(true)
}

// fail notes why, and undoes from the row that failed up to the first.
func (w *work) fail(ctx context.Context, cause error, at int) error {
	w.noteFailure(cause)
	return w.undo(ctx, at)
}

// noteFailure turns an error into the ledger's reasons or, for an ending, into the outcome.
func (w *work) noteFailure(cause error) {
	var e *ending
	if errors.As(cause, &e) {
		w.end = &e.outcome
		return
	}
	var f *failure
	if !errors.As(cause, &f) {
		f = &failure{code: codeUnexpected, text: cause.Error(), cause: cause}
	}
	w.u.Reason, w.u.Code, w.u.Fault = ledger.Cut(fault.Redact(f.text), ledger.LongestReason), f.code, f.fault
	if w.u.Fault == "" {
		w.u.Fault = fault.Of(cause)
	}
	w.Log.Warn("update failed", "stop", w.u.Stop, "code", f.code, "reason", f.text)
}

// undo goes back through the rows. It keeps trying for a while where the disk is in the way; after that, resume does.
func (w *work) undo(ctx context.Context, at int) error {
	if w.end == nil {
		w.u.Undoing = true
		if err := w.ledger.Save(true); err != nil {
			return err
		}
	}
	ctx = context.WithoutCancel(ctx)
	rows := stops()
	for ; at >= 0; at-- {
		if rows[at].undo == nil {
			continue
		}
		if w.crash("before undo " + rows[at].name) {
			return ErrCrashed
		}
		if err := w.retryUndo(ctx, rows[at]); err != nil {
			return fmt.Errorf("undo %s: %w", rows[at].name, err)
		}
		if w.crash("after undo " + rows[at].name) {
			return ErrCrashed
		}
	}
	return nil
}

// retryUndo tries an undo five times.
func (w *work) retryUndo(ctx context.Context, s stop) (err error) {
	for n := range 5 {
		if err = s.undo(w, ctx); err == nil {
			return nil
		}
		w.Log.Error("undo failed", "stop", s.name, "error", err)
		if w.Pause(ctx, time.Second<<n) != nil {
			return err
		}
	}
	return err
}

func (e *Engine) crash(at string) bool { return e.Crash != nil && e.Crash(at) }

// complete fills in what was left out.
func (e *Engine) complete() {
	if e.Log == nil {
		e.Log = slog.New(slog.DiscardHandler)
	}
	if e.Now == nil {
		e.Now = time.Now
	}
	if e.Pause == nil {
		e.Pause = host.Sleep
	}
	if e.System == nil {
		m := ThisSystem(e.Layout)
		e.System = &m
	}
	if e.Settings.Watch <= 0 {
		e.Settings.Watch = 30 * time.Second
	}
}

// newWork makes a piece of work of the open update. Its request, which lies there still where an updater was killed as it had entered it,
// would else be taken a second time.
func (e *Engine) newWork(b *ledger.File) *work {
	b.Open.PID, b.Open.Updater = os.Getpid(), e.Settings.Agent.Version
	ledger.Withdraw(e.Layout, b.Open.ID)
	b.BootID = e.System.Boot
	b.Open.Attempts++
	return &work{Engine: e, ledger: b, u: b.Open, store: store.Store{Paths: e.Layout.Pointer()}}
}
