package fault_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

func TestNoTextShowsAPasswordOfAnAddress(t *testing.T) {
	for text, want := range map[string]string{
		"cannot reach http://bob:se%40cret@host:8000/amazon-ssm-x/VERSION": "cannot reach http://xxxxx@host:8000/amazon-ssm-x/VERSION",
		`Get "https://token@host/": refused, https://a:b@c@d/e`:            `Get "https://xxxxx@host/": refused, https://xxxxx@d/e`,
		"mail bob@example.com about https://host/a@b":                      "mail bob@example.com about https://host/a@b",
	} {
		if got := fault.Redact(text); got != want {
			t.Errorf("%s\nnot %s", got, want)
		}
		var b bytes.Buffer
		if n, err := fmt.Fprint(fault.Writer(&b), text); err != nil || n != len(text) || b.String() != want {
			t.Errorf("%d, %v, %s", n, err, b.String())
		}
	}
}

func TestControlCharactersAreWrittenAsEscapes(t *testing.T) {
	got := fault.OneLine("id\n2026 INFO forged\x1b[2J\x00\u2028\u0085 é\ttab")
	if got != `id\n2026 INFO forged\x1b[2J\x00\u2028\u0085 é`+"\ttab" {
		t.Errorf("%s", got)
	}
}

func TestAPrintedCommandLineCanBeCopied(t *testing.T) {
	for text, want := range map[string]string{"/srv/mirror": "/srv/mirror", "/srv/my mirror": `"/srv/my mirror"`, "a;b": `"a;b"`,
		"it's $HOME": `'it'\''s $HOME'`, `C:\Mirror`: `C:\Mirror`, "": `""`} {
		if got := fault.Word(text); got != want {
			t.Errorf("%q: %s", text, got)
		}
	}
}
