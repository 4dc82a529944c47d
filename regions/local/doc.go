// Package local is a region you can hold in your hand: one process, one port, state in one folder. An agent, the AWS CLI
// and the SDKs talk to it as they talk to a real region.
//
// Who is served, on one port that speaks plain HTTP and TLS (the first byte tells them apart):
//
//	AWS JSON 1.1   X-Amz-Target AmazonSSM.… and EC2WindowsMessageDeliveryService.…
//	query          sts
//	S3             everything else, path-style or with the bucket in front of the host
//
// What lies in the data folder:
//
//	region.db      every record (bbolt); a second process on the same folder is refused with [ErrLocked]
//	objects/       bodies of S3 objects, written whole (temp file, fsync, rename); what no record names is removed at start
//	credentials    shared-credentials file, profile default: the region's administrator (0600)
//	ca.pem         certificate of the region's own CA; ca-key.pem its key (0600)
//
// What must always be true: an answer that says "done" is on disk; a request is answered only to whom its signature proves,
// except what is public (registration with an activation, reading the region's bucket); the records never name a body that
// is not there.
//
// The frame: region.go (Open, Close), listen.go and tls.go (the port), dispatch.go (who serves a request), json.go and query.go
// (the protocols), auth.go, sigv4.go and refusal.go (who asks, and what they are told), credentials.go (what was issued),
// clock.go, knobs.go and calls.go (for tests), s3*.go (the bucket), start.go (in-process, for tests). The operations of ssm, ec2messages and sts are tables of [operation], by name.
package local
