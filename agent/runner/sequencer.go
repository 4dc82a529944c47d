package runner

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/agent/output"
	"github.com/ssm-setup/ssm-setup/agent/plugins"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Sequencer runs the steps of one job, one after another (docs/protocol/runcommand.md, "Step engine"). A worker process has one.
type Sequencer struct {
	Job     Assignment
	Actions []plugins.Action
	Sinks   []output.Sink // where output is kept besides the local files
	System  string        // GOOS value that decides what is supported
	Now     func() time.Time
	Log     *slog.Logger
	Tell    func(index int, r Result, last bool) // a step's result; last: nothing more will run
}

// Run runs what earlier does not hold yet and returns all results and the document's status. earlier maps the index of
// a step to its result from before a reboot: Success and the like are neither run nor told again, Failed is told again,
// SuccessAndReboot runs again. When ctx ends the running action is stopped and the rest is Cancelled.
func (q *Sequencer) Run(ctx context.Context, earlier map[int]Result) (results []Result, status string) {
	ended := false
	for i, step := range q.Job.Steps {
		final := i == len(q.Job.Steps)-1
		result, had := earlier[i]
		run := !had || again(result.Status)
		if run {
			result = q.step(ctx, step, ended && !(final && runsFinally(step)))
			ended = flow(step, &result) || ended
		} else {
			ended = ends(step, result) || ended
		}
		results = append(results, result)
		reboot := result.Status == wire.SuccessAndReboot
		if run || result.Status == wire.Failed {
			q.Tell(i, result, final || reboot)
		}
		if reboot {
			break
		}
	}
	return results, Aggregate(results)
}

// again tells whether a step with that saved status is to be run (docs/protocol/runcommand.md, "Per-step lifecycle").
func again(status string) bool {
	switch status {
	case "", wire.NotStarted, wire.InProgress, wire.SuccessAndReboot:
		return true
	}
	return false
}

// Aggregate is the status of a document whose steps are through (docs/protocol/runcommand.md, "Status values").
func Aggregate(results []Result) string {
	count := Counts(results)
	for _, status := range []string{wire.SuccessAndReboot, wire.Failed, wire.TimedOut, wire.Cancelled} {
		if count[status] > 0 {
			return status
		}
	}
	if count[wire.Success]+count[wire.Skipped] == len(results) {
		return wire.Success
	}
	return wire.InProgress
}

// Counts is the number of steps by status.
func Counts(results []Result) map[string]int {
	count := map[string]int{}
	for _, r := range results {
		count[r.Status]++
	}
	return count
}

// step decides about one step and runs it if it shall.
func (q *Sequencer) step(ctx context.Context, s document.Step, ended bool) Result {
	r := Result{PluginID: s.ID, PluginName: s.Action, Start: q.Now()}
	action, refused := q.precheck(s, ended)
	switch {
	case refused.status == wire.Skipped:
		r.Status, r.Output = refused.status, refused.text
	case refused.status == wire.Failed:
		r.Status, r.Code, r.Error = refused.status, 1, refused.text
	case ctx.Err() != nil:
		r.Status, r.Code = wire.Cancelled, 1
	default:
		q.act(ctx, s, action, &r)
	}
	r.End = q.Now()
	return r
}

// act runs the action for every element of the step's inputs and makes one result of them.
func (q *Sequencer) act(ctx context.Context, s document.Step, action plugins.Action, r *Result) {
	defer func() {
		if m := recover(); m != nil {
			q.Log.Error("action crashed", "step", s.ID, "message", m, "stack", string(debug.Stack()))
			r.Status, r.Code, r.Error = wire.Failed, 1, fmt.Sprintf("Plugin crashed with message %v!", m)
		}
	}()
	elements, many := s.Inputs.([]any)
	if !many || len(elements) == 0 {
		elements = []any{s.Inputs}
	}
	var outs, errs, shown []string
	note := ""
	if q.Job.NoDisk != "" {
		note += unkeptText(q.Job.NoDisk)
	}
	for i, inputs := range elements {
		where := q.location(s, inputs)
		o, stdout, stderr, up := q.element(ctx, s, action, inputs, where)
		outs, errs = append(outs, stdout), append(errs, stderr)
		if !strings.Contains(note, o.Note) {
			note += o.Note
		}
		if o.Output != "" {
			shown = append(shown, o.Output)
		}
		if i == 0 {
			r.Status = o.Status
		}
		r.Upload = cmp.Or(r.Upload, up)
		r.Status = worse(r.Status, o.Status)
		if r.Code == 0 {
			r.Code = o.Code
		}
	}
	r.StandardOutput, r.StandardError = strings.Join(outs, "\n"), strings.Join(slices.DeleteFunc(errs, empty), "\n")
	r.Output = strings.Join(shown, "\n")
	if r.Output == "" {
		stderr := r.StandardError
		if r.Code == plugins.CodeEnd {
			stderr = ""
		}
		r.Output = output.Combine(r.StandardOutput, stderr)
	}
	r.Output = output.WithNote(r.Output, note, output.ReplyLimit)
	r.StandardOutput = output.WithNote(output.Limit(r.StandardOutput), note, output.StreamLimit)
	r.StandardError = output.Limit(r.StandardError)
}

func empty(s string) bool { return s == "" }

// element runs the action once. up names the bucket where something was put.
func (q *Sequencer) element(ctx context.Context, s document.Step, action plugins.Action, inputs any, l output.Location) (
	o plugins.Exit, stdout, stderr string, up output.Upload) {
	capture, lack := q.capture(l)
	defer func() {
		if err := capture.Close(); err != nil {
			q.Log.Warn("output is not whole on disk", "step", s.ID, "error", err)
		}
	}()
	if ctx.Err() != nil {
		return plugins.Exit{Status: wire.Cancelled, Code: 1}, "", "", up
	}
	places := q.Sinks
	if lack != "" || q.Job.NoDisk != "" {
		places = nil // they read the files, and the output says that there are none
	}
	keepers := output.Begin(ctx, places, q.Job.Output, l)
	defer keepers.End(ctx, l) //nolint:errcheck // of an action that crashed
	o = action.Run(ctx, plugins.Call{
		StepID: s.ID, Name: s.Action, Inputs: inputs, Settings: s.Settings,
		Directory: q.scripts(s), Scratch: q.Job.Scratch, Output: l, CommandDir: q.Job.Directory,
		MessageID: q.Job.MessageID, Lane: q.Job.Lane, Machine: q.Job.Machine,
		Stdout: capture.Stdout(), Stderr: capture.Stderr(), Log: q.Log,
	})
	stdout, stderr = capture.Texts()
	if err := capture.Lost(); err != nil && q.Job.Output.Elsewhere() {
		lack += lostText(err)
	}
	l.Answered = o.Status == wire.InProgress
	l.Open = l.Answered || o.Status == wire.SuccessAndReboot
	up, unkept, err := keepers.End(ctx, l)
	if err != nil {
		q.Log.Warn("files of the output are not removed", "step", s.ID, "error", err)
	}
	if unkept != "" {
		q.Log.Warn("output was not kept everywhere", "step", s.ID, "text", strings.TrimSpace(unkept))
	}
	o.Note = lack + o.Note + unkept
	return o, stdout, stderr, up
}

// lostText says in a step's output that its files end early, and so do the places that are filled from them. Where the reply is the only
// place, nothing is missing.
func lostText(err error) string {
	return "\nThe agent's disk did not take all of this output (" + err.Error() + "): its files have the beginning only.\n"
}

// capture takes the streams into files, or without them where there can be none: lack says why, for people.
func (q *Sequencer) capture(l output.Location) (capture *output.Capture, lack string) {
	if q.Job.NoDisk != "" {
		return output.InMemory(), ""
	}
	capture, err := output.Open(l.Dir)
	if err != nil {
		return output.InMemory(), unkeptText(err.Error())
	}
	return capture, ""
}

// unkeptText says in a step's output what else does not have it.
func unkeptText(why string) string {
	return "\nThe agent's disk took nothing: this output is kept nowhere else (" + why + ").\n"
}

// location is where the streams of an element go: <command>/<plugin>/<step>, in documents 1.x <command>/<plugin>/<id>
// (docs/protocol/runcommand.md, "Orchestration layout").
func (q *Sequencer) location(s document.Step, inputs any) output.Location {
	plugin, step := host.CleanName(s.Action), host.CleanName(s.ID)
	if strings.HasPrefix(q.Job.Schema, "1.") {
		step = plugins.ID(inputs)
	}
	return q.Job.Output.Location(q.Job.Directory, plugin, step, s.ID)
}

// scripts is where a step's scripts go: the folder of that name in the command's; the action adds its id.
func (q *Sequencer) scripts(s document.Step) string {
	return host.CleanName(s.ID).In(q.Job.Directory)
}

// worse is the worse of two statuses (docs/protocol/runcommand.md, "Per-step lifecycle").
func worse(a, b string) string {
	order := []string{wire.Skipped, wire.Success, wire.SuccessAndReboot, wire.PassedAndReboot, wire.NotStarted,
		wire.InProgress, wire.Failed, wire.Cancelled, wire.TimedOut}
	rank := func(s string) int {
		for i, o := range order {
			if o == s {
				return i
			}
		}
		return -1
	}
	if rank(b) > rank(a) {
		return b
	}
	return a
}
