package local

import (
	"context"
	"time"

	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/local/s3"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/commands"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/documents"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/nodes"
)

// Types of the rooms of services, for callers that know the region only.
type (
	// Credentials are a key pair as a client needs them.
	Credentials = protocol.Credentials
	// Instance is a managed node as the region knows it.
	Instance = nodes.Instance
	// Ping is one UpdateInstanceInformation as it came in.
	Ping = nodes.Ping
	// Invocation is where a command stands on a node.
	Invocation = commands.Invocation
	// CommandOverview is a command with where each of its nodes stands.
	CommandOverview = commands.Overview
	// CommandStand is where one node stands with a command.
	CommandStand = commands.Stand
	// DocumentContent is what a document says.
	DocumentContent = documents.Content
	// Plugin is one step of a command as its node answered.
	Plugin = commands.Plugin
	// Object is what a listing says of an object of a bucket.
	Object = s3.Object
	// KeptReply is one reply of a node as it came in.
	KeptReply = commands.KeptReply
)

// Put keeps an object in the region's bucket, as the administrator would.
func (r *Region) Put(key string, data []byte) error {
	return r.buckets.Put(regions.Bucket(r.name), key, data)
}

// PutIn keeps an object in any bucket that exists.
func (r *Region) PutIn(bucket, key string, data []byte) error {
	return r.buckets.Put(bucket, key, data)
}

// MakeBucket makes a bucket of the administrator's, in which nodes may keep output.
func (r *Region) MakeBucket(name string) error { return r.buckets.Make(name) }

// Get reads an object of the region's bucket.
func (r *Region) Get(key string) ([]byte, error) { return r.buckets.Get(regions.Bucket(r.name), key) }

// GetFrom reads an object of any bucket.
func (r *Region) GetFrom(bucket, key string) ([]byte, error) { return r.buckets.Get(bucket, key) }

// Delete removes an object of the region's bucket; one that is not there is no error.
func (r *Region) Delete(key string) error { return r.buckets.Delete(regions.Bucket(r.name), key) }

// Keys are the keys of the region's bucket that begin with prefix, in order.
func (r *Region) Keys(prefix string) ([]string, error) {
	return r.buckets.Keys(regions.Bucket(r.name), prefix)
}

// Objects are the objects of the region's bucket whose keys begin with prefix, in the order of keys.
func (r *Region) Objects(prefix string) ([]Object, error) {
	return r.buckets.Objects(regions.Bucket(r.name), prefix)
}

// Changed returns a channel that is closed by the next change of what the region remembers, or of its clock. Take it before
// reading.
func (r *Region) Changed() <-chan struct{} { return r.records.Changed(records.Anything) }

// Corrupt changes one byte in the middle of an object of the region's bucket; its size, ETag and all else stay.
func (r *Region) Corrupt(key string) error { return r.buckets.Corrupt(regions.Bucket(r.name), key) }

// CreateActivation makes an activation for up to limit machines, good for a day. The role is LocalNode.
func (r *Region) CreateActivation(limit int) (id, code string, err error) {
	return r.nodes.CreateActivation(limit)
}

// Instances are the registered nodes in the order of their ids.
func (r *Region) Instances() []Instance { return r.nodes.Instances() }

// Pings are the last pings of a node, the oldest first, at most 500: its agent's and its updater's.
func (r *Region) Pings(instance string) []Ping { return r.nodes.Pings(instance) }

// PingsAfter are the pings of a node that came after the one with the given mark ("": all that are kept), the oldest first, and the
// mark of the last.
func (r *Region) PingsAfter(instance, mark string) (pings []Ping, last string, err error) {
	return r.nodes.PingsAfter(instance, mark)
}

// PingSignal returns a channel that is closed by the next ping of a node.
func (r *Region) PingSignal(instance string) <-chan struct{} { return r.nodes.PingSignal(instance) }

// Deregister takes a node out, as DeregisterManagedInstance does.
func (r *Region) Deregister(instance string) error { return r.nodes.Deregister(instance) }

// RotateKey makes the next role token ask the node for a new key pair (docs/protocol/identity.md, "Key rotation").
func (r *Region) RotateKey(instance string) error { return r.nodes.RotateKey(instance) }

// PutDocument makes a Command document, or a new default version of it; text is JSON, or YAML where it doesn't begin
// with a brace.
func (r *Region) PutDocument(name, text string) error { return r.documents.Put(name, text) }

// CheckDocument reads a text as [Region.PutDocument] would, and keeps nothing.
func (r *Region) CheckDocument(text string) (DocumentContent, error) { return documents.Check(text) }

// SendCommand sends a command to one node, as SendCommand does, with the usual time-outs.
func (r *Region) SendCommand(document, instance string, parameters map[string][]string) (commandID string, err error) {
	return r.commands.Send(document, instance, parameters)
}

// Cancel cancels a command on all its nodes.
func (r *Region) Cancel(commandID string) error { return r.commands.Cancel(commandID) }

// Invocation tells where a command stands on a node. Error: InvocationDoesNotExist.
func (r *Region) Invocation(commandID, instance string) (Invocation, error) {
	return r.commands.Invocation(commandID, instance)
}

// WaitCommand waits until a command comes to its end on a node; when ctx ends first, it returns where it stands and the
// error of ctx.
func (r *Region) WaitCommand(ctx context.Context, commandID, instance string) (Invocation, error) {
	return r.commands.WaitCommand(ctx, commandID, instance)
}

// Replies are all replies of a node to a command, in the order they came.
func (r *Region) Replies(commandID, instance string) []KeptReply {
	return r.commands.Replies(commandID, instance)
}

// Cancels are the message ids of the cancels sent for a command to a node.
func (r *Region) Cancels(commandID, instance string) []string {
	return r.commands.Cancels(commandID, instance)
}

// Commands are the ids of all commands, the newest first.
func (r *Region) Commands() []string { return r.commands.Commands() }

// RecentCommands are the newest commands, at most n, the newest first.
func (r *Region) RecentCommands(n int) ([]CommandOverview, error) { return r.commands.Recent(n) }

// Command is one command with where its nodes stand. Error: InvalidCommandId.
func (r *Region) Command(id string) (CommandOverview, error) { return r.commands.Overview(id) }

// Now is the region's time: every time it speaks of is from there.
func (r *Region) Now() time.Time { return r.now() }

// HoldPolls sets how long a poll without messages is held; 0 means the usual 15 s.
func (r *Region) HoldPolls(d time.Duration) { r.messages.Hold(d) }
