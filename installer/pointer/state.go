package pointer

import (
	"crypto/sha256"
	"errors"
	"strconv"
	"strings"

	"github.com/ssm-setup/ssm-setup/installer/host"
)

// Floor is the version word of a target that means the agent a package installed.
const Floor = "floor"

// SlotSize is the size of a slot in bytes; it never changes.
const SlotSize = 1024

// Target is one agent program of this installation.
type Target struct {
	Version string // [Floor], or a four-part version in the store
	Hash    string // SHA-256 of the program as lower-case hex; empty for the floor
}

// OnFloor is the target that means the floor.
func OnFloor() Target { return Target{Version: Floor} }

// IsFloor reports whether t is the floor.
func (t Target) IsFloor() bool { return t.Version == Floor }

// IsZero reports whether t names nothing.
func (t Target) IsZero() bool { return t == Target{} }

// State is what one slot says.
type State struct {
	Sequence  uint64 // grows with every write; 0 = there is no pointer
	Active    Target
	Previous  Target // zero: none
	SetAside  Target // goes to the end of the ring; zero: none
	Floor     string // version of the floor when this was decided; "" = never seen
	Probation bool   // Active has to prove itself; each start costs a token

	extra string // lines with fields of later versions, kept as they are
}

// ErrSlot says that a slot does not hold a whole state.
var ErrSlot = errors.New("the record of the active version is damaged or of an unknown format")

// ErrTooLong says that a state does not fit into a slot.
var ErrTooLong = errors.New("the record of the active version is too long")

const (
	header = "ssm-setup pointer 1\n"
	sumKey = "sum="
)

// Encode writes the state as the [SlotSize] bytes of a slot: lines "key=value", a checksum line, spaces up to the end.
func (s State) Encode() ([]byte, error) {
	text := header +
		"sequence=" + strconv.FormatUint(s.Sequence, 10) + "\n" +
		"active=" + s.Active.text() + "\n" +
		"previous=" + s.Previous.text() + "\n" +
		"aside=" + s.SetAside.text() + "\n" +
		"floor=" + s.Floor + "\n" +
		"probation=" + strconv.FormatBool(s.Probation) + "\n" +
		s.extra
	text += sumKey + host.SHA256Bytes([]byte(text)) + "\n"
	if len(text) >= SlotSize {
		return nil, ErrTooLong
	}
	return []byte(text + strings.Repeat(" ", SlotSize-len(text)-1) + "\n"), nil
}

// Decode reads a slot. Anything but a whole one is [ErrSlot].
func Decode(slot []byte) (State, error) {
	if len(slot) != SlotSize {
		return State{}, ErrSlot
	}
	text := string(slot)
	at := strings.LastIndex(text, "\n"+sumKey)
	if at < 0 || !strings.HasPrefix(text, header) {
		return State{}, ErrSlot
	}
	body, rest := text[:at+1], text[at+1:]
	if strings.TrimRight(rest, " \n") != sumKey+host.SHA256Bytes([]byte(body)) {
		return State{}, ErrSlot
	}
	return decodeBody(body[len(header):])
}

func decodeBody(body string) (s State, err error) {
	for line := range strings.Lines(body) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		switch {
		case !ok:
			return State{}, ErrSlot
		case key == "sequence":
			s.Sequence, err = strconv.ParseUint(value, 10, 64)
		case key == "active":
			s.Active, err = parseTarget(value)
		case key == "previous":
			s.Previous, err = parseTarget(value)
		case key == "aside":
			s.SetAside, err = parseTarget(value)
		case key == "floor":
			s.Floor = value
		case key == "probation":
			s.Probation, err = strconv.ParseBool(value)
		default:
			s.extra += line
		}
		if err != nil {
			return State{}, ErrSlot
		}
	}
	if s.Sequence == 0 || s.Active.IsZero() {
		return State{}, ErrSlot
	}
	return s, nil
}

func (t Target) text() string {
	if t.Hash == "" {
		return t.Version
	}
	return t.Version + " " + t.Hash
}

func parseTarget(text string) (Target, error) {
	if text == "" || text == Floor {
		return Target{Version: text}, nil
	}
	version, hash, _ := strings.Cut(text, " ")
	if !IsVersion(version) || !isHash(hash) {
		return Target{}, ErrSlot
	}
	return Target{Version: version, Hash: hash}, nil
}

func isHash(text string) bool {
	if len(text) != sha256.Size*2 {
		return false
	}
	for _, c := range []byte(text) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
