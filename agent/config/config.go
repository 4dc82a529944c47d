package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/stamp"
)

// Config is the file's content, bounds applied.
type Config struct {
	Profile     Profile
	Mds         Mds
	Ssm         Ssm
	Mgs         Mgs
	Agent       Agent
	Os          Os
	S3          S3
	Birdwatcher Birdwatcher
	Kms         Kms
	Identity    Identity

	// OnlyCommands: these are no settings of the administrator's but what is left without any, see [Read]. Nothing runs then that only
	// settings may allow: no session, no port forwarding, no association, no update by the agent itself.
	OnlyCommands bool `json:"-"`
}

// Profile is about sharing a hybrid node's credentials with other programs.
type Profile struct {
	ShareCreds        bool   // write role credentials to the shared credentials file
	ShareProfile      string // section of that file; empty: default
	ForceUpdateCreds  bool   // no effect, as in the original
	KeyAutoRotateDays int    // 0..365, 0: never
}

// Mds is the ec2messages lane.
type Mds struct {
	CommandWorkersLimit      int // commands at once, at least 1
	CommandWorkerBufferLimit int // read and checked as the original does; without effect, see agent/dispatch
	StopTimeoutMillis        int64
	Endpoint                 string
	CommandRetryLimit        int
}

// Ssm is the Systems Manager service and what is kept of its work.
type Ssm struct {
	Endpoint                              string // also registration and role token
	HealthFrequencyMinutes                int
	AssociationFrequencyMinutes           int
	AssociationRetryLimit                 int
	CustomInventoryDefaultLocation        string
	AssociationLogsRetentionDurationHours int
	RunCommandLogsRetentionDurationHours  int
	SessionLogsRetentionDurationHours     int
	SessionLogsDestination                string // none, disk
	PluginLocalOutputCleanup              string // default, after-execution, after-upload
	OrchestrationDirectoryCleanup         string // default, clean-success, clean-success-failed
}

// Mgs is the ssmmessages lane.
type Mgs struct {
	Region                        string // empty: the identity's
	Endpoint                      string
	StopTimeoutMillis             int64
	SessionWorkersLimit           int
	SessionWorkerBufferLimit      int
	DeniedPortForwardingRemoteIPs []string
}

// Agent is about the agent itself.
type Agent struct {
	Name                                    string // User-Agent
	Version                                 string // User-Agent and replies
	Region                                  string // of signatures, not of host names
	ServiceDomain                           string // replaces the domain of every computed endpoint
	OrchestrationRootDir                    string
	DownloadRootDir                         string
	ContainerMode                           bool
	SelfUpdate                              bool
	SelfUpdateScheduleDay                   int
	TelemetryMetricsToCloudWatch            bool
	TelemetryMetricsToSSM                   bool
	TelemetryMetricsNamespace               string
	AuditExpirationDay                      int
	LongRunningWorkerMonitorIntervalSeconds int
	ShouldPurgeInstanceProfileRoleCreds     bool
	ForceFileIPC                            bool
	GoMaxProcForAgentWorker                 int
	UpdateSource                            string // ours: URL of the region's manifest, {Region} allowed
	UpdateWatchSeconds                      int    // ours: 1..600, unbroken health that confirms an update
}

// Os goes into the metadata of replies.
type Os struct{ Lang, Name, Version string }

// S3 is where output goes to and packages come from.
type S3 struct{ Endpoint, Region, LogBucket, LogKey string }

// Birdwatcher is unused.
type Birdwatcher struct{ ForceEnable bool }

// Kms is about encrypted sessions.
type Kms struct {
	Endpoint                    string
	RequireKMSChallengeResponse bool
}

// Identity is how the agent finds out who it is.
type Identity struct {
	Ec2SystemInfoDetectionResponse string // "", true, false
	ConsumptionOrder               []string
	CustomIdentities               []CustomIdentity
}

// CustomIdentity is an identity written into the file.
type CustomIdentity struct {
	InstanceID, Region, AvailabilityZone, AvailabilityZoneId, InstanceType, CredentialsProvider string
}

// Service is what the settings say of a service of the region by its name, such as ec2messages: the address to use instead of the
// region's own, empty for none, and how long one request may take, 0 for the caller's own limit.
func (c Config) Service(name string) (endpoint string, limit time.Duration) {
	switch name {
	case "ssm":
		return c.Ssm.Endpoint, 0
	case "ec2messages":
		return c.Mds.Endpoint, time.Duration(c.Mds.StopTimeoutMillis) * time.Millisecond
	case "ssmmessages":
		return c.Mgs.Endpoint, time.Duration(c.Mgs.StopTimeoutMillis) * time.Millisecond
	case "kms":
		return c.Kms.Endpoint, 0
	case "s3":
		return c.S3.Endpoint, 0
	}
	return "", 0
}

// Error says that a configuration file cannot be used.
type Error struct {
	Path string
	Err  error
}

func (e *Error) Error() string { return fmt.Sprintf("cannot read configuration %s: %v", e.Path, e.Err) }

// Unwrap gives the cause.
func (e *Error) Unwrap() error { return e.Err }

// Load reads the file at path for a command that checks before it changes something; one that does not exist means the defaults.
func Load(path string) (Config, error) {
	s, err := readFile(path)
	return s.Config, err
}

// Parse reads the text of a file. A byte order mark at its start is skipped.
func Parse(data []byte) (Config, error) {
	c := Default()
	// Lists are read into nothing, so that the decoder cannot write into the defaults.
	c.Mgs.DeniedPortForwardingRemoteIPs, c.Identity.ConsumptionOrder = nil, nil
	if err := json.Unmarshal(withoutMark(data), &c); err != nil {
		return Config{}, err
	}
	c.bound()
	return c, nil
}

func withoutMark(data []byte) []byte { return bytes.TrimPrefix(data, []byte("\xEF\xBB\xBF")) }

// Names of identity types (docs/protocol/identity.md, "Identity types").
const (
	OnPrem = "OnPrem"
	EC2    = "EC2"
	ECS    = "ECS"
	Custom = "CustomIdentity"
)

// Default is the configuration without a file (docs/protocol/identity.md, "Configuration properties").
func Default() Config {
	return Config{
		Profile: Profile{ShareCreds: true},
		Mds:     Mds{CommandWorkersLimit: 5, CommandWorkerBufferLimit: 5, StopTimeoutMillis: 20000, CommandRetryLimit: 15},
		Ssm: Ssm{
			HealthFrequencyMinutes: 5, AssociationFrequencyMinutes: 10, AssociationRetryLimit: 5,
			CustomInventoryDefaultLocation:        customInventory(),
			AssociationLogsRetentionDurationHours: 24, RunCommandLogsRetentionDurationHours: 336,
			SessionLogsRetentionDurationHours: 336, SessionLogsDestination: "none",
			PluginLocalOutputCleanup: "default", OrchestrationDirectoryCleanup: "default",
		},
		Mgs: Mgs{StopTimeoutMillis: 20000, SessionWorkersLimit: 1000, SessionWorkerBufferLimit: 1,
			DeniedPortForwardingRemoteIPs: deniedRemotes()},
		Agent: Agent{
			Name: "amazon-ssm-agent", Version: stamp.Version(), OrchestrationRootDir: "orchestration",
			SelfUpdateScheduleDay: 7, TelemetryMetricsToSSM: true, TelemetryMetricsNamespace: "amazon-ssm-agent-telemetry",
			AuditExpirationDay: 7, LongRunningWorkerMonitorIntervalSeconds: 60, UpdateWatchSeconds: 30,
		},
		Os:       Os{Lang: "en-US", Name: runtime.GOOS, Version: "1"},
		Identity: Identity{ConsumptionOrder: defaultOrder()},
	}
}

func defaultOrder() []string { return []string{OnPrem, EC2, Custom} }

func deniedRemotes() []string {
	return []string{"169.254.169.254", "fd00:ec2::254", "169.254.169.253", "fd00:ec2::253", "169.254.169.123", "fd00:ec2::123",
		"169.254.169.250", "169.254.169.251", "fd00:ec2::240"}
}

func customInventory() string {
	if runtime.GOOS == "windows" {
		return os.Getenv("ProgramData") + `\Amazon\SSM\Inventory\Custom`
	}
	return "/var/lib/amazon/ssm/inventory/custom"
}
