// Package mailbox holds the messages that wait for nodes: one mailbox per node, whatever lane brings a message to it.
//
// Run Command and its cancels [Mailbox.Post] letters; a lane gives them out and settles them: the control channel of ssmmessages where the
// node has one open ([Mailbox.Open]), else the polls of ec2messages. A letter
// given out is hidden for a while and comes again unless it is settled: acknowledged, failed, deleted, or answered for good. A
// message id stays known when its letter is gone, so that settling twice is no error.
//
// It owns the tables of records "messages.mail" (node id / number → letter) and "messages.ids" (message id → key of its letter).
// Which letters are given out is in memory only: after a restart everything not settled is given out again at once.
//
// What must always be true: a letter that [Mailbox.Withdraw] held back never reaches its node; a letter given out by one lane is hidden
// from the other.
package mailbox

import (
	"encoding/json"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Tables of records.
const (
	mailTable = "messages.mail" // node id / number → letter
	idsTable  = "messages.ids"  // message id → key of its letter
)

// Letter is a message that lies in a node's mailbox until it is settled. Letters are given out in the order they came.
type Letter struct {
	wire.Message
	Posted time.Time
}

// Mailbox holds the letters of all nodes of a region.
type Mailbox struct {
	records  *records.Store
	now      func() time.Time
	given    given
	channels channels
}

// Open opens the mailbox of a region; now is the region's time.
func Open(store *records.Store, now func() time.Time) (*Mailbox, error) {
	m := &Mailbox{records: store, now: now}
	m.given.opened = now()
	return m, store.Prepare(mailTable, idsTable)
}

// Post puts a message into a node's mailbox and ends the wait of its poll once that is on disk.
func (m *Mailbox) Post(tx *records.Tx, node, topic, id string, payload any) error {
	text, err := json.Marshal(payload)
	if err != nil {
		return err
	}
	n, err := records.Number(tx, mailTable)
	if err != nil {
		return err
	}
	key := node + "/" + n
	now := m.now()
	l := Letter{Posted: now, Message: wire.Message{CreatedDate: wire.ISOMillis(now), Destination: node, MessageId: id,
		Payload: string(text), Topic: topic}}
	if err := records.SaveRaw(tx, idsTable, id, key); err != nil {
		return err
	}
	tx.Signal(signalOf(node))
	return records.Save(tx, mailTable, key, l)
}

func signalOf(node string) string { return "mail/" + node }

// Changed returns a channel that is closed when something new lies in a node's mailbox. Take it before [Mailbox.Give].
func (m *Mailbox) Changed(node string) <-chan struct{} { return m.records.Changed(signalOf(node)) }

// Settle removes a message from its mailbox; its id stays known. One settled before is no error.
func (m *Mailbox) Settle(tx *records.Tx, id string) error {
	key := records.Raw(tx, idsTable, id)
	if key == nil {
		return nil
	}
	tx.OnCommit(func() { m.given.forget(id, m.now()) })
	return records.Remove(tx, mailTable, string(key))
}

// Known tells whether there ever was such a message.
func Known(tx *records.Tx, id string) bool { return records.Has(tx, idsTable, id) }

// Unsettled reads a message that is not settled yet.
func Unsettled(tx *records.Tx, id string) (Letter, bool, error) {
	key := records.Raw(tx, idsTable, id)
	if key == nil {
		return Letter{}, false, nil
	}
	return records.Fetch[Letter](tx, mailTable, string(key))
}

// Discard empties a node's mailbox.
func Discard(tx *records.Tx, node string) error {
	for _, key := range records.Keys(tx, mailTable, node+"/") {
		if err := records.Remove(tx, mailTable, key); err != nil {
			return err
		}
	}
	return nil
}

// Waiting are the letters of a node that are not settled, the oldest first.
func Waiting(tx *records.Tx, node string) (waiting []Letter, err error) {
	err = records.Each(tx, mailTable, node+"/", func(_ string, l Letter) bool { waiting = append(waiting, l); return false })
	return waiting, err
}
