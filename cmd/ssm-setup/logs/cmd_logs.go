// Package logs is the command logs: the last lines of a log file of the agent, and the new ones as they come. The files themselves are
// made by the agent, the updater and the launcher.
package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/flags"
	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/updater"
)

// Logs is the command logs.
func Logs() *cli.Command {
	return &cli.Command{
		Name:  "logs",
		Usage: "show the agent's log, or that of its updates",
		Description: "Prints the last lines of the agent's log file as they are. With --follow it keeps printing new lines until it is " +
			"interrupted, also after the file was exchanged for a new one.",
		Flags: []cli.Flag{flags.Root(),
			&cli.BoolFlag{Name: "follow", Aliases: []string{"f"}, Usage: "keep printing new lines"},
			&cli.BoolFlag{Name: "update", Usage: "show the log of updates instead"},
			&cli.BoolFlag{Name: "errors", Usage: "show the log of errors instead"},
			&cli.BoolFlag{Name: "launcher", Usage: "show the log of the launcher instead: how agents were started and ended"},
			&cli.IntFlag{Name: "lines", Aliases: []string{"n"}, Value: 50, Usage: "how many of the last lines; 0: all"},
		},
		Action: showLogs,
	}
}

// logFile is the file that the flags name.
func logFile(c *cli.Context, l installer.Layout) (string, error) {
	files := map[string]string{"update": updater.LogFile(l), "errors": filepath.Join(l.Logs(), "errors.log"),
		"launcher": l.Pointer().LaunchLog()}
	chosen := filepath.Join(l.Logs(), "amazon-ssm-agent.log")
	given := 0
	for flag, file := range files {
		if c.Bool(flag) {
			chosen = file
			given++
		}
	}
	if given > 1 {
		return "", terminal.Usage("--update, --errors and --launcher exclude each other")
	}
	return chosen, nil
}

func showLogs(c *cli.Context) error {
	out := terminal.Of(c)
	l, err := flags.Layout(c)
	if err != nil {
		return err
	}
	path, err := logFile(c, l)
	if err != nil {
		return err
	}
	if c.Int("lines") < 0 {
		return terminal.Usage("--lines is below zero")
	}
	to := out.Lines("log")
	f, err := os.Open(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.Bool("follow"):
		out.Step("%s is not there yet: waiting for it", path)
	case errors.Is(err, fs.ErrNotExist):
		return terminal.Cannot("read", "the log", fmt.Errorf("there is no file %s", path)).WithKind(fault.Other).
			WithHint("nothing has written it yet; ssm-setup status shows whether an agent is on " + flags.Where(l))
	case err != nil:
		return terminal.Cannot("read", "the log", err)
	}
	if f != nil {
		defer f.Close()
		if err := lastLines(f, c.Int("lines")); err != nil {
			return terminal.Cannot("read", path, err)
		}
		if _, err := io.Copy(to, f); err != nil && out.Lost() == nil {
			return terminal.Cannot("read", path, err)
		}
	}
	if !c.Bool("follow") {
		return nil
	}
	if err := followFile(c.Context, path, f, to, out.Lost); err != nil {
		return terminal.Cannot("read", path, err)
	}
	return nil
}

// lastLines puts a file's position where its last n lines begin; 0: at its beginning.
func lastLines(f *os.File, n int) error {
	end, err := f.Seek(0, io.SeekEnd)
	if err != nil || n == 0 {
		_, err = f.Seek(0, io.SeekStart)
		return err
	}
	const block = 64 << 10
	buf := make([]byte, block)
	for at := end; at > 0; {
		size := min(block, at)
		at -= size
		if _, err := f.ReadAt(buf[:size], at); err != nil {
			return err
		}
		for i := size - 1; i >= 0; i-- {
			if buf[i] != '\n' || at+i == end-1 { // the end of the last line is no beginning of one
				continue
			}
			if n--; n == 0 {
				_, err := f.Seek(at+i+1, io.SeekStart)
				return err
			}
		}
	}
	_, err = f.Seek(0, io.SeekStart)
	return err
}

// followFile copies what is added to a file, from the position of f on (nil: the file is not there yet), and goes on in a new file of that
// name, until the context ends or the answer can no longer be written.
func followFile(ctx context.Context, path string, f *os.File, to io.Writer, lost func() error) error {
	for tick := time.NewTicker(200 * time.Millisecond); ; {
		select {
		case <-ctx.Done():
			tick.Stop()
			return nil
		case <-tick.C:
		}
		if lost() != nil {
			return nil
		}
		if f != nil {
			if _, err := io.Copy(to, f); err != nil && lost() == nil {
				return err
			}
		}
		next, err := exchanged(path, f)
		if err != nil {
			return err
		}
		if next != nil {
			if f != nil {
				_, _ = io.Copy(to, f) // what came between
				f.Close()
			}
			f = next
		}
	}
}

// exchanged is the file under the path where it is another than f, or was emptied; else nil.
func exchanged(path string, f *os.File) (*os.File, error) {
	now, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil //nolint:nilnil // it rolls, or has not begun
	}
	if err != nil {
		return nil, err
	}
	if f != nil {
		open, err := f.Stat()
		if err != nil {
			return nil, err
		}
		at, err := f.Seek(0, io.SeekCurrent)
		if err != nil || os.SameFile(open, now) && now.Size() >= at {
			return nil, err
		}
	}
	return os.Open(path)
}
