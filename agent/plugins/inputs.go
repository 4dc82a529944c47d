package plugins

import (
	"math"
	"strconv"
)

// scriptInputs are the inputs of script-like actions (docs/protocol/runcommand.md, "aws:runShellScript").
type scriptInputs struct {
	RunCommand       lines             `json:"runCommand"`
	WorkingDirectory string            `json:"workingDirectory"`
	TimeoutSeconds   any               `json:"timeoutSeconds"`
	Environment      map[string]string `json:"environment"`
	ID               string            `json:"id"`
}

// Limits of timeoutSeconds; anything outside or unreadable means the default.
const (
	minSeconds     = 5
	maxSeconds     = 172800
	defaultSeconds = 3600
)

// seconds reads timeoutSeconds: an integer, numeric text or a number that is cut to its whole part.
func seconds(v any) int {
	var n float64
	switch v := v.(type) {
	case float64:
		n = v
	case string:
		var err error
		if n, err = strconv.ParseFloat(v, 64); err != nil {
			return defaultSeconds
		}
	default:
		return defaultSeconds
	}
	n = math.Trunc(n)
	if !(n >= minSeconds && n <= maxSeconds) {
		return defaultSeconds
	}
	return int(n)
}
