package identity

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/installer"
)

// assumeCustom takes the first entry of the configuration that has an id and a region (docs/protocol/identity.md, "Identity types").
func assumeCustom(_ installer.Layout, cfg config.Config, o Options) (*Identity, error) {
	for _, c := range cfg.Identity.CustomIdentities {
		if c.InstanceID == "" || c.Region == "" {
			o.Log.Warn("Skipping custom identity without InstanceID or Region", "instance", c.InstanceID, "region", c.Region)
			continue
		}
		return &Identity{InstanceID: c.InstanceID, Region: c.Region, Type: config.Custom, AvailabilityZone: c.AvailabilityZone,
			InstanceType: c.InstanceType, source: chain{o.SharedFile}}, nil
	}
	return nil, nil
}

// chain is where a custom identity's credentials come from: the environment, then the shared credentials file. Roles of
// containers and EC2 instances come with those identity types.
type chain struct{ file string }

var errNoCredentials = errors.New("no credentials in environment or shared file")

// Retrieve implements aws.CredentialsProvider; nothing is remembered, so changes count at once.
func (c chain) Retrieve(context.Context) (aws.Credentials, error) {
	k := keys{os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY"), os.Getenv("AWS_SESSION_TOKEN")}
	if k.access != "" && k.secret != "" {
		return aws.Credentials{AccessKeyID: k.access, SecretAccessKey: k.secret, SessionToken: k.token, Source: "environment"}, nil
	}
	k, err := share{c.file, os.Getenv("AWS_PROFILE")}.read()
	if k.access != "" && k.secret != "" {
		return aws.Credentials{AccessKeyID: k.access, SecretAccessKey: k.secret, SessionToken: k.token, Source: "shared file"}, nil
	}
	return aws.Credentials{}, fmt.Errorf("%w: %w", errNoCredentials, err)
}

func (chain) run(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}

func (chain) shared() share { return share{} }
