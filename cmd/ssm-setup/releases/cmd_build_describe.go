package releases

import (
	"cmp"
	"os"

	"github.com/ssm-setup/ssm-setup/cmd/ssm-setup/terminal"
	"github.com/ssm-setup/ssm-setup/installer/build"
	"github.com/ssm-setup/ssm-setup/installer/describe"
	"github.com/ssm-setup/ssm-setup/installer/pack"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// describing collects what a build packs; the function it returns describes the finished release. notes is the file that
// --notes names, or empty.
func describing(plan *build.Plan, notes string, out *terminal.Printer) (func() ([]describe.File, error), error) {
	version := plan.Version.String()
	text := describe.Notes(plan.Source, version)
	if notes != "" {
		b, err := os.ReadFile(notes)
		if err != nil {
			return nil, terminal.Unreadable("--notes", err, "name a file that can be read")
		}
		if text, err = describe.NotesIn(string(b), version); err != nil {
			return nil, terminal.Usage("--notes: %v", err)
		}
	}
	programs := map[pack.Platform][]describe.Program{}
	plan.Inspect = func(in pack.Input) (err error) {
		programs[in.Platform], err = describe.Inspect(in)
		return err
	}
	given := os.Getenv("SOURCE_COMMIT")
	if _, err := describe.OriginOf(given, plan.Source, nil); err != nil { // before anything is compiled
		return nil, err
	}
	var compiled []string
	var stamped string
	plan.Compiled = func(files []string) (string, error) {
		origin, err := describe.OriginOf(given, plan.Source, files)
		compiled, stamped = files, cmp.Or(origin.Commit, origin.Given)
		return stamped, err
	}
	return func() ([]describe.File, error) {
		origin, err := describe.OriginOf(given, plan.Source, compiled)
		if err != nil {
			return nil, err
		}
		if plan.Source != "" && cmp.Or(origin.Commit, origin.Given) != stamped {
			return nil, errChanged
		}
		if origin.Commit == "" && plan.Source != "" {
			out.Step("the provenance names no commit: %s", origin.Why)
		}
		return describe.Write(describe.Contents{Dir: plan.Dir(), Version: version, Time: plan.Time, Programs: programs,
			Origin: origin, Notes: text})
	}, nil
}

// errChanged says that the programs may be of another commit than the one that ssm-setup names.
var errChanged = fault.New(fault.Other, "the source was changed while it was compiled", "build it again")
