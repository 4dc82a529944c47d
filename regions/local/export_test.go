package local

import "time"

// Issue lets tests make role credentials of a node without registering one.
func (r *Region) Issue(instanceID string, life time.Duration) (Credentials, time.Time) {
	c, expiry, err := r.keys.Issue(instanceID, life)
	if err != nil {
		panic(err)
	}
	return c, expiry
}
