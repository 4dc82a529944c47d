package output

import (
	"cmp"
	"context"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
)

// Sink is one further place for output. Begin is called before a step's action runs, when the files are open; what it returns is
// called once, when the action has ended, before the step's reply is sent.
type Sink struct {
	Name   string
	Wanted func(Settings) bool
	Begin  func(ctx context.Context, s Settings, l Location) Keeping
}

// Keeping brings the output of one step to its place and ends. ctx is the job's: where it ends, because the command was cancelled, the
// keeping goes on for a bounded time. What it returns is said in the step's reply.
type Keeping func(ctx context.Context, l Location) Kept

// Kept is what became of the output at one place.
type Kept struct {
	Upload Upload // names the place in the reply, where something was put there; else zero
	Note   string // says what the place does not have, and why; empty: it has everything
}

// Region is the region's services as this node may use them. A function is called only when a sink is wanted; a region without the
// function has no such service.
type Region struct {
	S3     func() (*cloud.S3, error)
	Client func(cloud.Service) (*cloud.Client, error)
}

// Table lists the sinks in the order they are served.
func Table(r Region) []Sink {
	return []Sink{
		{Name: "S3", Wanted: func(s Settings) bool { return s.Bucket != "" }, Begin: bucket{r.S3}.begin},
		{Name: "CloudWatch Logs", Wanted: func(s Settings) bool { return s.LogGroup != "" }, Begin: logs{r.Client, time.Second}.begin},
	}
}

// afterCancel is how long output may still be on its way once the command is cancelled, and how long CloudWatch Logs has after the end
// of a step (docs/protocol/runcommand.md, "Files, S3, CloudWatch Logs").
const afterCancel = time.Minute

// Keepers are the sinks of one step at work.
type Keepers struct {
	settings Settings
	ends     []Keeping
}

// Begin starts every sink of a table that the settings ask for.
func Begin(ctx context.Context, sinks []Sink, s Settings, l Location) *Keepers {
	k := &Keepers{settings: s}
	for _, sink := range sinks {
		if sink.Wanted(s) {
			k.ends = append(k.ends, sink.Begin(ctx, s, l))
		}
	}
	return k
}

// End has every sink bring what is left, whatever became of the others, and then removes the local files as the settings say. A second
// End does nothing.
func (k *Keepers) End(ctx context.Context, l Location) (up Upload, note string, err error) {
	ends := k.ends
	k.ends = nil
	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(afterCancel, cancel) })()
	for _, end := range ends {
		kept := end(lasting, l)
		note += kept.Note
		up = cmp.Or(up, kept.Upload)
	}
	if !l.Open {
		err = cleanUp(k.settings.CleanUp, l, len(ends) > 0 && note == "")
	}
	return up, note, err
}

// oneLine makes a short text of an error, for a reply.
func oneLine(err error) string {
	return head(strings.Join(strings.Fields(text(err.Error())), " "), 300)
}
