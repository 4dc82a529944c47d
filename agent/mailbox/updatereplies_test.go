package mailbox_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// What the updater of an original answers over ssmmessages is sent by the next agent, once, and kept until it was taken: over ec2messages
// where the node may have no channel.
func TestTheReplyThatAnUpdaterLeftIsSent(t *testing.T) {
	s := newService(t)
	s.breaks("SendReply", http.StatusInternalServerError)
	l := s.open()
	dir := filepath.Join(l.dir, "replies_mgs")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "2026-03-04T05-06-07.000000_"+wire.MessageID(first, node)+"_update")
	write(t, file, `{"AgentResult":{"MessageID":"`+wire.MessageID(first, node)+`","Status":"Success","PluginResults":{"awsupdateSsmAgent":{
		"pluginName":"aws:updateSsmAgent","status":"Success","code":0,"output":"updated"}}},"ReplyId":"from-the-updater","RetryNumber":0}`)
	write(t, filepath.Join(dir, "2026-03-04T05-06-07.000000_x"), "{}") // an ordinary one of the original: not ours
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go l.channel.Run(ctx, yes) // to be denied
	stop := s.run(l, yes)
	s.wait(1)
	stop()
	if _, err := os.Stat(file); err != nil {
		t.Fatal("it is gone although it was not taken")
	}
	s.breaks("SendReply", 0)
	stop = s.run(l, yes)
	calls := s.wait(2)
	c := calls[len(calls)-1]
	if c.operation != "SendReply" || c.reply != "from-the-updater" || c.message != wire.MessageID(first, node) || c.status != wire.Success ||
		!strings.Contains(c.body, "awsupdateSsmAgent") {
		t.Errorf("%+v", c)
	}
	for end := time.Now().Add(patience); ; time.Sleep(time.Millisecond) {
		if _, err := os.Stat(file); err != nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal("it stays although it was taken")
		}
	}
	stop()
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("%v", entries)
	}
}

// An original leaves replies of its own in that folder, which its own next start sends; they are no reason to keep the updater's back.
func TestTheReplyOfAnUpdaterIsFoundAmongManyOthers(t *testing.T) {
	s := newService(t)
	l := s.open()
	dir := filepath.Join(l.dir, "replies_mgs")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	for n := range 60 {
		write(t, filepath.Join(dir, fmt.Sprintf("2026-03-04T05-06-06.%06d_x", n)), "{}")
	}
	write(t, filepath.Join(dir, "2026-03-04T05-06-07.000000_"+wire.MessageID(first, node)+"_update"), `{"AgentResult":{"MessageID":"`+
		wire.MessageID(first, node)+`","Status":"Success","PluginResults":{}},"ReplyId":"from-the-updater"}`)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go l.channel.Run(ctx, yes) // to be denied
	stop := s.run(l, yes)
	defer stop()
	if calls := s.wait(1); calls[0].reply != "from-the-updater" {
		t.Errorf("%+v", calls)
	}
}
