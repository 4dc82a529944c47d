package identity

import (
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/config"
)

// A service that takes a connection and never answers must not keep the agent from its next ping.
func TestEveryRequestHasALimit(t *testing.T) {
	for _, service := range []string{"ssm", "ec2messages", "ssmmessages", "kms", "of tomorrow"} {
		if limit(config.Default(), service) <= 0 || limit(config.Config{}, service) <= 0 {
			t.Errorf("requests to %s may last for ever", service)
		}
	}
}
