package mailbox_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/mailbox"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

func folder(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "replies"))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestAReplyThatIsNotTakenIsKept(t *testing.T) {
	s := newService(t)
	s.breaks("SendReply", http.StatusBadRequest)
	l := s.open()
	reply := mailbox.Answer{
		MessageID: wire.MessageID(first, node),
		ID:        mailbox.ReplyID("m", 1),
		Body:      wire.Reply{DocumentStatus: wire.Success},
	}
	for range 2 {
		if err := l.Reply(t.Context(), reply); err != nil {
			t.Fatal(err)
		}
	}
	names := folder(t, l.dir)
	if len(names) != 1 || names[0] != reply.ID+"_2026-03-04T05-06-07" {
		t.Fatalf("%v", names)
	}
	path := filepath.Join(l.dir, "replies", names[0])
	data, err := os.ReadFile(path)
	var keys map[string]any
	if err != nil || json.Unmarshal(data, &keys) != nil || len(keys) != 4 || keys["ReplyId"] != reply.ID || keys["DeliveryOptions"] != nil {
		t.Errorf("%v: %s", err, data)
	}
	if info, _ := os.Stat(path); runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
}

// kept puts a reply of a certain age into the folder.
func kept(t *testing.T, s *service, l *lane, id string, age time.Duration) string {
	t.Helper()
	dir := filepath.Join(l.dir, "replies")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	name := id + "_" + s.clock().Add(-age).Format("2006-01-02T15-04-05")
	write(
		t,
		filepath.Join(dir, name),
		`{"DeliveryOptions":null,"MessageId":"`+wire.MessageID(first, node)+`","Payload":"{}","ReplyId":"`+id+`"}`,
	)
	return name
}

func TestAKeptReplyIsSentAgain(t *testing.T) {
	s := newService(t)
	l := s.open()
	kept(t, s, l, "a-reply", time.Hour)
	stop := s.run(l, yes)
	if c := s.wait(1)[0]; c.operation != "SendReply" || c.reply != "a-reply" {
		t.Errorf("%+v", c)
	}
	s.polled(1)
	markGone(t, l)
	stop()
}

func markGone(t *testing.T, l *lane) {
	t.Helper()
	for end := time.Now().Add(patience); len(folder(t, l.dir)) > 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("still there: %v", folder(t, l.dir))
		}
	}
}

func TestAKeptReplyStaysWhenSendingFails(t *testing.T) {
	s := newService(t)
	s.breaks("SendReply", http.StatusBadRequest)
	l := s.open()
	kept(t, s, l, "a-reply", time.Hour)
	kept(t, s, l, "b-reply", time.Hour)
	stop := s.run(l, yes)
	s.wait(1)
	stop()
	if names := folder(t, l.dir); len(names) != 2 || len(s.wait(0)) != 1 {
		t.Errorf("%v after %v", names, what(s.wait(0)))
	}
}

// Ours: kept replies go out as soon as the service is heard again, not at the next five minutes.
func TestKeptRepliesGoOutWhenTheServiceIsBack(t *testing.T) {
	s := newService(t, answer{status: http.StatusBadRequest}, answer{status: http.StatusBadRequest}, answer{})
	s.breaks("SendReply", http.StatusBadRequest)
	l := s.open()
	kept(t, s, l, "a-reply", time.Minute)
	s.run(l, yes)
	s.wait(1)
	s.breaks("SendReply", 0)
	s.polled(4)
	// The third poll was answered after two that were not.
	s.brings(answer{status: http.StatusBadRequest}, answer{})
	markGone(t, l)
}

func TestOldAndOddRepliesAreDropped(t *testing.T) {
	s := newService(t)
	l := s.open()
	kept(t, s, l, "old-reply", 2*time.Hour+time.Second)
	write(t, filepath.Join(l.dir, "replies", "nostamp"), "{}")
	write(t, filepath.Join(l.dir, "replies", "a_yesterday"), "{}")
	s.run(l, yes)
	markGone(t, l)
	s.polled(1)
	if calls := s.wait(0); len(calls) != 0 {
		t.Errorf("%v", what(calls))
	}
}
