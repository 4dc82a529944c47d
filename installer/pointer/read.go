package pointer

import (
	"errors"
	"io"
	"os"
)

// ErrNone says that no slot holds a whole state: the machine runs its floor.
var ErrNone = errors.New("no record of the active version")

// Read returns what counts: the whole slot with the higher sequence. Without one it returns the floor under sequence 0, with an
// error that wraps [ErrNone] and says why.
func Read(p Paths) (State, error) {
	var best State
	var why error
	for i := range 2 {
		s, err := ReadSlot(p.Slot(i))
		if err != nil {
			why = errors.Join(why, err)
		} else if s.Sequence > best.Sequence {
			best = s
		}
	}
	if best.Sequence == 0 {
		return State{Active: OnFloor()}, errors.Join(ErrNone, why)
	}
	return best, nil
}

// ReadSlot reads one slot. A torn one is [ErrSlot]; one that is not there is fs.ErrNotExist.
func ReadSlot(path string) (State, error) {
	f, err := os.Open(path)
	if err != nil {
		return State{}, err
	}
	defer f.Close()
	buf := make([]byte, SlotSize+1)
	n, err := io.ReadFull(f, buf)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return State{}, err
	}
	return Decode(buf[:n])
}
