package takeover

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/regions/wire"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// Source is a region's bucket, as functions.
type Source struct {
	Manifest func(ctx context.Context) (*manifests.Manifest, error)
	Stable   func(ctx context.Context) (manifests.Version, error)
	URL      func(v manifests.Version, file string) string
	Fetch    func(context.Context, bucket.Want) error
}

// Reporter tells the service, as functions. Reply and Delete are of commands that came over ec2messages.
type Reporter struct {
	Reply  func(ctx context.Context, messageID, replyID, payload string) error
	Delete func(ctx context.Context, messageID string) error
	Health func(ctx context.Context, status, version string) error
	Upload func(ctx context.Context, bucket, key, file string) error // a step's output; may be nil
}

// Engine exchanges agents. What it cannot do itself is handed in.
type Engine struct {
	Layout   installer.Layout
	System   System
	Agent    wire.AgentInfo // who replies; its Version is this program's
	Region   string
	Open     func(ctx context.Context, manifestURL string) (Source, error)
	Reporter Reporter
	Gone     func(error) bool                // an error of Reply or Delete that no further try changes
	Probe    func(ctx context.Context) error // one round trip to the service
	Identity func() (instanceID string, err error)
	Rate     int64        // bytes a second that a download takes at most; 0: all there are
	Amazon   string       // manifest of Amazon's own bucket of the region; empty: the region is none of theirs
	Forget   func() error // removes what ours keeps beside its package
	// Arrived takes away what served the original alone, once ours runs: the timer of ssm-setup. Nil: nothing does.
	Arrived func(context.Context) error
	Log     *slog.Logger
	Now     func() time.Time

	// Crash ends the engine as a crash would, for tests: asked before and after every row.
	Crash func(at string) bool
}

// failure ends an exchange badly. text is the message of the reply, sub the word before the code in a health status.
type failure struct{ code, text, sub string }

func (f *failure) Error() string { return f.text }

var (
	// ErrCrashed is what a run ends in that Crash has ended.
	ErrCrashed = errors.New("crashed on purpose")
	// ErrBusy says that another update is under way.
	ErrBusy = fault.New(fault.Busy, "Another update in progress, try again later", "")
	// ErrOwed says that the last answer could not be sent yet; the keeper goes on.
	ErrOwed = errors.New("the answer could not be sent yet")
)

// work is one exchange in the engine's hands.
type work struct {
	*Engine
	r         *Record
	lock      *installer.UpdateLock
	source    Source
	home      Source // of the source's package
	reachable bool   // the service answered before the exchange

	notEntered error // why there is no keeper
	left       bool  // the folder could not be removed yet
}

// Take does what an original's plugin started this program for. Nothing is answered while another update is under way.
func (e *Engine) Take(ctx context.Context, o Order) error {
	e.complete()
	e.fixLoginShell(ctx)
	return e.begin(ctx, &Record{Order: o, Why: ledger.ByDocument}, func(string) {})
}

// Crosses tells whether a request leads from an agent of ours to an original: its version is named, and older ones are allowed.
func Crosses(r ledger.Request) bool {
	v, err := manifests.ParseVersion(r.Want)
	return err == nil && IsOriginal(v) && r.AllowDowngrade && !r.GoesBack()
}

// Leave takes a request that [Crosses] from the updater of an agent of ours. manifest is where the original's package is listed, home where
// that of ours is. say is told one line as soon as it is decided whether the request is taken.
func (e *Engine) Leave(ctx context.Context, r ledger.Request, running, manifest, home string, say func(line string)) error {
	e.complete()
	if led, err := ledger.Read(e.Layout); err == nil && led.Open != nil {
		say("busy")
		return ErrBusy
	}
	r = ledger.WithID(r, e.Now())
	o := Order{Update: true, Source: running, Target: r.Want, Package: r.Package, ManifestURL: manifest, Upstream: laneEC2}
	if o.Package == "" {
		o.Package = agentPackage
	}
	if r.ReplyTo != nil {
		o.MessageID, o.Upstream = r.ReplyTo.MessageID, r.ReplyTo.Upstream
	}
	taken := func(word string) {
		if word == "taken" {
			ledger.Withdraw(e.Layout, r.ID)
			word += " " + r.ID
		}
		say(word)
	}
	return e.begin(ctx, &Record{ID: r.ID, Order: o, ReplyTo: r.ReplyTo, Why: r.Why, Home: home, Override: r.Override,
		IfRunning: r.IfRunning, LimitRate: r.LimitRate}, taken)
}

// Resume goes on with what was begun. It is the keeper's work: it waits until no other process is at it.
func (e *Engine) Resume(ctx context.Context) error {
	e.complete()
	for {
		r, err := ReadRecord(e.Layout)
		if err != nil {
			return err
		}
		w, release, err := e.open(r)
		switch {
		case err == nil:
			defer release()
			if w.r, err = ReadRecord(e.Layout); err != nil {
				return err
			}
			if w.r == nil { // the other one was done meanwhile, or had not begun
				if err := w.takeOut(ctx); err != nil {
					e.Log.Warn("the keeper is left, without work", "error", err)
				}
				return nil
			}
			return w.walk(ctx)
		case !errors.Is(err, ErrBusy):
			return err
		}
		if err := e.System.Pause(ctx, time.Second); err != nil {
			return err
		}
	}
}

// begin takes the locks, brings to its end what was left open, writes the record, and goes on.
func (e *Engine) begin(ctx context.Context, r *Record, say func(string)) error {
	w, release, err := e.open(r)
	if errors.Is(err, ErrBusy) {
		say("busy")
		return err
	}
	if err != nil {
		say("refused " + err.Error())
		return err
	}
	if old, err := ReadRecord(e.Layout); err == nil && old != nil {
		w.r = old
		err := w.walk(ctx)
		release()
		if err == nil {
			w, release, err = e.open(r)
		}
		if err != nil {
			say("refused " + err.Error())
			return err
		}
	}
	defer release()
	if r.ID == "" {
		r.ID = host.NewUUID()
	}
	r.Began, r.Step, r.State, r.Result, r.Running = e.Now(), stepBegin, notStarted, inProgress, r.Order.Source
	w.notEntered = w.enter(ctx)
	if err := w.save(); err != nil {
		say("refused " + err.Error())
		return errors.Join(err, w.takeOut(ctx))
	}
	if w.crash("after the keeper") {
		return ErrCrashed
	}
	say("taken")
	return w.walk(ctx)
}

// open takes both locks: that of this room, between programs that would go on with the same exchange, and the update lock.
func (e *Engine) open(r *Record) (*work, func(), error) {
	if err := e.Layout.MakeOwn(installer.OwnTakeover, "lock"); err != nil {
		return nil, nil, err
	}
	mine, holder, err := host.TryLock(filepath.Join(e.Layout.Own(installer.OwnTakeover), "lock"))
	if err == nil && mine == nil && holder != 0 {
		return nil, nil, ErrBusy
	}
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return nil, nil, err
	}
	lock, err := installer.LockUpdate(e.Layout)
	if err != nil {
		mine.Release()
		if errors.Is(err, installer.ErrBusy) {
			err = ErrBusy
		}
		return nil, nil, err
	}
	w := &work{Engine: e, r: r, lock: lock}
	return w, func() {
		w.unlock()
		mine.Release()
		w.sweep()
	}, nil
}

// sweep removes what [work.takeOut] had to leave since Windows removes no file that is open: the file of the lock. What another process has
// begun meanwhile is its own: its lock and its record stay, and so does the folder.
func (w *work) sweep() {
	if !w.left {
		return
	}
	dir := w.Layout.Own(installer.OwnTakeover)
	_ = os.RemoveAll(filepath.Join(dir, "lock"))
	_ = os.Remove(dir)
	_ = os.Remove(filepath.Dir(dir)) // if nothing else is in it
	if _, err := os.Lstat(dir); err == nil {
		w.Log.Info("the folder of the exchange is left", "folder", dir)
	}
}

// unlock gives the update lock back, once.
func (w *work) unlock() {
	if w.lock != nil {
		_ = w.lock.Release()
		w.lock = nil
	}
}

// walk goes through the rows from where the record stands.
func (w *work) walk(ctx context.Context) error {
	for {
		at := rowNamed(w.r.Step)
		if w.crash("before " + at.name) {
			return ErrCrashed
		}
		w.Log.Info("exchanging agents", "from", w.r.Order.Source, "to", w.target(), "step", at.name)
		if w.lock != nil {
			_ = w.lock.Renew()
		}
		err := w.step(ctx, at)
		switch {
		case errors.Is(err, errDone):
			return nil
		case errors.Is(err, ErrOwed), errors.Is(err, ErrCrashed):
			return err
		case err != nil && at.name == stepEnd:
			return err // the keeper tries again; what the exchange came to stays as it was answered
		case ctx.Err() != nil:
			return ctx.Err() // this process was asked to end; the keeper goes on
		case w.crash("after " + at.name):
			return ErrCrashed
		}
		next := at.next
		if err != nil {
			next = w.fail(ctx, at, err)
		} else if w.r.Result != inProgress && at.decides {
			next = stepSettle
		}
		w.r.Step = next
		if err := w.save(); err != nil {
			return fmt.Errorf("cannot write the record: %w", err)
		}
	}
}

// step does a row. A panic is a failure of the row, with the original's word for it: else the keeper would run into it for good.
func (w *work) step(ctx context.Context, at row) (err error) {
	defer func() {
		if p := recover(); p != nil {
			w.Log.Error("panic", "step", at.name, "panic", p, "stack", string(debug.Stack()))
			err = &failure{code: codePanic, text: fmt.Sprint(p)}
		}
	}()
	return at.do(w, ctx)
}

func (w *work) crash(at string) bool { return w.Crash != nil && w.Crash(at) }

// Lists tells whether a manifest has a version for this system.
func (e *Engine) Lists(ctx context.Context, manifest, version string) bool {
	e.complete()
	s, err := e.Open(ctx, manifest)
	if err != nil {
		return false
	}
	m, err := s.Manifest(ctx)
	if err != nil {
		return false
	}
	l, err := m.Listing(agentPackage, (&work{Engine: e}).archive())
	return err == nil && Question{Listing: l}.listed(version)
}

// complete fills in what was left out.
func (e *Engine) complete() {
	if e.Log == nil {
		e.Log = slog.New(slog.DiscardHandler)
	}
	if e.Now == nil {
		e.Now = time.Now
	}
}

func (w *work) messageID() string { return w.r.Order.MessageID }

// target is the version to come, also before it is known.
func (w *work) target() string {
	if w.r.To != nil {
		return w.r.To.Version
	}
	return w.r.Order.Target
}
