package schedule

import (
	"crypto/sha256"
	"encoding/binary"
	"strconv"
	"time"

	"github.com/ssm-setup/ssm-setup/manifests"
)

// Bounds of the period between two looks.
const (
	Shortest = time.Hour          // of a region on another machine: one small request an hour at most
	Longest  = 7 * 24 * time.Hour //
	Usual    = 4 * time.Hour      // where nothing is set
)

// Waits after failures.
const (
	firstPause   = 15 * time.Minute
	longestPause = 24 * time.Hour // that a region's Retry-After is followed
)

// number is a hash of texts, evenly spread, keyed by what it is for, so that two uses of a host's id have nothing in
// common.
func number(purpose string, texts ...string) uint64 {
	text := make([]byte, 0, 128)
	text = append(append(append(text, "ssm-setup "...), purpose...), 0)
	for _, t := range texts {
		text = append(append(text, t...), 0)
	}
	sum := sha256.Sum256(text)
	return binary.BigEndian.Uint64(sum[:])
}

// part is a share of d, from 0 up to and without d.
func part(n uint64, d time.Duration) time.Duration {
	if d <= 0 {
		return 0
	}
	return time.Duration(n % uint64(d))
}

// Phase is a host's place in a period.
func Phase(host string, period time.Duration) time.Duration {
	return part(number("phase", host), period)
}

// Next is when a host looks after now: at its place in the period, at least half a period away.
func Next(phase, period time.Duration, now time.Time) time.Time {
	after := now.Add(period / 2)
	since := time.Duration(after.UnixNano()) % period
	return after.Add((phase - since + period) % period)
}

// Retry is when a host looks after so many failures in a row, 1 or more: 15 minutes doubled with each, at most the period, and up to half
// as much more, by a hash of host and count. after is the region's Retry-After, 0 for none.
func Retry(host string, failures int, after, period time.Duration, now time.Time) time.Time {
	pause := period
	if failures < 12 {
		pause = min(period, firstPause<<(failures-1))
	}
	pause = max(pause, min(after, longestPause))
	return now.Add(pause + part(number("retry", host, strconv.Itoa(failures)), pause/2))
}

// Admitted tells whether a version that is for a percentage of hosts is for this one.
func Admitted(host string, v manifests.Version, percent int) bool {
	switch {
	case percent >= 100:
		return true
	case percent <= 0:
		return false
	}
	return number("share", host, v.String())%10000 < uint64(percent)*100
}
