package console

import (
	"strings"
	"sync"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local"
)

// What is remembered of one host's pings.
const (
	sightingsMost = 100
	updatesMost   = 50
)

// sighting is a version that a host's agent said it runs, without a break.
type sighting struct {
	Version     string
	First, Last time.Time
}

// update is one update of a host, as its updater told the region (docs/protocol/update.md, "Health status").
type update struct {
	Begun, Ended time.Time // Ended is zero while it is under way
	From, To     string    // To is "" where the updater named none
	Status       string    // under way, succeeded, failed, undone
	Code         string    // of a failure
	OwnTimer     bool      // the host began it by itself
}

// history is what the pings of one host tell, read up to a mark.
type history struct {
	mark     string
	Versions []sighting
	Updates  []update
}

// histories are those of all hosts; each is read on from where it ended.
type histories struct {
	mu   sync.Mutex
	byID map[string]*history
}

// history reads what is new of a host, and returns a copy that stays as it is.
func (c *Console) history(id string) (history, error) {
	c.seen.mu.Lock()
	defer c.seen.mu.Unlock()
	if c.seen.byID == nil {
		c.seen.byID = map[string]*history{}
	}
	h := c.seen.byID[id]
	if h == nil {
		h = &history{}
		c.seen.byID[id] = h
	}
	pings, mark, err := c.region.PingsAfter(id, h.mark)
	if err != nil {
		return history{}, err
	}
	for _, p := range pings {
		h.take(p)
	}
	h.mark = mark
	return history{Versions: append([]sighting(nil), h.Versions...), Updates: append([]update(nil), h.Updates...)}, nil
}

// take adds one ping.
func (h *history) take(p local.Ping) {
	if p.AgentStatus == "" || p.AgentStatus == "Active" {
		if p.AgentVersion == "" {
			return
		}
		if n := len(h.Versions); n > 0 && h.Versions[n-1].Version == p.AgentVersion {
			h.Versions[n-1].Last = p.At
			return
		}
		h.Versions = last(append(h.Versions, sighting{p.AgentVersion, p.At, p.At}), sightingsMost)
		return
	}
	u, ok := readStatus(p.AgentStatus)
	if !ok {
		return
	}
	u.From = p.AgentVersion
	n := len(h.Updates)
	open := n > 0 && h.Updates[n-1].Status == underWay
	if !open {
		u.Begun = p.At
		h.Updates = last(append(h.Updates, u), updatesMost)
		n = len(h.Updates)
	} else {
		before := h.Updates[n-1]
		u.Begun, u.OwnTimer = before.Begun, u.OwnTimer || before.OwnTimer
		if u.To == "" {
			u.To = before.To
		}
		h.Updates[n-1] = u
	}
	if u.Status != underWay {
		h.Updates[n-1].Ended = p.At
	}
}

const underWay = "under way"

// readStatus takes an updater's status apart: <base>[_SelfUpdate][_<sub-status><code>][-<target>][-NoAlarm].
func readStatus(text string) (u update, ok bool) {
	head, _ := strings.CutSuffix(text, "-NoAlarm")
	head, u.To, _ = strings.Cut(head, "-")
	if u.To == "None" || u.To == "latest" {
		u.To = ""
	}
	base, rest, _ := strings.Cut(head, "_")
	if after, own := strings.CutPrefix(rest, "SelfUpdate"); own {
		u.OwnTimer, rest = true, strings.TrimPrefix(after, "_")
	}
	switch base {
	case "UpdateInitialized", "UpdateStaged", "UpdateInprogress", "RollingBack":
		u.Status = underWay
	case "UpdateSucceeded":
		u.Status = "succeeded"
	case "UpdateFailed":
		u.Status = "failed"
		if strings.Contains(rest, "Rollback_") {
			u.Status = "undone"
		}
	case "RollBackCompleted":
		u.Status = underWay // the end of the update is told next
	default:
		return u, false
	}
	if u.Status == "failed" || u.Status == "undone" {
		u.Code = rest
		if _, code, ok := strings.Cut(rest, "Rollback_"); ok {
			u.Code = code
		}
	}
	return u, true
}

// last is the end of a list, at most n items.
func last[T any](list []T, n int) []T { return list[max(0, len(list)-n):] }
