package pack_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// What a component unpacks, per platform; none for the others.
func TestAGreengrassArchiveHoldsWhatItsComponentUnpacks(t *testing.T) {
	const documents = " amazon-ssm-agent.json LICENSE NOTICE.md"
	members := map[string]string{
		"linux/amd64":   "ssm-setup-cli amazon-ssm-agent.deb amazon-ssm-agent.rpm" + documents,
		"linux/arm64":   "ssm-setup-cli amazon-ssm-agent.deb amazon-ssm-agent.rpm" + documents,
		"windows/amd64": "ssm-setup-cli.exe AmazonSSMAgentSetup.exe" + documents,
	}
	for _, p := range pack.Platforms() {
		file := format(t, "greengrass").File(p)
		if (file != "") != (members[p.String()] != "") {
			t.Errorf("%s: %s", p, file)
		}
		if file == "" {
			continue
		}
		names, content := flat(t, file, make1(t, "greengrass", input(t, p)))
		if got := strings.Join(names, " "); got != members[p.String()] {
			t.Errorf("the archive for %s holds %s", p, got)
		}
		var settings struct {
			Profile struct {
				ShareProfile      string
				KeyAutoRotateDays int
			}
		}
		if err := json.Unmarshal(content["amazon-ssm-agent.json"], &settings); err != nil || settings.Profile.ShareProfile != "ssm-iot-gg" ||
			settings.Profile.KeyAutoRotateDays != 30 {
			t.Errorf("settings %+v, %v", settings, err)
		}
		if string(content[p.Executable("ssm-setup-cli")]) != "program ssm-setup" {
			t.Errorf("ssm-setup-cli is %q", content[p.Executable("ssm-setup-cli")])
		}
	}
}

// component is a recipe as a device reads it (docs/protocol/update.md, "Greengrass flow").
type component struct {
	RecipeFormatVersion, ComponentName, ComponentVersion, ComponentType string
	ComponentConfiguration                                              struct {
		DefaultConfiguration map[string]any
	}
	ComponentDependencies map[string]struct{ VersionRequirement, DependencyType string }
	Manifests             []struct {
		Platform  struct{ OS, Architecture string }
		Lifecycle map[string]any
		Artifacts []struct {
			URI, Unarchive string
			Permission     struct{ Read, Execute string }
		}
	}
}

func TestARecipeIsAComponentForGreengrass(t *testing.T) {
	text := make1(t, "recipe", input(t, amd64))
	var tree any
	var r component
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(tree) // JSON's reader does not mind the case of names
	if err == nil {
		err = json.Unmarshal(asJSON, &r)
	}
	if err != nil {
		t.Fatal(err)
	}
	if got := r.RecipeFormatVersion + " " + r.ComponentName + " " + r.ComponentVersion + " " +
		r.ComponentType; got != "2020-01-25 aws.greengrass.SystemsManagerAgent 1.3.0 aws.greengrass.generic" {
		t.Errorf("the head is %s", got)
	}
	if got := fmt.Sprint(r.ComponentConfiguration.DefaultConfiguration); got != "map[SSMOverrideExistingRegistration:false SSMRegistrationRole: SSMResourceTags:[]]" {
		t.Errorf("the configuration is %s", got)
	}
	if got := fmt.Sprint(r.ComponentDependencies); got != "map[aws.greengrass.TokenExchangeService:{>=2.0.0 <3.0.0 HARD}]" {
		t.Errorf("it depends on %s", got)
	}
	var platforms []string
	for _, m := range r.Manifests {
		platforms = append(platforms, m.Platform.OS+" "+m.Platform.Architecture)
		arch := map[string]string{"/amd64|x86_64/": "amd64", "amd64": "amd64", "/aarch64|armv8/": "arm64"}[m.Platform.Architecture]
		p := pack.Platform{OS: m.Platform.OS, Arch: arch}
		const unpacked = "{artifacts:decompressedPath}/artifacts/"
		for step, action := range map[string]string{"Install": "install", "Startup": "register", "Shutdown": "shutdown"} {
			want := fmt.Sprint(map[string]any{"RequiresPrivilege": true, "Script": unpacked + p.Executable("ssm-setup-cli") + " -env greengrass -" +
				action})
			if got := fmt.Sprint(m.Lifecycle[step]); got != want {
				t.Errorf("%s: %s is %s, want %s", p, step, got, want)
			}
		}
		env := map[string]any{"SSM_REGISTRATION_ROLE": "{configuration:/SSMRegistrationRole}",
			"SSM_RESOURCE_TAGS":                  "{configuration:/SSMResourceTags}",
			"SSM_OVERRIDE_EXISTING_REGISTRATION": "{configuration:/SSMOverrideExistingRegistration}"}
		if p.String() != "linux/amd64" {
			env["SSM_ARTIFACTS_PATH"] = unpacked
		}
		if got := fmt.Sprint(m.Lifecycle["Setenv"]); got != fmt.Sprint(env) {
			t.Errorf("%s: the environment is %s", p, got)
		}
		// Where the file is published, and so that a device unpacks it into a folder named artifacts.
		_, latest := format(t, "greengrass").Keys(manifests.MustVersion("9.1.0.0"), p)
		key := "s3://BUCKET/9.1.0.0/" + strings.TrimPrefix(latest[0], "latest/")
		if a := m.Artifacts; len(a) != 1 || a[0].URI != key || !strings.HasSuffix(key, "/artifacts.zip") || a[0].Unarchive != "ZIP" ||
			a[0].Permission.Read != "OWNER" || a[0].Permission.Execute != "OWNER" {
			t.Errorf("%s: artifacts %+v, want %s", p, a, key)
		}
	}
	if got := strings.Join(platforms, ", "); got != "linux /amd64|x86_64/, linux /aarch64|armv8/, windows amd64" {
		t.Errorf("manifests for %s", got)
	}
}
