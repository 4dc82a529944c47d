package uploads

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// Register is what one run has under way in a bucket. Its methods may be called side by side.
type Register struct {
	at     Bucket
	every  time.Duration
	marker string // the marker's key below the prefix

	mu       sync.Mutex
	underway map[string]string // key of the object, by the upload's ID
	stop     func()            // ends the refreshing
}

// content is a marker's text.
type content struct {
	Uploads map[string]string `json:"uploads"` // key of the object, by the upload's ID
}

// NewRegister makes a register without uploads; every is the time between two writings of its marker, 0 means a minute.
func NewRegister(at Bucket, every time.Duration) *Register {
	if every == 0 {
		every = time.Minute
	}
	return &Register{at: at, every: every, marker: folder + rand.Text(), underway: map[string]string{}}
}

// Begin notes an upload. A marker that cannot be written is no reason to send nothing: then the upload is one without marker.
func (r *Register) Begin(ctx context.Context, id, key string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.underway[id] = key; len(r.underway) == 1 {
		going, stop := context.WithCancel(context.WithoutCancel(ctx))
		r.stop = stop
		go r.refresh(going)
	}
	r.write(ctx)
}

// End takes an upload out that was completed or given up; the last one takes the marker along.
func (r *Register) End(ctx context.Context, id string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.underway, id)
	if len(r.underway) > 0 || r.stop == nil {
		return
	}
	r.stop()
	r.stop = nil
	r.at.remove(context.WithoutCancel(ctx), r.marker)
}

// refresh writes the marker anew until the last upload has ended.
func (r *Register) refresh(going context.Context) {
	tick := time.NewTicker(r.every)
	defer tick.Stop()
	for {
		select {
		case <-going.Done():
			return
		case <-tick.C:
		}
		r.mu.Lock()
		if going.Err() == nil {
			r.write(going)
		}
		r.mu.Unlock()
	}
}

func (r *Register) write(ctx context.Context) {
	text, err := json.Marshal(content{maps.Clone(r.underway)})
	if err != nil {
		return
	}
	_, _ = r.at.Client.PutObject(ctx, &s3.PutObjectInput{Bucket: &r.at.Name, Key: r.at.key(r.marker), Body: bytes.NewReader(text)})
}
