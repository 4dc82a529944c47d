package output

// Sizes in bytes (docs/protocol/runcommand.md, "Fields of a step result"). Cuts are made between bytes and may split a character.
const (
	StreamLimit = 24000 // of standardOutput and standardError each
	ReplyLimit  = 2500  // of output

	streamMarker = "--output truncated--"
	title        = "\n----------ERROR-------\n"
	outputMarker = "\n---Output truncated---"
	errorMarker  = "\n---Error truncated----"
)

// Limit cuts a stream. A stream of exactly the limit is cut already.
func Limit(stream string) string {
	if len(stream) < StreamLimit {
		return stream
	}
	return stream[:StreamLimit-len(streamMarker)] + streamMarker
}

// Combine makes the output field of both streams: the title stands between them only when there is a stderr, and what
// is too long is cut so that both keep their fair part.
func Combine(stdout, stderr string) string {
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
		stdout, stderr = stdout[:keep]+outputMarker, stderr[:keep]+errorMarker
	case len(stdout) <= half:
		stderr = cut(stderr, room-len(stdout), errorMarker)
	default:
		stdout = cut(stdout, room-len(stderr), outputMarker)
	}
	return stdout + between + stderr
}

// cut leaves room bytes, the marker counted in.
func cut(s string, room int, marker string) string {
	return s[:min(len(s), room-len(marker))] + marker
}
