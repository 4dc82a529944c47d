package runner

import (
	"context"
	"errors"
	"log/slog"
)

// Spec says how to start or find a worker.
type Spec struct {
	Dir        string       // of the job, see the package comment
	Executable string       // the agent's own, os.Executable()
	Argv0      string       // <bin>/ssm-document-worker
	After      int          // events up to this Seq were handled; they are not told again
	Log        *slog.Logger // nil: silent
}

// Worker is one worker process, seen from the agent.
type Worker struct {
	events chan Event
}

// ErrNotStarted says that no worker ever began the job in that folder.
var ErrNotStarted = errors.New("job was never started")

// Start starts the worker of a prepared job (also again, after the reboot it waited for) in a session of its own. When
// ctx ends the reading ends and the worker goes on: Events is closed without Done.
func Start(ctx context.Context, s Spec) (*Worker, error) { return nil, errors.ErrUnsupported }

// Attach takes up a job that an earlier process of the agent started: events after s.After are told, then those to
// come. Is the worker gone without an end, the last event is a forced Done. ErrNotStarted: call [Start].
func Attach(ctx context.Context, s Spec) (*Worker, error) { return nil, errors.ErrUnsupported }

// Events tells what happens, in order; it is closed after Done, or when the context of Start or Attach ends.
func (w *Worker) Events() <-chan Event { return w.events }

// Cancel tells the worker to kill what it runs and come to an end; Events then brings the results. More than once is
// harmless.
func (w *Worker) Cancel() error { return errors.ErrUnsupported }
