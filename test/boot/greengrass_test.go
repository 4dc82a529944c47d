//go:build boot && linux

package boot_test

import (
	"archive/zip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// component is what a Greengrass core device is given: a recipe and the archive it names. No device runs here: its folders, its
// environment and its order of steps are made as its documentation has them.
type component struct {
	t             *testing.T
	version       string
	settings      map[string]any // of Lifecycle.Setenv
	scripts       map[string]string
	configuration map[string]string // values of the component's configuration, as JSON or text
	archive       string
}

// newComponent builds the component of a version and picks the recipe's manifest for a system.
func newComponent(t *testing.T, version, system, machine string) *component {
	t.Helper()
	out := t.TempDir()
	if said, err := outside(filepath.Join(dist, "ssm-setup"), "build", "--version", version, "--platform", "linux/amd64", "--platform",
		system+"/"+machine,
		"--only", "greengrass,recipe", "--out", out); err != nil {
		t.Fatalf("%v\n%s", err, said)
	}
	text, err := os.ReadFile(filepath.Join(out, version, "amazon-ssm-agent-greengrass-recipe.yaml"))
	must(t, err)
	var recipe struct {
		Manifests []struct {
			Platform  struct{ OS, Architecture string }
			Lifecycle map[string]any
		}
	}
	var tree any
	must(t, yaml.Unmarshal(text, &tree))
	asJSON, err := json.Marshal(tree)
	must(t, err)
	must(t, json.Unmarshal(asJSON, &recipe))
	c := &component{t: t, version: version, scripts: map[string]string{}, configuration: map[string]string{"SSMRegistrationRole": "EdgeRole",
		"SSMResourceTags": `[{"Key":"team","Value":"edge"}]`, "SSMOverrideExistingRegistration": "false"},
		archive: filepath.Join(out, version, "amazon-ssm-agent-greengrass-"+system+"-"+machine+".zip")}
	for _, m := range recipe.Manifests {
		pattern, regular := strings.CutPrefix(m.Platform.Architecture, "/")
		if fits, _ := regexp.MatchString("^("+strings.TrimSuffix(pattern, "/")+")$", machine); m.Platform.OS != system || !fits && regular ||
			!regular && pattern != machine {
			continue
		}
		c.settings = m.Lifecycle["Setenv"].(map[string]any)
		for _, step := range []string{"Install", "Startup", "Shutdown"} {
			s := m.Lifecycle[step].(map[string]any)
			if s["RequiresPrivilege"] != true {
				t.Errorf("%s is not privileged", step)
			}
			c.scripts[step] = s["Script"].(string)
		}
		return c
	}
	t.Fatalf("the recipe has no manifest for %s on %s", system, machine)
	return nil
}

// unpack lays the archive where a device does: a folder named as the archive's key ends. Only the owner may read and execute.
func (c *component) unpack(folder string, change func(name string, content []byte) []byte) {
	c.t.Helper()
	must(c.t, os.MkdirAll(folder, 0o700))
	z, err := zip.OpenReader(c.archive)
	must(c.t, err)
	defer z.Close()
	for _, f := range z.File {
		r, err := f.Open()
		must(c.t, err)
		b, err := io.ReadAll(r)
		must(c.t, err)
		if err := writeFile(filepath.Join(folder, f.Name), change(f.Name, b), 0o500); err != nil {
			c.t.Fatal(err)
		}
	}
}

// filled are a step's script and environment with the recipe's variables replaced.
func (c *component) filled(step, unpacked string) (script string, env []string) {
	pairs := []string{"{artifacts:decompressedPath}", unpacked}
	for name, value := range c.configuration {
		pairs = append(pairs, "{configuration:/"+name+"}", value)
	}
	replace := strings.NewReplacer(pairs...).Replace
	for name, value := range c.settings {
		env = append(env, name+"="+replace(fmt.Sprint(value)))
	}
	return replace(c.scripts[step]), env
}

// tokens is the token exchange service of a device: credentials of a role that may register machines.
func tokens(t *testing.T, r *local.Region) []string {
	t.Helper()
	admin := r.Admin()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.Header.Get("Authorization") != "the device's token" {
			http.Error(w, "not you", http.StatusForbidden)
			return
		}
		fmt.Fprintf(w, `{"AccessKeyId": %q, "SecretAccessKey": %q, "Token": "", "Expiration": "2100-01-01T00:00:00Z"}`, admin.AccessKeyID, admin.SecretAccessKey)
	}))
	t.Cleanup(s.Close)
	return []string{"AWS_REGION=local", "AWS_CONTAINER_CREDENTIALS_FULL_URI=" + s.URL + "/2016-11-01/credentialprovider/",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN=the device's token"}
}

// pointed writes the endpoints of a region that is not AWS's own into a component's settings, as its owner would.
func pointed(t *testing.T, r *local.Region) func(string, []byte) []byte {
	return func(name string, content []byte) []byte {
		if name != "amazon-ssm-agent.json" {
			return content
		}
		var settings map[string]map[string]any
		must(t, json.Unmarshal(content, &settings))
		settings["Ssm"]["Endpoint"], settings["Mds"]["Endpoint"] = r.URL(), r.URL()
		out, err := json.Marshal(settings)
		must(t, err)
		return out
	}
}

// TestTheGreengrassComponentInstallsRegistersAndStops goes through a component's life on systems with dpkg and with rpm.
func TestTheGreengrassComponentInstallsRegistersAndStops(t *testing.T) {
	for _, s := range systems[:2] {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			h := &host{machine: boot(t, s.base(t)), sys: s, region: local.Start(t)}
			device := tokens(t, h.region)
			unpacked := func(version string) string {
				return "/greengrass/v2/packages/artifacts-unarchived/aws.greengrass.SystemsManagerAgent/" + version
			}
			deploy := func(version string) *component {
				c := newComponent(t, version, "linux", runtime.GOARCH)
				c.unpack(filepath.Join(h.root, unpacked(version), "artifacts"), pointed(t, h.region))
				return c
			}
			step := func(c *component, name string, wants ...string) {
				t.Helper()
				script, env := c.filled(name, unpacked(c.version))
				out, err := h.try(append(append(append([]string{"env", "-C", "/"}, device...), env...), "sh", "-c", script)...)
				if err != nil {
					t.Fatalf("%s: %v\n%s", name, err, out)
				}
				for _, want := range wants {
					if !strings.Contains(out, want) {
						t.Errorf("%s says %s, not %s", name, out, want)
					}
				}
			}
			c := deploy("9.1.0.0")
			if out, err := h.try(append(append([]string{"env"}, device...), "SSM_REGISTRATION_ROLE=r", path.Join(unpacked(c.version),
				"artifacts/ssm-setup-cli"),
				"-env", "greengrass", "-register")...); err == nil || !strings.Contains(out,
				"ERROR Agent must be installed before attempting to register") {
				t.Errorf("registering before: %v, %s", err, out)
			}
			step(c, "Install", "INFO installed 9.1.0.0")
			var settings struct {
				Profile  struct{ ShareProfile string }
				Identity struct{ ConsumptionOrder []string }
			}
			must(t, json.Unmarshal([]byte(h.sh("cat /etc/amazon/ssm/amazon-ssm-agent.json")), &settings))
			if settings.Profile.ShareProfile != "ssm-iot-gg" || len(settings.Identity.ConsumptionOrder) != 1 || settings.Identity.ConsumptionOrder[0] != "OnPrem" {
				t.Errorf("settings: %+v", settings)
			}
			step(c, "Startup", "INFO Successfully registered the instance with AWS SSM using Managed instance-id: mi-")
			h.online("9.1.0.0")
			h.active()
			h.processes()
			node := h.region.Instances()[0]
			h.node = node.InstanceID
			if node.Role != "EdgeRole" || len(node.Tags) != 1 || node.Tags[0].Key != "team" || node.Tags[0].Value != "edge" {
				t.Errorf("the node is %+v", node)
			}
			h.echo("from the edge")

			// A device that restarts goes through all of it again.
			before := h.sh("pidof amazon-ssm-agent")
			step(c, "Install", "INFO Version is already installed, not attempting to install agent")
			step(c, "Startup", "INFO skipping registration because override flag is not set, just starting agent back")
			if h.sh("pidof amazon-ssm-agent") != before {
				t.Error("the agent was started anew")
			}
			step(c, "Shutdown")
			if out, _ := h.try("systemctl", "is-active", "amazon-ssm-agent"); strings.TrimSpace(out) == "active" {
				t.Error("it runs after its shutdown")
			}
			step(c, "Startup", "just starting agent back")
			h.active()

			// A newer component brings a newer agent; an override, another node.
			c = deploy("9.2.0.0")
			step(c, "Install", "INFO installed 9.2.0.0")
			step(c, "Startup")
			h.online("9.2.0.0")
			c.configuration["SSMOverrideExistingRegistration"] = "true"
			step(c, "Startup", "INFO Successfully registered")
			if nodes := h.region.Instances(); len(nodes) != 2 {
				t.Errorf("nodes: %+v", nodes)
			}
		})
	}
}
