package wire

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Frame is one message of a channel of ssmmessages (docs/protocol/session.md, "Frame layout (all integers big-endian)"). All numbers are
// big-endian; the payload's digest is SHA-256 and is made by [Frame.Bytes].
type Frame struct {
	Type        string    // at most 32 bytes of ASCII, such as [FrameJob]
	Schema      uint32    // schema version: 1
	Created     time.Time // in milliseconds
	Sequence    int64
	Flags       uint64 // bit 0 SYN, bit 1 FIN; never looked at
	ID          string // UUID in its usual form
	PayloadType uint32 // 0: no stream
	Payload     []byte
}

// Places in a frame (docs/protocol/session.md, "Frame layout (all integers big-endian)").
const (
	frameType     = 4
	frameSchema   = 36
	frameCreated  = 40
	frameSequence = 48
	frameFlags    = 56
	frameID       = 64
	frameDigest   = 80
	framePayload  = 112 // the payload's type
	frameHeader   = 116 // the payload's length: the header's length says where it stands
	frameFixed    = 120 // bytes before the payload
)

// Types of frames on a control channel (docs/protocol/session.md, "Control channel").
const (
	FrameJob      = "agent_job"
	FrameJobAck   = "agent_job_ack"
	FrameReply    = "agent_job_reply"
	FrameReplyAck = "agent_job_reply_ack"
)

// undated are the types of frames that the protocol lets go without a date.
var undated = []string{"start_publication", "pause_publication"}

// NewFrame is a frame of a control channel: version 1, number and flags 0.
func NewFrame(kind, id string, created time.Time, payload []byte) Frame {
	return Frame{Type: kind, Schema: 1, Created: created, ID: id, Payload: payload}
}

// Bytes is the frame as it is sent. The error says that type or id have no place in it.
func (f Frame) Bytes() ([]byte, error) {
	id, err := parseUUID(f.ID)
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot write a %s: %w", f.Type, err)
	case f.Type == "" || len(f.Type) > frameSchema-frameType:
		return nil, fmt.Errorf("cannot write a frame of type %q: it takes 1 to %d bytes", f.Type, frameSchema-frameType)
	}
	b := make([]byte, frameFixed, frameFixed+len(f.Payload))
	binary.BigEndian.PutUint32(b, frameHeader)
	copy(b[frameType:], f.Type+strings.Repeat(" ", frameSchema-frameType-len(f.Type)))
	binary.BigEndian.PutUint32(b[frameSchema:], f.Schema)
	binary.BigEndian.PutUint64(b[frameCreated:], uint64(f.Created.UnixMilli()))
	binary.BigEndian.PutUint64(b[frameSequence:], uint64(f.Sequence))
	binary.BigEndian.PutUint64(b[frameFlags:], f.Flags)
	copy(b[frameID:], id[8:])
	copy(b[frameID+8:], id[:8])
	digest := sha256.Sum256(f.Payload)
	copy(b[frameDigest:], digest[:])
	binary.BigEndian.PutUint32(b[framePayload:], f.PayloadType)
	binary.BigEndian.PutUint32(b[frameHeader:], uint32(len(f.Payload)))
	return append(b, f.Payload...), nil
}

// ErrFrame says that bytes are no frame; what is wrong is in the text.
var ErrFrame = errors.New("no frame")

// ParseFrame reads one message of a channel. The rest of it after the header is the payload, whatever its length is said to be; a length
// that is not 0 has the digest checked (docs/protocol/session.md, "Parsing and validation"). The payload shares b's memory.
func ParseFrame(b []byte) (Frame, error) {
	if len(b) < frameFixed {
		return Frame{}, fmt.Errorf("%w: %d bytes are too few", ErrFrame, len(b))
	}
	if n := binary.BigEndian.Uint32(b); n != frameHeader {
		return Frame{}, fmt.Errorf("%w: the header's length is %d, not %d", ErrFrame, n, frameHeader)
	}
	var id [16]byte
	copy(id[:], b[frameID+8:frameDigest])
	copy(id[8:], b[frameID:frameID+8])
	created := binary.BigEndian.Uint64(b[frameCreated:])
	f := Frame{
		Type:        strings.TrimSpace(strings.Trim(string(b[frameType:frameSchema]), "\x00")),
		Schema:      binary.BigEndian.Uint32(b[frameSchema:]),
		Created:     time.UnixMilli(int64(created)),
		Sequence:    int64(binary.BigEndian.Uint64(b[frameSequence:])),
		Flags:       binary.BigEndian.Uint64(b[frameFlags:]),
		ID:          uuidText(id),
		PayloadType: binary.BigEndian.Uint32(b[framePayload:]), Payload: b[frameFixed:],
	}
	switch digest := sha256.Sum256(f.Payload); {
	case f.Type == "":
		return Frame{}, fmt.Errorf("%w: MessageType is missing", ErrFrame)
	case created == 0 && f.Type != undated[0] && f.Type != undated[1]:
		return Frame{}, fmt.Errorf("%w: CreatedDate is missing", ErrFrame)
	case binary.BigEndian.Uint32(b[frameHeader:]) != 0 && string(digest[:]) != string(b[frameDigest:framePayload]):
		return Frame{}, fmt.Errorf("%w: payload Hash is not valid", ErrFrame)
	}
	return f, nil
}

// uuidText is the usual form of a UUID: groups of 8, 4, 4, 4 and 12 hex digits.
func uuidText(b [16]byte) string {
	h := hex.EncodeToString(b[:])
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:]
}

func parseUUID(text string) (b [16]byte, err error) {
	raw, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(raw) != len(b) || uuidText([16]byte(raw)) != strings.ToLower(text) {
		return b, fmt.Errorf("%q is no UUID", text)
	}
	return [16]byte(raw), nil
}
