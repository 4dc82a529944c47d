package identity

import (
	"math/rand/v2"
	"time"

	"github.com/ssm-setup/ssm-setup/agent/cloud"
)

// mostFailures bounds the exponent.
const mostFailures = 16

// failurePause is how long to wait after the n-th failure in a row, from 0 (docs/protocol/identity.md, "Refresher timing", hybrid
// nodes).
//
// Refusals that only a person can mend (a changed machine, a denied role) wait 25 to 30 minutes; other answers 2^n s and ten
// to twenty more, at most half an hour. No answer at all waits 2^n s, at most a minute, unlike the original, which treats it like
// a refusal: the service is not burdened by requests that do not reach it, and a network that comes back is noticed.
func failurePause(err error, n int) time.Duration {
	power := time.Second << min(n, mostFailures)
	power += time.Duration(float64(power) * 0.2 * rand.Float64()) //nolint:gosec // a pause is no secret
	switch code := cloud.Code(err); {
	case code == "AccessDeniedException" || code == "MachineFingerprintDoesNotMatch":
		return 25*time.Minute + seconds(300)
	case code == cloud.RequestError:
		return min(power, time.Minute-seconds(12))
	case code != "":
		return capped(power + 10*time.Second + seconds(10))
	}
	return capped(power)
}

func capped(d time.Duration) time.Duration {
	if d > 30*time.Minute {
		return 30*time.Minute - seconds(300)
	}
	return d
}

// seconds is a random whole number of them, below n.
func seconds(n int) time.Duration {
	return time.Duration(rand.IntN(n)) * time.Second //nolint:gosec // a pause is no secret
}
