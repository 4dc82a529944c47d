// Command simulation follows a release through a fleet by the very rules of updater/schedule: hosts in regions look, find a release at the
// share that is published for it, and regions fail for a while. It prints the load on each region, as text, JSON or a picture.
//
//	go run ./test/simulation [--hosts 1000000] [--regions 39] [--hours 48] [--json FILE] [--svg FILE]
//
// Every host has an id of its own; hosts are as many in each region. At hour 8 a release is published for 1 percent, at 12 for 10, at 16
// for all. From hour 24 to 26 the first region answers nothing. A look is one request (the rule is measured against real files by
// TestALookWithoutNewsIsOneRequest), one that sees something new two more; an update fetches the package. Time is counted in minutes, and
// the load of a second is that of its minute.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
	"github.com/ssm-setup/ssm-setup/updater/schedule"
)

func main() {
	f := Fleet{}
	flag.IntVar(&f.Hosts, "hosts", 1_000_000, "hosts in all")
	flag.IntVar(&f.Regions, "regions", 39, "regions")
	flag.IntVar(&f.Hours, "hours", 48, "hours")
	asJSON := flag.String("json", "", "write the result to this file, - for the output")
	picture := flag.String("svg", "", "write a picture to this file")
	flag.Parse()
	began := time.Now()
	r := f.Run()
	r.Seconds = time.Since(began).Seconds()
	if err := write(r, *asJSON, *picture); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

func write(r Result, asJSON, picture string) error {
	if picture != "" {
		if err := os.WriteFile(picture, []byte(r.SVG()), 0o644); err != nil {
			return err
		}
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	if asJSON == "-" {
		fmt.Println(string(text))
		return nil
	}
	fmt.Println(r)
	if asJSON == "" {
		return nil
	}
	return os.WriteFile(asJSON, append(text, '\n'), 0o644)
}

// Fleet is what is simulated.
type Fleet struct{ Hosts, Regions, Hours int }

// Result is the load. Requests a second are averages over a minute; of a region, unless something else is said.
type Result struct {
	Hosts   int     `json:"hosts"`
	Regions int     `json:"regions"`
	Hours   int     `json:"hours"`
	Seconds float64 `json:"seconds"` // that the simulation took

	Idle       float64 `json:"idle_requests_per_host_and_hour"` // in the hours before the release
	Quiet      float64 `json:"idle_requests_per_second"`        // of a region, on average
	Peak       float64 `json:"peak_requests_per_second"`        // of the busiest minute of any region
	Downloads  float64 `json:"peak_downloads_per_second"`       // the same of packages
	AfterFault float64 `json:"peak_after_outage_per_second"`    // of the region that failed, in the day after
	Shares     []Share `json:"shares"`
	Updated    int     `json:"updated"`
	Last       int     `json:"last_minute"` // when the last host was updated

	PerMinute [][]int32 `json:"-"` // requests, by region and minute
}

// Share is how many hosts run the release at an hour.
type Share struct {
	Hour    int `json:"hour"`
	Percent int `json:"percent"` // that it is for
	Updated int `json:"updated"`
}

// Hours of the story.
const (
	released, tenth, whole = 8, 12, 16
	breaks, mends          = 24, 26
)

var (
	start  = time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)
	before = manifests.MustVersion("9.1.0.0")
	after  = manifests.MustVersion("9.2.0.0")
)

// percent is the share that the release is for in a minute; below 0: it is not published.
func percent(minute int) int {
	switch {
	case minute < released*60:
		return -1
	case minute < tenth*60:
		return 1
	case minute < whole*60:
		return 10
	}
	return 100
}

// counts are those of a fleet, by region and minute.
type counts struct{ requests, downloads, updated [][]int32 }

// Run simulates.
func (f Fleet) Run() Result {
	end := start.Add(time.Duration(f.Hours) * time.Hour)
	c := counts{}
	for range f.Regions {
		c.requests, c.downloads = append(c.requests, make([]int32, f.Hours*60)), append(c.downloads, make([]int32, f.Hours*60))
		c.updated = append(c.updated, make([]int32, f.Hours*60))
	}
	var all sync.WaitGroup
	worker := make(chan struct{}, runtime.NumCPU())
	for region := range f.Regions {
		all.Go(func() {
			worker <- struct{}{}
			for i := region; i < f.Hosts; i += f.Regions {
				c.host(fmt.Sprintf("mi-%017x", i), region, end)
			}
			<-worker
		})
	}
	all.Wait()
	return f.sum(c)
}

// host follows one host through all its looks.
func (c counts) host(id string, region int, end time.Time) {
	phase, seen, running, failures := schedule.Phase(id, schedule.Usual), schedule.Seen{Version: before, Percent: 100}, before, 0
	for now := schedule.Next(phase, schedule.Usual, start.Add(-schedule.Usual)); now.Before(end); {
		minute := int(now.Sub(start) / time.Minute)
		if minute < 0 {
			now = schedule.Next(phase, schedule.Usual, now)
			continue
		}
		c.requests[region][minute]++
		if region == 0 && minute >= breaks*60 && minute < mends*60 {
			failures++
			now = schedule.Retry(id, failures, 0, schedule.Usual, now)
			continue
		}
		failures = 0
		waits := running.Less(seen.Version)
		if share := percent(minute); share >= 0 && (seen.Version != after || seen.Percent != share) {
			seen = schedule.Seen{Version: after, Percent: share}
			c.requests[region][minute] += 2
		}
		if waits {
			c.requests[region][minute]++ // the index beside VERSION
		}
		if schedule.Decide(id, running, seen).Ask {
			running = after
			c.requests[region][minute] += 3 // the updater reads manifest, index and package
			c.downloads[region][minute]++
			c.updated[region][minute]++
		}
		now = schedule.Next(phase, schedule.Usual, now)
	}
}

// sum makes the figures.
func (f Fleet) sum(c counts) Result {
	r := Result{Hosts: f.Hosts, Regions: f.Regions, Hours: f.Hours, PerMinute: c.requests}
	idle := 0
	for region, list := range c.requests {
		for minute, n := range list {
			load, loads := float64(n)/60, float64(c.downloads[region][minute])/60
			r.Peak, r.Downloads = max(r.Peak, load), max(r.Downloads, loads)
			if minute < released*60 {
				idle += int(n)
			}
			if region == 0 && minute >= mends*60 {
				r.AfterFault = max(r.AfterFault, load)
			}
		}
	}
	r.Idle = float64(idle) / float64(f.Hosts) / released
	r.Quiet = float64(idle) / released / 3600 / float64(f.Regions)
	for minute := range f.Hours * 60 {
		for region := range c.updated {
			if n := int(c.updated[region][minute]); n > 0 {
				r.Updated, r.Last = r.Updated+n, minute
			}
		}
		if at := minute / 60; minute%60 == 59 && (at+1)%4 == 0 {
			r.Shares = append(r.Shares, Share{Hour: at + 1, Percent: max(0, percent(minute)), Updated: r.Updated})
		}
	}
	return r
}

// String is the result for people.
func (r Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d hosts in %d regions, %d hours, simulated in %.1f s\n", r.Hosts, r.Regions, r.Hours, r.Seconds)
	fmt.Fprintf(&b, "an idle host: %.3f requests an hour; a region of them: %.1f a second\n", r.Idle, r.Quiet)
	fmt.Fprintf(&b, "busiest minute of a region: %.1f requests, %.1f downloads a second\n", r.Peak, r.Downloads)
	fmt.Fprintf(&b, "a region that failed for two hours, after it: %.1f requests a second at most\n", r.AfterFault)
	for _, s := range r.Shares {
		fmt.Fprintf(&b, "hour %2d: for %3d percent, %7d hosts run the release\n", s.Hour, s.Percent, s.Updated)
	}
	return strings.TrimRight(b.String(), "\n")
}

// SVG draws requests a second over time: the region that fails, and another one.
func (r Result) SVG() string {
	const width, height, left, top = 960, 300, 60, 30
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="sans-serif" font-size="12">`+"\n", width+2*left,
		height+3*top)
	fmt.Fprintf(&b, `<text x="%d" y="18">Requests a second of a region: %d hosts in %d regions</text>`+"\n", left, r.Hosts, r.Regions)
	for i, colour := range []string{"#c0392b", "#2c3e50"} {
		if i >= len(r.PerMinute) {
			break
		}
		fmt.Fprintf(&b, `<polyline fill="none" stroke="%s" points="`, colour)
		list := r.PerMinute[i]
		for minute := 0; minute+10 <= len(list); minute += 10 {
			sum := 0
			for _, n := range list[minute : minute+10] {
				sum += int(n)
			}
			fmt.Fprintf(&b, "%.1f,%.1f ", left+float64(minute)/float64(len(list))*width, top+height-float64(sum)/600/max(r.Peak, 0.001)*height)
		}
		fmt.Fprintf(&b, `"/>`+"\n"+`<text x="%d" y="%d" fill="%s">%s</text>`+"\n", left+i*260, height+2*top+20, colour,
			[]string{"the region that fails, hours 24 to 26", "another region"}[i])
	}
	for hour := 0; hour <= r.Hours; hour += 4 {
		fmt.Fprintf(&b, `<text x="%.0f" y="%d" text-anchor="middle">%d h</text>`+"\n", left+float64(hour)/float64(r.Hours)*width,
			height+top+16, hour)
	}
	fmt.Fprintf(&b, `<text x="4" y="%d">%.0f/s</text><text x="4" y="%d">0</text>`+"\n</svg>\n", top+12, r.Peak, top+height)
	return b.String()
}
