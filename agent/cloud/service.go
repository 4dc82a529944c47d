package cloud

import "github.com/ssm-setup/ssm-setup/regions/wire"

// Service is one of a region's services that speak JSON 1.1.
type Service struct {
	Name   string // in addresses and signatures: ssm, ec2messages
	Target string // begins the header X-Amz-Target: AmazonSSM
}

// SSM is the Systems Manager service itself.
func SSM() Service { return Service{Name: "ssm", Target: wire.TargetSSM} }

// Logs is CloudWatch Logs.
func Logs() Service { return Service{Name: "logs", Target: "Logs_20140328"} }
