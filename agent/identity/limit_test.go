package identity

import (
	"testing"

	"github.com/ssm-setup/ssm-setup/agent/config"
)

// Every request has an end: a service that takes a connection and never answers must not keep the agent from its next ping.
func TestRequestsHaveALimit(t *testing.T) {
	for name, s := range services() {
		if s.timeout(config.Default()) <= 0 {
			t.Errorf("requests to %s may last for ever", name)
		}
	}
}
