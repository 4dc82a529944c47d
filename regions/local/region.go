package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests/fault"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/ground"
	"github.com/ssm-setup/ssm-setup/regions/local/logs"
	"github.com/ssm-setup/ssm-setup/regions/local/mailbox"
	"github.com/ssm-setup/ssm-setup/regions/local/messages"
	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
	"github.com/ssm-setup/ssm-setup/regions/local/records"
	"github.com/ssm-setup/ssm-setup/regions/local/s3"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/commands"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/documents"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/nodes"
	"github.com/ssm-setup/ssm-setup/regions/local/ssm/parameters"
	"github.com/ssm-setup/ssm-setup/regions/local/ssmmessages"
)

// Account is the number of the account every caller belongs to.
const Account = protocol.Account

// ErrLocked says that another process has the data folder open.
var ErrLocked = records.ErrLocked

// ErrOtherRegion says that the data folder belongs to a region of another name.
var ErrOtherRegion = fault.New(fault.Usage, "the data folder holds another region",
	"use the region's own name, or another folder with --data")

// Options say where a region lives and listens. The zero value of each field is usable but Data.
type Options struct {
	Data   string           // folder of its state, made if missing
	Name   string           // region name; empty: [regions.Local]
	Listen string           // address and port; empty: 127.0.0.1 and a free port
	Log    *slog.Logger     // empty: silent
	Clock  func() time.Time // empty: time.Now

	Connections int           // most at once, more are closed; 0: 1024
	BodyPause   time.Duration // a request whose body stands still for so long is cut off; 0: 30 s

	NoSync bool // skip fsync: state survives kill -9 but not a power cut; for tests
	Record bool // keep the bodies of all calls for [Region.Calls]
}

// Region is a running region. It serves from Open to Close; all methods may be called at any time, from any goroutine.
type Region struct {
	name   string
	data   string
	noSync bool
	log    *slog.Logger

	connections int
	bodyPause   time.Duration

	records    *records.Store
	keys       *protocol.Keys
	buckets    *s3.Store
	mail       *mailbox.Mailbox
	nodes      *nodes.Registry
	documents  *documents.Repository
	parameters *parameters.Parameters
	logs       *logs.Logs
	commands   *commands.Tracker
	messages   *messages.Lane
	channels   *ssmmessages.Channels
	services   []protocol.Service // the dispatch table

	listening string // the address that was asked for
	listener  net.Listener
	server    *http.Server
	context   context.Context    // of every call
	cancel    context.CancelFunc // ends it: long polls, too
	done      sync.WaitGroup
	serving   sync.RWMutex // held for reading by every call
	closing   sync.Once
	closed    error

	clock  clock
	faults faults
	calls  calls
}

// Open starts a region and returns once it accepts connections. Errors: [ErrLocked], [ErrOtherRegion]; those of net.Listen;
// those of the file system, wrapped.
func Open(o Options) (*Region, error) {
	if o.Name == "" {
		o.Name = regions.Local
	}
	if err := regions.Check(o.Name); err != nil {
		return nil, err
	}
	if o.Data == "" {
		return nil, fault.New(fault.Usage, "no data folder given", "name one with --data")
	}
	data, err := filepath.Abs(o.Data)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	r := &Region{name: o.Name, data: data, noSync: o.NoSync, log: o.Log, connections: cmp.Or(o.Connections, connectionsUsual),
		bodyPause: cmp.Or(o.BodyPause, bodyPauseUsual)}
	if r.log == nil {
		r.log = slog.New(slog.DiscardHandler)
	}
	r.clock.base = o.Clock
	r.calls.bodies = o.Record
	switch r.records, err = records.Open(filepath.Join(data, "region.db"), !o.NoSync); {
	case errors.Is(err, ErrLocked):
		return nil, fmt.Errorf("%s: %w", data, err)
	case err != nil:
		return nil, fmt.Errorf("open records in %s: %w", data, err)
	}
	if err := r.open(o.Listen); err != nil {
		return nil, errors.Join(err, r.records.Close())
	}
	return r, nil
}

// open does everything that needs the records.
func (r *Region) open(listen string) error {
	if err := r.claimFolder(); err != nil {
		return err
	}
	if err := r.openServices(); err != nil {
		return err
	}
	if err := ground.Write(r.CredentialsFile(), []byte(r.Admin().CredentialsText()), 0o600, !r.noSync); err != nil {
		return fmt.Errorf("credentials of the region: %w", err)
	}
	return r.listen(listen)
}

// claimFolder writes the region's name into a new data folder, and refuses one of another region.
func (r *Region) claimFolder() error {
	if err := r.records.Prepare(protocol.RegionTable); err != nil {
		return err
	}
	return r.records.Update(func(tx *records.Tx) error {
		if name := records.Raw(tx, protocol.RegionTable, "name"); name != nil && string(name) != r.name {
			return fmt.Errorf("%s: %w: %s, not %s", r.data, ErrOtherRegion, name, r.name)
		}
		return records.SaveRaw(tx, protocol.RegionTable, "name", r.name)
	})
}

// Name is the region's name.
func (r *Region) Name() string { return r.name }

// Data is the folder of its state.
func (r *Region) Data() string { return r.data }

// Admin are the credentials of the region's administrator, the same for the life of the data folder.
func (r *Region) Admin() Credentials { return r.keys.Admin() }

// CredentialsFile is a shared-credentials file whose profile default is the administrator.
func (r *Region) CredentialsFile() string { return filepath.Join(r.data, "credentials") }

// Close stops serving: open calls are cut off, long polls end at once. State stays on disk.
func (r *Region) Close() error {
	r.closing.Do(func() {
		r.cancel()
		err := r.server.Close()
		r.done.Wait()
		r.serving.Lock() // calls that were cut off have returned
		defer r.serving.Unlock()
		r.closed = errors.Join(err, r.records.Close())
	})
	return r.closed
}

// now is the region's time; every time it speaks of or compares is from here.
func (r *Region) now() time.Time { return r.clock.now() }
