package main

import (
	"context"
	"errors"
	"io"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

// voiceKey is where the app keeps its voice.
const voiceKey = "voice"

// speak is the voice of the running verb.
func speak(c *cli.Context) *voice { return c.App.Metadata[voiceKey].(*voice) }

// run is the whole program; it returns the exit code. Called as ssm-setup-cli it is what scripts for the original expect. A first signal cancels the context of the verb.
func run(args []string, in io.Reader, out, errw io.Writer) int {
	if calledAsSetupCLI(args[0]) {
		return runSetupCLI(args[1:], out, errw)
	}
	v := newVoice(in, out, errw)
	v.json = slices.Contains(args, "--json") // looked up here so that errors of the flags themselves are JSON too
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	err := newApp(v).RunContext(ctx, args)
	if err == nil {
		return exitOK
	}
	return v.fail(err)
}

func newApp(v *voice) *cli.App {
	jsonFlag := &cli.BoolFlag{Name: "json", Usage: "print results, progress and errors as JSON"}
	app := &cli.App{
		Name:                 "ssm-setup",
		Usage:                "from nothing to a registered, healthy, always current SSM agent",
		Version:              stamp.Version(),
		Writer:               v.out,
		ErrWriter:            v.err,
		Reader:               v.in,
		Metadata:             map[string]any{voiceKey: v},
		Flags:                []cli.Flag{jsonFlag},
		EnableBashCompletion: true,
		ExitErrHandler:       func(*cli.Context, error) {},
		OnUsageError:         usageError,
		CommandNotFound:      nil,
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("there is no verb %q", c.Args().First()).withHint(hintVerb(c.Args().First()))
			}
			return cli.ShowAppHelp(c)
		},
	}
	for _, verb := range verbs {
		command := verb()
		command.Flags = append(command.Flags, jsonFlag)
		command.OnUsageError = usageError
		app.Commands = append(app.Commands, command)
	}
	return app
}

func usageError(_ *cli.Context, err error, _ bool) error {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	return usage("%v", err)
}

// hintVerb names the verb that starts alike, else how to see them all.
func hintVerb(word string) string {
	for _, verb := range verbs {
		if name := verb().Name; len(word) > 1 && strings.HasPrefix(name, word[:2]) {
			return "did you mean ssm-setup " + name + "?"
		}
	}
	return "ssm-setup help shows the verbs"
}
