package originals

import (
	"context"
	"path/filepath"

	"github.com/ssm-setup/ssm-setup/installer/setup"
	"github.com/ssm-setup/ssm-setup/manifests"
)

// snap tells whether snap installed an agent here.
func (a *Agent) snap() bool { return setup.Exists(filepath.Join(a.Root, setup.SnapAgent)) }

// snapVersion is what snap's agent says of itself; zero: it does not say.
func (a *Agent) snapVersion(ctx context.Context) manifests.Version {
	out, err := a.System.Run(ctx, filepath.Join(a.Root, setup.SnapAgent), "-version")
	if err != nil {
		return manifests.Version{}
	}
	v, _ := versionIn(out)
	return v
}
