package pack_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/ssm-setup/ssm-setup/installer/pack"
)

func TestGreengrass(t *testing.T) {
	in := input(t, pack.Platform{OS: "linux", Arch: "arm64"})
	names, content := flat(t, "x.zip", make1(t, "greengrass", in))
	if got := strings.Join(names, " "); got != "ssm-setup-cli amazon-ssm-agent.deb amazon-ssm-agent.rpm amazon-ssm-agent.json LICENSE NOTICE.md" {
		t.Errorf("the archive holds %s", got)
	}
	var settings struct {
		Profile struct {
			ShareProfile      string
			KeyAutoRotateDays int
		}
	}
	if err := json.Unmarshal(content["amazon-ssm-agent.json"], &settings); err != nil || settings.Profile.ShareProfile != "ssm-iot-gg" || settings.Profile.KeyAutoRotateDays != 30 {
		t.Errorf("settings %+v, %v", settings, err)
	}
	if string(content["ssm-setup-cli"]) != "program ssm-setup" {
		t.Errorf("ssm-setup-cli is %q", content["ssm-setup-cli"])
	}
	text := string(make1(t, "recipe", input(t, amd64)))
	for _, want := range []string{"RecipeFormatVersion: '2020-01-25'", "ComponentName: aws.greengrass.SystemsManagerAgent", "ComponentVersion: '1.3.0'",
		"ComponentType: aws.greengrass.generic", "VersionRequirement: '>=2.0.0 <3.0.0'", "DependencyType: HARD", "SSMRegistrationRole:",
		"SSMResourceTags:", "SSMOverrideExistingRegistration:", "architecture: /amd64|x86_64/", "architecture: /aarch64|armv8/",
		"{artifacts:decompressedPath}/artifacts/ssm-setup-cli -env greengrass -install", "greengrass -register", "greengrass -shutdown",
		"Unarchive: ZIP", "Read: OWNER", "Execute: OWNER", "/9.1.0.0/greengrass_linux_arm64/artifacts.zip"} {
		if !strings.Contains(text, want) {
			t.Errorf("the recipe lacks %s", want)
		}
	}
	if strings.Count(text, "RequiresPrivilege: true") != 6 {
		t.Error("a step of the component is not privileged")
	}
}
