package local

import "time"

// Issue lets tests make role credentials of a node without registering one.
func (r *Region) Issue(instanceID string, life time.Duration) (Credentials, time.Time) {
	id, secret, token, expiry, err := r.issue(instanceID, life)
	if err != nil {
		panic(err)
	}
	return Credentials{id, secret, token}, expiry
}
