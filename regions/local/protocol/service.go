package protocol

import (
	"maps"
	"net/http"
	"slices"

	"github.com/ssm-setup/ssm-setup/regions/ground"
)

// Service is one row of a region's dispatch table.
type Service struct {
	Name       string     // the name it signs with, in the credential scope
	Operations []string   // names, sorted
	Table      Operations // of a JSON service; nil for the others

	// Claim takes a request as the service's own; ok is false where it is for a later row.
	Claim func(*Answer) (h Handler, ok bool)
}

// Handler answers one request.
type Handler struct {
	Operation string // name of what is asked for
	Serve     func(*Answer) error
	Fail      func(*Answer, error) // writes an error in the protocol's form
}

// names are those of a table, sorted.
func (o Operations) names() []string { return slices.Sorted(maps.Keys(o)) }

// perform checks who asks and runs an operation.
func (g *Gate) perform(a *Answer, signing string, o Operation) (any, error) {
	who, err := g.Authenticate(a.Request, signing, ground.SHA256(a.Body))
	if err != nil {
		return nil, err
	}
	a.Who = who.Name()
	if !o.Allow(who.Caller) {
		if who.Anonymous {
			return nil, Refusal{Missing, "Missing Authentication Token"}
		}
		return nil, Refusal{Denied, "User: " + who.arn() + " is not authorized to perform: " + signing + ":" + a.Operation}
	}
	return o.Run(&Call{Caller: who.Caller, Body: a.Body, Request: a.Request})
}

// Name names a caller in the record of calls.
func (c Caller) Name() string {
	switch {
	case c.Anonymous:
		return "anonymous"
	case c.Administrator:
		return "administrator"
	}
	return c.InstanceID
}

// arn names a caller in a refusal.
func (c Caller) arn() string {
	switch {
	case c.Anonymous:
		return "anonymous"
	case c.Administrator:
		return "arn:aws:iam::" + Account + ":user/administrator"
	}
	return "arn:aws:sts::" + Account + ":assumed-role/node/" + c.InstanceID
}

// Unknown claims what asks for an operation of the JSON or query protocol that no row before it has.
func (g *Gate) Unknown() Service {
	unknown := func(name string) func(*Answer) error {
		return func(a *Answer) error {
			if err := g.readBody(a); err != nil {
				return err
			}
			return Refuse("UnknownOperationException", "the local region has no operation %s", name)
		}
	}
	return Service{Claim: func(a *Answer) (Handler, bool) {
		if target := a.Request.Header.Get("X-Amz-Target"); target != "" {
			return Handler{Operation: operationOf(target), Serve: unknown(target), Fail: g.failJSON}, true
		}
		if !isQuery(a.Request) {
			return Handler{}, false
		}
		name := g.action(a)
		return Handler{Operation: name, Serve: unknown(name), Fail: g.failQuery}, true
	}}
}

// Failed is the answer to a request whose handler broke down.
func Failed() Fault {
	return Fail(http.StatusInternalServerError, "InternalServerError", "internal failure")
}
