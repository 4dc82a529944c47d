package config

import (
	"cmp"
	"runtime"
	"slices"
)

// bound puts the default in place of every value that is not accepted (docs/protocol/identity.md, "Configuration properties").
func (c *Config) bound() {
	d := Default()
	within(&c.Profile.KeyAutoRotateDays, 0, 365, d.Profile.KeyAutoRotateDays)

	atLeast(&c.Mds.CommandWorkersLimit, 1, d.Mds.CommandWorkersLimit)
	atLeast(&c.Mds.CommandWorkerBufferLimit, 1, d.Mds.CommandWorkerBufferLimit)
	within(&c.Mds.StopTimeoutMillis, 10000, 1000000, d.Mds.StopTimeoutMillis)
	within(&c.Mds.CommandRetryLimit, 1, 100, d.Mds.CommandRetryLimit)

	within(&c.Ssm.HealthFrequencyMinutes, 5, 60, d.Ssm.HealthFrequencyMinutes)
	within(&c.Ssm.AssociationFrequencyMinutes, 5, 60, d.Ssm.AssociationFrequencyMinutes)
	atLeast(&c.Ssm.AssociationLogsRetentionDurationHours, 8, d.Ssm.AssociationLogsRetentionDurationHours)
	atLeast(&c.Ssm.RunCommandLogsRetentionDurationHours, 8, d.Ssm.RunCommandLogsRetentionDurationHours)
	oneOf(&c.Ssm.SessionLogsDestination, d.Ssm.SessionLogsDestination, "none", "disk")
	oneOf(&c.Ssm.PluginLocalOutputCleanup, d.Ssm.PluginLocalOutputCleanup, "default", "after-execution", "after-upload")
	oneOf(&c.Ssm.OrchestrationDirectoryCleanup, d.Ssm.OrchestrationDirectoryCleanup,
		"default", "clean-success", "clean-success-failed")

	atLeast(&c.Mgs.SessionWorkersLimit, 1, 5)
	atLeast(&c.Mgs.SessionWorkerBufferLimit, 1, d.Mgs.SessionWorkerBufferLimit)
	if c.Mgs.DeniedPortForwardingRemoteIPs == nil {
		c.Mgs.DeniedPortForwardingRemoteIPs = d.Mgs.DeniedPortForwardingRemoteIPs
	}

	c.Agent.bound(d.Agent)
	c.Identity.bound()
}

func (a *Agent) bound(d Agent) {
	a.Name = cmp.Or(a.Name, d.Name)
	a.Version = cmp.Or(a.Version, d.Version)
	a.OrchestrationRootDir = cmp.Or(a.OrchestrationRootDir, d.OrchestrationRootDir)
	a.TelemetryMetricsNamespace = cmp.Or(a.TelemetryMetricsNamespace, d.TelemetryMetricsNamespace)
	within(&a.SelfUpdateScheduleDay, 1, 7, d.SelfUpdateScheduleDay)
	within(&a.AuditExpirationDay, 3, 30, d.AuditExpirationDay)
	within(&a.LongRunningWorkerMonitorIntervalSeconds, 30, 1800, d.LongRunningWorkerMonitorIntervalSeconds)
	within(&a.GoMaxProcForAgentWorker, 1, runtime.NumCPU(), d.GoMaxProcForAgentWorker)
	oneOf(&a.StayCurrent, "", "latest", "stable")
	within(&a.StayCurrentSeconds, 1, 604800, d.StayCurrentSeconds)
	within(&a.UpdateWatchSeconds, 1, 600, d.UpdateWatchSeconds)
	within(&a.UpdateLimitRate, 8, 1<<20, d.UpdateLimitRate)
}

// bound drops unknown names of the order; an order of nothing else is the default one, OnPrem included (the original loses it,
// docs/protocol/identity.md, "Configuration properties").
func (i *Identity) bound() {
	i.ConsumptionOrder = slices.DeleteFunc(i.ConsumptionOrder, func(name string) bool {
		return !slices.Contains([]string{OnPrem, EC2, ECS, Custom}, name)
	})
	if len(i.ConsumptionOrder) == 0 {
		i.ConsumptionOrder = defaultOrder()
	}
	oneOf(&i.Ec2SystemInfoDetectionResponse, "", "true", "false")
}

func within[T cmp.Ordered](v *T, low, high, otherwise T) {
	if *v < low || *v > high {
		*v = otherwise
	}
}

func atLeast[T cmp.Ordered](v *T, low, otherwise T) {
	if *v < low {
		*v = otherwise
	}
}

func oneOf(v *string, otherwise string, accepted ...string) {
	if !slices.Contains(accepted, *v) {
		*v = otherwise
	}
}
