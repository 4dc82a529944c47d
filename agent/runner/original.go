package runner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/document"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Original is what the state file of an original agent says of a document that its worker has.
type Original struct {
	ID    string          // document id
	PID   int             // of the worker; 0: not written down
	Steps []document.Step // of the document
}

// originalLife is how long the original waits for a worker (docs/protocol/runcommand.md, "Failure handling of workers").
const originalLife = 172800 * time.Second

// Types of datagrams, and the beginnings of their files' names (docs/protocol/runcommand.md, "Channel between agent and worker").
const (
	typeReply    = "reply"
	typeComplete = "complete"
	typeCancel   = "cancel"
	fromWorker   = "worker-"
	fromMaster   = "master-"
	stampOfName  = "20060102150405"
)

// datagram is one file of a channel.
type datagram struct {
	Version string `json:"version"`
	Type    string `json:"type"`
	Content string `json:"content"` // JSON
}

// originalResult is the content of replies and of the end (docs/protocol/runcommand.md, "Document result object (IPC, replies_mgs)").
type originalResult struct {
	DocumentName        string
	DocumentVersion     string
	MessageID           string
	AssociationID       string
	PluginResults       map[string]*Result
	Status              string
	LastPlugin          string // empty: the document ended
	NPlugins            int
	UpstreamServiceName string
	ResultType          string
	RelatedDocumentType string
}

// Prepared tells whether dir is the folder of a worker of ours.
func Prepared(dir string) bool {
	_, job := os.Lstat(filepath.Join(dir, jobFile))
	_, events := os.Lstat(filepath.Join(dir, eventsFile))
	return job == nil || events == nil
}

// GoOn records in dir, as events up to the number last, what another agent's worker had run before a reboot: the document goes on as
// one of ours would, with [Prepare] and [Start].
func GoOn(dir string, results map[int]Result, last int) error {
	var text bytes.Buffer
	seq, now := 0, time.Now()
	add := func(e Event) error {
		seq++
		e.Seq, e.At = seq, now
		line, err := json.Marshal(e)
		text.Write(append(line, '\n'))
		return err
	}
	for seq < last-len(results)-1 { // numbers that are used up
		if err := add(Event{Kind: Started}); err != nil {
			return err
		}
	}
	for _, i := range slices.Sorted(maps.Keys(results)) {
		r := results[i]
		if err := add(Event{Kind: Step, Step: i, Result: &r}); err != nil {
			return err
		}
	}
	err := add(Event{Kind: Done, Status: wire.SuccessAndReboot, Boot: "of another agent", Counts: countsOf(results)})
	if err == nil {
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		err = host.WriteFile(filepath.Join(dir, eventsFile), text.Bytes(), 0o600)
	}
	return err
}

// TakeOver follows a document that an original agent gave to a worker of its own: it waits for that process and tells what it reports,
// as [Attach] does of a worker of ours. Is the process gone without an end, the last event is a forced Done; nothing runs again.
// Nothing is removed from s.Dir, so that the numbers of events are the same the next time.
func TakeOver(ctx context.Context, s Spec, o Original) *Worker {
	w := newWorker(s)
	w.original = &original{Original: o, worker: w}
	go w.original.read(ctx, s.After)
	return w
}

// original is a worker of the original agent, seen from ours.
type original struct {
	Original
	worker *Worker
	bad    map[string]bool // datagrams that cannot be read and were logged
}

func (o *original) read(ctx context.Context, told int) {
	defer close(o.worker.events)
	tick := time.NewTicker(lookLater)
	defer tick.Stop()
	end := time.After(originalLife)
	var late <-chan time.Time
	for dead := false; ; {
		dead = dead || o.find() == 0 // asked first: what it wrote before it ended is read after
		events := o.events()
		for _, e := range events {
			if e.Seq > told {
				o.worker.send(ctx, e)
				told = e.Seq
			}
			if e.Kind == Done || ctx.Err() != nil {
				return
			}
		}
		if dead {
			o.worker.send(ctx, forced(events, o.Steps))
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-o.worker.cancel:
			if late == nil {
				late = time.After(cancelTime)
			}
		case <-late:
			o.worker.log.Warn("the original's document worker does not obey a cancel and is killed", "pid", o.find())
			o.kill()
			dead = true
		case <-end:
			dead = true
		}
	}
}

// find is the process id of the worker, 0 when it is gone. Where none was written down, it is looked for once.
func (o *original) find() int {
	pids := []int{o.PID}
	if o.PID == 0 {
		pids, _ = host.Processes()
	}
	for _, pid := range pids {
		if pid > 0 && host.Alive(pid) && host.Trusted(pid) && o.is(pid) {
			o.PID = pid
			return pid
		}
	}
	o.PID = -1
	return 0
}

// is tells a worker of this document from a process that got its id since. Ours is started with the folder instead.
func (o *original) is(pid int) bool {
	args, err := host.ProcessArguments(pid)
	if errors.Is(err, errors.ErrUnsupported) {
		program, err := host.ProcessExecutable(pid)
		return err == nil && isWorker(program)
	}
	for i := 1; i < len(args); i++ {
		if filepath.Base(args[i]) == o.ID && isWorker(args[i-1]) {
			return true
		}
	}
	return false
}

func isWorker(program string) bool {
	return strings.TrimSuffix(strings.ToLower(filepath.Base(program)), ".exe") == "ssm-document-worker"
}

func (o *original) kill() {
	if pid := o.find(); pid > 0 {
		if p, err := os.FindProcess(pid); err == nil {
			_ = p.Kill()
		}
	}
}

// stop is the order to stop.
func (o *original) stop() error {
	if err := os.MkdirAll(o.worker.dir, 0o700); err != nil {
		return err
	}
	return writeDatagram(o.worker.dir, fromMaster, typeCancel, typeCancel)
}

// events makes events of the datagrams that the worker wrote and no one has read.
func (o *original) events() []Event {
	var list []Event
	saved := map[int]Result{}
	for _, name := range datagrams(o.worker.dir, fromWorker) {
		kind, r, err := readResult(filepath.Join(o.worker.dir, name))
		if err != nil {
			o.unreadable(name, err)
			continue
		}
		e := Event{Seq: len(list) + 1, Kind: Step, At: time.Now(), Status: r.Status}
		for i, s := range o.Steps {
			result := r.PluginResults[s.ID]
			if result == nil || result.Status == "" {
				continue
			}
			saved[i] = *result
			if s.ID == r.LastPlugin || len(r.PluginResults) == 1 {
				e.Step, e.Result = i, result
			}
		}
		e.Counts = countsOf(saved)
		switch {
		case kind == typeComplete:
			e.Kind = Done
			if len(saved) != 1 {
				e.Result = nil
			}
			return append(list, e)
		case kind == typeReply && e.Result != nil:
			e.Status = ""
			list = append(list, e)
		}
	}
	return list
}

func (o *original) unreadable(name string, err error) {
	if o.bad == nil {
		o.bad = map[string]bool{}
	}
	if !o.bad[name] {
		o.bad[name] = true
		o.worker.log.Warn("a report of the original's document worker cannot be read", "file", name, "error", err)
	}
}

// tellOriginal writes the end of a document as the original's worker would: the agent that started this one is gone, and an original
// may have its place. An agent of ours reads events.
func (p *process) tellOriginal(job Assignment, results []Result, status string) {
	r := originalResult{DocumentName: job.DocumentName, DocumentVersion: job.DocumentVersion, MessageID: job.MessageID,
		PluginResults: map[string]*Result{}, Status: status, NPlugins: len(job.Steps), UpstreamServiceName: job.Lane,
		ResultType: "RunCommandResult"}
	for i := range results {
		r.PluginResults[results[i].PluginID] = &results[i]
	}
	if err := writeDatagram(p.dir, fromWorker, typeComplete, r); err != nil {
		p.log.Warn("the end is not written for an agent of another kind", "error", err)
	}
}

// originalCancels tells whether an original agent, in the place of the one that started this worker, wants it to stop.
func originalCancels(dir string) bool {
	return slices.ContainsFunc(datagrams(dir, fromMaster), func(name string) bool {
		d, err := readDatagram(filepath.Join(dir, name))
		return err == nil && d.Type == typeCancel
	})
}

// datagrams are the files of one side, in the order in which they were written.
func datagrams(dir, from string) (names []string) {
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), from) && e.Type().IsRegular() {
			names = append(names, e.Name())
		}
	}
	slices.SortFunc(names, func(a, b string) int { // the counter may grow longer than three digits
		if len(a) != len(b) {
			return len(a) - len(b)
		}
		return strings.Compare(a, b)
	})
	return names
}

func readDatagram(path string) (d datagram, err error) {
	text, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(text, &d)
	}
	return d, err
}

func readResult(path string) (kind string, r originalResult, err error) {
	d, err := readDatagram(path)
	if err == nil && (d.Type == typeReply || d.Type == typeComplete) {
		err = json.Unmarshal([]byte(d.Content), &r)
	}
	return d.Type, r, err
}

// writeDatagram puts a datagram into a channel, whole or not at all.
func writeDatagram(dir, from, kind string, content any) error {
	inner, err := json.Marshal(content)
	if err != nil {
		return err
	}
	text, err := json.Marshal(datagram{Version: "1.0", Type: kind, Content: string(inner)})
	if err != nil {
		return err
	}
	name := fmt.Sprintf("%s%s-%03d", from, time.Now().UTC().Format(stampOfName), len(datagrams(dir, from)))
	tmp := filepath.Join(dir, "tmp")
	if err := os.Mkdir(tmp, 0o700); err != nil && !errors.Is(err, os.ErrExist) { // the channel is there, or is to be gone
		return err
	}
	if err := os.WriteFile(filepath.Join(tmp, name), text, 0o600); err != nil {
		return err
	}
	return os.Rename(filepath.Join(tmp, name), filepath.Join(dir, name))
}
