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

	CloudWatchLogs CloudWatchLogs

	// OnlyCommands: these are no settings of the administrator's but what is left without any, see [Read]. Nothing runs then that only
	// settings may allow: no session, no port forwarding, no association, no update by the agent itself.
	OnlyCommands bool `json:"-"`
}

// The comment behind each key is what docs/settings.md says of it. One that begins with "not yet" belongs to something that this agent
// does not do yet, one that begins with "no effect" never has one; both are read and checked all the same.

// Profile is about sharing a hybrid node's credentials with other programs.
type Profile struct {
	ShareCreds        bool   // write role credentials to the shared credentials file
	ShareProfile      string // section of that file; empty: default
	ForceUpdateCreds  bool   // no effect, as in the original
	KeyAutoRotateDays int    // age in days at which the node's key is replaced; 0: never
}

// Mds is the ec2messages lane.
type Mds struct {
	CommandWorkersLimit      int    // commands at once
	CommandWorkerBufferLimit int    // no effect: 10,000 commands wait, see agent/dispatch
	StopTimeoutMillis        int64  // time limit of one request, in milliseconds
	Endpoint                 string // address instead of the region's ec2messages
	CommandRetryLimit        int    // how often a command is taken up again after a restart of the agent
}

// Ssm is the Systems Manager service and what is kept of its work.
type Ssm struct {
	Endpoint                              string // address instead of the region's ssm; also for registration and role token
	HealthFrequencyMinutes                int    // minutes between two pings
	AssociationFrequencyMinutes           int    // not yet: minutes between two looks for associations
	AssociationRetryLimit                 int    // not yet: tries of an association
	CustomInventoryDefaultLocation        string // not yet: folder of custom inventory
	AssociationLogsRetentionDurationHours int    // hours that the folders of associations are kept
	RunCommandLogsRetentionDurationHours  int    // hours that the folders of commands are kept
	SessionLogsRetentionDurationHours     int    // not yet: hours that the folders of sessions are kept
	SessionLogsDestination                string // not yet: none or disk
	PluginLocalOutputCleanup              string // default, after-execution or after-upload
	OrchestrationDirectoryCleanup         string // default, clean-success or clean-success-failed
}

// Mgs is the ssmmessages lane.
type Mgs struct {
	Region                        string   // not yet: region of ssmmessages; empty: the identity's
	Endpoint                      string   // not yet: address instead of the region's ssmmessages; only scheme, host and port count
	StopTimeoutMillis             int64    // no effect, as in the original: 15 s for a token, 30 s to connect
	SessionWorkersLimit           int      // not yet: sessions at once
	SessionWorkerBufferLimit      int      // not yet: sessions that may wait
	DeniedPortForwardingRemoteIPs []string // not yet: addresses that no port is forwarded to
}

// Agent is about the agent itself.
type Agent struct {
	Name                                    string // name in User-Agent
	Version                                 string // version in User-Agent and replies; empty: the agent's own
	Region                                  string // region of signatures, not of host names
	ServiceDomain                           string // replaces the domain of every computed address
	OrchestrationRootDir                    string // folder of commands, below the node's data
	DownloadRootDir                         string // not yet: folder for downloads of documents
	ContainerMode                           bool   // not yet: the agent runs inside a container
	SelfUpdate                              bool   // leave a deprecated version by itself, for the newest active one; see StayCurrent
	SelfUpdateScheduleDay                   int    // days between two looks whether the version is deprecated
	TelemetryMetricsToCloudWatch            bool   // not yet: metrics to CloudWatch
	TelemetryMetricsToSSM                   bool   // not yet: metrics to Systems Manager
	TelemetryMetricsNamespace               string // not yet: namespace of metrics
	AuditExpirationDay                      int    // not yet: days that audit files are kept
	LongRunningWorkerMonitorIntervalSeconds int    // not yet: seconds between looks at long-running plugins
	ShouldPurgeInstanceProfileRoleCreds     bool   // not yet: remove shared credentials on EC2
	ForceFileIPC                            bool   // no effect: agent and workers always speak through files
	GoMaxProcForAgentWorker                 int    // no effect: the agent uses what the system gives it
	UpdateSource                            string // ours: URL of the region's manifest, {Region} allowed
	PackageSource                           string // ours: the source as people write it, where that is more than UpdateSource
	StayCurrent                             string // ours: latest or stable: what the agent follows by itself; empty: nothing
	StayCurrentSeconds                      int    // ours: seconds between two looks; 3600 at least, unless the region is on this machine
	UpdateWatchSeconds                      int    // ours: seconds of unbroken health that confirm an update
	UpdateLimitRate                         int    // ours: kilobytes (1,024 bytes) a second that a download of an update takes at most; 0: all
}

// Os goes into the metadata of replies.
type Os struct {
	Lang    string // language in replies
	Name    string // system in replies
	Version string // its version in replies
}

// S3 is where output goes to and packages come from.
type S3 struct {
	Endpoint  string // address instead of the region's s3
	Region    string // region of S3 requests; empty: the identity's
	LogBucket string // not yet: bucket for output
	LogKey    string // not yet: prefix in that bucket
}

// Birdwatcher is unused.
type Birdwatcher struct {
	ForceEnable bool // no effect
}

// Kms is about encrypted sessions.
type Kms struct {
	Endpoint                    string // not yet: address instead of the region's kms
	RequireKMSChallengeResponse bool   // not yet: insist on the challenge of encrypted sessions
}

// CloudWatchLogs is where output goes to while a step runs.
type CloudWatchLogs struct {
	Endpoint string // address instead of the region's logs; empty: where ssm, ec2messages, ssmmessages and s3 share one address, that one
}

// Identity is how the agent finds out who it is.
type Identity struct {
	Ec2SystemInfoDetectionResponse string           // not yet: empty, true or false; what the look for EC2 is to say
	ConsumptionOrder               []string         // identity types in the order they are tried
	CustomIdentities               []CustomIdentity // identities written into this file; the first with an id and a region counts
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
	case "logs":
		at := c.CloudWatchLogs.Endpoint
		if one := c.Ssm.Endpoint; at == "" && one == c.Mds.Endpoint && one == c.Mgs.Endpoint && one == c.S3.Endpoint {
			at = one // a region that is one address
		}
		return at, 0
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
			SelfUpdateScheduleDay: 7, StayCurrentSeconds: 14400,
			TelemetryMetricsToSSM: true, TelemetryMetricsNamespace: "amazon-ssm-agent-telemetry",
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
