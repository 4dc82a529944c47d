package cloud

import (
	"errors"
	"slices"
	"time"
)

// tolerated is how far a service lets the time of a signature be off.
const tolerated = 4 * time.Minute

// now is the time to sign with: the service's, if its clock and ours are known to differ.
func (c *Client) now() time.Time { return c.o.Now().Add(time.Duration(c.skew.Load())) }

// timed are the codes that a signature of another time can get.
var timed = []string{"InvalidSignatureException", "SignatureDoesNotMatch", "RequestTimeTooSkewed", "RequestExpired", "RequestInTheFuture"}

// corrected tells whether a signed request was refused by a service whose clock says something quite different from what was
// signed, so that another attempt with its time is worth it. A machine with a wrong clock works, then.
func (c *Client) corrected(err error) bool {
	var e *Error
	if (c.o.Node == nil && c.o.Credentials == nil) || !errors.As(err, &e) || !slices.Contains(timed, e.Code) || e.date.IsZero() {
		return false
	}
	off := e.date.Sub(c.now())
	if off.Abs() < tolerated {
		return false
	}
	c.skew.Store(int64(e.date.Sub(c.o.Now())))
	c.o.Log.Warn("the clock of this machine and the region's differ; signing with the region's time", "by", off.Round(time.Second))
	return true
}
