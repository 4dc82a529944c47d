// Package account says as which account a program works on an installation under a root, and runs it as that account.
//
// `sudo ssm-setup … --root /home/alice/host` works on programs and files that alice owns: as root it would run what she put there, and
// follow links that she made. So the same command line runs once more as alice: with no other groups, in a session of its own without
// the caller's terminal, and with the listed environment of installer/host. A folder that belongs to an account which neither called
// sudo nor has the folder in its home is refused: another account may have made it first, under a name that root was going to use.
//
// The room owns no files. What must always be true: nothing in the folder is read or run before [Of] has answered. On Windows an
// administrator's rights are no other account, and [Of] always answers that there is nothing to do; who may write there is looked at by
// an installation.
package account

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// Account is one to run as.
type Account struct {
	Name string // as people know it
	Home string

	uid, gid uint32
}

// Program is what runs once more.
type Program struct {
	Arguments []string  // the whole command line, this program's name first
	In        io.Reader // what is read of it only where an argument is -
	Out, Err  io.Writer
	Variables []string // names of variables that go along, with the listed ones
}

// foreign is the refusal of another account's folder.
func foreign(cause error) error {
	return fault.Wrap(fault.Permission, cause, "run it as that user, or choose a folder that belongs to you, in folders that belong to you or to root")
}

// readsInput tells whether a command line names standard input.
func (p Program) readsInput() bool {
	return slices.ContainsFunc(p.Arguments, func(arg string) bool { return arg == "-" || strings.HasSuffix(arg, "=-") })
}

// Run runs the program as the account and returns its exit code. A context that ends asks it to end.
func (a Account) Run(ctx context.Context, p Program) (exitCode int, err error) { return a.run(ctx, p) }
