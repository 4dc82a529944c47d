package output

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
)

// logs sends both streams to CloudWatch Logs while the step runs (docs/protocol/runcommand.md, "Files, S3, CloudWatch Logs"): one
// goroutine per step reads the files every tick.
type logs struct {
	client func(cloud.Service) (*cloud.Client, error)
	tick   time.Duration
}

// follower sends one step's streams.
type follower struct {
	logs
	group   string
	service *cloud.Client
	streams []*tail
	over    error // why nothing more can be sent; nil: it can
}

func (g logs) begin(ctx context.Context, s Settings, l Location) Keeping {
	f := &follower{logs: g, group: s.LogGroup}
	for _, name := range []string{stdoutFile, stderrFile} {
		f.streams = append(f.streams, openTail(filepath.Join(l.Dir, name), streamName(s.Stream, l.Log, name)))
	}
	// A cancel ends the action; what it printed by then is still sent.
	ctx, stop := context.WithCancel(context.WithoutCancel(ctx))
	last, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		f.run(ctx, last)
	}()
	return func(lasting context.Context, _ Location) Kept {
		close(last)
		defer context.AfterFunc(lasting, stop)()
		late := time.AfterFunc(afterCancel, stop)
		defer late.Stop()
		<-done
		stop()
		return Kept{Note: f.note()}
	}
}

// streamName is <CommandId>/<sid>/<step id>/<stdout or stderr>, without what no stream may be called.
func streamName(prefix, step, name string) string {
	return strings.NewReplacer(":", "-", "*", "-").Replace(prefix + "/" + step + "/" + name)
}

// run sends every tick what is whole, and in the end all. It ends by itself soon after last; ctx is the limit.
func (f *follower) run(ctx context.Context, last <-chan struct{}) {
	defer f.close()
	f.over = f.prepare(ctx)
	tick := time.NewTicker(f.tick)
	defer tick.Stop()
	ending := false
	for {
		select {
		case <-last: // of a short step all goes at once
			ending, last = true, nil
		default:
		}
		left := f.pass(ctx, ending)
		if f.over != nil || ctx.Err() != nil || ending && !left {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-last:
			ending, last = true, nil
		}
	}
}

func (f *follower) close() {
	for _, t := range f.streams {
		t.close()
	}
}

// prepare makes the group. Where that is not allowed, the group may still be there: an administrator made it.
func (f *follower) prepare(ctx context.Context) (err error) {
	if f.client == nil {
		return errNoRegion
	}
	if f.service, err = f.client(cloud.Logs()); err != nil {
		return err
	}
	err = f.call(ctx, "CreateLogGroup", map[string]string{"logGroupName": f.group}, nil)
	if code := cloud.Code(err); code == alreadyExists || code == "OperationAbortedException" || denied(err) || passing(err) {
		return nil // what is wrong shows when the stream is made
	}
	return err
}

const alreadyExists = "ResourceAlreadyExistsException"

// denied tells whether the node may not do something.
func denied(err error) bool {
	return strings.HasPrefix(cloud.Code(err), "AccessDenied") || cloud.Code(err) == "UnauthorizedOperation"
}

// passing tells whether the same request may go through later.
func passing(err error) bool {
	var e *cloud.Error
	return cloud.Throttled(err) || errors.As(err, &e) && (e.Code == cloud.RequestError || e.Status >= 500)
}

func (f *follower) call(ctx context.Context, operation string, in, out any) error {
	return f.service.Call(ctx, operation, in, out)
}

// pass sends what the files have; left tells that some could not be sent yet.
func (f *follower) pass(ctx context.Context, ending bool) (left bool) {
	for _, t := range f.streams {
		for f.over == nil {
			batch := t.read(ending)
			if len(batch.LogEvents) == 0 {
				break
			}
			err := f.send(ctx, t, batch)
			if err != nil && passing(err) {
				t.failed = err
				left = true
				break
			}
			if f.over = err; err == nil {
				t.sent(batch)
			}
		}
		if t.broken != nil && f.over == nil {
			f.over = t.broken
		}
	}
	return left
}

// send puts one batch. The stream is made with the first.
func (f *follower) send(ctx context.Context, t *tail, b batch) error {
	b.LogGroupName, b.LogStreamName, b.SequenceToken = f.group, t.name, t.token
	if !t.made {
		err := f.call(ctx, "CreateLogStream", map[string]string{"logGroupName": f.group, "logStreamName": t.name}, nil)
		if err != nil && cloud.Code(err) != alreadyExists {
			return err
		}
		t.made = true
	}
	var out struct {
		NextSequenceToken     string    `json:"nextSequenceToken"`
		RejectedLogEventsInfo *struct{} `json:"rejectedLogEventsInfo"`
	}
	err := f.call(ctx, "PutLogEvents", b, &out)
	switch cloud.Code(err) { // of old endpoints, which count batches
	case "InvalidSequenceTokenException":
		b.SequenceToken = expectedToken(err)
		err = f.call(ctx, "PutLogEvents", b, &out)
	case "DataAlreadyAcceptedException":
		t.token = expectedToken(err)
		return nil
	}
	if err != nil {
		return err
	}
	t.token = out.NextSequenceToken
	if out.RejectedLogEventsInfo != nil {
		return errRejected
	}
	return nil
}

// errRejected: the service takes no events of that time.
var errRejected = errors.New("the service refused the events for their time: is this machine's clock right?")

// expectedToken is the token that an error names at its end; empty where it says null.
func expectedToken(err error) string {
	var e *cloud.Error
	if !errors.As(err, &e) {
		return ""
	}
	token := e.Message[strings.LastIndexByte(e.Message, ' ')+1:]
	if token == "null" {
		return ""
	}
	return token
}

// note says what is missing; nothing where no byte is.
func (f *follower) note() string {
	var missing []string
	var why error
	for _, t := range f.streams {
		if total := size(t.path); total > t.offset {
			missing = append(missing, fmt.Sprintf("%d of %d bytes of %s", total-t.offset, total-t.start, t.file))
			why = t.failed
		}
	}
	if missing == nil {
		return ""
	}
	if f.over != nil {
		why = f.over
	}
	if why == nil {
		why = errors.New("there was no time to send them")
	}
	return fmt.Sprintf("\nThe log group %s does not have %s: %s.\n", f.group, strings.Join(missing, " and "),
		strings.TrimSuffix(oneLine(why), "."))
}

func size(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
