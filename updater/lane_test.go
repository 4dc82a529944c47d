package updater_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/updater"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// The ledger remembers the lane of an answer that could not be sent.
func TestACommandIsAnsweredOverItsLane(t *testing.T) {
	w := newWorld(t)
	e := w.engine()
	own, broken := e.Reporter, true
	var asked []string
	e.Reporter.Lane = func(upstream string) updater.Reporter {
		asked = append(asked, upstream)
		r := own
		if broken {
			r.Reply = func(context.Context, string, string, string) error { return errors.New("out of reach") }
		}
		return r
	}
	r := command(ledger.Request{})
	r.ReplyTo.Upstream = "MessageGatewayService"
	_, err := e.Run(context.Background(), r, func(string) {})
	must(t, err)
	broken = false
	must(t, e.Resume(context.Background()))
	other := func(upstream string) bool { return upstream != "MessageGatewayService" }
	if len(w.sent) != 1 || w.final().Status != "Success" || len(asked) < 3 || slices.ContainsFunc(asked, other) {
		t.Errorf("sent %+v over %q", w.sent, asked)
	}
}

func TestEveryAnswerOfAnUpdateEndsWithItsNote(t *testing.T) {
	w := newWorld(t)
	r := command(ledger.Request{})
	r.ReplyTo.Note = "\nnot kept\n"
	w.run(r)
	for _, sent := range w.sent {
		for _, step := range sent.RuntimeStatus {
			if !strings.HasSuffix(step.Output, r.ReplyTo.Note) {
				t.Errorf("%s ends in %q", sent.DocumentStatus, step.Output[max(0, len(step.Output)-40):])
			}
		}
	}
	if len(w.sent) != 2 {
		t.Errorf("%d answers", len(w.sent))
	}
}

func TestAnAnswerNamesABucketOnlyWhereTheStepsOutputIs(t *testing.T) {
	for _, failure := range []error{nil, errors.New("AccessDenied: no")} {
		w := newWorld(t)
		r := command(ledger.Request{})
		dir := t.TempDir()
		r.ReplyTo.Stdout, r.ReplyTo.Stderr = filepath.Join(dir, "stdout"), filepath.Join(dir, "stderr")
		r.ReplyTo.Bucket, r.ReplyTo.Prefix, r.ReplyTo.StepName = "b", "p/plugin/step", "step"
		must(t, os.WriteFile(r.ReplyTo.Stdout, []byte("before\n"), 0o600))
		var put []string
		e := w.engine()
		e.Reporter.Upload = func(_ context.Context, bucket, key, file string) error {
			text, err := os.ReadFile(file)
			must(t, err)
			put = append(put, bucket+" "+key+" "+strings.SplitAfter(string(text), "\n")[0])
			return failure
		}
		_, err := e.Run(context.Background(), r, func(string) {})
		must(t, err)
		if got := strings.Join(put, ";"); got != "b p/plugin/step/stdout before\n" {
			t.Errorf("put %q", got)
		}
		for i, sent := range w.sent {
			for _, step := range sent.RuntimeStatus {
				named := step.OutputS3BucketName == "b" && step.OutputS3KeyPrefix == "p/plugin" && step.StepName == "step"
				last := i == len(w.sent)-1
				said := strings.Contains(step.Output, "The S3 bucket b does not have all of the output: AccessDenied: no")
				if named != (last && failure == nil) || said != (last && failure != nil) {
					t.Errorf("answer %d, failure %v: %+v", i, failure, step)
				}
			}
		}
	}
}
