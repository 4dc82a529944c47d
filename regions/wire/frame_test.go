package wire_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/wire"
)

const (
	uuidU = "01234567-89ab-4cde-8f01-23456789abcd"
	uuidV = "dd01e56b-ff48-483e-a508-b5f073f31b16"
)

// vector is a row of docs/protocol/session.md, "Test vectors": a frame and the SHA-256 of its bytes. Head is the beginning of the bytes.
type vector struct {
	name, sum, head string
	frame           wire.Frame
}

func vectors() []vector {
	at := time.UnixMilli(1700000000000)
	f := func(kind string, sequence int64, flags uint64, id string, payloadType uint32, payload string) wire.Frame {
		return wire.Frame{Type: kind, Schema: 1, Created: at, Sequence: sequence, Flags: flags, ID: id, PayloadType: payloadType,
			Payload: []byte(payload)}
	}
	return []vector{
		{"A", "1aecf52d4a5a6adf0c2ba9f8386c66e2f47135cece78333104a34a9daed40919",
			"000000746f75747075745f73747265616d5f64617461" + strings.Repeat("20", 14) + "00000001" +
				"0000018bcfe56800000000000000000000000000000000018f0123456789abcd0123456789ab4cde" +
				"d72bb126e97494efa6f39f306aa2c2c2c71725978c7d8486294ae708817119cd0000000100000008" + "73682d342e322420",
			f("output_stream_data", 0, 1, uuidU, 1, "sh-4.2$ ")},
		{"B", "606a13e3e9310915862be51d31e30473e60f876184e5c524362e038787caf305",
			"00000074696e7075745f73747265616d5f64617461", f("input_stream_data", 0, 0, uuidU, 3, `{"cols":80,"rows":24}`)},
		{"C", "457ef8e7633e23ede9be35de5368f1cf79dcac20b7e6f4fabb27b7f9f5e56bf4", "0000007461636b6e6f776c65646765",
			f("acknowledge", 0, 3, uuidV, 0, `{"AcknowledgedMessageType":"output_stream_data","AcknowledgedMessageId":"`+uuidU+
				`","AcknowledgedMessageSequenceNumber":0,"IsSequentialMessage":true}`)},
		{"D", "5b308ba87687cc9a38da67be24d9d3b890d66fd7f725499f1ef8cb3c61489185", "000000746167656e745f73657373696f6e5f7374617465",
			f("agent_session_state", 0, 3, uuidV, 0, `{"SchemaVersion":1,"SessionState":"Connected","SessionId":"user-0a1b2c3d4e5f67890"}`)},
		{"E", "f903edf8fc8872b1bb53639a624a066596b6707ced39a905150b66d8590b3b89", "00000074696e7075745f73747265616d5f64617461",
			f("input_stream_data", 7, 0, uuidU, 10, "\x00\x00\x00\x02")},
		{"F", "7dea8211a2100ac7b66c28beb84e7034db97b85ad8ffa07f49dc69d3bc164792", "000000746368616e6e656c5f636c6f736564",
			f("channel_closed", 0, 3, uuidV, 0, `{"MessageType":"channel_closed","MessageId":"`+uuidV+
				`","DestinationId":"i-0123456789abcdef0","SessionId":"user-0a1b2c3d4e5f67890","SchemaVersion":1,"CreatedDate":"1700000000000"}`)},
	}
}

// Vectors A to F, written and read back.
func TestFramesAreByteForByteThoseOfTheProtocol(t *testing.T) {
	for _, v := range vectors() {
		b, err := v.frame.Bytes()
		if sum := sha256.Sum256(b); err != nil || hex.EncodeToString(sum[:]) != v.sum || !strings.HasPrefix(hex.EncodeToString(b), v.head) {
			t.Errorf("%s: %v\n%x\n%x", v.name, err, sum, b)
		}
		got, err := wire.ParseFrame(b)
		if err != nil || got.Type != v.frame.Type || got.Schema != 1 || !got.Created.Equal(v.frame.Created) ||
			got.Sequence != v.frame.Sequence || got.Flags != v.frame.Flags || got.ID != v.frame.ID ||
			got.PayloadType != v.frame.PayloadType || string(got.Payload) != string(v.frame.Payload) {
			t.Errorf("%s: %+v, %v", v.name, got, err)
		}
	}
}

// broken is vector A with bytes exchanged at a place.
func broken(t *testing.T, at int, with ...byte) []byte {
	t.Helper()
	b, err := vectors()[0].frame.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	copy(b[at:], with)
	return b
}

// docs/protocol/session.md, "Parsing and validation": what is no frame is an error, whatever its length fields say.
func TestWhatIsNoFrameIsAnError(t *testing.T) {
	whole := broken(t, 0)
	length := func(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }
	for name, b := range map[string][]byte{
		"nothing": nil, "119 bytes": whole[:119], "header length 0": broken(t, 0, length(0)...),
		"header length 0xffffffff": broken(t, 0, length(0xffffffff)...), "header length - 1": broken(t, 0, length(115)...),
		"header length + 1": broken(t, 0, length(117)...), "header as long as the message": broken(t, 0, length(uint32(len(whole)))...),
		"no type": broken(t, 4, bytes.Repeat([]byte(" "), 32)...), "no date": broken(t, 40, make([]byte, 8)...),
		"digest of something else": broken(t, 80, 0),
	} {
		if f, err := wire.ParseFrame(b); !errors.Is(err, wire.ErrFrame) {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}

func TestAFrameIsReadAsLenientlyAsByTheOriginals(t *testing.T) {
	padded := broken(t, 4, append([]byte("output_stream_data"), make([]byte, 14)...)...)
	if f, err := wire.ParseFrame(padded); err != nil || f.Type != "output_stream_data" {
		t.Errorf("padded with NUL: %+v, %v", f, err)
	}
	unsaid := broken(t, 80, make([]byte, 32)...)
	copy(unsaid[116:], []byte{0, 0, 0, 0})
	if f, err := wire.ParseFrame(unsaid); err != nil || string(f.Payload) != "sh-4.2$ " {
		t.Errorf("no length, no digest: %+v, %v", f, err)
	}
	empty := broken(t, 116, 0, 0, 0, 0)[:120]
	if f, err := wire.ParseFrame(empty); err != nil || len(f.Payload) != 0 {
		t.Errorf("no payload: %+v, %v", f, err)
	}
	start := broken(t, 4, append([]byte("start_publication"), bytes.Repeat([]byte(" "), 15)...)...)
	copy(start[40:], make([]byte, 8))
	if _, err := wire.ParseFrame(start); err != nil {
		t.Errorf("start_publication without a date: %v", err)
	}
}

func TestAFrameThatHasNoFormIsNotWritten(t *testing.T) {
	for _, f := range []wire.Frame{wire.NewFrame("", uuidU, time.Now(), nil), wire.NewFrame(strings.Repeat("x", 33), uuidU, time.Now(), nil),
		wire.NewFrame("x", "0123", time.Now(), nil), wire.NewFrame("x", strings.ReplaceAll(uuidU, "-", ""), time.Now(), nil)} {
		if b, err := f.Bytes(); err == nil {
			t.Errorf("%+v: %x", f, b)
		}
	}
}

// docs/protocol/runcommand.md, "Message types and payloads", byte for byte.
func TestPayloadsOfTheControlChannelAreByteForByteThoseOfTheProtocol(t *testing.T) {
	const job = "aws.ssm.2b196342-d7d4-436e-8f09-3883a1116ac3.i-0123456789abcdef0"
	check(t, wire.AgentJob{Content: `{"CancelMessageId":"x"}`, JobId: job, Topic: wire.TopicSendCommand, SchemaVersion: 1},
		`{"Content":"{\"CancelMessageId\":\"x\"}","JobId":"`+job+`","Topic":"aws.ssm.sendCommand","SchemaVersion":1}`)
	check(t, wire.AgentJobAck{JobID: job, Acknowledged: uuidU, CreatedDate: wire.ISOMillis(time.UnixMilli(1503434274948)),
		StatusCode: wire.JobAccepted.Code, ErrorMessage: wire.JobAccepted.Message},
		`{"jobId":"`+job+`","acknowledgedMessageId":"`+uuidU+`","createdDate":"2017-08-22T20:37:54.948Z","statusCode":"200",`+
			`"errorMessage":"Successful"}`)
	check(t, wire.AgentJobReply{SchemaVersion: 1, JobID: job, Content: `{}`, Topic: wire.TopicSendCommand},
		`{"schemaVersion":1,"jobId":"`+job+`","content":"{}","topic":"aws.ssm.sendCommand"}`)
	check(t, wire.AgentJobReplyAck{JobID: job, Acknowledged: uuidU}, `{"jobId":"`+job+`","acknowledgedMessageId":"`+uuidU+`"}`)
	check(t, wire.OpenControlChannel{MessageSchemaVersion: "1.0", RequestId: uuidU, TokenValue: "t", AgentVersion: "3.3.987.0",
		PlatformType: "linux"}, `{"Cookie":null,"MessageSchemaVersion":"1.0","RequestId":"`+uuidU+
		`","TokenValue":"t","AgentVersion":"3.3.987.0","PlatformType":"linux"}`)
	check(t, wire.CreateChannelInput{MessageSchemaVersion: "1.0", RequestId: uuidU}, `{"MessageSchemaVersion":"1.0","RequestId":"`+uuidU+`"}`)
}

// Any bytes are a frame or an error, and a frame that was read is written as it was, padding and unsaid lengths aside.
func FuzzFrames(f *testing.F) {
	for _, v := range vectors() {
		b, _ := v.frame.Bytes()
		f.Add(b)
		f.Add(b[:119])
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		frame, err := wire.ParseFrame(b)
		if err != nil {
			return
		}
		again, err := frame.Bytes()
		if err != nil {
			t.Fatalf("%+v is not written: %v", frame, err)
		}
		if binary.BigEndian.Uint32(b[116:]) == uint32(len(b)-120) && bytes.Equal(b[4:36], again[4:36]) && len(b) > 120 && !bytes.Equal(b, again) {
			t.Fatalf("%x became %x", b, again)
		}
	})
}
