// Package protocol is what the services of a local region have in common: how a request is read and answered, who asked, what a
// refusal looks like.
//
//	service.go    a service: one row of the region's dispatch table
//	answer.go     an answer under way
//	json.go       AWS JSON 1.1: X-Amz-Target "<prefix>.<operation>"
//	query.go      the query protocol: Action=… in, XML out
//	call.go       one call of an operation, and the rules who may
//	gate.go       who asks: signatures held against what was issued
//	signature.go  SigV4 as a request carries it, in the header or presigned
//	keys.go       access keys: the administrator's, and those issued to nodes
//	refusal.go    why a signature is refused, and each protocol's code for it
//	check.go      the checks of a request, told all at once
//	paging.go     lists cut into pages
//
// A service owns its operations and records; it answers through a [Handler]. An operation of a JSON or query service is one row of
// its table: who may, and a function from [Call] to a value that is written in the protocol's form. Errors are a [Fault] (an AWS
// code for the client) or a [Refusal]; any other error is the region's own failure, logged and answered with code 500.
//
// It owns two tables of records: "credentials" (access key id → key) and, of the table "region", the record "administrator".
//
// What must always be true: an operation runs only after its rule saw a caller whom the signature proves; secrets are in no answer
// but that of the call that made them, and in no log.
package protocol
