package journal

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// memory is how long a received command is remembered (docs/protocol/runcommand.md, "De-duplication").
const memory = 30 * time.Minute

func (j *Journal) seen(documentType string) string {
	return filepath.Join(j.dir, "idempotency", documentType)
}

// Seen tells whether a command was received within the last half hour, or so.
func (j *Journal) Seen(documentType string, id host.Name) bool {
	if id.IsZero() {
		return false
	}
	_, err := os.Stat(id.In(j.seen(documentType)))
	return err == nil
}

// Remember says that a received command came once more: its half hour begins anew, so that a service that never learns of it
// does not have it run twice.
func (j *Journal) Remember(documentType string, id host.Name, now time.Time) {
	if !id.IsZero() {
		_ = os.Chtimes(id.In(j.seen(documentType)), now, now) // at worst it is forgotten as if it had not come
	}
}

// Mark remembers a command as received.
func (j *Journal) Mark(documentType string, id host.Name) error {
	if id.IsZero() {
		return ErrName
	}
	if err := os.MkdirAll(id.In(j.seen(documentType)), 0o700); err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	return nil
}

// Forget is one pass that drops what was received more than half an hour before now. Open says what must stay: a command that still
// runs. The original drops 200 of a type at most; with passes 10 minutes apart its folder grows without end above 1,200 commands an hour.
func (j *Journal) Forget(now time.Time, open func(id string) bool) {
	j.removeAnswered()
	for _, documentType := range []string{SendCommand, CancelCommand} {
		entries, _ := os.ReadDir(j.seen(documentType))
		for _, e := range entries {
			info, err := e.Info()
			if err != nil || now.Sub(info.ModTime()) <= memory || open(e.Name()) {
				continue
			}
			os.Remove(filepath.Join(j.seen(documentType), e.Name()))
		}
	}
}
