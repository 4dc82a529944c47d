package main

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/machine"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/manual"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/releases"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/setupcli"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/account"
	"github.com/ssm-setup/ssm-setup/installer/caller"
	"github.com/ssm-setup/ssm-setup/installer/host"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/installer/stamp"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
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
	p.JSON = wants(args[1:], "json") // looked up here so that errors of the flags themselves are JSON too
	p.Quiet, p.Verbose = wants(args[1:], "quiet", "q"), wants(args[1:], "verbose")
	app := newApp(p)
	err := app.RunContext(ctx, flagsFirst(app, args))
	if lost := p.Lost(); err == nil && lost != nil {
		if errors.Is(lost, syscall.EPIPE) { // its reader has seen enough
			return fault.Output.ExitCode()
		}
		err = terminal.Cannot("write", "the answer", lost).WithKind(fault.Output).
			WithHint("the command itself did its work; only its answer is lost")
	}
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
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE) // an installation whose reader has gone goes on: the write fails instead
	ctx, stop = signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

// wants looks for a flag without a value in all the ways it can be written.
func wants(args []string, names ...string) (wanted bool) {
	for _, arg := range args {
		if arg == "--" {
			break
		}
		name, value, given := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(arg, "-"), "-"), "=")
		if !slices.Contains(names, name) || !strings.HasPrefix(arg, "-") {
			continue
		}
		if said, err := strconv.ParseBool(value); err == nil || !given {
			wanted = said || !given
		}
	}
	return wanted
}

// aboutKey is where the app keeps the description of its subcommands.
const aboutKey = "about"

// aboutOf is the description of all subcommands.
func aboutOf(c *cli.Context) manual.Program { return c.App.Metadata[aboutKey].(manual.Program) }

func newApp(p *terminal.Printer) *cli.App {
	app := &cli.App{
		Name:            "ssm-setup",
		Usage:           "from nothing to a registered, healthy, always current SSM agent",
		Version:         stamp.Version(),
		Writer:          p.Out,
		ErrWriter:       p.Err,
		Reader:          p.In,
		Metadata:        map[string]any{terminal.PrinterKey: p},
		Flags:           append(commonFlags(), cli.HelpFlag),
		HideHelpCommand: true,
		ExitErrHandler:  func(*cli.Context, error) {},
	}
	app.OnUsageError = func(_ *cli.Context, err error, _ bool) error {
		return usageError(&cli.Command{Name: "", Flags: app.Flags}, err)
	}
	for _, make := range subcommands {
		app.Commands = append(app.Commands, make())
	}
	about := aboutProgram(app)
	app.Metadata[aboutKey] = about
	app.Metadata[releases.ManualKey] = func(version string, at time.Time) pack.Manual { return packed(about, version, at) }
	app.CustomAppHelpTemplate = verbatim(about.Help(p.Width()))
	app.Action = func(c *cli.Context) error {
		if c.Args().Present() {
			return unknownCommand(app, c.Args().First())
		}
		return cli.ShowAppHelp(c)
	}
	for _, command := range app.Commands {
		if described, ok := about.Find(command.Name); ok {
			command.CustomHelpTemplate = verbatim(about.HelpOf(described, p.Width()))
		}
		for _, f := range commonFlags() {
			if !slices.ContainsFunc(command.Flags, func(own cli.Flag) bool { return own.Names()[0] == f.Names()[0] }) {
				command.Flags = append(command.Flags, f)
			}
		}
		command.OnUsageError = func(_ *cli.Context, err error, _ bool) error { return usageError(command, err) }
		command.HideHelpCommand = true
		insist(command)
		onHost(command)
	}
	return app
}

// verbatim is a text as a template that the library fills in.
func verbatim(text string) string { return "{{" + strconv.Quote(text) + "}}" }

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
			return badArgument(command, c.Args().First())
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

func usageError(command *cli.Command, err error) error {
	var p *terminal.Problem
	if errors.As(err, &p) {
		return p
	}
	return badFlag(command, err)
}
