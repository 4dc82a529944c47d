package runner

import (
	"context"
	"errors"
	"os"
)

// gateVariable tells a worker that was started ahead of its job to wait for a word on its stdin.
const gateVariable = "SSM_DOCUMENT_WORKER_GATE"

// Prestarted is a worker process that was started before its job was accepted: while the job goes to disk, the process gets
// ready. It touches nothing before [Prestarted.Go]; when the agent gives it up or dies, it ends by itself.
type Prestarted struct {
	worker *Worker
	spec   Spec
	near   *os.File
}

// Prestart starts a process for a job that is new and is going to lie in s.Dir, which is made. End it with
// [Prestarted.Go] or [Prestarted.Abandon].
func Prestart(s Spec) (*Prestarted, error) {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return nil, err
	}
	a := &Prestarted{worker: newWorker(s), spec: s}
	a.worker.gone = make(chan struct{})
	var err error
	if a.near, err = a.worker.spawn(s, gateVariable+"=1"); err != nil {
		return nil, err
	}
	return a, nil
}

// Go lets the worker run the job, which must be prepared now. What follows is as with [Start]; an error means that the
// process is gone, and that [Start] may be called.
func (a *Prestarted) Go(ctx context.Context) (*Worker, error) {
	if _, err := a.worker.orders.Write([]byte{1}); err != nil {
		a.close()
		return nil, err
	}
	go a.worker.hear(ctx, a.spec.After, a.near)
	return a.worker, nil
}

// Abandon ends the process; its folder is the caller's to remove.
func (a *Prestarted) Abandon() {
	a.worker.orders.Close()
	a.close()
}

func (a *Prestarted) close() {
	if a.near != nil {
		a.near.Close()
	}
}

// errAbandoned: the agent that started this worker ahead did not want it, or died.
var errAbandoned = errors.New("never told to begin")

// gate waits for the word, in a worker that was started ahead. The variable does not reach a script.
func gate() error {
	if os.Getenv(gateVariable) == "" {
		return nil
	}
	os.Unsetenv(gateVariable)
	if n, _ := os.Stdin.Read(make([]byte, 1)); n == 0 {
		return errAbandoned
	}
	return nil
}
