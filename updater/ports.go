package updater

import (
	"context"
	"errors"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
	"github.com/ssm-setup/ssm-setup/updater/ledger"
)

// Source is a region's bucket, as functions: the engine talks to no service by itself.
type Source struct {
	Manifest func(ctx context.Context) (*manifests.Manifest, error)
	Stable   func(ctx context.Context) (manifests.Version, error)
	URL      func(v manifests.Version, file string) string // of a file of the agent's package
	// Index is what the region says beyond the manifest, and whether the host's root of trust vouches for it; nil, or a nil index: nothing.
	Index func(ctx context.Context) (x *manifests.Index, verified bool, err error)
	// Fetch brings a file whole to its path: goes on with a part of it, and checks size and SHA-256.
	Fetch func(context.Context, bucket.Want) error
	// Trust says why what the source says is believed; nil: it is not told.
	Trust func(ctx context.Context) (ledger.Trust, error)
}

// Reporter tells the service, as functions; a nil one is not called.
type Reporter struct {
	Reply  func(ctx context.Context, messageID, replyID, payload string) error // SendReply
	Delete func(ctx context.Context, messageID string) error                   // DeleteMessage
	Health func(ctx context.Context, status, version string) error             // UpdateInstanceInformation
	Upload func(ctx context.Context, bucket, key, file string) error           // a step's output; may be nil

	// Lane is the reporter for Reply and Delete of messages of a lane, by [ReplyTo].Upstream; nil: this one, for every lane.
	Lane func(upstream string) Reporter
}

// lane is the reporter that answers messages of a lane.
func (r Reporter) lane(upstream string) Reporter {
	if r.Lane == nil {
		return r
	}
	return r.Lane(upstream)
}

// ErrNoMessage is what Reply and Delete return, wrapped, for a message the service does not know (any more): to try again is
// useless.
var ErrNoMessage = errors.New("the service does not know the message")
