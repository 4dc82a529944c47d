package machine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheActivationCodeComesFromAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "code")
	for text, want := range map[string]string{"abcdefghijklmnopqrst\n": "abcdefghijklmnopqrst",
		`{"ActivationId":"i","ActivationCode":"fromjson"}`: "fromjson"} {
		os.WriteFile(file, []byte(text), 0o600)
		if got, err := firstLine(file, nil); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
		if got, err := firstLine("-", strings.NewReader(text)); err != nil || got != want {
			t.Errorf("stdin %q: %q, %v", text, got, err)
		}
	}
}
