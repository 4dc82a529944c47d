package originals

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/proxy"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Actions of a change.
const (
	installing   = "install"
	updating     = "update"
	rollingBack  = "rollback"
	uninstalling = "uninstall"
	toOurs       = "to ours"
)

// Steps of a change, by the words in the record.
const (
	stepSettings = "settings"
	stepDrain    = "drain"
	stepPackage  = "package"
	stepRegister = "register"
	stepStart    = "start"
	stepWatch    = "watch"
	stepForget   = "forget"
	stepRemove   = "remove"
)

// work is one change while it is made, under the lock.
type work struct {
	*Agent
	ctx    context.Context
	record Record
	change *Change

	settings   map[string]any // to be written; nil: what is there stays
	proxy      *proxy.Address // to be kept for the service; nil: what is there stays
	authority  string         // file of certificates to be kept for the service; may be empty
	region     string
	activation setup.Activation
	override   bool
	takeOver   func(context.Context) error // puts ours in, and sees it healthy; for [toOurs]

	newer manifests.Version // that has no package for this system

	registered bool // by this change
	instanceID string
	changed    bool // what the agent reads at its start
	from       marks
}

// doing are the steps, each with what takes it back; nil: it needs nothing.
var doing = map[string]struct{ do, undo func(*work) error }{
	stepSettings: {(*work).writeSettings, (*work).restoreSettings},
	stepDrain:    {(*work).drain, (*work).goOn},
	stepPackage:  {(*work).putTo, (*work).putFrom},
	stepRegister: {(*work).register, nil},
	stepStart:    {(*work).start, nil},
	stepWatch:    {(*work).watchTo, nil},
	stepForget:   {(*work).forgetOurs, nil},
	stepRemove:   {(*work).removePackage, nil},
}

// errNoService says that no service manager runs that the packages know.
var errNoService = fault.New(fault.Refused, "no service manager runs here: Amazon's agent needs systemd or upstart",
	"--agent ours needs none")

// begin takes the lock and reads the record.
func (a *Agent) begin(ctx context.Context) (*work, func(), error) {
	if err := setup.CheckPrivileges(a.Layout); err != nil {
		return nil, nil, err
	}
	made := !setup.Exists(a.Data())
	if err := os.MkdirAll(a.Data(), 0o755); err != nil {
		return nil, nil, err
	}
	lock, err := host.TakePidLock(a.UpdateLock(), host.IsUpdater, time.Now)
	if err != nil {
		return nil, nil, err
	}
	release := func() {
		_ = lock.Release()
		if made {
			removeEmptyData(a)
		}
	}
	if err := a.Layout.MakeOwn(installer.OwnOriginal, packagesName, downloadName); err != nil {
		release()
		return nil, nil, err
	}
	record, err := a.ReadRecord()
	if err != nil {
		release()
		return nil, nil, err
	}
	kept, err := a.putBack()
	if err != nil {
		release()
		return nil, nil, err
	}
	if kept {
		a.Ports.Step("an earlier registration did not come to its end; the one of before is there")
	}
	return &work{Agent: a, ctx: ctx, record: record}, release, nil
}

// run takes the steps. One that fails has all that were begun taken back.
func (w *work) run(c *Change, steps ...string) error {
	w.change = c
	w.record.Open, w.from = c, w.mark()
	for _, name := range steps {
		c.Steps = append(slices.DeleteFunc(c.Steps, func(s string) bool { return s == name }), name)
		if err := w.writeRecord(&w.record); err != nil {
			return w.failed(err)
		}
		w.at("before " + name)
		err := doing[name].do(w)
		w.at("after " + name)
		if err = errors.Join(err, w.ctx.Err()); err != nil {
			return w.failed(err)
		}
	}
	return nil
}

// at is a place where a test ends the process.
func (a *Agent) at(place string) {
	if a.cut != nil {
		a.cut(place)
	}
}

// failed takes the change back and returns why, with what could not be taken back.
func (w *work) failed(reason error) error {
	w.ctx = context.WithoutCancel(w.ctx)
	w.change.Reason = printable(reason.Error())
	if err := w.takeBack(); err != nil {
		return errors.Join(reason, fmt.Errorf("it cannot be taken back: %w; run the same command again", err))
	}
	if w.registered {
		w.Ports.Step("%s", setup.Kept(w.region, w.instanceID))
	}
	return reason
}

// takeBack undoes the steps that were begun, last first, and ends the change. Where it fails the change stays open, and the next command
// goes on with it.
func (w *work) takeBack() error {
	c := w.record.Open
	w.change = c
	c.Back = true
	if err := w.writeRecord(&w.record); err != nil {
		return err
	}
	w.at("before going back")
	for n := len(c.Steps) - 1; n >= 0; n-- {
		if undo := doing[c.Steps[n]].undo; undo != nil {
			if err := undo(w); err != nil {
				return err
			}
			w.at("after undoing " + c.Steps[n])
		}
	}
	back := Outcome{Agent: Original, Action: c.Action, Kind: Failed, Reason: c.Reason, Started: c.Began, Ended: time.Now().UTC(),
		Region: w.record.Region, Source: w.record.Source}
	back.From, back.Target = versionOf(c.From), versionOf(c.To)
	if c.begun(stepPackage) {
		back.Kind = RolledBack
	}
	back.Running = back.From
	w.record.Last, w.record.Open = &back, nil
	if c.From == nil && w.record.InUse == nil { // nothing was here, and nothing is
		return w.Layout.DropOwn(installer.OwnOriginal)
	}
	if err := w.writeRecord(&w.record); err != nil {
		return err
	}
	w.collect(&w.record)
	return nil
}

func versionOf(p *Package) manifests.Version {
	if p == nil {
		return manifests.Version{}
	}
	return p.Version
}

// end closes a change that is done.
func (w *work) end(o Outcome) error {
	w.record.Last, w.record.Open = &o, nil
	if err := w.writeRecord(&w.record); err != nil {
		return err
	}
	w.at("after the end")
	w.collect(&w.record)
	return nil
}

// settle brings a change that ended in the middle to its end: what wants is what the command that found it is to do. One that does the same
// goes on with it (the change is returned, for what was there before); else it is taken back.
func (w *work) settle(action string, target string) (*Change, error) {
	c := w.record.Open
	if c == nil {
		return nil, nil
	}
	if c.Action == action && !c.Back && c.To != nil && c.To.SHA256 == target {
		w.Ports.Step("going on with the %s of %s begun at %s", c.Action, c.To.Version, c.Began.Local().Format("2006-01-02 15:04:05"))
		return c, nil
	}
	if c.Action == uninstalling {
		return nil, w.finishRemoval()
	}
	w.Ports.Step("a change (%s) begun at %s was not finished: taking it back first", c.Action, c.Began.Local().Format("2006-01-02 15:04:05"))
	if c.Reason == "" {
		c.Reason = "it ended in the middle"
	}
	w.region = w.record.Region
	err := w.takeBack()
	if err == nil {
		err = w.Layout.MakeOwn(installer.OwnOriginal, packagesName, downloadName)
	}
	return nil, err
}

// finishRemoval ends a removal that ended in the middle: the package is gone, or it is still there and stays.
func (w *work) finishRemoval() error {
	here, err := w.Present(w.ctx)
	if err != nil {
		return err
	}
	w.record.Open = nil
	if here.Whole && !here.Version.IsZero() {
		return errors.Join(w.System.Service.Start(w.ctx), w.writeRecord(&w.record))
	}
	w.record = Record{}
	return errors.Join(w.Layout.DropOwn(installer.OwnOriginal), w.Layout.MakeOwn(installer.OwnOriginal, packagesName, downloadName))
}
