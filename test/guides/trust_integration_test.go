//go:build integration && unix

package guides_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheGuideOfTrustIsFollowedWordForWord(t *testing.T) {
	w := openWorld(t)
	w.parts(t)
	script := "set -e\n"
	for _, b := range blocks(t, "docs/trust.md") {
		if b.info == "sh" {
			script += b.text
		}
	}
	said := w.run(t, w.dir, "bash", script)
	for _, want := range []string{"offline: keys/offline has the root keys", "root 2 is on its way", "signed root 2: keys/root.json",
		"signed by root 2", "signed root 3: keys/root.json"} {
		if !strings.Contains(said, want) {
			t.Errorf("%q is not in\n%s", want, said)
		}
	}
	if strings.Contains(said, "PRIVATE KEY") {
		t.Error("a secret was printed")
	}
	host := filepath.Join(w.dir, "host")
	w.removeHost(t, host)
	w.run(t, w.dir, "sh", `ssm-setup install --region local --root "$ROOT" --trust keys/roots/1.root.json`,
		append(w.activation(t, 1), "ROOT="+host)...)
	w.healthy(t, host)
}

func TestWhatKeysPrintsIsValidByItsSchema(t *testing.T) {
	w := openWorld(t)
	w.parts(t)
	keys := func(args ...string) {
		holds(t, "keys", w.json(t, nil, append([]string{"keys", "--keys", "held"}, args...)...))
	}
	keys("init")
	keys("show")
	keys("rotate", "--dry-run")
	if err := os.Rename(filepath.Join(w.dir, "held/offline"), filepath.Join(w.dir, "away")); err != nil {
		t.Fatal(err)
	}
	keys("rotate", "targets")
	w.run(t, w.dir, "sh", `ssm-setup build --version 9.1.0.0 --only tar --platform `+platform()+` --bin parts --out dist`)
	holds(t, "publish", w.json(t, nil, "publish", "--from", "dist", "--region", "local", "--keys", "held"))
	keys("show", "--region", "local", "--source", sourceOfMine)
	holds(t, "publish", w.json(t, nil, "keys", "refresh", "--all", "--region", "local", "--keys", "held"))
}
