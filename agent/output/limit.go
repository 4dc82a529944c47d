package output

import (
	"strings"
	"unicode/utf8"
)

// Sizes in bytes (docs/protocol/runcommand.md, "Fields of a step result"). A cut never splits a
// character: half of one would become three bytes on its way, and push the marker over the limit.
const (
	StreamLimit = 24000 // of standardOutput and standardError each
	ReplyLimit  = 2500  // of output

	streamMarker = "--output truncated--"
	title        = "\n----------ERROR-------\n"
	outputMarker = "\n---Output truncated---"
	errorMarker  = "\n---Error truncated----"
)

// Limit cuts a stream, and makes it text: a byte that is none becomes the character for that. A stream of exactly the limit is cut
// already.
func Limit(stream string) string {
	stream = text(stream)
	if len(stream) < StreamLimit {
		return stream
	}
	return head(stream, StreamLimit-len(streamMarker)) + streamMarker
}

// text replaces bytes that are no text by what they become in JSON.
func text(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	return string([]rune(s))
}

// head is the beginning of a text, at most n bytes of whole characters.
func head(s string, n int) string {
	if n >= len(s) {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Combine makes the output field of both streams: the title stands between them only when there is a stderr, and what
// is too long is cut so that both keep their fair part.
func Combine(stdout, stderr string) string {
	stdout, stderr = text(stdout), text(stderr)
	room := ReplyLimit
	between := ""
	if stderr != "" {
		between = title
		room -= len(title)
	}
	half := room / 2
	switch {
	case len(stdout)+len(stderr) < room:
	case len(stdout) > half && len(stderr) > half:
		keep := (room - len(outputMarker) - len(errorMarker)) / 2
		stdout, stderr = head(stdout, keep)+outputMarker, head(stderr, keep)+errorMarker
	case len(stdout) <= half:
		stderr = cut(stderr, room-len(stdout), errorMarker)
	default:
		stdout = cut(stdout, room-len(stderr), outputMarker)
	}
	return stdout + between + stderr
}

// WithNote puts a note at the end of a text that [Limit] (StreamLimit) or [Combine] (ReplyLimit) made. The note is always whole: of
// a text that leaves no room, more is cut off.
func WithNote(s, note string, limit int) string {
	if len(s)+len(note) < limit || note == "" {
		return s + note
	}
	marker := outputMarker
	if limit == StreamLimit {
		marker = streamMarker
	}
	return cut(strings.TrimSuffix(s, marker), limit-len(note), marker) + note
}

// cut leaves room bytes, the marker counted in.
func cut(s string, room int, marker string) string {
	return head(s, room-len(marker)) + marker
}
