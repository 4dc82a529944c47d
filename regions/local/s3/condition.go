package s3

import (
	"net/http"
	"strings"
	"time"

	"github.com/ssm-setup/ssm-setup/regions/local/protocol"
)

func errCondition() error {
	return protocol.Fail(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
}

// namesTag tells whether a list of entity tags names this one; * names any.
func namesTag(list, etag string) bool {
	for _, one := range strings.Split(list, ",") {
		one = strings.TrimPrefix(strings.TrimSpace(one), "W/")
		if one == "*" || strings.Trim(one, `"`) == etag {
			return true
		}
	}
	return false
}

// readCondition holds If-Match and its kin against an object: unchanged means 304.
func readCondition(h http.Header, o *object) (unchanged bool, err error) {
	return conditions(h, "If-", o)
}

// conditions reads <prefix>Match, None-Match, Modified-Since, Unmodified-Since.
func conditions(h http.Header, prefix string, o *object) (unchanged bool, err error) {
	modified := o.Modified.Truncate(time.Second)
	if list := h.Get(prefix + "Match"); list != "" {
		if !namesTag(list, o.ETag) {
			return false, errCondition()
		}
	} else if t, ok := timeOf(h, prefix+"Unmodified-Since"); ok && modified.After(t) {
		return false, errCondition()
	}
	if list := h.Get(prefix + "None-Match"); list != "" {
		return namesTag(list, o.ETag), nil
	}
	if t, ok := timeOf(h, prefix+"Modified-Since"); ok {
		return !modified.After(t), nil
	}
	return false, nil
}

// writeCondition is If-Match and If-None-Match of an upload, looked at in the moment of the change.
func writeCondition(h http.Header) condition {
	match, none := h.Get("If-Match"), h.Get("If-None-Match")
	return func(now *object) error {
		if none != "" && now != nil && namesTag(none, now.ETag) {
			return errCondition()
		}
		if match != "" && now == nil {
			return errNoKey()
		}
		if match != "" && !namesTag(match, now.ETag) {
			return errCondition()
		}
		return nil
	}
}

// mayWrite is what must hold for an upload to become the object of its key: its conditions, and a node replaces only what it
// wrote itself.
func (c *call) mayWrite() condition {
	holds := writeCondition(c.Request.Header)
	return func(now *object) error {
		if node := c.who.InstanceID; node != "" && now != nil && now.Node != node {
			return protocol.Deny("Access Denied")
		}
		return holds(now)
	}
}

// deleteCondition is If-Match of a deletion; an object that is gone needs none.
func deleteCondition(h http.Header) condition {
	match := h.Get("If-Match")
	return func(now *object) error {
		if match != "" && now != nil && !namesTag(match, now.ETag) {
			return errCondition()
		}
		return nil
	}
}
