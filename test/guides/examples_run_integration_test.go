//go:build integration && unix

package guides_test

import (
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// pipelineFolder is a checkout as a pipeline sees it: bin/ssm-setup is there (the README's test makes it), and a release has one archive
// of ready programs instead of every package of every platform.
func pipelineFolder(t *testing.T, w *world, name string) string {
	t.Helper()
	dir := filepath.Join(w.dir, name)
	tool := `#!/bin/sh
if [ "$1" = build ]; then shift; exec ssm-setup build --only tar --platform ` + platform() + ` --bin '` + w.parts(t) + `' "$@"; fi
exec ssm-setup "$@"
`
	for path, text := range map[string]string{"bin/ssm-setup": tool, "path/make": "#!/bin/sh\nexit 0\n"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, path)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, path), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// serves fails unless the region offers a version as its stable one.
func (w *world) serves(t *testing.T) {
	t.Helper()
	out := w.json(t, nil, "regions", "--region", "local")
	if !strings.Contains(string(out), `"9.1.0.0"`) {
		t.Errorf("the region serves %s", out)
	}
}

func TestTheStepsForGitHubPublishAndPromote(t *testing.T) {
	w := openWorld(t)
	private, _ := key(t)
	dir := pipelineFolder(t, w, "github")
	var workflow struct {
		Jobs yaml.Node
	}
	if err := yaml.Unmarshal([]byte(example(t, "github-actions.yml")), &workflow); err != nil {
		t.Fatal(err)
	}
	variables := filepath.Join(dir, "variables")
	ran := 0
	for i := 1; i < len(workflow.Jobs.Content); i += 2 { // names and jobs take turns
		var job struct{ Steps []struct{ Name, Run string } }
		if err := workflow.Jobs.Content[i].Decode(&job); err != nil {
			t.Fatal(err)
		}
		for _, step := range job.Steps {
			if step.Run == "" {
				continue
			}
			env := []string{"GITHUB_ENV=" + variables, "GITHUB_REF_NAME=v9.1.0", "SIGNING_KEY=" + private,
				"PATH=" + filepath.Join(dir, "path") + ":" +
					w.programs + ":" + os.Getenv("PATH")}
			text, _ := os.ReadFile(variables)
			w.run(t, dir, "bash", "set -eo pipefail\n"+step.Run, append(env, strings.Fields(string(text))...)...)
			ran++
		}
	}
	if ran < 5 {
		t.Errorf("%d steps ran", ran)
	}
	w.serves(t)
}

func TestTheStepsForGitLabPublishAndPromote(t *testing.T) {
	w := openWorld(t)
	private, _ := key(t)
	dir := pipelineFolder(t, w, "gitlab")
	type job struct {
		Script []string
		Before []string `yaml:"before_script"`
	}
	var pipeline struct {
		Stages                           []string
		Default, Build, Publish, Promote job
	}
	if err := yaml.Unmarshal([]byte(example(t, "gitlab-ci.yml")), &pipeline); err != nil {
		t.Fatal(err)
	}
	for _, j := range []job{pipeline.Build, pipeline.Publish, pipeline.Promote} {
		if len(j.Script) == 0 {
			t.Fatal("a job has no script")
		}
		w.run(t, dir, "bash", "set -eo pipefail\n"+strings.Join(append(pipeline.Default.Before, j.Script...), "\n"), "CI_COMMIT_TAG=v9.1.0",
			"SIGNING_KEY="+private, "AWS_WEB_IDENTITY_TOKEN_FILE="+filepath.Join(dir, "token"),
			"PATH="+filepath.Join(dir, "path")+":"+w.programs+":"+os.Getenv("PATH"))
	}
	w.serves(t)
}

func TestTheUserDataMakesANode(t *testing.T) {
	w := openWorld(t)
	tool, sum := w.publishTool(t)
	root := filepath.Join(w.dir, "host")
	w.removeHost(t, root)
	for range 2 { // running it again is harmless
		w.run(t, w.dir, "sh", example(t, "user-data.sh"), append(w.activation(t, 1), "TOOL="+tool, "TOOL_SHA256="+sum, "ROOT="+root)...)
	}
	w.healthy(t, root)
	if n := len(w.region.Instances()); n != 1 {
		t.Errorf("%d nodes", n)
	}
	cmd := exec.Command("sh", "-c", example(t, "user-data.sh"))
	cmd.Env = append(append([]string{}, w.env...), "TOOL="+tool, "TOOL_SHA256="+strings.Repeat("0", 64), "ROOT="+root,
		"SSM_ACTIVATION_ID=x", "SSM_ACTIVATION_CODE=x")
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("another program than the one of the checksum was run:\n%s", out)
	}
}

// put replaces what a reader of an example puts in; each of the texts has to be there.
func put(t *testing.T, text string, pairs ...string) string {
	t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("there is no %q in\n%s", pairs[i], text)
		}
		text = strings.ReplaceAll(text, pairs[i], pairs[i+1])
	}
	return text
}

func TestTheCloudConfigMakesANode(t *testing.T) {
	w := openWorld(t)
	tool, sum := w.publishTool(t)
	root, account := filepath.Join(w.dir, "host"), filepath.Join(w.dir, "home/.config/ssm-setup")
	activation := w.activation(t, 1)
	text := put(t, example(t, "cloud-init.yaml"),
		"https://s3.eu-west-1.amazonaws.com/my-ssm-eu-west-1/latest/linux_amd64/ssm-setup", tool, strings.Repeat("0", 64), sum,
		"https://s3.{Region}.{DnsSuffix}/my-ssm-{Region}", sourceOfMine, `"region": "eu-west-1"`, `"region": "local"`,
		"SSM_ACTIVATION_ID=00000000-0000-0000-0000-000000000000", activation[0], "SSM_ACTIVATION_CODE=00000000000000000000", activation[1],
		"/etc/ssm-setup/config.json", account+"/config.json", "/usr/local/bin/ssm-setup", w.dir+"/tool", "/run/ssm-activation",
		w.dir+"/activation",
		"tool install", "tool install --root "+root)
	var config struct {
		Files []struct{ Path, Permissions, Content string } `yaml:"write_files"`
		Run   []string                                      `yaml:"runcmd"`
	}
	if err := yaml.Unmarshal([]byte(text), &config); err != nil {
		t.Fatal(err)
	}
	for _, f := range config.Files {
		mode := os.FileMode(0o644)
		if f.Permissions == "0600" {
			mode = 0o600
		}
		if err := os.WriteFile(f.Path, []byte(f.Content), mode); err != nil {
			t.Fatal(err)
		}
	}
	w.removeHost(t, root)
	w.run(t, w.dir, "sh", strings.Join(config.Run, "\n"), "SSM_SETUP_SOURCE=", "REGION=")
	w.healthy(t, root)
	if _, err := os.Stat(filepath.Join(w.dir, "activation")); err == nil {
		t.Error("the activation is still there")
	}
}

func TestThePlaybookMakesANodeAndChangesNothingTheSecondTime(t *testing.T) {
	if _, err := exec.LookPath("ansible-playbook"); err != nil {
		t.Skip("ansible-playbook is not installed")
	}
	w := openWorld(t)
	tool, sum := w.publishTool(t)
	root := filepath.Join(w.dir, "host")
	activation := w.activation(t, 2)
	values, err := json.Marshal(map[string]any{"ssm_region": "local", "ssm_source": sourceOfMine, "ssm_tool": tool, "ssm_tool_sha256": sum,
		"ssm_setup": filepath.Join(w.dir, "ansible-tool"), "ssm_options": []string{"--root", root}, "ansible_become": false,
		"ssm_activation_id":   strings.TrimPrefix(activation[0], "SSM_ACTIVATION_ID="),
		"ssm_activation_code": strings.TrimPrefix(activation[1], "SSM_ACTIVATION_CODE=")})
	if err != nil {
		t.Fatal(err)
	}
	w.removeHost(t, root)
	hosts := filepath.Join(w.dir, "hosts")
	if err := os.WriteFile(hosts, []byte("[managed]\nhere ansible_connection=local ansible_python_interpreter=/usr/bin/python3\n"),
		0o644); err != nil {
		t.Fatal(err)
	}
	play := `ansible-playbook -i hosts '` + filepath.Join(source(t), "docs/examples/ansible.yml") + `' -e "$VALUES"`
	w.run(t, w.dir, "sh", play, "VALUES="+string(values), "ANSIBLE_NOCOLOR=1")
	w.healthy(t, root)
	if out := w.run(t, w.dir, "sh", play, "VALUES="+string(values), "ANSIBLE_NOCOLOR=1"); !strings.Contains(out, "changed=0") {
		t.Errorf("the second run changed something:\n%s", out)
	}
}

// The commands of the containers of compose.yaml, as processes beside each other: one region, three hosts.
func TestTheCommandsOfTheContainersMakeARegionAndThreeHosts(t *testing.T) {
	if _, err := exec.LookPath("aws"); err != nil {
		t.Skip("the AWS CLI is not installed")
	}
	w := openWorld(t)
	w.run(t, w.dir, "sh", `ssm-setup build --version 9.1.0.0 --only tar --platform `+platform()+` --bin "$PARTS" --out dist`,
		"PARTS="+w.parts(t))
	shared := filepath.Join(w.dir, "shared")
	if err := os.Mkdir(shared, 0o755); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	other := "SSM_SETUP_HOME=" + filepath.Join(w.dir, "other") // the region of the container, not that of the other tests
	start(t, w, "region.sh", other, "LISTEN="+address, "DATA="+filepath.Join(w.dir, "data"), "DIST="+filepath.Join(w.dir, "dist"),
		"SHARED="+shared,
		"SSM_SETUP_SOURCE=")
	for _, name := range []string{"a", "b", "c"} {
		start(t, w, "host.sh", other, "SHARED="+shared, "ENDPOINT=http://"+address, "ROOT="+filepath.Join(w.dir, "host-"+name),
			"SSM_SETUP_SOURCE=")
	}
	count := `aws --endpoint-url http://` + address + ` --region local ssm describe-instance-information ` +
		`--query 'length(InstanceInformationList[?PingStatus==` + "`Online`" + `])' --output text 2>&1 || true`
	var out string
	for end := time.Now().Add(4 * time.Minute); time.Now().Before(end); time.Sleep(time.Second) {
		out = w.run(t, w.dir, "sh", count, "AWS_SHARED_CREDENTIALS_FILE="+filepath.Join(w.dir, "data/credentials"))
		if strings.TrimSpace(out) == "3" {
			return
		}
	}
	t.Errorf("three hosts are not online: %s", out)
}

// start runs a script of a container until the end of the test; it is stopped as a container is.
func start(t *testing.T, w *world, name string, env ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(w.dir, filepath.Base(name)+".log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", filepath.Join(source(t), "docs/examples", name))
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = w.dir, append(append([]string{}, w.env...), env...), log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			text, _ := os.ReadFile(log.Name())
			t.Errorf("%s ended with %v:\n%s", name, err, text)
		}
		_ = log.Close()
	})
}

// The command of the timer's service.
func TestTheServiceOfTheTimerAsksRegions(t *testing.T) {
	w := openWorld(t)
	w.publishTool(t)
	for line := range strings.Lines(example(t, "ssm-regions.service")) {
		if command, ok := strings.CutPrefix(strings.TrimSpace(line), "ExecStart="); ok {
			out := w.run(t, w.dir, "sh", put(t, command, "/usr/local/bin/ssm-setup", "ssm-setup", "--region eu-west-1 --region eu-central-1",
				"--region local"))
			if !strings.Contains(out, "9.1.0.0") {
				t.Errorf("it says %s", out)
			}
		}
	}
}
