package identity

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
	"github.com/ssm-setup/ssm-setup/agent/config"
)

// keeper has the credentials of a hybrid node. One request for new ones is under way at most (a flight); only a flight
// touches the fields above mu.
type keeper struct {
	o          Options
	vault      vault
	prints     *fingerprints
	share      share
	runtime    string // folder of identity_config.json
	endpoint   string
	userAgent  string
	rotateDays int

	record  record
	private *rsa.PrivateKey // of record, once it was needed
	unsaved bool            // record holds a key that is not in the vault yet

	mu        sync.Mutex
	have      lease
	refusal   error     // what the last refresh failed with, until notBefore
	notBefore time.Time // set by run only
	running   *running
}

// lease is a set of credentials and its life.
type lease struct {
	keys               keys
	retrieved, expires time.Time
}

// running is a refresh under way.
type running struct {
	done chan struct{}
	err  error
}

// good tells whether the credentials can still sign: a twentieth of their life, at most a minute, is kept as a margin; a
// clock that was set back before the time they were got makes them doubtful.
func (l lease) good(now time.Time) bool {
	if !l.keys.complete() || now.Before(l.retrieved.Add(-5*time.Minute)) {
		return false
	}
	margin := min(l.expires.Sub(l.retrieved)/20, time.Minute)
	return now.Before(l.expires.Add(-margin))
}

// due is when new ones are asked for: half of the life.
func (l lease) due() time.Time {
	if !l.keys.complete() {
		return time.Time{}
	}
	return l.retrieved.Add(l.expires.Sub(l.retrieved) / 2)
}

// start takes what is cached; the keeper puts the runtime file in order when it is another identity's.
func (k *keeper) start() {
	k.have = k.cached()
	if mine := k.describe(lease{}); k.o.Keeper && !readRuntimeConfig(k.runtime).sameIdentity(mine) {
		if err := writeRuntimeConfig(k.runtime, mine); err != nil {
			k.o.Log.Warn("cannot write runtime configuration", "error", err)
		}
	}
}

// cached are the credentials the keeper last shared, if they are this identity's, not expired and still in the file
// (docs/protocol/identity.md, "Refresher timing").
func (k *keeper) cached() lease {
	c := readRuntimeConfig(k.runtime)
	if k.share.file == "" || !c.sameIdentity(k.describe(lease{})) || c.CredentialSource != sourceSSM {
		return lease{}
	}
	shared, err := k.share.read()
	if err != nil {
		return lease{}
	}
	l := lease{shared, c.CredentialsRetrievedAt, c.CredentialsExpiresAt}
	if !l.good(k.o.Now()) {
		return lease{}
	}
	return l
}

// describe is the runtime configuration for a lease; without one, times and source are empty.
func (k *keeper) describe(l lease) runtimeConfig {
	c := runtimeConfig{SchemaVersion: runtimeSchema, InstanceId: k.record.InstanceID, IdentityType: config.OnPrem, ShareFile: k.share.file,
		ShareProfile: k.share.profile, CredentialsExpiresAt: l.expires.UTC(), CredentialsRetrievedAt: l.retrieved.UTC()}
	if l.keys.complete() {
		c.CredentialSource = sourceSSM
	}
	return c
}

// Retrieve implements aws.CredentialsProvider.
func (k *keeper) Retrieve(ctx context.Context) (aws.Credentials, error) {
	k.mu.Lock()
	if !k.have.good(k.o.Now()) && !k.o.Keeper {
		k.have = k.cached() // the agent may have shared new ones
	}
	if k.have.good(k.o.Now()) {
		defer k.mu.Unlock()
		return k.have.credentials(), nil
	}
	if k.refusal != nil && k.o.Now().Before(k.notBefore) {
		defer k.mu.Unlock()
		return aws.Credentials{}, k.refusal
	}
	f := k.startRefresh(ctx)
	k.mu.Unlock()
	if err := f.wait(ctx); err != nil {
		return aws.Credentials{}, err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.have.credentials(), nil
}

// Invalidate forgets credentials that the service no longer takes; not those that are younger than ten seconds, lest a
// service that takes none is asked for tokens without end.
func (k *keeper) Invalidate() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.o.Now().Sub(k.have.retrieved) > 10*time.Second {
		k.have = lease{}
	}
}

// startRefresh starts a refresh or joins the one under way; mu is held. It outlives a caller that gives up.
func (k *keeper) startRefresh(ctx context.Context) *running {
	if k.running != nil {
		return k.running
	}
	f := &running{done: make(chan struct{})}
	k.running = f
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*callLimit)
	go func() {
		defer cancel()
		l, err := k.refresh(ctx)
		k.mu.Lock()
		defer k.mu.Unlock()
		if err == nil {
			k.have = l
		}
		k.refusal, f.err = err, err
		k.running = nil
		close(f.done)
	}()
	return f
}

func (f *running) wait(ctx context.Context) error {
	select {
	case <-f.done:
		return f.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// refresh gets new credentials and, in the agent, shares them and sees to the key.
func (k *keeper) refresh(ctx context.Context) (lease, error) {
	fingerprint, err := k.prints.get(ctx)
	if err != nil {
		return lease{}, err
	}
	if k.unsaved && k.o.Keeper {
		if err := k.save(); err != nil {
			k.o.Log.Error("the node's new key is not saved yet", "error", err)
		}
	}
	key, err := k.key()
	if err != nil {
		return lease{}, err
	}
	out, err := k.token(ctx, key, fingerprint)
	if refused(err) {
		if p, newer := k.readPending(); newer != nil {
			if again, newErr := k.token(ctx, newer, fingerprint); newErr == nil {
				out, err, key = again, nil, newer
				k.report(k.promote(p))
			}
		}
	}
	if err != nil {
		return lease{}, err
	}
	l := lease{keys{out.AccessKeyId, out.SecretAccessKey, out.SessionToken}, k.o.Now(), out.TokenExpirationDate.Time}
	if !l.expires.After(l.retrieved) { // one of the two clocks is wrong: no storm of requests
		k.o.Log.Error("the credentials have expired before they came; is the clock of this machine right?", "expires", l.expires)
		l.expires = l.retrieved.Add(2 * time.Minute)
	}
	if k.o.Keeper {
		k.publish(l)
		if k.rotationDue(out.UpdateKeyPair) {
			k.o.Log.Info("Attempting to rotate private key")
			k.report(k.rotate(ctx, key, fingerprint))
		}
	}
	return l, nil
}

// key is the node's private key, decoded on first need.
func (k *keeper) key() (*rsa.PrivateKey, error) {
	if k.private != nil {
		return k.private, nil
	}
	key, err := decodePrivate(k.record.PrivateKey)
	if err != nil {
		return nil, fmt.Errorf("cannot use the registration: %w", err)
	}
	k.private = key
	return key, nil
}

// report logs how a rotation went; it never fails a refresh.
func (k *keeper) report(err error) {
	if err != nil {
		k.o.Log.Error("Failed to rotate private key with error: " + err.Error())
		return
	}
	k.o.Log.Info("Successfully rotated private key")
}

// publish shares a lease: first the file, then what says how long it is good.
func (k *keeper) publish(l lease) {
	if k.share.file != "" {
		if err := k.share.write(l.keys); err != nil {
			k.o.Log.Error("cannot write shared credentials", "file", k.share.file, "error", err)
			return
		}
	}
	if err := writeRuntimeConfig(k.runtime, k.describe(l)); err != nil {
		k.o.Log.Error("cannot write runtime configuration", "error", err)
	}
}

func (k *keeper) shared() share { return k.share }

func (l lease) credentials() aws.Credentials {
	return aws.Credentials{AccessKeyID: l.keys.access, SecretAccessKey: l.keys.secret, SessionToken: l.keys.token,
		Source: sourceSSM, CanExpire: true, Expires: l.expires}
}

// run is the agent's loop, see [Identity.Run].
func (k *keeper) run(ctx context.Context) error {
	for failures := 0; ; {
		k.mu.Lock()
		due := k.have.due()
		k.mu.Unlock()
		if k.until(ctx, due) != nil {
			return ctx.Err()
		}
		k.mu.Lock()
		f := k.startRefresh(ctx)
		k.mu.Unlock()
		err := f.wait(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			failures = 0
			k.succeeded()
			continue
		}
		pause := failurePause(err, failures)
		failures = min(failures+1, mostFailures)
		k.failed(err, pause)
		if k.until(ctx, k.o.Now().Add(pause)) != nil {
			return ctx.Err()
		}
	}
}

func (k *keeper) succeeded() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.notBefore = time.Time{}
	life := k.have.due().Sub(k.o.Now())
	k.o.Log.Info(fmt.Sprintf("Next credential rotation will be in %.1f minutes", life.Minutes()))
}

func (k *keeper) failed(err error, pause time.Duration) {
	k.mu.Lock()
	k.notBefore = k.o.Now().Add(pause)
	k.mu.Unlock()
	k.o.Log.Error("Retrieve credentials produced error: " + err.Error())
	var e *cloud.Error
	if errors.As(err, &e) && e.Status != 0 {
		k.o.Log.Error(fmt.Sprintf("Status code %d returned from AWS API. RequestId: %s Message: %s", e.Status, e.RequestID, e.Message))
	}
	k.o.Log.Info(fmt.Sprintf("Sleeping for %v before retrying retrieve credentials", pause.Round(time.Second)))
}

// until waits by the wall clock, in steps of a minute: a machine that slept is not late by the length of its sleep.
func (k *keeper) until(ctx context.Context, t time.Time) error {
	for {
		left := t.Sub(k.o.Now().Round(0))
		if left <= 0 {
			return ctx.Err()
		}
		if err := k.o.Pause(ctx, min(left, time.Minute)); err != nil {
			return err
		}
	}
}
