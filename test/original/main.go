// Original is a stand-in for Amazon's agent, for tests: under the names of its programs it registers, runs a worker, pings the region as
// its version, writes its log, and misbehaves where it is built to. It shares nothing with Amazon's but names, files and the protocol.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Set when it is built.
var (
	version = "3.3.0.0"
	// complains: an ERROR about credentials comes into the log; commands: it takes commands; mgs: it says that they came over ssmmessages
	how = ""
)

func main() {
	switch filepath.Base(os.Args[0]) {
	case "ssm-agent-worker":
		work()
		return
	case "ssm-document-worker":
		workDocument(os.Args[len(os.Args)-1])
		return
	}
	set := flag.NewFlagSet("amazon-ssm-agent", flag.ExitOnError)
	says, registers, _ := set.Bool("version", false, ""), set.Bool("register", false, ""), set.Bool("y", false, "")
	region, code, id := set.String("region", "", ""), set.String("code", "", ""), set.String("id", "", "")
	_ = set.Parse(os.Args[1:])
	switch {
	case *says:
		fmt.Println("SSM Agent version: " + version)
	case *registers:
		register(*region, identity.Activation{ID: *id, Code: *code})
	default:
		serve()
	}
}

// register prints what the original prints.
func register(region string, a identity.Activation) {
	l := installer.At("")
	cfg, err := config.Load(l.ConfigFile())
	if err == nil {
		a.Region = region
		_ = os.RemoveAll(l.Vault()) // as Amazon's: the old registration is given up before another one is asked for
		id := ""
		if id, err = identity.Register(context.Background(), l, cfg, identity.Options{}, a); err == nil {
			fmt.Println("Successfully registered the instance with AWS SSM using Managed instance-id: " + id)
			return
		}
	}
	fmt.Printf("Registration failed due to %v\n", err)
	os.Exit(1)
}

// serve is the main program: it keeps a worker.
func serve() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	own, err := os.Executable()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	worker := exec.CommandContext(ctx, filepath.Join(filepath.Dir(own), "ssm-agent-worker"))
	worker.Stdout, worker.Stderr = os.Stdout, os.Stderr
	if err := worker.Run(); err != nil && ctx.Err() == nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

// work pings the region.
func work() {
	log("INFO [ssm-agent-worker] started " + version)
	if strings.Contains(how, "complains") {
		log("ERROR [CredentialRefresher] Failed to load credentials: none")
	}
	if strings.Contains(how, "commands") {
		go serveCommands()
	}
	for ; ; time.Sleep(time.Second) {
		if err := ping(); err != nil {
			log("INFO [HealthCheck] " + err.Error())
		}
	}
}

// serveCommands takes commands.
func serveCommands() {
	for ; ; time.Sleep(200 * time.Millisecond) {
		id, err := self()
		if err == nil {
			endedHere(id)
			err = receive(id)
		}
		if err != nil {
			log("INFO [MDS] " + err.Error())
		}
	}
}

// self is the node.
func self() (*identity.Identity, error) {
	l := installer.At("")
	cfg, err := config.Load(l.ConfigFile())
	if err != nil {
		return nil, err
	}
	return identity.Load(l, cfg, identity.Options{})
}

func ping() error {
	id, err := self()
	if err != nil {
		return err
	}
	ssm, err := id.Client(cloud.SSM())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return ssm.Call(ctx, "UpdateInstanceInformation", wire.UpdateInstanceInformationInput{AgentName: "amazon-ssm-agent",
		AgentVersion: version, InstanceId: id.InstanceID, PlatformType: "Linux"}, nil)
}

func log(text string) {
	dir := installer.At("").Logs()
	_ = os.MkdirAll(dir, 0o755)
	f, err := os.OpenFile(filepath.Join(dir, "amazon-ssm-agent.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintf(f, "%s %s\n", time.Now().Format("2006-01-02 15:04:05.0000"), text)
}
