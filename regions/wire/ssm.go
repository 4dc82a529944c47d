package wire

import (
	"encoding/json"
	"math"
	"time"
)

// RegisterManagedInstanceInput (docs/protocol/identity.md, "RegisterManagedInstance"). Activation: code and id, nothing signed.
// Edge: role and tags. EC2: fingerprint is the instance id.
type RegisterManagedInstanceInput struct {
	ActivationCode string `json:",omitempty"` // 20..250 characters
	ActivationId   string `json:",omitempty"` // 36 characters
	Fingerprint    string `json:",omitempty"` // UUID of the host's hardware hash, or the EC2 instance id
	IamRole        string `json:",omitempty"`
	PublicKey      string // standard base64 of SubjectPublicKeyInfo DER, 392 characters for RSA 2048
	PublicKeyType  string // "Rsa"
	Tags           []Tag  `json:",omitempty"`
}

// Tag is one key and value, both non-empty.
type Tag struct{ Key, Value string }

// RegisterManagedInstanceOutput carries "mi-" and 17 hex digits.
type RegisterManagedInstanceOutput struct{ InstanceId string }

// RequestManagedInstanceRoleTokenInput (docs/protocol/identity.md, "RequestManagedInstanceRoleToken,
// UpdateManagedInstancePublicKey — hybrid signature", "RequestManagedInstanceRoleToken — EC2 signature").
type RequestManagedInstanceRoleTokenInput struct{ Fingerprint string }

// RequestManagedInstanceRoleTokenOutput holds temporary credentials. The original needs all five fields; ours takes a missing
// UpdateKeyPair for false.
type RequestManagedInstanceRoleTokenOutput struct {
	AccessKeyId         string
	SecretAccessKey     string
	SessionToken        string
	TokenExpirationDate Epoch
	UpdateKeyPair       bool
}

// UpdateManagedInstancePublicKeyInput is signed with the key the service holds at present (docs/protocol/identity.md, "Key
// rotation").
type UpdateManagedInstancePublicKeyInput struct {
	NewPublicKey     string
	NewPublicKeyType string
}

// UpdateInstanceInformationInput is the health ping (docs/protocol/runcommand.md, "UpdateInstanceInformation"). The empty ping
// of start-up carries only AgentName, AgentVersion, InstanceId and PlatformType. Pointers tell "sent empty" from "not sent".
type UpdateInstanceInformationInput struct {
	AgentName            string
	AgentStatus          string `json:",omitempty"`
	AgentVersion         string
	AvailabilityZone     *string `json:",omitempty"`
	AvailabilityZoneId   *string `json:",omitempty"`
	ComputerName         string  `json:",omitempty"`
	IPAddress            string  `json:",omitempty"`
	InstanceId           string  `json:",omitempty"`
	PlatformName         string  `json:",omitempty"`
	PlatformType         string  `json:",omitempty"` // Linux, Windows, MacOS
	PlatformVersion      string  `json:",omitempty"`
	SSMConnectionChannel *string `json:",omitempty"` // ssmmessages, ec2messages or ""
}

// Epoch is a time as JSON 1.1 services send it: a number of seconds with an optional fraction. ISO 8601 text is read
// too (docs/protocol/identity.md, "Common to all calls").
type Epoch struct{ time.Time }

// MarshalJSON writes seconds with at most millisecond precision.
func (e Epoch) MarshalJSON() ([]byte, error) {
	return json.Marshal(math.Round(float64(e.UnixMilli())) / 1000)
}

// UnmarshalJSON reads a number of seconds or ISO 8601 text.
func (e *Epoch) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return e.Time.UnmarshalJSON(b)
	}
	var seconds float64
	if err := json.Unmarshal(b, &seconds); err != nil {
		return err
	}
	whole, fraction := math.Modf(seconds)
	e.Time = time.Unix(int64(whole), int64(math.Round(fraction*1e3))*1e6).UTC()
	return nil
}
