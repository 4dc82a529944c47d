package journal_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/journal"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

const (
	node   = "mi-0123456789abcdef0"
	first  = "2b196342-d7d4-436e-8f09-3883a1116ac3"
	second = "1b196342-d7d4-436e-8f09-3883a1116ac3"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func open(t *testing.T, data string) *journal.Journal {
	t.Helper()
	j, err := journal.Open(data, node, "orchestration", "")
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func job(id string, accepted time.Time) *journal.Job {
	j := &journal.Job{DocumentType: journal.SendCommand, UpstreamServiceName: "MessageDeliveryService",
		InstancePluginsInformation: []journal.Plugin{{Name: "aws:runShellScript", Id: "runIt"}}}
	j.DocumentInformation = journal.Information{DocumentID: id, CommandID: id, InstanceID: node, MessageID: wire.MessageID(id, node),
		CreatedDate: wire.ISOMillis(accepted)}
	j.SsmSetup.Accepted = accepted
	return j
}

func path(data, where, id string) string {
	return filepath.Join(data, node, "document", "state", where, id)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// name is a checked id; the zero name for one that cannot be a name.
func name(id string) host.Name {
	n, _ := host.CheckName(id)
	return n
}

func TestAJobGoesFromPendingToCurrentToNothing(t *testing.T) {
	data := t.TempDir()
	j, a := open(t, data), job(first, now)
	at := func(places ...string) {
		t.Helper()
		for _, where := range []string{"pending", "current"} {
			if exists(path(data, where, first)) != slices.Contains(places, where) {
				t.Errorf("in %s: %v", where, exists(path(data, where, first)))
			}
		}
	}
	if j.Seen(journal.SendCommand, name(first)) {
		t.Error("seen before it came")
	}
	check(t, j.Accept(a))
	at("pending")
	if !exists(filepath.Join(data, node, "idempotency", "SendCommand", first)) || !j.Seen(journal.SendCommand, name(first)) {
		t.Error("not marked as received")
	}
	check(t, j.Save(a))
	at("pending")
	check(t, j.Begin(a))
	at("current")
	check(t, j.Save(a))
	at("current")
	check(t, os.MkdirAll(j.Channel(name(first)), 0o700))
	check(t, j.Done(a))
	at()
	if exists(j.Channel(name(first))) {
		t.Error("the worker's folder is still there")
	}
	if !j.Seen(journal.SendCommand, name(first)) {
		t.Error("forgotten too early")
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestTheJournalIsForItsOwnerOnly(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has access lists, not modes")
	}
	data := t.TempDir()
	j := open(t, data)
	check(t, j.Accept(job(first, now)))
	for p, want := range map[string]os.FileMode{path(data, "pending", first): 0o600, path(data, "pending", ""): 0o700} {
		info, err := os.Stat(p)
		check(t, err)
		if info.Mode().Perm() != want {
			t.Errorf("%s: %v", p, info.Mode())
		}
	}
}

// The keys of the original, two spaces of indent.
func TestAStateFileHasTheOriginalsKeys(t *testing.T) {
	data := t.TempDir()
	check(t, open(t, data).Accept(job(first, now)))
	text, err := os.ReadFile(path(data, "pending", first))
	check(t, err)
	var keys map[string]json.RawMessage
	check(t, json.Unmarshal(text, &keys))
	for _, k := range []string{"DocumentInformation", "DocumentType", "SchemaVersion", "InstancePluginsInformation", "CancelInformation",
		"IOConfig", "UpstreamServiceName"} {
		if keys[k] == nil {
			t.Errorf("no %s", k)
		}
	}
	if !strings.HasPrefix(string(text), "{\n  \"DocumentInformation\": {\n    \"DocumentID\": \""+first) {
		t.Errorf("%.100s", text)
	}
}

func TestUnknownMembersStay(t *testing.T) {
	data := t.TempDir()
	j := open(t, data)
	check(t, os.WriteFile(path(data, "current", first), []byte(`{"DocumentType":"SendCommand","DocumentInformation":{"DocumentID":"`+first+
		`","CreatedDate":"`+
		wire.ISOMillis(now)+`","Tomorrow":12345678901234567890},"Later":{"a":[1,{"b":2}]},"InstancePluginsInformation":[{"Id":"x","More":true}]}`), 0o600))
	l, err := j.Load(15, now, nil)
	if err != nil || len(l.Current) != 1 {
		t.Fatal(l, err)
	}
	text, err := os.ReadFile(path(data, "current", first))
	check(t, err)
	for _, want := range []string{`"Tomorrow": 12345678901234567890`, `"b": 2`, `"More": true`, `"RunCount": 1`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

// docs/protocol/runcommand.md, "Start-up with open commands".
func TestWhatALaterAgentResumesAndGivesUp(t *testing.T) {
	tired, old, odd, gateway := job("tired", now), job("old", now.Add(-48*time.Hour-time.Second)), job("odd", now), job("gateway", now)
	tired.DocumentInformation.RunCount = 15
	odd.DocumentInformation.CreatedDate = "yesterday"
	gateway.DocumentInformation.CreatedDate, gateway.UpstreamServiceName = "49611-12-08 15:55:48 +0000 UTC", "MessageGatewayService"
	data := t.TempDir()
	j := open(t, data)
	for _, x := range []*journal.Job{tired, old, odd, gateway, job("fresh", now.Add(-47*time.Hour))} {
		check(t, j.Accept(x))
		check(t, j.Begin(x))
	}
	check(t, j.Accept(job(second, now.Add(time.Second))))
	check(t, j.Accept(job(first, now)))
	check(t, os.WriteFile(path(data, "pending", "torn"), []byte(`{"Doc`), 0o600))
	check(t, os.WriteFile(path(data, "pending", ".half.1"), nil, 0o600))
	check(t, os.RemoveAll(filepath.Join(data, node, "idempotency")))

	l, err := open(t, data).Load(15, now, func(lane string) bool { return lane == "MessageGatewayService" })
	check(t, err)
	ids := func(jobs []*journal.Job) (ids []string) {
		for _, x := range jobs {
			ids = append(ids, x.ID().String())
		}
		return ids
	}
	if got := ids(l.Current); !slices.Equal(got, []string{"fresh", "gateway"}) || l.Current[0].DocumentInformation.RunCount != 1 {
		t.Errorf("current %v", got)
	}
	if got := ids(l.Pending); !slices.Equal(got, []string{first, second}) {
		t.Errorf("pending %v", got)
	}
	if !j.Seen(journal.SendCommand, name(first)) || !j.Seen(journal.SendCommand, name("fresh")) {
		t.Error("marks were not made good")
	}
	var broken []string
	for _, b := range l.Broken {
		broken = append(broken, b.ID)
		check(t, j.GiveUp(b))
		if !exists(path(data, "corrupt", b.ID)) || b.Reason == "" {
			t.Errorf("%+v", b)
		}
	}
	if slices.Sort(broken); !slices.Equal(broken, []string{"odd", "old", "tired", "torn"}) {
		t.Errorf("broken %v", broken)
	}
	if exists(path(data, "pending", ".half.1")) {
		t.Error("a half-written file was left")
	}
}

// A cancel that an original agent had accepted and not yet carried out; a session stays where it is.
func TestFilesOfOtherTypesAreLetAlone(t *testing.T) {
	data := t.TempDir()
	j := open(t, data)
	check(t, j.Accept(job(first, now)))
	c := job(second, now)
	c.DocumentType, c.CancelInformation.CancelMessageID = journal.CancelCommand, wire.MessageID(first, node)
	check(t, j.Accept(c))
	session := job("session", now)
	session.DocumentType = "StartSession"
	check(t, j.Accept(session))
	l, err := j.Load(15, now, nil)
	if err != nil || len(l.Pending) != 1 || !l.Pending[0].SsmSetup.Cancelled || len(l.Broken) != 0 {
		t.Errorf("%+v, %v", l, err)
	}
	if exists(path(data, "pending", second)) || !exists(path(data, "pending", "session")) {
		t.Error("wrong files left")
	}
}

func TestAReceivedCommandIsForgottenAfterHalfAnHour(t *testing.T) {
	data := t.TempDir()
	j := open(t, data)
	for id, age := range map[string]time.Duration{"a": 31 * time.Minute, "b": 29 * time.Minute, "runs": time.Hour} {
		check(t, j.Mark(journal.SendCommand, name(id)))
		at := now.Add(-age)
		check(t, os.Chtimes(filepath.Join(data, node, "idempotency", "SendCommand", id), at, at))
	}
	j.Forget(now, func(id string) bool { return id == "runs" })
	if j.Seen(journal.SendCommand, name("a")) || !j.Seen(journal.SendCommand, name("b")) || !j.Seen(journal.SendCommand, name("runs")) {
		t.Error("wrong ones forgotten")
	}
}

// A pass comes every ten minutes: what it left would grow for ever on a busy node.
func TestOnePassForgetsAllThatIsOldHoweverMany(t *testing.T) {
	data := t.TempDir()
	j := open(t, data)
	seen := filepath.Join(data, node, "idempotency", "SendCommand")
	for i := range 500 {
		id := "old-" + strconv.Itoa(i)
		check(t, j.Mark(journal.SendCommand, name(id)))
		check(t, os.Chtimes(filepath.Join(seen, id), now.Add(-time.Hour), now.Add(-time.Hour)))
	}
	j.Forget(now, func(string) bool { return false })
	if left, err := os.ReadDir(seen); err != nil || len(left) != 0 {
		t.Errorf("%d are left, %v", len(left), err)
	}
}

func TestNoNameFromOutsideLeavesTheTree(t *testing.T) {
	j := open(t, t.TempDir())
	for _, id := range []string{"", "..", "../x", "a/b", ".hidden", "c:d"} {
		if err := j.Accept(job(id, now)); err == nil {
			t.Errorf("%q became a file", id)
		}
	}
}

func TestOpenEmptiesCompleted(t *testing.T) {
	data := t.TempDir()
	open(t, data)
	check(t, os.WriteFile(path(data, "completed", "x"), nil, 0o600))
	open(t, data)
	if exists(path(data, "completed", "x")) || !exists(path(data, "completed", "")) {
		t.Error("completed is not emptied")
	}
}

// What Accept could not finish leaves nothing that the next agent would run, long after the service gave the command up.
func TestAJobIsAcceptedWholeOrNotAtAll(t *testing.T) {
	data := t.TempDir()
	j := open(t, data)
	check(t, os.WriteFile(filepath.Join(data, node, "idempotency", "SendCommand", first), nil, 0o600)) // no folder can be made there
	if j.Accept(job(first, now)) == nil {
		t.Fatal("accepted")
	}
	if exists(path(data, "pending", first)) {
		t.Error("a job that was not accepted is pending")
	}
}

// A job that cannot be saved (a full disk; here its name leaves no room for a temporary one) is loaded all the same, and so
// is every other: each was accepted and has to be answered.
func TestJobsThatCannotBeSavedAreLoadedAllTheSame(t *testing.T) {
	data := t.TempDir()
	j := open(t, data)
	long := strings.Repeat("x", 250)
	for where, x := range map[string]*journal.Job{"current": job(long, now), "pending": job(first, now)} {
		text, err := json.Marshal(x)
		check(t, err)
		check(t, os.WriteFile(path(data, where, x.ID().String()), text, 0o600))
	}
	l, err := j.Load(15, now, nil)
	if err == nil {
		t.Error("no word of what could not be saved")
	}
	if len(l.Current) != 1 || len(l.Pending) != 1 || !j.Seen(journal.SendCommand, name(first)) {
		t.Errorf("%+v", l)
	}
}

// A command that keeps coming is not forgotten while it does.
func TestACommandThatKeepsComingIsNotForgotten(t *testing.T) {
	j := open(t, t.TempDir())
	check(t, j.Mark(journal.SendCommand, name(first)))
	j.Remember(journal.SendCommand, name(first), now)
	j.Forget(now.Add(29*time.Minute), func(string) bool { return false })
	if !j.Seen(journal.SendCommand, name(first)) {
		t.Error("forgotten")
	}
	j.Forget(now.Add(31*time.Minute), func(string) bool { return false })
	if j.Seen(journal.SendCommand, name(first)) {
		t.Error("remembered for ever")
	}
}

// A job that cannot be removed keeps its worker's folder, which says that it ended.
func TestTheWorkersFolderStaysAsLongAsItsJob(t *testing.T) {
	data := t.TempDir()
	j, a := open(t, data), job(first, now)
	check(t, os.MkdirAll(filepath.Join(path(data, "current", first), "in the way"), 0o700))
	check(t, os.MkdirAll(j.Channel(name(first)), 0o700))
	if j.Done(a) == nil || !exists(j.Channel(name(first))) {
		t.Error("the folder is gone, the job is not")
	}
}

// A machine whose clock is days ahead of the service's works; a restart of its agent gives no running command up.
func TestAClockDaysAheadGivesNoCommandUp(t *testing.T) {
	j := open(t, t.TempDir())
	a := job(first, now)
	a.SsmSetup.Accepted = now.Add(72 * time.Hour)
	check(t, j.Accept(a))
	check(t, j.Begin(a))
	l, err := j.Load(15, now.Add(73*time.Hour), nil)
	if err != nil || len(l.Current) != 1 {
		t.Errorf("%+v, %v", l, err)
	}
}

// A crash within the removal of a worker's folder leaves any of its files; the original's folders are of another kind.
func TestWhatARemovalThatWasCutShortLeftOfAWorkersFolderIsRemoved(t *testing.T) {
	data := t.TempDir()
	j := open(t, data)
	channels := filepath.Join(data, node, "channels")
	for _, file := range []string{"log/log", "job/job.json", "making/.job.json", "events/events", "lock/lock", "original/1-20260304050607"} {
		dir := filepath.Join(channels, filepath.Dir(file))
		if err := os.MkdirAll(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(channels, file), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(channels, "empty"), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Load(3, now, nil); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(channels)
	if err != nil || len(left) != 1 || left[0].Name() != "original" {
		t.Errorf("%v is left, %v", left, err)
	}
}
