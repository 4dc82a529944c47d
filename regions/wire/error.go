package wire

import (
	"encoding/json"
	"strings"
)

// Error is the error body of AWS JSON 1.1: {"__type":"<Code>","message":"<text>"} (docs/protocol/identity.md, "Common to all calls").
type Error struct {
	Code    string
	Message string
}

func (e Error) Error() string { return e.Code + ": " + e.Message }

// MarshalJSON writes the form the services send.
func (e Error) MarshalJSON() ([]byte, error) {
	return json.Marshal(struct {
		Type    string `json:"__type"`
		Message string `json:"message"`
	}{e.Code, e.Message})
}

// ParseError reads an error body; "<namespace>#<Code>" and both spellings of message are accepted. ok is false when the
// body names no code (an HTML page of a proxy, for example).
func ParseError(body []byte) (e Error, ok bool) {
	var raw struct {
		Type    string `json:"__type"`
		Code    string `json:"code"`
		Message string `json:"message"` // also matches "Message"
	}
	if json.Unmarshal(body, &raw) != nil {
		return Error{}, false
	}
	code := raw.Type
	if code == "" {
		code = raw.Code
	}
	if i := strings.LastIndexByte(code, '#'); i >= 0 {
		code = code[i+1:]
	}
	if i := strings.IndexByte(code, ':'); i >= 0 {
		code = code[:i]
	}
	return Error{Code: code, Message: raw.Message}, code != ""
}
