package runner

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// deadText is what the service is told of a worker that died (docs/protocol/runcommand.md, "Failure handling of workers").
const deadText = "document process failed unexpectedly: ipc messaging received timeout signal , " +
	"check [ssm-document-worker]/[ssm-session-worker] log for crash reason"

// read tells the events after a Seq until Done, the end of ctx, or the worker's death.
func (w *Worker) read(ctx context.Context, after int, rung bool) {
	defer close(w.events)
	r := reader{worker: w, after: after}
	defer r.close()
	look := lookLater
	switch {
	case rung:
		look = lookRung
	case w.gone != nil:
		look = lookOften
	}
	tick := time.NewTicker(look)
	defer tick.Stop()
	gone := w.gone
	var late <-chan time.Time
	for {
		dead := gone == nil && !w.lives() // asked first: what it wrote before it died is read after
		if r.pass(ctx) || ctx.Err() != nil {
			return
		}
		if dead {
			w.send(ctx, w.died(r.seen))
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-w.bell:
		case <-tick.C:
		case <-w.cancel:
			if late == nil {
				late = time.After(cancelTime)
			}
		case <-late:
			w.kill()
		case <-gone: // another worker may have the job, if ours came second
			gone = nil
			tick.Reset(lookLater)
		}
	}
}

// lives tells whether some worker has the job. What cannot be asked is taken for alive.
func (w *Worker) lives() bool {
	_, held, err := holder(w.dir)
	return held || err != nil
}

func (w *Worker) kill() {
	pid, held, err := holder(w.dir)
	if err != nil || !held || pid <= 0 {
		return
	}
	if p, err := os.FindProcess(pid); err == nil {
		w.log.Warn("document worker does not obey a cancel and is killed", "pid", pid)
		_ = p.Kill()
	}
}

func (w *Worker) send(ctx context.Context, e Event) {
	select {
	case w.events <- e:
	case <-ctx.Done():
	}
}

// died is the end of a job whose worker died.
func (w *Worker) died(seen []Event) Event {
	job, err := readJob(w.dir)
	if err != nil {
		w.log.Warn("job of a dead document worker cannot be read", "dir", w.dir, "error", err)
		job.Steps = w.steps
	}
	return forced(seen, job.Steps)
}

// forced is the end of a document whose worker died: the step it was at, and the document, are Failed.
func forced(seen []Event, steps []document.Step) Event {
	now := time.Now()
	e := Event{Seq: len(seen) + 1, Kind: Done, At: now, Status: wire.Failed, Forced: true}
	saved := earlier(seen)
	for i, s := range steps {
		if r, had := saved[i]; had && !again(r.Status) {
			continue
		}
		start := now
		if len(seen) > 0 {
			start = seen[len(seen)-1].At
		}
		e.Step = i
		e.Result = &Result{PluginID: s.ID, PluginName: s.Action, Status: wire.Failed, Code: 1, Error: deadText, Start: start, End: now}
		saved[i] = *e.Result
		break
	}
	e.Counts = countsOf(saved)
	return e
}

// reader follows the events file.
type reader struct {
	worker *Worker
	after  int
	file   *os.File
	offset int64
	seen   []Event
}

// pass tells what is new; true after the end of the document.
func (r *reader) pass(ctx context.Context) bool {
	if r.file == nil {
		f, err := os.Open(filepath.Join(r.worker.dir, eventsFile))
		if err != nil {
			if !errors.Is(err, os.ErrNotExist) {
				r.worker.log.Warn("events of a job cannot be read", "error", err)
			}
			return false
		}
		r.file = f
	}
	events, offset, err := readEvents(r.file, r.offset)
	if err != nil {
		r.worker.log.Warn("events of a job cannot be read", "error", err)
	}
	r.offset = offset
	r.seen = append(r.seen, events...)
	for _, e := range events {
		if e.Seq > r.after {
			r.worker.send(ctx, e)
		}
		if e.Kind == Done && e.Seq > r.worker.begin {
			return true
		}
	}
	return false
}

func (r *reader) close() {
	if r.file != nil {
		r.file.Close()
	}
}
