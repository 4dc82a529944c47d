package launcher

import (
	"strconv"
	"time"

	"github.com/ssm-setup/ssm-setup/installer/pointer"
)

// version is the version of a target for people.
func (l *loop) version(t pointer.Target) string {
	if t.IsFloor() || t.IsZero() {
		return l.Stamp
	}
	return t.Version
}

// tell says what a pointer that was written means: that an update began, and how it ended. So the service's own log has both,
// whichever program made them.
func (l *loop) tell(before, now pointer.State) {
	from, to := l.version(before.Active), l.version(now.Active)
	switch {
	case now.Probation && (!before.Probation || now.Active != before.Active):
		l.tried = l.System.Now()
		l.say("updating ", from, " → ", to)
	case before.Probation && now.Active == before.Active && !now.Probation:
		l.say(to, " confirmed after ", strconv.Itoa(int(l.System.Now().Sub(l.tried).Round(time.Second).Seconds())), " s")
	case before.Probation && now.Active != before.Active:
		l.alarm("update ", to, " → ", from, " failed: ", to, " is active again")
	case now.Active != before.Active:
		l.say("changing ", from, " → ", to)
	}
}
