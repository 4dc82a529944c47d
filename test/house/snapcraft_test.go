package house_test

import (
	"encoding/json"
	"testing"

	"go.yaml.in/yaml/v3"
)

// No snap is built here; the file says what docs/protocol/update.md, "Service definitions" says of the original's snap.
func TestTheSnapIsDescribedAsTheOriginalsIs(t *testing.T) {
	var tree map[string]any
	if err := yaml.Unmarshal([]byte(readFile(t, "scripts/snapcraft.yaml")), &tree); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"summary", "description", "version"} {
		if s, _ := tree[text].(string); s == "" {
			t.Errorf("%s is missing", text)
		}
		delete(tree, text)
	}
	got, err := json.Marshal(tree) // keys in their order
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"apps":{"amazon-ssm-agent":{"command":"amazon-ssm-agent","daemon":"simple","passthrough":{"stop-mode":"sigterm"},` +
		`"restart-condition":"always","stop-timeout":"60s"},"ssm-cli":{"command":"ssm-cli"}},` +
		`"architectures":[{"build-for":["amd64"],"build-on":["amd64"]},{"build-for":["arm64"],"build-on":["arm64"]}],` +
		`"base":"core22","confinement":"classic","grade":"stable","name":"amazon-ssm-agent",` +
		`"parts":{"amazon-ssm-agent":{"build-attributes":["no-patchelf"],"override-build":"cp -a . \"$CRAFT_PART_INSTALL/\"","plugin":"nil","source":"prepacked"}}}`
	if string(got) != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
}
