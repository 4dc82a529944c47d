package main

import (
	"os"

	"github.com/ssm-setup/ssm-setup/installer/describe"
	"github.com/ssm-setup/ssm-setup/installer/pack"
)

// describing collects what a build packs; the function it returns describes the finished release.
func describing(plan *pack.Plan) func() ([]describe.File, error) {
	programs := map[pack.Platform][]describe.Program{}
	plan.Looked = func(in pack.Input) (err error) {
		programs[in.Platform], err = describe.Look(in)
		return err
	}
	return func() ([]describe.File, error) {
		version := plan.Version.String()
		return describe.Write(describe.Release{Dir: plan.Dir(), Version: version, Time: plan.Time, Programs: programs,
			Commit: describe.Commit(os.Getenv("SOURCE_COMMIT"), plan.Source), Notes: describe.Notes(plan.Source, version)})
	}
}
