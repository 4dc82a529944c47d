// Package survey asks many regions at once which version each serves, and finds out which of them lag behind. It is the engine of
// `ssm-setup regions`.
//
// Parties: regions/bucket reads the VERSION files of one region; this room bounds how many are asked at once and compares the answers.
// It owns no files. What must always be true: the rows keep the order in which the regions were named, and one region that cannot be
// read takes nothing from the answer about the others.
package survey

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/regions"
	"github.com/ssm-setup/ssm-setup/regions/bucket"
)

// atOnce is how many regions are asked at once; one that does not answer within patience is unreadable.
const (
	atOnce   = 16
	patience = 20 * time.Second
)

// Row is what one region serves. Versions are four-part texts, empty where there is none.
type Row struct {
	Region    string `json:"region"`
	Partition string `json:"partition"`
	Latest    string `json:"latest,omitempty"`
	Stable    string `json:"stable,omitempty"`
	Behind    string `json:"behind,omitempty"` // the newest version anywhere, where this region has an older one
	Lag       string `json:"lag,omitempty"`    // how much, for people
	Error     string `json:"error,omitempty"`

	Trouble string `json:"trouble,omitempty"` // Error in few words, where it is a matter of the way to the region

	latest  manifests.Version
	trouble Trouble
}

// Answer is the survey of all regions that were asked.
type Answer struct {
	Rows       []Row
	Newest     manifests.Version // of all; zero where none could be read
	Unreadable int
}

// FirstFault says which region could not be read first, and why; empty where all could.
func (a Answer) FirstFault() string {
	for _, r := range a.Rows {
		if r.Error != "" {
			return r.Region + ": " + r.Error
		}
	}
	return ""
}

// Ask reads the VERSION files of regions, at the bucket that base names for each. tell is told how many are done.
func Ask(ctx context.Context, names []string, base func(region string) (string, error), tell func(done, total int64)) Answer {
	rows := make([]Row, len(names))
	client := bucket.DefaultHTTP()
	var wait sync.WaitGroup
	var mu sync.Mutex
	slots, done := make(chan struct{}, atOnce), int64(0)
	for i, name := range names {
		wait.Go(func() {
			slots <- struct{}{}
			rows[i] = ask(ctx, client, name, base)
			<-slots
			mu.Lock()
			defer mu.Unlock()
			done++
			tell(done, int64(len(names)))
		})
	}
	wait.Wait()
	return compare(rows)
}

func ask(ctx context.Context, client *http.Client, name string, baseOf func(string) (string, error)) Row {
	row := Row{Region: name, Partition: regions.Partition(name)}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	base, err := baseOf(name)
	if err != nil {
		row.Error = err.Error()
		return row
	}
	b := bucket.New(bucket.Options{Base: base, HTTP: client, Retries: 2})
	latest, err := b.Latest(ctx)
	if err != nil {
		row.Error, row.trouble = err.Error(), troubleOf(err)
		row.Trouble = row.trouble.What
		return row
	}
	row.latest, row.Latest = latest, latest.String()
	stable, err := b.Stable(ctx)
	if err != nil && !errors.Is(err, bucket.ErrMissing) &&
		!errors.Is(err, bucket.ErrDenied) { // denied: not there, in a bucket that is not listed
		row.Error = err.Error() // latest is known all the same
	}
	row.Stable = stable.String()
	return row
}

// compare fills in who lags behind and counts the unreadable.
func compare(rows []Row) Answer {
	a := Answer{Rows: rows}
	for _, r := range rows {
		if a.Newest.Less(r.latest) {
			a.Newest = r.latest
		}
		if r.Error != "" {
			a.Unreadable++
		}
	}
	for i := range rows {
		if r := &rows[i]; !r.latest.IsZero() && r.latest.Less(a.Newest) {
			r.Behind, r.Lag = a.Newest.String(), lag(r.latest, a.Newest, rows)
		}
	}
	return a
}

// lag counts the versions other regions serve that are newer than v.
func lag(v, newest manifests.Version, rows []Row) string {
	var newer []manifests.Version
	for _, r := range rows {
		if v.Less(r.latest) && !slices.Contains(newer, r.latest) {
			newer = append(newer, r.latest)
		}
	}
	if len(newer) == 1 {
		return "1 release behind " + newest.String()
	}
	return fmt.Sprintf("%d releases behind %s", len(newer), newest)
}
