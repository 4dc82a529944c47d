package machine

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/config"
)

func TestStatusWarnsOfPlainHTTPFromAnotherMachine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "amazon-ssm-agent.json")
	for source, warned := range map[string]bool{
		"http://mirror.example/amazon-ssm-local/ssm-agent-manifest.json":  true,
		"https://mirror.example/amazon-ssm-local/ssm-agent-manifest.json": false,
		"http://127.0.0.1:7700/amazon-ssm-local/ssm-agent-manifest.json":  false,
	} {
		if err := os.WriteFile(path, []byte("{}"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := config.Set(path, map[string]any{"Agent.UpdateSource": source}); err != nil {
			t.Fatal(err)
		}
		cfg, err := config.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		r := failedUpdate()
		r.Warnings = insecureWarnings(cfg)
		if text := statusText(plainly(), r); strings.Contains(text, "updates come over plain http from another machine") != warned {
			t.Errorf("%s:\n%s", source, text)
		}
	}
}
