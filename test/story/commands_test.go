//go:build unix

package story_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/launcher"
	"github.com/ssm-setup/ssm-setup/installer/pointer"
	"github.com/ssm-setup/ssm-setup/regions/local"
)

// patience bounds every wait of a script.
const patience = 3 * time.Minute

// story is what one script has going.
type story struct {
	work, root string
	region     *local.Region
	client     *ssm.Client
	sent       map[string]string // name → command id
	earlier    *exec.Cmd         // a region of an earlier build, see before_test.go
	places     places            // see outputs_test.go
}

type storyKey struct{}

var commands = map[string]func(ts *testscript.TestScript, neg bool, args []string){
	"region":        plain(startRegion),
	"region-break":  plain(breakRegion),
	"region-put":    plain(putObject),
	"region-clock":  plain(jumpClock),
	"region-drop":   plain(func(_ *testscript.TestScript, s *story, _ []string) { s.region.DropConnections(-1) }),
	"stop-launcher": plain(stopLauncher),
	"region-mend":   plain(func(_ *testscript.TestScript, s *story, _ []string) { s.region.Mend() }),
	"region-close":  plain(closeRegion),
	"publish":       plain(publish),
	"serve":         plain(serveFolder),
	"fails":         fails,
	"meddle":        plain(meddle),
	"keys":          plain(makeKeys),
	"region-has":    plain(hasObject),
	"region-bucket": plain(makeBucket),
	"activation":    plain(activation),
	"install":       install,
	"outputs":       plain(setOutputs),
	"show-kept":     plain(showKept),
	"show-logged":   plain(showLogged),
	"send":          plain(send),
	"send-async":    plain(sendAsync),
	"await":         plain(await),
	"agent-version": plain(agentVersion),
	"eventually":    plain(eventually),
	"idle-cost":     plain(idleCost),
	"kill-launcher": plain(killLauncher),
	"agent-gone":    plain(agentGone),
	"on-probation":  plain(onProbation),
	"kill-updaters": plain(killUpdaters),

	"attack":  plain(attack),
	"refused": plain(refused),

	"before":           plain(prepareBefore),
	"region-before":    plain(regionBefore),
	"region-take-over": plain(regionTakeOver),
	"region-commands":  plain(knowsCommands),
}

// plain is a command that cannot be negated.
func plain(f func(ts *testscript.TestScript, s *story, args []string)) func(*testscript.TestScript, bool, []string) {
	return func(ts *testscript.TestScript, neg bool, args []string) {
		if neg {
			ts.Fatalf("this command cannot be negated")
		}
		f(ts, ts.Value(storyKey{}).(*story), args)
	}
}

// end leaves nothing running: the launcher of the script's root first, then whatever was started from that root, and what that
// started in the meantime.
func (s *story) end() {
	if pid, running := launcher.Running(installer.At(s.root).Pointer()); running && pid > 0 {
		_ = syscall.Kill(pid, syscall.SIGTERM)
		_ = syscall.Kill(pid, syscall.SIGCONT)
		for end := time.Now().Add(8 * time.Second); host.Alive(pid) && time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		}
	}
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		left := s.processes("")
		if len(left) == 0 {
			break
		}
		for _, pid := range left {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
	if s.region != nil {
		_ = s.region.Close()
	}
}

// processes are those whose program lies under the script's root and that are called name; empty: all.
func (s *story) processes(name string) []int {
	pids, _ := host.Processes()
	var found []int
	for _, pid := range pids {
		exe, err := host.ProcessExecutable(pid)
		if err != nil || !strings.HasPrefix(exe, s.work+string(filepath.Separator)) {
			continue
		}
		args, _ := host.ProcessArguments(pid)
		if name == "" || len(args) > 0 && args[0] == name {
			found = append(found, pid)
		}
	}
	return found
}

func startRegion(ts *testscript.TestScript, s *story, args []string) {
	name := "local"
	if len(args) > 0 {
		name = args[0]
	}
	r, err := local.Open(local.Options{Data: filepath.Join(s.work, "region-"+name), Name: name, NoSync: true, Record: true})
	ts.Check(err)
	s.region = r
	s.connect(ts, name, r.URL(), r.CredentialsFile())
}

// connect makes the client of a region's administrator, for the script's commands and for what the script runs.
func (s *story) connect(ts *testscript.TestScript, name, address, credentialsFile string) {
	text, err := os.ReadFile(credentialsFile)
	ts.Check(err)
	keys := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, "="); ok {
			keys[strings.TrimSpace(key)] = strings.TrimSpace(value)
		}
	}
	s.client = ssm.New(ssm.Options{Region: name, BaseEndpoint: aws.String(address),
		Credentials: credentials.NewStaticCredentialsProvider(keys["aws_access_key_id"], keys["aws_secret_access_key"], "")})
	ts.Setenv("ENDPOINT", address)
	ts.Setenv("REGION", name)
	ts.Setenv("AWS_SHARED_CREDENTIALS_FILE", credentialsFile)
}

func breakRegion(ts *testscript.TestScript, s *story, args []string) {
	if len(args) != 3 {
		ts.Fatalf("usage: region-break MATCH TIMES STATUS")
	}
	times, err := strconv.Atoi(args[1])
	ts.Check(err)
	status, err := strconv.Atoi(args[2])
	ts.Check(err)
	s.region.Break(args[0], times, status, "")
}

func putObject(ts *testscript.TestScript, s *story, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: region-put KEY FILE")
	}
	ts.Check(s.region.Put(args[0], []byte(ts.ReadFile(args[1]))))
}

func jumpClock(ts *testscript.TestScript, s *story, args []string) {
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	s.region.Advance(d)
}

func closeRegion(ts *testscript.TestScript, s *story, _ []string) {
	ts.Check(s.region.Close())
}

func publish(ts *testscript.TestScript, s *story, args []string) {
	for _, name := range args {
		ts.Check(ts.Exec("ssm-setup", "publish", "--from", filepath.Join(built, "releases", name), "--region", s.region.Name(),
			"--endpoint", s.region.URL()))
	}
}

func activation(ts *testscript.TestScript, s *story, args []string) {
	limit := int64(5)
	if len(args) > 0 {
		n, err := strconv.ParseInt(args[0], 10, 32)
		ts.Check(err)
		limit = n
	}
	out, err := s.client.CreateActivation(context.Background(), &ssm.CreateActivationInput{
		IamRole: aws.String("service-role/SSMRole"), RegistrationLimit: aws.Int32(int32(limit))})
	ts.Check(err)
	ts.Setenv("SSM_ACTIVATION_ID", *out.ActivationId)
	ts.Setenv("SSM_ACTIVATION_CODE", *out.ActivationCode)
}

// watch is how long a new version is watched in scripts that set no WATCH, in seconds. A third of it and more without a beat is
// silence, so it must be long enough for a busy machine to start an agent in.
const watch = "8"

// install writes a configuration with a short watch first: keys that are there stay.
func install(ts *testscript.TestScript, neg bool, args []string) {
	s := ts.Value(storyKey{}).(*story)
	config := installer.At(s.root).ConfigFile()
	if _, err := os.Stat(config); err != nil {
		ts.Check(os.MkdirAll(filepath.Dir(config), 0o755))
		seconds := ts.Getenv("WATCH")
		if seconds == "" {
			seconds = watch
		}
		ts.Check(os.WriteFile(config, []byte(`{"Agent": {"UpdateWatchSeconds": `+seconds+`}}`), 0o600))
	}
	all := append([]string{"install", "--root", s.root, "--region", s.region.Name(), "--endpoint", s.region.URL()}, args...)
	err := ts.Exec("ssm-setup", all...)
	if neg == (err == nil) {
		ts.Fatalf("install: %v", err)
	}
}

// node is the one instance registered with the region; of several that of the script's root.
func (s *story) node(ts *testscript.TestScript) types.InstanceInformation {
	out, err := s.client.DescribeInstanceInformation(context.Background(), &ssm.DescribeInstanceInformationInput{})
	ts.Check(err)
	if id, _, err := identity.Registered(installer.At(s.root)); err == nil && len(out.InstanceInformationList) > 1 {
		for _, n := range out.InstanceInformationList {
			if aws.ToString(n.InstanceId) == id {
				return n
			}
		}
	}
	if len(out.InstanceInformationList) != 1 {
		ts.Fatalf("%d instances are registered, 1 expected", len(out.InstanceInformationList))
	}
	return out.InstanceInformationList[0]
}

// start sends a command to the one instance.
func (s *story) start(ts *testscript.TestScript, args []string) string {
	in := &ssm.SendCommandInput{DocumentName: aws.String(args[0]), InstanceIds: []string{aws.ToString(s.node(ts).InstanceId)},
		Parameters: map[string][]string{}}
	for _, a := range args[1:] {
		k, v, ok := strings.Cut(a, "=")
		if !ok {
			ts.Fatalf("%q is not KEY=VALUE", a)
		}
		in.Parameters[k] = append(in.Parameters[k], v)
	}
	s.places.ask(in)
	out, err := s.client.SendCommand(context.Background(), in)
	ts.Check(err)
	s.places.last = *out.Command.CommandId
	return s.places.last
}

// finish waits for a command's end and prints what the region recorded: status, then the outputs.
func (s *story) finish(ts *testscript.TestScript, id, want string) {
	s.report(ts, s.over(ts, id), want)
}

// outcome waits for a command's end and gives its status and what its steps said.
func (s *story) outcome(ts *testscript.TestScript, id string) (status, text string) {
	inv := s.over(ts, id)
	for _, p := range inv.CommandPlugins {
		text += aws.ToString(p.Output) + "\n"
	}
	return string(inv.Status), text
}

// over waits for a command's end.
func (s *story) over(ts *testscript.TestScript, id string) types.CommandInvocation {
	in := &ssm.ListCommandInvocationsInput{CommandId: &id, Details: true}
	for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		out, err := s.client.ListCommandInvocations(context.Background(), in)
		ts.Check(err)
		if len(out.CommandInvocations) == 1 && ended(out.CommandInvocations[0].Status) {
			return out.CommandInvocations[0]
		}
		if time.Now().After(end) {
			ts.Fatalf("command %s has no end after %s", id, patience)
		}
	}
}

// ended tells final statuses.
func ended(status types.CommandInvocationStatus) bool {
	switch status {
	case types.CommandInvocationStatusPending, types.CommandInvocationStatusInProgress, types.CommandInvocationStatusDelayed,
		types.CommandInvocationStatusCancelling:
		return false
	}
	return true
}

// report prints status, code and what each step said; the standard streams where there is one step.
func (s *story) report(ts *testscript.TestScript, inv types.CommandInvocation, want string) {
	code, text := int32(0), ""
	for _, p := range inv.CommandPlugins {
		code = max(code, p.ResponseCode)
		text += aws.ToString(p.Output) + "\n"
	}
	if len(inv.CommandPlugins) == 1 {
		out, err := s.client.GetCommandInvocation(context.Background(), &ssm.GetCommandInvocationInput{CommandId: inv.CommandId,
			InstanceId: inv.InstanceId})
		ts.Check(err)
		if out.StandardOutputContent != nil && *out.StandardOutputContent != "" {
			text = *out.StandardOutputContent
		}
		fmt.Fprint(ts.Stderr(), aws.ToString(out.StandardErrorContent))
	}
	fmt.Fprintf(ts.Stdout(), "status %s code %d\n%s", inv.Status, code, text)
	if string(inv.Status) != want {
		ts.Fatalf("command ended %s, %s expected\n%s", inv.Status, want, text)
	}
}

func send(ts *testscript.TestScript, s *story, args []string) {
	want := "Success"
	if len(args) > 2 && args[0] == "-status" {
		want, args = args[1], args[2:]
	}
	s.finish(ts, s.start(ts, args), want)
}

func sendAsync(ts *testscript.TestScript, s *story, args []string) {
	s.sent[args[0]] = s.start(ts, args[1:])
}

func await(ts *testscript.TestScript, s *story, args []string) {
	want := "Success"
	if len(args) > 1 {
		want = args[1]
	}
	id, ok := s.sent[args[0]]
	if !ok {
		ts.Fatalf("nothing was sent under the name %s", args[0])
	}
	s.finish(ts, id, want)
}

func agentVersion(ts *testscript.TestScript, s *story, args []string) {
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		got := aws.ToString(s.node(ts).AgentVersion)
		if got == args[0] {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("the region knows version %s, not %s", got, args[0])
		}
	}
}

func eventually(ts *testscript.TestScript, s *story, args []string) {
	seconds, err := strconv.Atoi(args[0])
	ts.Check(err)
	var out []byte
	for end := time.Now().Add(time.Duration(seconds) * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		cmd := exec.Command("sh", "-c", `cd "$0" && "$@"`, s.work)
		cmd.Args = append(cmd.Args, args[1:]...)
		cmd.Env = append(os.Environ(), "PATH="+ts.Getenv("PATH"), "ROOT="+s.root, "HOME="+ts.Getenv("HOME"))
		if out, err = cmd.CombinedOutput(); err == nil {
			return
		}
	}
	ts.Fatalf("%s: %v after %d s\n%s", strings.Join(args[1:], " "), err, seconds, out)
}

// launcherOf is the process that is the root's service; after one was killed the next may still be on its way.
func (s *story) launcherOf(ts *testscript.TestScript) (pid int) {
	until(ts, "a launcher", func() (running bool) {
		pid, running = launcher.Running(installer.At(s.root).Pointer())
		return running
	})
	return pid
}

// until waits for what must come.
func until(ts *testscript.TestScript, what string, holds func() bool) {
	for end := time.Now().Add(patience); !holds(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			ts.Fatalf("waited %s in vain: %s", patience, what)
		}
	}
}

func killLauncher(ts *testscript.TestScript, s *story, _ []string) {
	pid := s.launcherOf(ts)
	ts.Check(syscall.Kill(pid, syscall.SIGKILL))
	until(ts, "the launcher's death", func() bool { return !host.Alive(pid) })
}

// stopLauncher ends the service the orderly way and waits for it.
func stopLauncher(ts *testscript.TestScript, s *story, _ []string) {
	pid := s.launcherOf(ts)
	ts.Check(syscall.Kill(pid, syscall.SIGTERM))
	until(ts, "the launcher's end", func() bool { return !host.Alive(pid) })
}

// onProbation waits for a new version on probation. It looks at the pointer itself: that a process is started for each look could
// take longer than a probation lasts.
func onProbation(ts *testscript.TestScript, s *story, _ []string) {
	p := installer.At(s.root).Pointer()
	until(ts, "a version on probation", func() bool {
		state, err := pointer.Read(p)
		return err == nil && state.Probation
	})
}

// agentGone waits until no agent runs.
func agentGone(ts *testscript.TestScript, s *story, _ []string) {
	until(ts, "the agent's end", func() bool {
		_, running := launcher.AgentRunning(installer.At(s.root).Pointer())
		return !running
	})
}

// killUpdaters ends every updater of the root at once: what resumes afterwards is started by the agent or the launcher.
func killUpdaters(ts *testscript.TestScript, s *story, _ []string) {
	for _, pid := range s.processes("updater") {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}
