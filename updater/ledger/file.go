package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
)

// slotSize is the size of one of the ledger's two slots, in bytes; it never changes.
const slotSize = 64 << 10

const slotHead = "ssm-setup ledger 1 " // then the length of the JSON text, a space, its SHA-256, a newline, the text, spaces

// ErrDamaged says that neither slot of the ledger holds a whole record.
var ErrDamaged = errors.New("the update record is damaged")

// Read reads the ledger, also while an updater writes it. A host that never had an update has an empty one.
func Read(l installer.Layout) (led Ledger, err error) {
	for range 3 {
		var torn bool
		if led, _, torn, err = readLedger(l.Ledger()); !torn {
			break
		}
		time.Sleep(2 * time.Millisecond) // it met a write half done, or there was a power Cut in one
	}
	return led, err
}

// readLedger returns the newest whole record and its slot; slot -1 where there is none yet. torn: a slot holds something else.
func readLedger(path string) (led Ledger, slot int, torn bool, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Ledger{}, -1, false, nil
	}
	if err != nil {
		return Ledger{}, -1, false, err
	}
	slot = -1
	torn = len(b) < 2*slotSize
	blank := 0
	for i := 0; (i+1)*slotSize <= len(b) && i < 2; i++ {
		part := b[i*slotSize : (i+1)*slotSize]
		found, err := decodeSlot(part)
		switch {
		case err != nil && len(bytes.TrimSpace(part)) == 0:
			blank++
		case err != nil:
			torn = true
		case slot < 0 || found.Revision > led.Revision:
			led, slot = found, i
		}
	}
	if slot < 0 && torn && blank == 0 { // beside a blank slot it is the first record that is torn: there was none yet
		return Ledger{}, -1, torn, fmt.Errorf("%w: %s", ErrDamaged, path)
	}
	return led, slot, torn, nil
}

func encodeSlot(led Ledger) ([]byte, error) {
	text, err := json.Marshal(led)
	if err != nil {
		return nil, err
	}
	head := slotHead + strconv.Itoa(len(text)) + " " + host.SHA256Bytes(text) + "\n"
	if len(head)+len(text) > slotSize {
		return nil, fmt.Errorf("the update record needs %d bytes, there is room for %d", len(head)+len(text), slotSize)
	}
	b := bytes.Repeat([]byte{' '}, slotSize)
	copy(b[copy(b, head):], text)
	return b, nil
}

func decodeSlot(b []byte) (led Ledger, err error) {
	head, rest, ok := bytes.Cut(b, []byte("\n"))
	size, sum, ok2 := strings.Cut(strings.TrimPrefix(string(head), slotHead), " ")
	n, err := strconv.Atoi(size)
	if !ok || !ok2 || err != nil || n < 0 || n > len(rest) {
		return Ledger{}, ErrDamaged
	}
	if host.SHA256Bytes(rest[:n]) != sum {
		return Ledger{}, ErrDamaged
	}
	err = json.Unmarshal(rest[:n], &led)
	return led, err
}

// File is the ledger in the hands of the holder of the update lock.
type File struct {
	layout installer.Layout
	path   string // of the ledger
	slot   int    // of the last record that is on the disk for certain; -1: there is none
	sync   func(*os.File) error
	Ledger
}

// Open reads the ledger and gives the file its full size. A damaged one is begun anew: what matters for the safety of the
// host is in the pointer. What an updater before left unsynced is synced, so that the record found is one that lasts.
func Open(l installer.Layout) (*File, error) {
	b := &File{layout: l, path: l.Ledger(), sync: (*os.File).Sync}
	led, slot, _, err := readLedger(b.path)
	if err != nil && !errors.Is(err, ErrDamaged) {
		return nil, err
	}
	b.Ledger, b.slot = led, slot
	if info, err := os.Stat(b.path); err == nil && info.Mode().IsRegular() && info.Size() == 2*slotSize {
		return b, syncFile(b.path)
	}
	if err := os.MkdirAll(filepath.Dir(b.path), 0o755); err != nil {
		return nil, err
	}
	b.slot = -1
	return b, host.WriteFile(b.path, bytes.Repeat([]byte{' '}, 2*slotSize), 0o600)
}

func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Save writes the ledger, never over the record that is on the disk for certain. synced: only then is it there after a power Cut;
// progress need not be, and takes its turn in the other slot again and again: a power Cut may tear that one, no more.
func (b *File) Save(synced bool) error {
	b.Revision++
	text, err := encodeSlot(b.Ledger)
	if err != nil {
		return err
	}
	next := 0
	if b.slot == 0 {
		next = 1
	}
	f, err := os.OpenFile(b.path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(text, int64(next)*slotSize)
	if err == nil && synced {
		err = b.sync(f)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the update record: %w", err)
	}
	if synced {
		b.slot = next
	}
	return nil
}

// Enter enters a request as the open update, at the time now, and removes the file that handed it over. A command that was taken before is
// entered no second time: then none is open. After an error the record does not have the request either.
func (b *File) Enter(r Request, now time.Time) error {
	accepted := slices.Clone(b.Accepted)
	if r.ReplyTo != nil && !b.NoteAccepted(r.ReplyTo.MessageID) {
		Withdraw(b.layout, r.ID)
		return nil
	}
	b.Open = &Update{ID: r.ID, Request: r, Stop: StopAsk, Since: now, Moved: now, Started: now, PID: os.Getpid()}
	if err := b.Save(true); err != nil && !b.entered(accepted) {
		return err
	}
	Withdraw(b.layout, r.ID)
	return nil
}

// entered tells, after a failure to write a request down, whether the record has it all the same, so that answer and record agree: it
// takes the request out again, and where that fails too, the record that every other updater reads decides.
func (b *File) entered(accepted []string) bool {
	open := b.Open
	b.Open, b.Accepted = nil, accepted
	if b.Save(true) == nil {
		return false
	}
	led, err := Read(b.layout)
	if err != nil || led.Open == nil || led.Open.ID != open.ID {
		return false
	}
	b.Open, b.Accepted = open, led.Accepted
	return true
}
