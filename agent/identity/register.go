package identity

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/config"
	"github.com/ssm-setup/ssm-setup/installer"
	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/wire"
)

// Activation is what a machine registers with: id and code, or, as a Greengrass device does, a role and credentials.
type Activation struct {
	ID     string // 36 characters
	Code   string // 20 characters or more
	Region string

	Role        string // IAM role of the node; wins over id and code
	Tags        []wire.Tag
	Credentials aws.CredentialsProvider // sign a registration with a role, see [Container]

	// DisableSimilarity stores the threshold -1: the hardware is not compared from now on, later registrations included.
	DisableSimilarity bool
}

// Lengths the service asks for, checked before anything is sent (docs/protocol/identity.md, "RegisterManagedInstance").
const (
	shortestCode = 20
	shortestID   = 36
)

// ErrStore says that the registration cannot be kept on this machine.
var ErrStore = errors.New("unable to save registration information")

// storeError speaks the original's words and keeps the cause.
type storeError struct{ err error }

func (e *storeError) Error() string {
	return fmt.Sprintf("Unable to save registration information. %v\nTry running as sudo/administrator.", e.err)
}
func (e *storeError) Is(target error) bool { return target == ErrStore }
func (e *storeError) Unwrap() error        { return e.err }

// Kind is one of manifests/fault: who may write to the vault may keep a registration.
func (e *storeError) Kind() string { return string(fault.Permission) }

// Registered is the id and region of the registration on this machine; empty without one.
func Registered(layout installer.Layout) (instanceID, region string, err error) {
	r, err := readRecord(vault{layout.Vault()})
	return r.InstanceID, r.Region, err
}

// Register makes this machine a managed node and returns its id (docs/protocol/identity.md, "Register steps"). An earlier
// registration stays usable until the service has agreed: the new key waits beside it (which also proves that the vault can be
// written), and a failure leaves everything as it was; the original empties the old record first. A running agent takes the new
// identity at its next start. Errors read as the original's after "Registration failed due to "; what the service said is a
// [cloud.Error] in them.
func Register(ctx context.Context, layout installer.Layout, cfg config.Config, o Options, a Activation) (string, error) {
	o = o.complete(layout)
	v := vault{layout.Vault()}
	key, err := newKey()
	if err != nil {
		return "", fmt.Errorf("error generating signing keys. %w", err)
	}
	public, err := encodePublic(key)
	if err != nil {
		return "", fmt.Errorf("error generating signing keys. %w", err)
	}
	if err := a.check(); err != nil {
		return "", fmt.Errorf("error registering the instance with AWS SSM. %w", err)
	}
	fresh := record{Region: a.Region, PrivateKey: encodePrivate(key), PrivateKeyType: keyType,
		PrivateKeyCreatedDate: o.Now().Format(createdLayout)}
	if err := v.write(candidateKey, fresh); err != nil {
		return "", &storeError{err}
	}
	f := &fingerprints{vault: v, probe: thisMachine(), log: o.Log, pause: o.Pause}
	machine, err := f.forRegistration(ctx, a.DisableSimilarity)
	if err == nil {
		fresh.InstanceID, err = send(ctx, cfg, o, a, machine.Fingerprint, public)
	}
	if err != nil {
		_ = v.remove(candidateKey) // one that is left over is never read
		return "", err
	}
	return fresh.InstanceID, store(layout, v, fresh, machine)
}

// store writes what a registration consists of: fingerprint, record, and last the file beside the vault.
func store(layout installer.Layout, v vault, fresh record, machine fingerprint) error {
	err := v.write(fingerprintKey, machine)
	if err == nil {
		err = v.write(registrationKey, fresh)
	}
	if err == nil {
		err = errors.Join(v.remove(candidateKey), v.remove(pendingKey))
	}
	if err != nil {
		return fmt.Errorf("error persisting the instance registration information. %w", err)
	}
	if err := writeRegistered(layout.Registration(), fresh); err != nil {
		return fmt.Errorf("Failed to write registration info to file. %w", err) //nolint:staticcheck // the original's words
	}
	return nil
}

// check refuses locally what the service would refuse, in the words of the original's client.
func (a Activation) check() error {
	var wrong []string
	if a.Role == "" && len(a.Code) < shortestCode {
		wrong = append(wrong, fmt.Sprintf("- minimum field size of %d, RegisterManagedInstanceInput.ActivationCode.", shortestCode))
	}
	if a.Role == "" && len(a.ID) < shortestID {
		wrong = append(wrong, fmt.Sprintf("- minimum field size of %d, RegisterManagedInstanceInput.ActivationId.", shortestID))
	}
	if wrong != nil {
		return fault.Wrap(fault.Usage, &cloud.Error{Code: "InvalidParameter",
			Message: fmt.Sprintf("%d validation error(s) found.\n%s", len(wrong), strings.Join(wrong, "\n"))},
			"an activation has an id of 36 and a code of at least 20 characters")
	}
	if err := regions.Check(a.Region); err != nil {
		return fmt.Errorf("Unable to determine endpoint because region %s has "+ //nolint:staticcheck // the original's words
			"invalid characters: %w", a.Region, err)
	}
	return nil
}

// send asks the service: unsigned with an activation, with a role signed by the credentials (for Agent.Region, if that is set;
// docs/protocol/identity.md, "Edge (Greengrass) registration"). TooManyUpdates is tried again five times within about four seconds.
func send(ctx context.Context, cfg config.Config, o Options, a Activation, fingerprint, public string) (string, error) {
	endpoint, err := cloud.Endpoint("ssm", a.Region, cfg.Agent.ServiceDomain, cfg.Ssm.Endpoint)
	if err != nil {
		return "", err
	}
	options := cloud.Options{
		HTTP: o.HTTP, Region: a.Region, Endpoint: endpoint, Service: "ssm", Target: wire.TargetSSM,
		UserAgent: cloud.UserAgent(cfg.Agent.Name, cfg.Agent.Version), Log: o.Log, Timeout: callLimit, Now: o.Now, Pause: o.Pause,
	}
	in := wire.RegisterManagedInstanceInput{Fingerprint: fingerprint, PublicKey: public, PublicKeyType: keyType}
	if a.Role == "" {
		in.ActivationCode, in.ActivationId = a.Code, a.ID
	} else {
		in.IamRole, in.Tags, options.Credentials = a.Role, a.Tags, a.Credentials
		if cfg.Agent.Region != "" {
			options.Region = cfg.Agent.Region
		}
	}
	client := cloud.New(options)
	var out wire.RegisterManagedInstanceOutput
	for n := 0; ; n++ {
		err = client.Call(ctx, "RegisterManagedInstance", in, &out)
		if n == 5 || cloud.Code(err) != "TooManyUpdates" || o.Pause(ctx, shortBackOff(n)) != nil {
			break
		}
	}
	if err == nil && out.InstanceId == "" {
		err = &cloud.Error{Code: cloud.SerializationError, Message: "the answer names no instance id"}
	}
	if err != nil {
		return "", fmt.Errorf("error registering the instance with AWS SSM. %w", refusal(err))
	}
	return out.InstanceId, nil
}

// refusal marks what the service said about this registration; trouble on the way keeps its own kind.
func refusal(err error) error {
	var e *cloud.Error
	if errors.As(err, &e) && e.Status/100 == 4 {
		return fault.Wrap(fault.Registration, err, "")
	}
	return err
}

// shortBackOff is 100 ms doubled n times, a fifth more or less (docs/protocol/identity.md, "HTTP behaviour").
func shortBackOff(n int) time.Duration {
	d := float64(100*time.Millisecond) * float64(int(1)<<n)
	return time.Duration(d * (0.8 + 0.4*rand.Float64())) //nolint:gosec // a pause is no secret
}

// forRegistration is the record to register with, not stored yet. A machine that changed gets a new fingerprint at once: it
// registers anew, so there is nothing to wait for. A record that makes no sense is replaced.
func (f *fingerprints) forRegistration(ctx context.Context, disable bool) (fingerprint, error) {
	saved, found, err := f.stored()
	var corrupt *corruptError
	if err != nil && !errors.As(err, &corrupt) {
		return fingerprint{}, fmt.Errorf("error generating instance fingerprint. %w", err)
	}
	current, same, err := f.compare(ctx, saved, found && corrupt == nil)
	switch {
	case err != nil:
		return fingerprint{}, fmt.Errorf("error generating instance fingerprint. %w", err)
	case same:
	case found && corrupt == nil:
		saved = newFingerprint(current, saved.SimilarityThreshold)
	default:
		saved = newFingerprint(current, DefaultThreshold)
	}
	if disable {
		saved.SimilarityThreshold = NoThreshold
	}
	return saved, nil
}

// Clear forgets the registration: empty records, as the original leaves them, and no registration file
// (docs/protocol/identity.md, "Clearing a registration"). Everything else in the vault stays.
func Clear(layout installer.Layout, now time.Time) error {
	v := vault{layout.Vault()}
	err := v.write(fingerprintKey, fingerprint{})
	if err == nil {
		err = v.write(registrationKey, record{PrivateKeyCreatedDate: now.Format(createdLayout)})
	}
	if err == nil {
		err = errors.Join(v.remove(candidateKey), v.remove(pendingKey), removeRuntimeConfig(layout.RuntimeConfig()))
	}
	if err == nil {
		if err = os.Remove(layout.Registration()); errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	}
	if err != nil {
		return fmt.Errorf("error clearing the instance registration information. "+ //nolint:staticcheck // the original's words
			"%w\nTry running as sudo/administrator.", err)
	}
	return nil
}

// SetThreshold stores the percentage of hardware values that must stay equal: 1 to 100, or [NoThreshold]
// (docs/protocol/identity.md, "Threshold command").
func SetThreshold(layout installer.Layout, n int) error {
	return (&fingerprints{vault: vault{layout.Vault()}}).setThreshold(n)
}
