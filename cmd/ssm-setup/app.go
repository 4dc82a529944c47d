package main

import (
	"context"
	"errors"
	"io"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/machine"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/setupcli"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/account"
	"github.com/ssm-setup/ssm-setup/installer/caller"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

// trustedKey is an OpenPGP public key in base64 that the linker sets: ssm-setup build --trust KEY.
var trustedKey string

// run is the whole program; it returns the exit code. Called as ssm-setup-cli it is what scripts for the original expect. A first
// signal cancels the context of the subcommand, a second one ends the program where it is.
func run(args []string, in io.Reader, out, errw io.Writer) int {
	ctx, stop := signalled()
	defer stop()
	if setupcli.Named(args[0]) {
		return setupcli.Run(ctx, setupcli.Program{Out: out, Err: errw, Ports: machine.Ports(), TrustedKey: trustedKey}, args[1:])
	}
	p := terminal.New(in, out, errw)
	p.Args = args
	p.JSON = wantsJSON(args[1:]) // looked up here so that errors of the flags themselves are JSON too
	err := newApp(p).RunContext(ctx, args)
	if err == nil {
		return terminal.OK
	}
	var done exited
	if errors.As(err, &done) {
		return int(done)
	}
	return p.Fail(err)
}

// signalled is a context that a first signal cancels; the next one does what signals do.
func signalled() (ctx context.Context, stop func()) {
	ctx, stop = signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// wantsJSON looks for the flag in all the ways it can be written.
func wantsJSON(args []string) (wanted bool) {
	for _, arg := range args {
		if arg == "--" {
			break
		}
		name, value, given := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
		if name != "json" || !strings.HasPrefix(arg, "-") {
			continue
		}
		if said, err := strconv.ParseBool(value); err == nil || !given {
			wanted = said || !given
		}
	}
	return wanted
}

func newApp(p *terminal.Printer) *cli.App {
	jsonFlag := &cli.BoolFlag{Name: "json", Usage: "print results, progress and errors as JSON"}
	app := &cli.App{
		Name:                 "ssm-setup",
		Usage:                "from nothing to a registered, healthy, always current SSM agent",
		Version:              stamp.Version(),
		Writer:               p.Out,
		ErrWriter:            p.Err,
		Reader:               p.In,
		Metadata:             map[string]any{terminal.PrinterKey: p},
		Flags:                []cli.Flag{jsonFlag},
		EnableBashCompletion: true,
		ExitErrHandler:       func(*cli.Context, error) {},
		OnUsageError:         usageError,
		CommandNotFound:      nil,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return terminal.Usage("there is no subcommand %q", c.Args().First()).WithHint(hintCommand(c.Args().First()))
			}
			return cli.ShowAppHelp(c)
		},
	}
	for _, make := range subcommands {
		command := make()
		command.Flags = append(command.Flags, jsonFlag)
		command.OnUsageError = usageError
		insist(command)
		onHost(command)
		app.Commands = append(app.Commands, command)
	}
	return app
}

// insist has a subcommand itself look for the flags that it needs: the library prints a page of help where the answer belongs. An
// argument that a subcommand does not take is refused: `uninstall DIR` is not `uninstall --root DIR`.
func insist(command *cli.Command) {
	var needed []string
	for _, f := range command.Flags {
		if s, ok := f.(*cli.StringFlag); ok && s.Required {
			s.Required = false
			needed = append(needed, s.Name)
		}
	}
	act, takes := command.Action, strings.TrimSpace(command.ArgsUsage) != ""
	command.Action = func(c *cli.Context) error {
		if !takes && c.Args().Present() {
			return terminal.Usage("unexpected argument %q", c.Args().First())
		}
		for _, name := range needed {
			if c.String(name) == "" {
				return terminal.Usage("--%s is missing", name)
			}
		}
		return act(c)
	}
}

// onHost has a subcommand that works on an installation make its files and start its programs as a service would, whatever the shell's
// umask (folders such as /etc/amazon are shared with other software), and as the account that owns the installation's folder.
func onHost(command *cli.Command) {
	if !slices.ContainsFunc(command.Flags, func(f cli.Flag) bool { return f.Names()[0] == "root" }) {
		return
	}
	act := command.Action
	command.Action = func(c *cli.Context) error {
		defer host.ServiceMask()()
		owner, other, err := account.Of(c.String("root"))
		if err != nil {
			return terminal.Cannot(c.Command.Name, "the agent on "+c.String("root"), err)
		}
		if !other {
			return act(c)
		}
		p := terminal.Of(c)
		code, err := owner.Run(c.Context, account.Program{Arguments: p.Args, In: p.In, Out: p.Out, Err: p.Err,
			Variables: []string{setup.ActivationID, setup.ActivationCode, caller.SourceVariable, "AWS_REGION", "AWS_DEFAULT_REGION",
				"AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT"}})
		if err != nil || code == terminal.OK {
			return err
		}
		return exited(code)
	}
}

// exited is the exit code of a program that has told the rest itself.
type exited int

func (e exited) Error() string { return "exit code " + strconv.Itoa(int(e)) }

func usageError(_ *cli.Context, err error, _ bool) error {
	var p *terminal.Problem
	if errors.As(err, &p) {
		return p
	}
	return terminal.Usage("%v", err)
}

// hintCommand names the subcommand that starts alike, else how to see them all.
func hintCommand(word string) string {
	for _, make := range subcommands {
		if name := make().Name; len(word) > 1 && strings.HasPrefix(name, word[:2]) {
			return "did you mean ssm-setup " + name + "?"
		}
	}
	return "ssm-setup help shows the subcommands"
}
