package main

import (
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"testing"
)

func TestAFleetFollowsAReleaseWithoutComingTogether(t *testing.T) {
	f := Fleet{Hosts: 100_000, Regions: 39, Hours: 48}
	r := f.Run()
	if r.Idle > 0.3 || r.Idle < 0.2 {
		t.Errorf("an idle host makes %.3f requests an hour, a quarter expected and at most one allowed", r.Idle)
	}
	if r.Updated != f.Hosts {
		t.Errorf("%d of %d hosts follow", r.Updated, f.Hosts)
	}
	for _, s := range r.Shares {
		share := float64(s.Updated) / float64(f.Hosts) * 100
		if s.Hour == 12 && (share < 0.8 || share > 1.2) || s.Hour == 16 && (share < 9 || share > 11) || s.Hour == 8 && share > 0 {
			t.Errorf("hour %d: %.2f percent", s.Hour, share)
		}
	}
	// Looks of one minute vary by chance. One that finds the release makes seven requests where a quiet one makes one.
	mean := r.Quiet * 60
	most := mean + 6*math.Sqrt(mean)
	if r.Peak*60 > most*7 {
		t.Errorf("%.2f requests a second at most, quiet are %.2f", r.Peak, r.Quiet)
	}
	if r.AfterFault*60 > most*4 {
		t.Errorf("after an outage %.2f requests a second at most, quiet are %.2f", r.AfterFault, r.Quiet)
	}
	d := xml.NewDecoder(strings.NewReader(r.SVG()))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkRequestsPerHostAndHour has the figure as its result.
func BenchmarkRequestsPerHostAndHour(b *testing.B) {
	for range b.N {
		r := Fleet{Hosts: 10_000, Regions: 39, Hours: 48}.Run()
		b.ReportMetric(r.Idle, "requests/host/h")
	}
}
