//go:build integration

package local_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// awsCLI is the stock AWS CLI, version 2, as the region's administrator.
type awsCLI struct {
	t      *testing.T
	path   string
	region *local.Region
	mu     sync.Mutex
	used   map[string]bool // operations of ssm
}

func newCLI(t *testing.T, r *local.Region) *awsCLI {
	t.Helper()
	path := "/usr/bin/aws"
	if _, err := os.Stat(path); err != nil {
		if path, err = exec.LookPath("aws"); err != nil {
			t.Fatal("the AWS CLI is not installed (Debian: apt-get install awscli)")
		}
	}
	return &awsCLI{t: t, path: path, region: r, used: map[string]bool{}}
}

// run returns standard output and standard error.
func (c *awsCLI) run(args ...string) (out, problem string, err error) {
	cmd := exec.Command(c.path, append([]string{"--endpoint-url", c.region.URL(), "--region", c.region.Name(), "--output", "json",
		"--no-cli-pager"}, args...)...)
	home := c.t.TempDir()
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "AWS_EC2_METADATA_DISABLED=true", "AWS_MAX_ATTEMPTS=1",
		"AWS_SHARED_CREDENTIALS_FILE=" + c.region.CredentialsFile(), "AWS_CONFIG_FILE=" + filepath.Join(home, "config"), "LC_ALL=C.UTF-8"}
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), stderr.String(), err
}

// ssm runs an operation that must succeed and reads its answer.
func (c *awsCLI) ssm(operation string, args ...string) map[string]any {
	c.t.Helper()
	c.note(operation)
	out, problem, err := c.run(append([]string{"ssm", operation}, args...)...)
	if err != nil {
		c.t.Fatalf("aws ssm %s %s: %v\n%s", operation, strings.Join(args, " "), err, problem)
	}
	answer := map[string]any{}
	if strings.TrimSpace(out) != "" {
		if err := json.Unmarshal([]byte(out), &answer); err != nil {
			c.t.Fatalf("aws ssm %s printed %s", operation, out)
		}
	}
	return answer
}

// refused runs an operation that must fail with a code.
func (c *awsCLI) refused(code, operation string, args ...string) {
	c.t.Helper()
	_, problem, err := c.run(append([]string{"ssm", operation}, args...)...)
	if err == nil || !strings.Contains(problem, "("+code+")") {
		c.t.Errorf("aws ssm %s %s: %v, want %s\n%s", operation, strings.Join(args, " "), err, code, problem)
	}
}

func (c *awsCLI) note(operation string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var name strings.Builder
	for _, part := range strings.Split(operation, "-") {
		name.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	c.used[name.String()] = true
}

// at walks into an answer: names of members, "0" for the first of a list.
func at(value any, path ...string) any {
	for _, step := range path {
		switch v := value.(type) {
		case map[string]any:
			value = v[step]
		case []any:
			if len(v) == 0 {
				return nil
			}
			value = v[0]
		}
	}
	return value
}

func (c *awsCLI) want(answer map[string]any, want any, path ...string) {
	c.t.Helper()
	if got := at(answer, path...); got != want {
		c.t.Errorf("%s is %v, want %v", strings.Join(path, "."), got, want)
	}
}

// private are the operations of ssm that nodes call and the CLI doesn't know.
var private = []string{"RegisterManagedInstance", "RequestManagedInstanceRoleToken", "UpdateManagedInstancePublicKey",
	"UpdateInstanceInformation"}

// TestTheStockCLIDoesEveryPublicOperation goes through every public operation, with a node that obeys.
func TestTheStockCLIDoesEveryPublicOperation(t *testing.T) {
	r := local.Start(t)
	cli := newCLI(t, r)

	activation := cli.ssm("create-activation", "--iam-role", "service-role/Nodes", "--registration-limit", "2", "--default-instance-name",
		"host",
		"--description", "by the CLI", "--tags", "Key=stage,Value=test")
	id, _ := activation["ActivationId"].(string)
	code, _ := activation["ActivationCode"].(string)
	cli.want(cli.ssm("describe-activations", "--filters", "FilterKey=ActivationIds,FilterValues="+id), "by the CLI", "ActivationList", "0",
		"Description")

	n := &agentNode{t: t, region: r, key: nodeKeys()[0], fingerprint: "f"}
	must(t, n.register(id, code))
	must(t, n.refresh())
	must(t, n.ping("Active", "9.1.0.0"))
	stop := make(chan struct{})
	defer close(stop)
	go n.obey(stop)

	cli.nodes(n)
	cli.commands(n)
	cli.documents(n)
	cli.parameters()
	cli.ssm("deregister-managed-instance", "--instance-id", n.id)
	cli.refused("InvalidInstanceId", "send-command", "--document-name", "AWS-RunShellScript", "--instance-ids", n.id, "--parameters",
		"commands=ls")
	cli.ssm("delete-activation", "--activation-id", id)
	cli.refused("InvalidActivation", "delete-activation", "--activation-id", id)
	cli.refused("UnknownOperationException", "list-associations")

	out, problem, err := cli.run("sts", "get-caller-identity")
	if err != nil || !strings.Contains(out, `"Account": "123456789012"`) {
		t.Errorf("get-caller-identity: %v %s %s", err, out, problem)
	}
	for _, operation := range n.region.Operations("ssm") {
		if !cli.used[operation] && !slices.Contains(private, operation) {
			t.Errorf("%s was not tried", operation)
		}
	}
}

func (c *awsCLI) parameters() {
	c.t.Helper()
	c.ssm("put-parameter", "--name", "/app/colour", "--type", "String", "--value", "blue")
	c.refused("ParameterAlreadyExists", "put-parameter", "--name", "/app/colour", "--type", "String", "--value", "red")
	c.want(c.ssm("get-parameter", "--name", "/app/colour"), "blue", "Parameter", "Value")
	c.want(c.ssm("get-parameters", "--names", "/app/colour", "none"), "none", "InvalidParameters", "0")
	c.ssm("put-parameter", "--name", "/app/colour", "--value", "red", "--overwrite")
	c.ssm("label-parameter-version", "--name", "/app/colour", "--parameter-version", "1", "--labels", "first")
	c.want(c.ssm("get-parameter", "--name", "/app/colour:first"), "blue", "Parameter", "Value")
	c.want(c.ssm("get-parameters-by-path", "--path", "/app"), "red", "Parameters", "0", "Value")
	c.want(c.ssm("get-parameter-history", "--name", "/app/colour"), "first", "Parameters", "0", "Labels", "0")
	c.want(c.ssm("describe-parameters", "--parameter-filters", "Key=Path,Values=/app"), "/app/colour", "Parameters", "0", "Name")
	c.ssm("unlabel-parameter-version", "--name", "/app/colour", "--parameter-version", "1", "--labels", "first")
	c.ssm("delete-parameter", "--name", "/app/colour")
	c.want(c.ssm("delete-parameters", "--names", "/app/colour"), "/app/colour", "InvalidParameters", "0")
}

func (c *awsCLI) nodes(n *agentNode) {
	c.t.Helper()
	all := c.ssm("describe-instance-information", "--filters", "Key=tag:stage,Values=test")
	c.want(all, "Online", "InstanceInformationList", "0", "PingStatus")
	c.want(all, "host", "InstanceInformationList", "0", "Name")
	c.ssm("describe-instance-information", "--instance-information-filter-list", "key=InstanceIds,valueSet="+n.id)
	c.want(c.ssm("get-connection-status", "--target", n.id), "notconnected", "Status") // this node has no control channel
	resource := []string{"--resource-type", "ManagedInstance", "--resource-id", n.id}
	c.ssm("add-tags-to-resource", append(resource, "--tags", "Key=a,Value=1")...)
	c.ssm("remove-tags-from-resource", append(resource, "--tag-keys", "stage")...)
	c.want(c.ssm("list-tags-for-resource", resource...), "a", "TagList", "0", "Key")
}

func (c *awsCLI) commands(n *agentNode) {
	c.t.Helper()
	sent := c.ssm("send-command", "--document-name", "AWS-RunShellScript", "--targets", "Key=tag:a,Values=1", "--parameters",
		`{"commands":["echo hello","echo you"]}`, "--comment", "from the CLI", "--timeout-seconds", "600", "--max-concurrency", "50%",
		"--max-errors", "1")
	id, _ := at(sent, "Command", "CommandId").(string)
	c.t.Logf("command %s", id)
	if _, problem, err := c.run("ssm", "wait", "command-executed", "--command-id", id, "--instance-id", n.id); err != nil {
		c.t.Fatalf("wait command-executed: %v\n%s", err, problem)
	}
	got := c.ssm("get-command-invocation", "--command-id", id, "--instance-id", n.id, "--plugin-name", "aws:runShellScript")
	c.want(got, "Success", "Status")
	c.want(got, "hello\nyou\n", "StandardOutputContent")
	c.want(c.ssm("list-commands", "--command-id", id), "Success", "Commands", "0", "Status")
	list := c.ssm("list-command-invocations", "--command-id", id, "--details")
	c.want(list, "hello\nyou\n", "CommandInvocations", "0", "CommandPlugins", "0", "Output")
	c.want(list, 0.0, "CommandInvocations", "0", "CommandPlugins", "0", "ResponseCode")
	c.refused("InvalidInstanceId", "send-command", "--document-name", "AWS-RunShellScript", "--instance-ids", "mi-00000000000000000",
		"--parameters", "commands=ls")
	c.refused("InvalidDocument", "send-command", "--document-name", "Missing", "--instance-ids", n.id)
	c.refused("InvalidParameters", "send-command", "--document-name", "AWS-RunShellScript", "--instance-ids", n.id)
	c.refused("InvocationDoesNotExist", "get-command-invocation", "--command-id", "00000000-0000-4000-8000-000000000000", "--instance-id",
		n.id)

	waits := c.ssm("send-command", "--document-name", "AWS-RunShellScript", "--instance-ids", n.id, "--parameters", "commands=wait")
	id, _ = at(waits, "Command", "CommandId").(string)
	c.ssm("cancel-command", "--command-id", id, "--instance-ids", n.id)
	if inv, err := c.region.WaitCommand(c.t.Context(), id, n.id); err != nil || inv.Status != "Cancelled" {
		c.t.Errorf("cancelled command: %s, %v", inv.Status, err)
	}
	if _, _, err := c.run("ssm", "wait", "command-executed", "--command-id", id, "--instance-id", n.id); err == nil {
		c.t.Error("the waiter takes a cancelled command for executed")
	}
}

func (c *awsCLI) documents(n *agentNode) {
	c.t.Helper()
	file := filepath.Join(c.t.TempDir(), "greet.yaml")
	text := "schemaVersion: '2.2'\ndescription: greets\nparameters:\n  name: {type: String, default: you}\nmainSteps:\n- action: aws:runShellScript\n  name: greet\n  inputs: {runCommand: ['echo {{ name }}']}\n"
	must(c.t, os.WriteFile(file, []byte(text), 0o600))
	c.want(c.ssm("create-document", "--name", "Greet", "--document-type", "Command", "--document-format", "YAML", "--content", "file://"+file),
		"1", "DocumentDescription", "DocumentVersion")
	c.refused("DocumentAlreadyExists", "create-document", "--name", "Greet", "--document-type", "Command", "--document-format", "YAML",
		"--content", "file://"+file)
	c.refused("InvalidDocumentContent", "create-document", "--name", "Bad", "--document-type", "Command", "--content", "{")
	must(c.t, os.WriteFile(file, []byte(strings.Replace(text, "greets", "greets again", 1)), 0o600))
	c.want(c.ssm("update-document", "--name", "Greet", "--document-format", "YAML", "--content", "file://"+file, "--document-version",
		"$LATEST"),
		"2", "DocumentDescription", "LatestVersion")
	c.want(c.ssm("update-document-default-version", "--name", "Greet", "--document-version", "2"), "2", "Description", "DefaultVersion")
	c.want(c.ssm("describe-document", "--name", "Greet"), "greets again", "Document", "Description")
	c.want(c.ssm("get-document", "--name", "Greet", "--document-version", "1", "--document-format", "YAML"), text, "Content")
	c.want(c.ssm("list-document-versions", "--name", "Greet"), "2", "DocumentVersions", "0", "DocumentVersion")
	c.want(c.ssm("list-documents", "--filters", "Key=Owner,Values=Self"), "Greet", "DocumentIdentifiers", "0", "Name")
	c.ssm("list-documents", "--document-filter-list", "key=Owner,value=Amazon")
	sent := c.ssm("send-command", "--document-name", "Greet", "--document-version", "2", "--instance-ids", n.id)
	id, _ := at(sent, "Command", "CommandId").(string)
	if inv, err := c.region.WaitCommand(c.t.Context(), id, n.id); err != nil || inv.Plugins[0].Name != "greet" {
		c.t.Errorf("%+v, %v", inv, err)
	}
	c.ssm("delete-document", "--name", "Greet")
	c.refused("InvalidDocument", "get-document", "--name", "Greet")
}

func TestTheStockCLIWorksWithTheBucket(t *testing.T) {
	r := local.Start(t)
	cli := newCLI(t, r)
	dir := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(dir, "a", "b"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "a", "b", "small"), []byte("hello"), 0o644))
	must(t, os.WriteFile(filepath.Join(dir, "large"), []byte(strings.Repeat("0123456789abcdef", 1<<20)), 0o644)) // in parts
	bucket := "s3://amazon-ssm-" + r.Name()
	s3 := func(args ...string) string {
		t.Helper()
		out, problem, err := cli.run(append([]string{"s3"}, args...)...)
		if err != nil {
			t.Fatalf("aws s3 %s: %v\n%s%s", strings.Join(args, " "), err, out, problem)
		}
		return out
	}
	s3("sync", dir, bucket+"/tree")
	s3("cp", filepath.Join(dir, "a", "b", "small"), bucket+"/latest/VERSION")
	if out := s3("ls", "--recursive", bucket); !strings.Contains(out, "tree/a/b/small") || !strings.Contains(out, "16777216 tree/large") {
		t.Errorf("ls: %s", out)
	}
	back := t.TempDir()
	s3("sync", bucket+"/tree", back)
	for _, name := range []string{"large", "a/b/small"} {
		want, err := os.ReadFile(filepath.Join(dir, name))
		must(t, err)
		got, err := os.ReadFile(filepath.Join(back, name))
		must(t, err)
		if string(got) != string(want) {
			t.Errorf("%s differs", name)
		}
	}
	if out := s3("sync", dir, bucket+"/tree"); strings.TrimSpace(out) != "" {
		t.Errorf("a second sync moved something: %s", out)
	}
	s3("cp", bucket+"/tree/a/b/small", bucket+"/copy")
	s3("rm", "--recursive", bucket+"/tree")
	if out := s3("ls", bucket); strings.Contains(out, "tree") {
		t.Errorf("after rm: %s", out)
	}
}
