package updater

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
)

// slotSize is the size of one of the ledger's two slots, in bytes; it never changes.
const slotSize = 64 << 10

const slotHead = "ssm-setup ledger 1 " // then the length of the JSON text, a space, its SHA-256, a newline, the text, spaces

// ErrLedger says that neither slot of the ledger holds a whole record.
var ErrLedger = errors.New("ledger is damaged")

// ReadLedger reads the ledger, also while an updater writes it. A host that never had an update has an empty one.
func ReadLedger(l installer.Layout) (Ledger, error) {
	led, _, err := readLedger(l.Ledger())
	return led, err
}

// readLedger returns the newest whole record and its slot; slot -1 where there is none yet.
func readLedger(path string) (led Ledger, slot int, err error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return Ledger{}, -1, nil
	}
	if err != nil {
		return Ledger{}, -1, err
	}
	slot = -1
	blank := len(b) > 0
	for i := 0; (i+1)*slotSize <= len(b) && i < 2; i++ {
		part := b[i*slotSize : (i+1)*slotSize]
		found, err := decodeSlot(part)
		if err == nil && (slot < 0 || found.Revision > led.Revision) {
			led, slot = found, i
		}
		blank = blank && len(bytes.TrimSpace(part)) == 0
	}
	if slot < 0 && !blank {
		return Ledger{}, -1, fmt.Errorf("%w: %s", ErrLedger, path)
	}
	return led, slot, nil
}

func encodeSlot(led Ledger) ([]byte, error) {
	text, err := json.Marshal(led)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(text)
	head := slotHead + strconv.Itoa(len(text)) + " " + hex.EncodeToString(sum[:]) + "\n"
	if len(head)+len(text) > slotSize {
		return nil, fmt.Errorf("ledger needs %d bytes, its slot has %d", len(head)+len(text), slotSize)
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
		return Ledger{}, ErrLedger
	}
	if got := sha256.Sum256(rest[:n]); hex.EncodeToString(got[:]) != sum {
		return Ledger{}, ErrLedger
	}
	err = json.Unmarshal(rest[:n], &led)
	return led, err
}

// book is the ledger in the hands of the holder of the update lock.
type book struct {
	path string
	slot int
	Ledger
}

// openBook reads the ledger and gives the file its full size. A damaged one is begun anew: what matters for the safety of the
// host is in the pointer.
func openBook(l installer.Layout) (*book, error) {
	b := &book{path: l.Ledger()}
	led, slot, err := readLedger(b.path)
	if err != nil && !errors.Is(err, ErrLedger) {
		return nil, err
	}
	b.Ledger, b.slot = led, slot
	if info, err := os.Stat(b.path); err == nil && info.Mode().IsRegular() && info.Size() == 2*slotSize {
		return b, nil
	}
	if err := os.MkdirAll(filepath.Dir(b.path), 0o755); err != nil {
		return nil, err
	}
	b.slot = -1
	return b, host.WriteFile(b.path, bytes.Repeat([]byte{' '}, 2*slotSize), 0o600)
}

// save writes the ledger over its older slot. synced: only then is it there after a power cut; progress need not be.
func (b *book) save(synced bool) error {
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
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("write the ledger: %w", err)
	}
	b.slot = next
	return nil
}
