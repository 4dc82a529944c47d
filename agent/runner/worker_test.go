//go:build unix

package runner_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/runner"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

func kinds(events []runner.Event) string {
	var out []string
	for _, e := range events {
		out = append(out, e.Kind)
	}
	return strings.Join(out, " ")
}

func TestOneStepRunsInAWorker(t *testing.T) {
	w, _ := start(t, shell(t, map[string]any{"runCommand": []any{"echo hello; echo hi >&2"}}))
	events := all(t, w)
	if kinds(events) != "started step done" {
		t.Fatalf("events %+v", events)
	}
	if r := events[1].Result; r.StandardOutput != "hello\n" || r.StandardError != "hi\n" || r.Status != wire.Success || r.Code != 0 {
		t.Errorf("result %+v", r)
	}
	if e := events[2]; e.Status != wire.Success || e.Result == nil || e.Counts[wire.Success] != 1 || e.Seq != 3 || e.Forced {
		t.Errorf("end %+v", e)
	}
}

func TestSeveralStepsRunInAWorker(t *testing.T) {
	j := job(t, `{"schemaVersion":"2.2","parameters":{"who":{"type":"String"}},"mainSteps":[
		{"action":"aws:runShellScript","name":"one","inputs":{"runCommand":["echo {{ who }}"]}},
		{"action":"aws:runPowerShellScript","name":"two","precondition":{"StringEquals":["platformType","Windows"]},
			"inputs":{"runCommand":["x"]}},
		{"action":"aws:runShellScript","name":"three","inputs":{"runCommand":["exit 3"]}}]}`, map[string]any{"who": "me"})
	w, _ := start(t, j)
	events := all(t, w)
	if kinds(events) != "started step step step done" {
		t.Fatalf("events %+v", events)
	}
	end := events[4]
	if end.Status != wire.Failed || end.Result != nil || end.Counts[wire.Success] != 1 || end.Counts[wire.Skipped] != 1 ||
		end.Counts[wire.Failed] != 1 {
		t.Errorf("end %+v", end)
	}
	if c := events[2].Counts; c[wire.Success] != 1 || c[wire.Skipped] != 1 {
		t.Errorf("counts %v", c)
	}
}

// waiting is a job whose script says it runs, then waits for the file that release makes.
func waiting(t *testing.T) (j runner.Assignment, running func(), release func()) {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "running"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "go"), 0o600); err != nil {
		t.Fatal(err)
	}
	j = shell(t, map[string]any{"runCommand": []any{"cd " + dir, "echo before", "echo x >running", "read x <go", "echo after"}})
	running = func() { readFile(t, dir, "running") }
	release = func() {
		if err := os.WriteFile(filepath.Join(dir, "go"), []byte("x\n"), 0); err != nil {
			t.Fatal(err)
		}
	}
	return j, running, release
}

func TestAWorkerOutlivesItsReader(t *testing.T) {
	j, running, release := waiting(t)
	dir := filepath.Join(t.TempDir(), "job")
	if err := runner.Prepare(dir, j); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	first, err := runner.Start(ctx, spec(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	if e := <-first.Events(); e.Kind != runner.Started {
		t.Fatalf("%+v", e)
	}
	running()
	stop()
	if rest := all(t, first); len(rest) != 0 {
		t.Errorf("after the end of its context: %+v", rest)
	}
	s := spec(t, dir)
	s.After = 1
	second, err := runner.Attach(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	third, err := runner.Start(t.Context(), s) // not a second run
	if err != nil {
		t.Fatal(err)
	}
	release()
	for _, w := range []*runner.Worker{second, third} {
		events := all(t, w)
		if kinds(events) != "step done" || events[0].Result.StandardOutput != "before\nafter\n" {
			t.Errorf("%+v", events)
		}
	}
	s.After = 2
	late, err := runner.Attach(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if events := all(t, late); kinds(events) != "done" || events[0].Status != wire.Success {
		t.Errorf("%+v", events)
	}
}

func workerPID(t *testing.T, dir string) int {
	t.Helper()
	var e runner.Event
	line, _, _ := strings.Cut(readFile(t, dir, "events"), "\n")
	if err := json.Unmarshal([]byte(line), &e); err != nil || e.PID == 0 {
		t.Fatalf("%s: %v", line, err)
	}
	return e.PID
}

const deadText = "document process failed unexpectedly: ipc messaging received timeout signal , check [ssm-document-worker]/[ssm-session-worker] log for crash reason"

func checkForced(t *testing.T, events []runner.Event) {
	t.Helper()
	if len(events) == 0 {
		t.Fatal("no events")
	}
	e := events[len(events)-1]
	if e.Kind != runner.Done || !e.Forced || e.Status != wire.Failed || e.Result == nil {
		t.Fatalf("%+v", e)
	}
	if s := e.Result.Wire(); s.Status != wire.Failed || s.Code != 1 || s.Output != deadText || e.Result.PluginID != "runIt" {
		t.Errorf("%+v", s)
	}
}

func TestAKilledWorkerEndsItsDocument(t *testing.T) {
	j, running, release := waiting(t)
	w, dir := start(t, j)
	running()
	defer release() // the script of a killed worker lives on
	if err := syscall.Kill(workerPID(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	checkForced(t, all(t, w))
	again, err := runner.Start(t.Context(), spec(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	checkForced(t, all(t, again))
}

func TestAWorkerKilledWithoutAReaderIsNoticed(t *testing.T) {
	j, running, release := waiting(t)
	dir := filepath.Join(t.TempDir(), "job")
	if err := runner.Prepare(dir, j); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	first, err := runner.Start(ctx, spec(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	running()
	defer release()
	stop()
	all(t, first)
	second, err := runner.Attach(t.Context(), spec(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(workerPID(t, dir), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	checkForced(t, all(t, second))
}

func TestACancelEndsTheRunningStep(t *testing.T) {
	j, running, _ := waiting(t)
	w, _ := start(t, j)
	running()
	for range 2 {
		if err := w.Cancel(); err != nil {
			t.Fatal(err)
		}
	}
	events := all(t, w)
	end := events[len(events)-1]
	if end.Status != wire.Cancelled || end.Result.Code != 137 || end.Result.StandardOutput != "before\n" {
		t.Errorf("%+v %+v", end, end.Result)
	}
}

func TestACancelBeforeTheStartRunsNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "job")
	if err := runner.Prepare(dir, shell(t, map[string]any{"runCommand": []any{"echo no"}})); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "cancel"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := runner.Start(t.Context(), spec(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	events := all(t, w)
	if end := events[len(events)-1]; end.Status != wire.Cancelled || end.Result.Code != 1 || end.Result.Output != "" {
		t.Errorf("%+v", end)
	}
}

func TestAJobWaitsForAReboot(t *testing.T) {
	mark := filepath.Join(t.TempDir(), "mark")
	j := job(t, `{"schemaVersion":"2.2","mainSteps":[
		{"action":"aws:runShellScript","name":"zero","inputs":{"runCommand":["echo once >>`+mark+`0"]}},
		{"action":"aws:runShellScript","name":"one","inputs":{"runCommand":[
			"test -e `+mark+` && echo second && exit 0","touch `+mark+`","echo first","exit 194"]}},
		{"action":"aws:runShellScript","name":"two","inputs":{"runCommand":["echo end"]}}]}`, nil)
	w, dir := start(t, j)
	events := all(t, w)
	if kinds(events) != "started step step done" || events[3].Status != wire.SuccessAndReboot || events[2].Result.Code != 194 {
		t.Fatalf("%+v", events)
	}

	s := spec(t, dir)
	s.After = 2 // the agent died before it heard of the reboot
	again, err := runner.Attach(t.Context(), s)
	if err != nil {
		t.Fatal(err)
	}
	if rest := all(t, again); kinds(rest) != "step done" || rest[1].Status != wire.SuccessAndReboot {
		t.Errorf("%+v", rest)
	}

	s.After = 4
	if _, err := runner.Attach(t.Context(), s); !errors.Is(err, runner.ErrNotStarted) {
		t.Errorf("a job that waits for a reboot: %v", err)
	}
	if w, err = runner.Start(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	events = all(t, w)
	if kinds(events) != "started step step done" || events[0].Seq != 5 {
		t.Fatalf("%+v", events)
	}
	if r := events[1].Result; r.PluginID != "one" || r.StandardOutput != "first\nsecond\n" || r.Status != wire.Success {
		t.Errorf("%+v", r)
	}
	if events[3].Status != wire.Success || events[3].Counts[wire.Success] != 3 {
		t.Errorf("%+v", events[3])
	}
	if got := readFile(t, mark+"0"); got != "once\n" {
		t.Errorf("the first step ran again: %q", got)
	}
	if late, err := runner.Attach(t.Context(), s); err != nil || kinds(all(t, late)) != "started step step done" {
		t.Errorf("the whole second run is to be read again: %v", err)
	}
}

func TestATornLastEventIsCutOff(t *testing.T) {
	w, dir := start(t, shell(t, map[string]any{"runCommand": []any{"exit 194"}}))
	all(t, w)
	path := filepath.Join(dir, "events")
	whole := readFile(t, path)
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	f.WriteString(`{"seq":4,"kind":"star` + "\x00\x00\x00\n")
	f.Close()
	s := spec(t, dir)
	s.After = 3
	if w, err = runner.Start(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	if events := all(t, w); kinds(events) != "started step done" || events[0].Seq != 4 {
		t.Errorf("%+v", events)
	}
	if now := readFile(t, path); !strings.HasPrefix(now, whole) || strings.Contains(now, "\x00") {
		t.Error("the torn tail was not cut off")
	}
}

func TestNothingOfTheWorkerReachesScripts(t *testing.T) {
	w, dir := start(t, shell(t, map[string]any{"runCommand": []any{"env; ls -l /proc/self/fd"}}))
	events := all(t, w)
	text := events[1].Result.StandardOutput
	for _, no := range []string{"SSM_DOCUMENT_WORKER", dir} {
		if strings.Contains(text, no) {
			t.Errorf("%s in\n%s", no, text)
		}
	}
	if n := strings.Count(text, "pipe:"); n > 2 {
		t.Errorf("%d pipes in\n%s", n, text)
	}
	if text := readFile(t, dir, "log"); text != "" {
		t.Errorf("log says %s", text)
	}
}

func TestTheFilesOfAJobAreForTheirOwner(t *testing.T) {
	_, dir := start(t, shell(t, map[string]any{"runCommand": []any{"true"}}))
	for name, mode := range map[string]os.FileMode{"": 0o700, "job.json": 0o600} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%q: %v, %v", name, info, err)
		}
	}
}

func TestAJobThatCannotBeReadEndsItsWorker(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "job.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	w, err := runner.Start(t.Context(), spec(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	events := all(t, w)
	if len(events) != 1 || !events[0].Forced || events[0].Status != wire.Failed {
		t.Errorf("%+v", events)
	}
	if text := readFile(t, dir, "log"); !strings.Contains(text, "job.json") {
		t.Errorf("log says %q", text)
	}
}

func TestAJobThatIsNotThere(t *testing.T) {
	if _, err := runner.Attach(t.Context(), spec(t, filepath.Join(t.TempDir(), "nothing"))); !errors.Is(err, runner.ErrNotStarted) {
		t.Errorf("%v", err)
	}
}

func TestManyEventsArriveInOrder(t *testing.T) {
	var steps []string
	for i := range 20 {
		steps = append(steps, `{"action":"aws:runShellScript","name":"s`+strconv.Itoa(i)+`","inputs":{"runCommand":["head -c 30000 /dev/zero"]}}`)
	}
	w, _ := start(t, job(t, `{"schemaVersion":"2.2","mainSteps":[`+strings.Join(steps, ",")+`]}`, nil))
	events := all(t, w)
	if len(events) != 22 || events[21].Counts[wire.Success] != 20 {
		t.Fatalf("%d events", len(events))
	}
	for i, e := range events {
		if e.Seq != i+1 {
			t.Errorf("event %d has number %d", i, e.Seq)
		}
	}
	if !bytes.HasSuffix([]byte(events[1].Result.StandardOutput), []byte("--output truncated--")) {
		t.Error("the stream is not marked as cut")
	}
}
