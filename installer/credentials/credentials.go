// Package credentials finds the AWS credentials of the caller, as the AWS CLI does: environment, shared files, roles. It is the door to
// the SDK's settings.
//
// Parties: installer/publish writes to buckets with them, `ssm-setup nodes` lists hosts. It owns no files; the shared ones are the
// caller's.
//
// What must always be true: credentials that are handed out are there; where there are none, one line says so; the SDK's own log is silent.
package credentials

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/logging"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
)

// ErrMissing says that there are no credentials, or none that can be used.
var ErrMissing = fault.New(fault.Permission, "no usable AWS credentials",
	"set AWS_PROFILE, --profile, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_SHARED_CREDENTIALS_FILE; "+
		"they may have expired, or this clock is wrong")

// Find gives those of the usual AWS chain for a region; of the file shared and of a profile where these are named. They are there:
// [ErrMissing] says that there are none.
func Find(ctx context.Context, region, shared, profile string) (aws.CredentialsProvider, error) {
	c, err := Settings(ctx, region, shared, profile)
	return c.Credentials, err
}

// Settings gives those of the SDK, with credentials that are there. The SDK's own log stays silent: there is one printer.
func Settings(ctx context.Context, region, shared, profile string) (aws.Config, error) {
	options := []func(*config.LoadOptions) error{config.WithRegion(region), config.WithLogger(logging.Nop{})}
	if shared != "" { // a profile that is named counts before the environment
		options = append(options, config.WithSharedCredentialsFiles([]string{shared}))
		profile = cmp.Or(profile, "default")
	}
	if profile != "" {
		options = append(options, config.WithSharedConfigProfile(profile))
	}
	c, err := config.LoadDefaultConfig(ctx, options...)
	if err == nil {
		_, err = c.Credentials.Retrieve(ctx)
	}
	if err == nil {
		return c, nil
	}
	if strings.Contains(err.Error(), "no EC2 IMDS role found") { // the end of the chain, which says nothing of its beginning
		err = &exhausted{err}
	}
	return c, fault.Wrap(fault.Permission, fmt.Errorf("%w: %w", ErrMissing, err), hintOf(region))
}

// exhausted says in one line that nothing in the chain has credentials.
type exhausted struct{ cause error }

func (*exhausted) Error() string {
	return "there are none in the environment (AWS_ACCESS_KEY_ID), in the shared files, and no role of this machine"
}

func (e *exhausted) Unwrap() error { return e.cause }

// hintOf is the next step: a region that ran on this machine keeps credentials of its own.
func hintOf(region string) string {
	const hint = "check AWS_PROFILE, --profile and the shared AWS files"
	dir, err := os.UserConfigDir()
	if err != nil {
		return hint
	}
	file := filepath.Join(dir, "ssm-setup", "local-"+region, "credentials")
	if _, err := os.Stat(file); err != nil && region != "local" {
		return hint
	}
	return "for a region of ssm-setup local: export AWS_SHARED_CREDENTIALS_FILE=" + fault.Word(file)
}
