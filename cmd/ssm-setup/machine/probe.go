package machine

import (
	"context"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/agent/health"
	"github.com/ssm-setup/ssm-setup/agent/identity"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// probe is the agent's own empty ping, made by this program as the node: what the region says of it now. It names the version that
// runs.
func probe(ctx context.Context, l installer.Layout) error {
	cfg, err := config.Load(l.ConfigFile())
	if err != nil {
		return err
	}
	client, err := cloud.HTTP()
	if err != nil {
		return err
	}
	id, err := identity.Load(l, cfg, identity.Options{HTTP: client})
	if err != nil {
		return err
	}
	ssm, err := id.Client(cloud.SSM())
	if err != nil {
		return err
	}
	pulse, err := installer.ReadPulse(l.Pulse())
	if err != nil {
		return err
	}
	return ssm.Call(ctx, "UpdateInstanceInformation", wire.UpdateInstanceInformationInput{AgentName: manifests.AgentPackage,
		AgentVersion: pulse.Version, InstanceId: id.InstanceID, PlatformType: health.PlatformType()}, nil)
}
