package output

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"time"
	"unicode/utf8"
)

// Sizes of what is sent at once (docs/protocol/runcommand.md, "Files, S3, CloudWatch Logs"): four events of 200,000 bytes stay below
// the service's 1 MiB of a batch, and each below its 256 KiB of an event.
const (
	eventMost = 200000 // bytes
	batchMost = 4      // events
)

// batch is one PutLogEvents.
type batch struct {
	LogGroupName  string  `json:"logGroupName"`
	LogStreamName string  `json:"logStreamName"`
	LogEvents     []event `json:"logEvents"`
	SequenceToken string  `json:"sequenceToken,omitempty"`

	end int64 // how far the file was read
}

type event struct {
	Timestamp int64  `json:"timestamp"` // ms since 1970
	Message   string `json:"message"`
}

// tail reads one stream's file from where it ended when the step began: what an earlier run left there was sent then.
type tail struct {
	path, file, name string // name of the log stream
	start, offset    int64  // sent up to here
	made             bool
	token            string
	open             *os.File
	broken           error // the file cannot be read
	failed           error // why the last attempt did not go through
	buffer           []byte
}

func openTail(path, name string) *tail {
	t := &tail{path: path, file: filepath.Base(path), name: name}
	if t.open, t.broken = os.Open(path); t.broken == nil {
		t.start, t.broken = t.open.Seek(0, io.SeekEnd)
		t.offset = t.start
	}
	return t
}

func (t *tail) close() {
	if t.open != nil {
		t.open.Close()
	}
	t.buffer = nil
}

func (t *tail) sent(b batch) { t.offset, t.failed = b.end, nil }

// read makes a batch of whole lines; in the end also of the line that was not ended.
func (t *tail) read(ending bool) batch {
	b := batch{end: t.offset}
	for len(b.LogEvents) < batchMost && t.broken == nil {
		raw := t.next(b.end, ending)
		if len(raw) == 0 {
			break
		}
		b.end += int64(len(raw))
		b.LogEvents = append(b.LogEvents, event{time.Now().UnixMilli(), plain(raw)})
	}
	return b
}

// plain is what an event says of raw bytes.
func plain(raw []byte) string {
	return text(string(bytes.ReplaceAll(raw, []byte("\r\n"), []byte("\n"))))
}

// next is the file's next piece from at.
func (t *tail) next(at int64, ending bool) []byte {
	if t.buffer == nil {
		t.buffer = make([]byte, eventMost)
	}
	n, err := t.open.ReadAt(t.buffer, at)
	if err != nil && !errors.Is(err, io.EOF) {
		t.broken = err
		return nil
	}
	full := n == eventMost
	raw := piece(t.buffer[:n], ending && !full, full)
	if len(plain(raw)) > eventMost { // bytes that are no text become three each
		raw = piece(raw[:eventMost/3], false, true)
	}
	return raw
}

// piece is the part of b that makes an event: whole lines; all of it at the end of the stream; where b is as much as an event takes and
// still no whole line, whole characters.
func piece(b []byte, all, full bool) []byte {
	if all {
		return b
	}
	if end := bytes.LastIndexByte(b, '\n'); end >= 0 {
		return b[:end+1]
	}
	if !full {
		return nil
	}
	end := len(b)
	for back := 1; back < utf8.UTFMax && back < end; back++ {
		if last := b[end-back:]; utf8.RuneStart(last[0]) {
			if !utf8.FullRune(last) {
				end -= back
			}
			break
		}
	}
	if b[end-1] == '\r' {
		end--
	}
	return b[:end]
}
