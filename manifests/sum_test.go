package manifests_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests"
)

func TestChecksumThatIsNotSixtyFourHexDigitsIsNone(t *testing.T) {
	right := strings.Repeat("0123456789abcdef", 4)
	for _, text := range []string{right, strings.ToUpper(right)} {
		if s, err := (manifests.FileVersion{Checksum: text}).Sum(); err != nil || s.String() != right {
			t.Errorf("%s: %v, %v", text, s, err)
		}
	}
	climbing := "../../etc/" + strings.Repeat("a", 54)
	for _, text := range []string{"", "aa", climbing, right[:63], right + "0", right[:63] + "\n", " " + right[:63], right[:62] + "é",
		right[:63] + "/"} {
		s, err := (manifests.FileVersion{Version: "9.1.0.0", Checksum: text}).Sum()
		if !errors.Is(err, manifests.ErrSum) || !s.IsZero() {
			t.Errorf("%q: %v, %v", text, s, err)
		}
		if errors.Is(err, manifests.ErrSum) && strings.ContainsAny(err.Error(), "\n") {
			t.Errorf("%q: raw in the error: %q", text, err)
		}
		var read struct{ Sum manifests.Sum }
		content, _ := json.Marshal(map[string]string{"Sum": text})
		if err := json.Unmarshal(content, &read); err != nil || !read.Sum.IsZero() {
			t.Errorf("%q in a record: %v, %v", text, read.Sum, err)
		}
	}
}
