package local

import (
	"encoding/json"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// letter is a message that lies in a node's mailbox until it is settled. Letters are given out in the order they came.
type letter struct {
	wire.Message
	Posted time.Time
}

// post puts a message into a node's mailbox and wakes its poll once that is on disk.
func (r *Region) post(tx *bbolt.Tx, to, topic, id string, payload any) error {
	text, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	n, err := number(tx, inMail)
	if err != nil {
		return err
	}
	key := to + "/" + n
	now := r.now()
	l := letter{Posted: now, Message: wire.Message{CreatedDate: wire.ISOMillis(now), Destination: to, MessageId: id,
		Payload: string(text), Topic: topic}}
	if err := tx.Bucket([]byte(inMailIDs)).Put([]byte(id), []byte(key)); err != nil {
		return err
	}
	tx.OnCommit(func() { r.wake("mail/" + to) })
	return save(tx, inMail, key, l)
}

// takeOut removes a message from its mailbox; its id stays known.
func (r *Region) takeOut(tx *bbolt.Tx, id string) error {
	key := tx.Bucket([]byte(inMailIDs)).Get([]byte(id))
	if key == nil {
		return nil
	}
	tx.OnCommit(func() { r.desk.forget(id, r.now()) })
	return remove(tx, inMail, string(key))
}

// inMailbox reads a message that isn't settled yet.
func inMailbox(tx *bbolt.Tx, id string) (letter, bool, error) {
	key := tx.Bucket([]byte(inMailIDs)).Get([]byte(id))
	if key == nil {
		return letter{}, false, nil
	}
	return fetch[letter](tx, inMail, string(key))
}

// discardMail empties a node's mailbox.
func discardMail(tx *bbolt.Tx, id string) error {
	for _, key := range keysOf(tx, inMail, id+"/") {
		if err := remove(tx, inMail, key); err != nil {
			return err
		}
	}
	return nil
}

// desk knows which messages are given out at present. It is memory only: after a restart of the region everything not
// settled is given out again at once.
type desk struct {
	mu     sync.Mutex
	until  map[string]time.Time // message id → hidden until
	poll   time.Duration        // 0: pollHeld
	opened time.Time
}

func (d *desk) hold() time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.poll == 0 {
		return pollHeld
	}
	return d.poll
}

// hand hides and returns what is visible now, and how long until the next is.
func (d *desk) hand(waiting []letter, now time.Time, hidden time.Duration) (messages []wire.Message, again time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.until == nil {
		d.until = map[string]time.Time{}
	}
	again = time.Hour
	for _, l := range waiting {
		until, given := d.until[l.MessageId]
		if given && now.Before(until) {
			again = min(again, until.Sub(now))
			continue
		}
		if len(messages) == messagesAtOnce {
			break
		}
		d.until[l.MessageId] = now.Add(hidden)
		messages = append(messages, l.Message)
	}
	return messages, again
}

// never hides a withdrawn message for good.
const never = 100 * 365 * 24 * time.Hour

// withdraw makes sure that a message doesn't reach its node any more. It can't where the message may have done so already:
// it was given out, or posted before the region came up.
func (d *desk) withdraw(l letter) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, given := d.until[l.MessageId]; given || l.Posted.Before(d.opened) {
		return false
	}
	if d.until == nil {
		d.until = map[string]time.Time{}
	}
	d.until[l.MessageId] = l.Posted.Add(never)
	return true
}

// forget drops a settled message. Withdrawn ones stay: a poll may hold an older view of the mailbox.
func (d *desk) forget(l string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.until[l].Sub(now) < never/2 {
		delete(d.until, l)
	}
}
