package takeover

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater/policy"
)

// Rows, by the words in the record.
const (
	stepBegin    = "begin"
	stepPlan     = "plan"
	stepFetch    = "fetch"
	stepDrain    = "drain"
	stepExchange = "exchange"
	stepVerify   = "verify"
	stepRestore  = "restore"
	stepRecheck  = "recheck"
	stepSettle   = "settle"
	stepAnswer   = "answer"
	stepEnd      = "end"
)

// row is one step of an exchange. undo is the row that takes back what it did, where it fails.
type row struct {
	name    string
	do      func(*work, context.Context) error
	next    string
	undo    string
	decides bool // it may find that nothing is to be changed
}

// rows is an exchange.
func rows() []row {
	return []row{
		{stepBegin, (*work).keeperIn, stepPlan, stepSettle, false},       // the keeper, and the first reply
		{stepPlan, (*work).plan, stepFetch, stepSettle, true},            // which version, and may it be?
		{stepFetch, (*work).fetch, stepDrain, stepSettle, false},         // both packages, tried
		{stepDrain, (*work).drain, stepExchange, stepSettle, false},      // documents under way
		{stepExchange, (*work).exchange, stepVerify, stepRestore, false}, // one transaction of the package manager
		{stepVerify, (*work).verify, stepSettle, stepRestore, false},     // does it run?
		{stepRestore, (*work).restore, stepRecheck, stepSettle, false},   // one transaction, back
		{stepRecheck, (*work).recheck, stepSettle, stepSettle, false},    // does the old one run?
		{stepSettle, (*work).settle, stepAnswer, stepAnswer, false},      // what each kind of agent needs or leaves
		{stepAnswer, (*work).answer, stepEnd, stepAnswer, false},         // text, reply, health, audit
		{stepEnd, (*work).keeperOut, stepEnd, stepEnd, false},            // and no trace
	}
}

// codePanic is the code of a panic (docs/protocol/update.md, "Error codes").
const codePanic = "ErrorUnexpectedThroughPanic"

// Words before the code of an exchange that is taken back (docs/protocol/update.md, "Health status").
const (
	subInstall = "InstallRollback_"
	subVerify  = "VerificationRollback_"
)

// errDone ends a walk.
var errDone = errors.New("done")

func rowNamed(name string) row {
	for _, r := range rows() {
		if r.name == name {
			return r
		}
	}
	return rows()[0]
}

// fail notes why a row failed, and says which is next.
func (w *work) fail(ctx context.Context, at row, err error) string {
	var f *failure
	if !errors.As(err, &f) {
		f = &failure{code: "ErrorUnexpected", text: err.Error()}
	}
	text := printable(fault.Redact(f.text))
	w.Log.Warn("the exchange failed", "step", at.name, "code", f.code, "reason", text)
	switch {
	case at.name == stepAnswer && f.code == codePanic:
		return stepEnd // no further try changes that
	case at.name == stepSettle || at.name == stepAnswer:
		return at.undo // what cannot be tidied up is no failure of the agent that runs
	case at.undo == stepRestore && !f.stays():
		w.r.Reason, w.r.State = text, rollback
		w.r.Sub = subVerify
		if at.name == stepExchange {
			w.r.Sub = subInstall
			w.r.Errors = append(w.r.Errors, text)
		}
		w.r.Code = "ErrorUpdateFailRollbackSuccess"
		w.line("%s", text)
		w.line("Initiating rollback %v to %v", w.r.Order.Package, w.r.From.Version)
		w.tell(ctx, inProgress)
		return stepRestore
	}
	w.r.Result, w.r.State, w.r.Code, w.r.Reason = failedWord, completed, f.code, text
	if f.sub != "" && at.name != stepRestore { // a restore keeps the word for what it takes back
		w.r.Sub = f.sub
	}
	w.line("%s", text)
	w.line("Failed to update %v to %v", w.r.Order.Package, w.target())
	if at.name != stepRestore && at.name != stepRecheck {
		w.line("No rollback needed")
	}
	return stepSettle
}

// stays tells the failures that are not taken back: nothing of the new package came onto the system, or, on Windows, the agent runs
// and only its version is not written down.
func (f *failure) stays() bool {
	return slices.Contains([]string{"ErrorUnsupportedServiceManager", "ErrorInstallFailedDueToSnapd",
		"ErrorInstTargetVersionNotFoundViaReg",
		"ErrorUninstallFailed"}, f.code)
}

func (w *work) line(format string, args ...any) {
	w.r.Lines = append(w.r.Lines, fmt.Sprintf(format, args...))
}

// enter has the service manager start the keeper at every boot. It comes before the record: a keeper without one takes itself out, a record
// without a keeper would wait for good.
func (w *work) enter(ctx context.Context) error {
	m, ok := managerNamed(w.System.Manager)
	if !ok {
		return noManager(w.System.Manager, w.System.Restart)
	}
	program, err := w.copyProgram()
	if err != nil {
		return err
	}
	if m.file != "" {
		path := filepath.Join(w.System.Root+"/", m.file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := host.WriteFile(path, []byte(m.keeperText(program)), 0o644); err != nil {
			return err
		}
	}
	if err := w.manage(ctx, m.enter, program); err != nil && m.strict {
		return fmt.Errorf("cannot have the exchange gone on with after a power cut: %w", err)
	}
	for _, dir := range []string{filepath.Dir(m.file), filepath.Join(filepath.Dir(m.file), "multi-user.target.wants")} {
		_ = host.SyncDir(filepath.Join(w.System.Root+"/", dir)) // service managers do not
	}
	return nil
}

// manage runs commands of the service manager; the error is that of the last one.
func (w *work) manage(ctx context.Context, commands [][]string, program string) (failed error) {
	for _, c := range commands {
		out, code, err := w.System.Run(ctx, "", time.Minute, filled(c, program)...)
		if failed = err; err == nil && code != 0 {
			failed = fmt.Errorf("%s: exit code %d: %s", strings.Join(c, " "), code, lastLines(out))
		}
		if failed != nil {
			w.Log.Warn("the keeper is not as it should be", "command", c, "error", failed)
		}
	}
	return failed
}

// keeperIn starts the keeper, and tells that the exchange began.
func (w *work) keeperIn(ctx context.Context) error {
	w.r.State = initialized
	w.tell(ctx, inProgress)
	if w.notEntered != nil {
		return w.notEntered
	}
	if m, ok := managerNamed(w.System.Manager); ok {
		_ = w.manage(ctx, m.begin, "") // it is there after the next boot at the latest
	}
	return nil
}

// copyProgram puts this program where neither package nor clean-up removes it.
func (w *work) copyProgram() (string, error) {
	own, err := w.System.Program()
	if err != nil {
		return "", err
	}
	to := filepath.Join(w.Layout.Own(installer.OwnTakeover), "updater")
	if w.System.OS == "windows" {
		to += ".exe"
	}
	if own == to {
		return to, nil
	}
	b, err := os.ReadFile(own)
	if err != nil {
		return "", err
	}
	return to, host.WriteFile(to, b, 0o755)
}

// plan decides.
func (w *work) plan(ctx context.Context) error {
	url, err := w.r.Order.manifestURL()
	if err != nil {
		return &failure{code: "ErrorManifestURLParse", text: fmt.Sprintf("Failed to resolve manifest url: %v", err)}
	}
	if w.source, err = w.Open(ctx, url); err != nil {
		return &failure{code: "ErrorManifestURLParse", text: fmt.Sprintf("Failed to resolve manifest url: %v", err)}
	}
	m, err := w.source.Manifest(ctx)
	if err != nil {
		return noManifest(url, err)
	}
	listing, err := m.Listing(agentPackage, w.archive())
	if err != nil {
		return noManifest(url, err)
	}
	if w.r.Order.Package != agentPackage {
		listing = manifests.Listing{} // no archive of this system is one of that package
	}
	if !(Question{Listing: listing}).listed(w.r.Order.Source) && w.r.Order.Package == agentPackage && original(w.r.Order.Source) &&
		w.r.Home == "" && w.Amazon != "" && w.Lists(ctx, w.Amazon, w.r.Order.Source) {
		w.r.Home = w.Amazon // the way back is where that version came from
	}
	p, facts := w.platform(), w.System.Facts
	a := Decide(ctx, Question{Order: w.r.Order, Listing: listing, Manifest: url, Stable: w.source.Stable, Lowest: p.lowest(),
		Kernel: facts.Kernel, Bottlerocket: facts.ID == "bottlerocket", SourceKept: w.r.Home != "" && w.r.Order.Package == agentPackage})
	w.r.Order.Target = a.Target
	w.r.Lines = append(w.r.Lines, a.Lines...)
	if a.Message != "" {
		return &failure{code: a.Code, text: a.Message}
	}
	if !a.Changes {
		w.r.Result, w.r.State, w.r.Code = success, completed, a.Code
		return nil
	}
	return w.permitted(a.Target)
}

// permitted asks this host's own rules: a hold, versions, windows, and the version that the request is for.
func (w *work) permitted(target string) error {
	running, _ := manifests.ParseVersion(w.r.Order.Source)
	to, _ := manifests.ParseVersion(target)
	why := ""
	if only := w.r.IfRunning; !only.IsZero() && only != running {
		why = fmt.Sprintf("%s runs, and the request is for hosts that run %s", running, only)
	}
	rules, err := policy.Read(w.Layout)
	if err != nil {
		w.Log.Warn("the update policy counts as one that allows nothing", "error", err)
	}
	if v := rules.Decide(w.Now(), to, policy.Facts{Why: w.r.Why, Running: running, Override: w.r.Override}); why == "" && !v.Allowed {
		why = v.Text
	}
	if why == "" {
		return nil
	}
	return &failure{code: manifests.CodePrecondition, text: "Failed update precondition check: " + why}
}

// noManifest has the short code of docs/protocol/update.md, "Manifest file".
func noManifest(url string, err error) error {
	short, text := "d3", fmt.Sprintf("failed to download file reliably, %s, %v", url, err)
	if errors.Is(err, manifests.ErrManifest) || errors.Is(err, manifests.ErrNotListed) {
		short, text = "d6", fmt.Sprintf("failed to download file reliably, %s", url)
	}
	return &failure{code: "ErrorDownloadManifest_" + short, text: "Failed to download manifest: " + text}
}

func (w *work) platform() platform {
	return platformOf(w.System.OS, w.System.Name, w.System.DPKG, w.System.Nano)
}

// archive is the name of the archive that a manifest lists for this system.
func (w *work) archive() string {
	return manifests.ArchiveFile(agentPackage, w.platform().file, w.System.Arch)
}

// exchange puts the new package in the place of the old one.
func (w *work) exchange(ctx context.Context) error {
	w.waitForCloudInit(ctx)
	w.reachable = w.Probe != nil && w.Probe(ctx) == nil
	w.r.State = staged
	w.line1("Initiating %v update to %v", w.r.Order.Package, w.r.To.Version)
	if err := w.save(); err != nil {
		return err
	}
	if err := w.put(ctx, *w.r.To, *w.r.From, triesForward); err != nil {
		var f *failure
		if errors.As(err, &f) {
			f.text = fmt.Sprintf("failed to install %v %v, ErrorMessage=%v", w.r.Order.Package, w.r.To.Version, f.text)
		}
		return err
	}
	w.r.State = installed
	return nil
}

// line1 is a line that stands in the text once, however often its row is begun.
func (w *work) line1(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	for _, l := range w.r.Lines {
		if l == text {
			return
		}
	}
	w.r.Lines = append(w.r.Lines, text)
}

// verify waits for the new agent.
func (w *work) verify(ctx context.Context) error {
	to := w.r.To.Version
	if err := w.healthy(ctx, to); err != nil {
		return &failure{code: "", text: fmt.Sprintf("failed to update %v to %v, failed to start the agent, ErrorMessage=%v",
			w.r.Order.Package, to, err)}
	}
	if w.System.OS == "windows" {
		if has, _ := w.present(ctx); has != to {
			w.r.Running = has
			return &failure{code: "ErrorInstTargetVersionNotFoundViaReg",
				text: fmt.Sprintf("failed to identify installed target agent version: %v", has)}
		}
	}
	w.r.Result, w.r.State, w.r.Running = success, completed, to
	w.line("%v updated successfully to %v", w.r.Order.Package, to)
	return nil
}

// restore brings the old package back.
func (w *work) restore(ctx context.Context) error {
	from := *w.r.From
	if err := w.put(ctx, from, *w.r.To, triesBack); err != nil {
		w.r.Running = ""
		return err
	}
	w.r.State = rolledBack
	w.tell(ctx, inProgress)
	return nil
}

// recheck waits for the old agent.
func (w *work) recheck(ctx context.Context) error {
	pkg, from := w.r.Order.Package, w.r.From.Version
	if err := w.healthy(ctx, from); err != nil {
		return &failure{code: "ErrorCannotStartService",
			text: fmt.Sprintf("failed to rollback %v to %v, failed to start the agent, ErrorMessage=%v", pkg, from, err)}
	}
	w.r.Result, w.r.State, w.r.Running = failedWord, completed, from
	w.line("rolledback %v to %v", pkg, from)
	w.line("Failed to update %v to %v", pkg, w.r.To.Version)
	return nil
}

// cloudInit is how long cloud-init is waited for, and where it lies (docs/protocol/update.md, "State machine").
const (
	cloudInitTime = 600 * time.Second
	cloudInit     = "/usr/bin/cloud-init"
)

func (w *work) waitForCloudInit(ctx context.Context) {
	path := filepath.Join(w.System.Root+"/", cloudInit)
	if info, err := os.Stat(path); w.System.OS != "linux" || err != nil || info.Mode()&0o111 == 0 {
		return
	}
	if _, code, err := w.System.Run(ctx, "", cloudInitTime, path, "status", "--wait"); err != nil || code != 0 {
		w.Log.Warn("cloud-init is not done, or cannot be asked", "code", code, "error", err)
	}
}
