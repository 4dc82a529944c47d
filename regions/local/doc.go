// Package local is a region on this machine: one process, one port, state in one folder. An agent, the AWS CLI and the SDKs
// talk to it as they talk to a real region; `ssm-setup local`, `demo` and the tests of the whole product run on it.
//
// This room is the region itself; each service is a room of its own.
//
//	region.go    open, close, what a region is made of
//	listen.go    the port: plain HTTP and TLS, told apart by the first byte; tls.go its certificates
//	services.go  the dispatch table: one row per service
//	dispatch.go  one request: the row that claims it, faults, the record of the call
//	clock.go, faults.go, calls.go  for tests: the time, misbehaviour on purpose, what was asked
//	facade.go, start.go  the region for programs in this process, and for one test; ask.go its operations without the port
//
//	protocol             how requests are read and answered, who asks
//	records, mailbox     what the region remembers (the door to bbolt), the messages that wait for nodes
//	ssm, messages, sts   services that clients find by X-Amz-Target or Action
//	ssmmessages          the control channels of nodes
//	logs                 CloudWatch Logs: what nodes write while a command runs, for aws logs tail
//	console              the page for people, on a port of its own; simulated: hosts for tests
//	s3                   everything else, path-style or with the bucket in front of the host
//
// One more service is a folder and a row in services.go; one more operation is a row of its service's table.
//
// What lies in the data folder:
//
//	region.db      every record; a second process on the same folder is refused with [ErrLocked]
//	objects/       bodies of S3 objects; what no record names is removed at start
//	credentials    shared-credentials file, profile default: the region's administrator (0600)
//	console        address and key of the console, while there is one (0600)
//	ca.pem         certificate of the region's own CA; ca-key.pem its key (0600)
//
// What must always be true: an answer that says "done" is on disk; a request is answered only to a caller whom its signature
// proves, except what is public (registration with an activation, reading the region's bucket).
package local
