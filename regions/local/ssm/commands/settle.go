package commands

import (
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Settle lets pass what is due: messages not delivered in time, and answers waited for too long.
func (tr *Tracker) Settle() error {
	now := tr.now()
	isDue := func(key string) bool { return key[:16] <= records.Sortable(now.UnixNano()) }
	var nothing bool
	err := tr.records.View(func(tx *records.Tx) error {
		first, any := records.First(tx, deadlinesTable)
		nothing = !any || !isDue(first)
		return nil
	})
	if err != nil || nothing {
		return err
	}
	return tr.records.Update(func(tx *records.Tx) error {
		for _, key := range records.Keys(tx, deadlinesTable, "") {
			if !isDue(key) {
				break
			}
			if err := tr.overdue(tx, key[strings.IndexByte(key, '/')+1:], now); err != nil {
				return err
			}
			if err := records.Remove(tx, deadlinesTable, key); err != nil {
				return err
			}
		}
		return nil
	})
}

// overdue gives up what a command has not delivered by its deadline, and everything open when it expires.
func (tr *Tracker) overdue(tx *records.Tx, id string, now time.Time) error {
	cmd, ok, err := records.Fetch[command](tx, commandsTable, id)
	if err != nil || !ok {
		return err
	}
	for _, instance := range cmd.Order {
		s := cmd.Standing[instance]
		if s.final() || s.Status != pending && now.Before(cmd.Expires) {
			continue
		}
		if err := tr.mail.Settle(tx, wire.MessageID(id, instance)); err != nil {
			return err
		}
		if s.Status == cancelling {
			cmd.advance(instance, wire.Cancelled, wire.Cancelled)
		} else {
			cmd.advance(instance, wire.TimedOut, deliveryTimedOut)
		}
	}
	tx.Signal(signalOf(id))
	return records.Save(tx, commandsTable, id, cmd)
}
