package protocol

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
)

// Caller is who asks, as far as the signature proves it.
type Caller struct {
	Anonymous     bool   // nothing was signed
	Administrator bool   // signed with the credentials in the data folder
	InstanceID    string // of a node: its role credentials, or its own key, signed
	Hybrid        bool   // signed with the node's own key (RSA-PSS)
	AccessKey     string
}

// Administrator allows the region's administrator.
func Administrator(c Caller) bool { return c.Administrator }

// Node allows the role credentials of a node.
func Node(c Caller) bool { return c.InstanceID != "" && !c.Hybrid }

// NodeOrAdministrator allows both.
func NodeOrAdministrator(c Caller) bool { return Node(c) || Administrator(c) }

// NodeKey allows what a node signed with its own key.
func NodeKey(c Caller) bool { return c.Hybrid && c.InstanceID != "" }

// Call is one call of an operation.
type Call struct {
	Caller  Caller
	Body    []byte
	Request *http.Request
}

// Context ends with the connection or the region.
func (c *Call) Context() context.Context { return c.Request.Context() }

// Decode reads the request's JSON; keys match without regard to case, unknown ones are ignored, an empty body is {}.
func (c *Call) Decode(into any) error {
	body := bytes.TrimSpace(c.Body)
	if len(body) == 0 {
		return nil
	}
	if err := json.Unmarshal(body, into); err != nil {
		return Refuse("SerializationException", "%v", err)
	}
	return nil
}

// Operation is one row of a service's table.
type Operation struct {
	Allow func(Caller) bool // who may; others get AccessDeniedException
	Run   func(*Call) (any, error)
}

// Operations are a service's table, by name.
type Operations map[string]Operation
