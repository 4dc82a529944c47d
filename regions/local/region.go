package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.etcd.io/bbolt"

	"github.com/ssm-setup/ssm-setup/regions"
)

// Account is the number of the account every caller belongs to.
const Account = "123456789012"

// ErrLocked says that another process has the data folder open.
var ErrLocked = errors.New("the data folder is in use by another local region")

// ErrOtherRegion says that the data folder belongs to a region of another name.
var ErrOtherRegion = errors.New("the data folder holds another region")

// Options say where a region lives and listens. The zero value of each field is usable but Data.
type Options struct {
	Data   string           // folder of its state, made if missing
	Name   string           // region name; empty: [regions.Local]
	Listen string           // address and port; empty: 127.0.0.1 and a free port
	Log    *slog.Logger     // empty: silent
	Clock  func() time.Time // empty: time.Now

	NoSync bool // skip fsync: state survives kill -9 but not a power cut; for tests
	Record bool // keep the bodies of all calls for [Region.Calls]
}

// Region is a running region. It serves from Open to Close; all methods may be called at any time, from any goroutine.
type Region struct {
	name    string
	account string
	data    string
	noSync  bool
	log     *slog.Logger
	db      *bbolt.DB

	listener net.Listener
	server   *http.Server
	cancel   context.CancelFunc // ends the context of every call, long polls too
	done     sync.WaitGroup
	serving  sync.RWMutex // held for reading by every call
	closing  sync.Once
	closed   error

	admin    credential
	services map[string]service // by prefix of X-Amz-Target; "sts" for the query protocol

	clock clock
	waits waits
	knobs knobs
	calls calls
	desk  desk // messages given out
}

// Open starts a region and returns once it accepts connections. Errors: [ErrLocked], [ErrOtherRegion]; those of net.Listen; those of the
// file system, wrapped.
func Open(o Options) (*Region, error) {
	if o.Name == "" {
		o.Name = regions.Local
	}
	if err := regions.Check(o.Name); err != nil {
		return nil, err
	}
	if o.Data == "" {
		return nil, errors.New("no data folder given")
	}
	data, err := filepath.Abs(o.Data)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	r := &Region{name: o.Name, account: Account, data: data, noSync: o.NoSync, log: o.Log}
	if r.log == nil {
		r.log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	r.clock.base = o.Clock
	r.calls.bodies = o.Record
	if err := r.openRecords(); err != nil {
		return nil, err
	}
	if err := r.open(o.Listen); err != nil {
		return nil, errors.Join(err, r.db.Close())
	}
	return r, nil
}

// openRecords opens the database; one process at a time can.
func (r *Region) openRecords() error {
	db, err := bbolt.Open(filepath.Join(r.data, "region.db"), 0o600, &bbolt.Options{Timeout: 500 * time.Millisecond, NoSync: r.noSync, FreelistType: bbolt.FreelistMapType})
	if errors.Is(err, bbolt.ErrTimeout) {
		return fmt.Errorf("%s: %w", r.data, ErrLocked)
	}
	if err != nil {
		return fmt.Errorf("open records in %s: %w", r.data, err)
	}
	r.db = db
	return nil
}

// open does everything that needs the database.
func (r *Region) open(listen string) error {
	for _, prepare := range []func() error{r.prepareCredentials, r.prepareObjects, r.prepareOperations} {
		if err := prepare(); err != nil {
			return err
		}
	}
	r.services = services()
	return r.listen(listen)
}

// prepareOperations lets the operations make their buckets.
func (r *Region) prepareOperations() error {
	r.desk.opened = r.now()
	return r.db.Update(prepareRecords)
}

// Name is the region's name.
func (r *Region) Name() string { return r.name }

// Data is the folder of its state.
func (r *Region) Data() string { return r.data }

// Close stops serving: open calls are cut off, long polls end at once. State stays on disk.
func (r *Region) Close() error {
	r.closing.Do(func() {
		r.cancel()
		err := r.server.Close()
		r.done.Wait()
		r.serving.Lock() // calls that were cut off have returned
		defer r.serving.Unlock()
		r.closed = errors.Join(err, r.db.Close())
	})
	return r.closed
}

// now is the region's time; every time it speaks of or compares is from here.
func (r *Region) now() time.Time { return r.clock.now() }
